//! What was typed, and for `monitor serve` what is written in a file and in the environment too.
//!
//! The flags are declared once, in [`crate::cli`]: a key of the file is the name of a flag, and its value is read as if it had
//! been typed, but where the same is typed or in the environment.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, FromArgMatches as _, parser::ValueSource};
use toml::{Table, Value};

use crate::cli::{self, Cli, Command};

/// Read where no other file is named, if it is there.
pub const DEFAULT_PATH: &str = "/etc/monitor/config.toml";

/// What was asked for cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// What was typed, or is in the environment; also where help was asked for.
    #[error("{}", in_one_line(&.0.to_string()))]
    Usage(clap::Error),
    /// The file could not be read.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{}: {wrong}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// A key has a value that no flag has.
    #[error("{}: {key} is neither a text, a number, true or false, nor a list of such", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: String,
    },
    /// The flags that the keys stand for are not understood.
    #[error("{}: {wrong}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
}

/// Reads the command line, the environment, and where they are for `monitor serve` the file that goes with it.
pub fn read(typed: impl IntoIterator<Item = OsString>) -> Result<Cli, ConfigError> {
    let typed: Vec<OsString> = typed.into_iter().collect();
    let matches = cli::command().try_get_matches_from(&typed).map_err(ConfigError::Usage)?;
    let cli = Cli::from_arg_matches(&matches).map_err(ConfigError::Usage)?;
    let (Command::Serve(args), Some((_, matches))) = (&cli.command, matches.subcommand()) else {
        return Ok(cli);
    };
    match (&args.config, fs::read_to_string(DEFAULT_PATH)) {
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(cli),
        (Some(path), _) => merge(typed, matches, path, fs::read_to_string(path)),
        (None, text) => merge(typed, matches, Path::new(DEFAULT_PATH), text),
    }
}

/// What the file says behind what was typed.
fn merge(
    mut typed: Vec<OsString>,
    matches: &ArgMatches,
    path: &Path,
    text: io::Result<String>,
) -> Result<Cli, ConfigError> {
    let text = text.map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let place = error.to_string();
        let place = place.lines().next().unwrap_or_default();
        ConfigError::Form { path: path.into(), wrong: format!("{place}: {}", error.message()) }
    })?;
    for (key, value) in table {
        if !is_given(matches, &key) {
            let as_flags = flags(&key, &value);
            typed.extend(as_flags.ok_or_else(|| ConfigError::Value { path: path.into(), key })?);
        }
    }
    let refused = |error: clap::Error| ConfigError::Refused {
        path: path.into(),
        wrong: in_one_line(&error.to_string()),
    };
    Cli::from_arg_matches(&cli::command().try_get_matches_from(typed).map_err(refused)?).map_err(refused)
}

/// What is wrong, without clap's paragraphs on usage.
#[must_use]
pub fn in_one_line(message: &str) -> String {
    let wrong = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = wrong.split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// Whether a flag is typed or in the environment, which go before the file.
fn is_given(matches: &ArgMatches, key: &str) -> bool {
    let id = key.replace('-', "_");
    matches.try_contains_id(&id).is_ok()
        && matches!(matches.value_source(&id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// A key and its value as they would be typed; `None` of a value that cannot be.
fn flags(key: &str, value: &Value) -> Option<Vec<OsString>> {
    let with = |value: &str| format!("--{key}={value}").into();
    match value {
        Value::Boolean(true) => Some(vec![format!("--{key}").into()]),
        Value::Boolean(false) => Some(Vec::new()),
        Value::Array(values) => values.iter().map(|value| Some(with(&plain(value)?))).collect(),
        other => Some(vec![with(&plain(other)?)]),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::ServeArgs;

    /// What `monitor serve` with these arguments makes of a file.
    fn with_file(text: &str, args: &[&str]) -> Result<ServeArgs, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let typed = ["monitor", "serve", "--config", file.path().to_str().unwrap()];
        let cli = read(typed.iter().chain(args).map(OsString::from))?;
        let Command::Serve(args) = cli.command else { panic!("{cli:?}") };
        Ok(args)
    }

    #[test]
    fn a_key_is_a_flag_and_what_is_typed_goes_first() {
        let text = "listen = \"[::]:80\"\ninterval = \"5s\"\nmax-connections = 7\nno-docker = true\n\
                    no-fault-exceptions = false\nmetrics = [\"memory\", \"pressure\"]\n";
        let args = with_file(text, &["--interval", "2s", "--metrics", "block_io"]).unwrap();
        assert_eq!(args.listen, "[::]:80");
        assert_eq!(args.max_connections, 7);
        assert!(args.source.runtimes.no_docker && !args.source.no_fault_exceptions);
        assert_eq!(args.source.interval, Duration::from_secs(2));
        assert_eq!(args.metrics, ["block_io"]);
    }

    #[test]
    fn what_no_flag_takes_is_refused_with_the_file_s_name() {
        for (text, words) in [
            ("colour = 1", &["--colour"][..]),
            ("interval = \"soon\"", &["--interval", "soon"]),
            ("max-connections = 0", &["--max-connections"]),
            ("no-docker = 1", &["--no-docker"]),
            ("[server]\nlisten = \"x\"", &["server"]),
            ("listen = ", &["TOML"]),
        ] {
            let error = with_file(text, &[]).unwrap_err();
            let said = crate::error::chain(&error);
            assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
        }
        let missing = ["monitor", "serve", "--config", "/nonexistent/config.toml"].map(OsString::from);
        assert!(matches!(read(missing), Err(ConfigError::Read { .. })));
    }

    /// A value that a flag takes, as TOML.
    fn sample(arg: &clap::Arg) -> String {
        if !arg.get_action().takes_values() {
            return "true".to_owned();
        }
        if let Some(first) = arg.get_possible_values().first() {
            return format!("{:?}", first.get_name());
        }
        let default = arg.get_default_values().first().and_then(|value| value.to_str());
        format!("{:?}", default.unwrap_or("10m"))
    }

    #[test]
    fn every_flag_of_serve_is_a_key_and_a_variable() {
        let command = cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let named = |arg: &&clap::Arg| !["config", "help", "verbose"].contains(&arg.get_id().as_str());
        let mut keys = 0;
        for arg in serve.get_arguments().filter(named) {
            let key = arg.get_long().unwrap();
            assert!(arg.get_env().is_some(), "{key} is no variable");
            // Some say how something else is done, which they need.
            let more = match key {
                "tls-cert-file" => "tls-key-file = \"x\"\n",
                "tls-key-file" => "tls-cert-file = \"x\"\n",
                "tls-client-ca-file" => "tls-cert-file = \"x\"\ntls-key-file = \"x\"\n",
                key if key.starts_with("replay-") => "replay = \"x\"\n",
                _ => "",
            };
            let text = format!("{more}{key} = {}\n", sample(arg));
            assert!(with_file(&text, &[]).is_ok(), "{text}: {:?}", with_file(&text, &[]));
            keys += 1;
        }
        assert!(keys > 40, "{keys} keys");
    }

    #[test]
    fn other_commands_have_no_file() {
        assert!(read(["monitor", "stream", "--config", "x"].map(OsString::from)).is_err());
        assert!(matches!(
            read(["monitor", "stream"].map(OsString::from)).unwrap().command,
            Command::Stream(_)
        ));
    }
}
