//! The command line.

use std::time::Duration;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How long containers are started for.
    pub(crate) time: Duration,
    /// Containers started each second.
    pub(crate) rate: u32,
}

impl Options {
    /// `[--minutes N] [--rate N]`
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut minutes, mut rate) = (30, 5);
        while let Some(arg) = args.next() {
            let option = match arg.as_str() {
                "--minutes" => &mut minutes,
                "--rate" => &mut rate,
                _ => return Err(format!("there is no option {arg:?}")),
            };
            let value = args.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0);
            *option = value.ok_or_else(|| format!("{arg} needs a number above 0"))?;
        }
        Ok(Self { time: Duration::from_secs(60 * u64::from(minutes)), rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(ToString::to_string))
    }

    #[test]
    fn numbers_are_above_0() {
        let options = parse(&["--rate", "7", "--minutes", "2"]).unwrap();
        assert_eq!(options, Options { time: Duration::from_mins(2), rate: 7 });
        assert!(parse(&["--rate", "0"]).is_err());
        assert!(parse(&["--minutes"]).is_err());
        assert!(parse(&["--hours", "1"]).is_err());
    }
}
