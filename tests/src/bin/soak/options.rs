//! The command line.

use std::time::Duration;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How long containers are started for.
    pub(crate) time: Duration,
    /// Containers started each second.
    pub(crate) rate: u32,
    /// How many must have been started.
    pub(crate) least: usize,
    /// Whether the Docker daemon goes away once.
    pub(crate) stops_daemon: bool,
    /// Whether runc starts them, without Docker.
    pub(crate) by_runc: bool,
}

impl Options {
    /// `[--minutes N] [--rate N] [--least N] [--no-stop | --runc]`
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut minutes, mut rate, mut least) = (30, 5, 0);
        let (mut stops_daemon, mut by_runc) = (true, false);
        while let Some(arg) = args.next() {
            let option = match arg.as_str() {
                "--minutes" => &mut minutes,
                "--rate" => &mut rate,
                "--least" => &mut least,
                "--no-stop" => {
                    stops_daemon = false;
                    continue;
                }
                "--runc" => {
                    (stops_daemon, by_runc) = (false, true);
                    continue;
                }
                _ => return Err(format!("there is no option {arg:?}")),
            };
            let value = args.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0);
            *option = value.ok_or_else(|| format!("{arg} needs a number above 0"))?;
        }
        let least = least.try_into().map_err(|_range| format!("{least} are too many"))?;
        Ok(Self { time: Duration::from_secs(60 * u64::from(minutes)), rate, least, stops_daemon, by_runc })
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
        let expected =
            Options { time: Duration::from_mins(2), rate: 7, least: 0, stops_daemon: true, by_runc: false };
        assert_eq!(options, expected);
        let options = parse(&["--least", "500", "--no-stop"]).unwrap();
        assert_eq!((options.least, options.stops_daemon), (500, false));
        let options = parse(&["--runc"]).unwrap();
        assert_eq!((options.by_runc, options.stops_daemon), (true, false));
        assert!(parse(&["--rate", "0"]).is_err());
        assert!(parse(&["--minutes"]).is_err());
        assert!(parse(&["--hours", "1"]).is_err());
    }
}
