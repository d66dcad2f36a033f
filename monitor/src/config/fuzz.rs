//! Promises of what reads a file of settings: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::{ffi::OsString, io, path::Path, sync::LazyLock};

use clap::ArgMatches;

use super::{ConfigError, in_one_line, merge};
use crate::{cli, error::chain, fuzzing::made, runtime::places::NamedSocket};

static TYPED: LazyLock<(Vec<OsString>, ArgMatches)> = LazyLock::new(|| {
    let typed = ["monitor", "serve", "--no-docker"].map(OsString::from).to_vec();
    let matches = cli::command().try_get_matches_from(&typed).unwrap();
    let (_, matches) = matches.subcommand().unwrap();
    (typed, matches.clone())
});

/// A file of settings, or the value of one.
pub(crate) fn settings(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (typed, matches) = &*TYPED;
    let text_of_file = String::from_utf8(input.to_vec()).map_err(io::Error::other);
    match merge(typed.clone(), matches, Path::new("/etc/config.toml"), text_of_file) {
        Ok(_) => {}
        Err(ConfigError::Usage(error)) => panic!("a file is no command line: {error}"),
        Err(error) => {
            let said = chain(&error);
            assert!(said.contains("/etc/config.toml"), "{said}");
        }
    }
    assert!(!in_one_line(&text).contains('\n'));
    made(text.parse::<NamedSocket>());
}
