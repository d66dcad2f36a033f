//! `[--bless] [FILTER]`, as several commands take them.

use anyhow::{Result, bail};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Rewrite what is compared with where it differs from what was seen.
    pub(crate) bless: bool,
    /// Only what has this in its name.
    pub(crate) filter: Option<String>,
}

/// `command` is what is told to have been called wrongly.
pub(crate) fn parse(command: &str, args: &[String]) -> Result<Options> {
    let mut options = Options::default();
    for arg in args {
        match arg.as_str() {
            "--bless" => options.bless = true,
            "--" => {}
            flag if flag.starts_with('-') => bail!("`cargo xtask {command}` takes no `{flag}`"),
            _ if options.filter.is_some() => {
                bail!("`cargo xtask {command}` takes one FILTER, `{arg}` is a second")
            }
            filter => options.filter = Some(filter.to_owned()),
        }
    }
    Ok(options)
}
