//! The command: arguments → settings → app → exit code.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::error::ErrorKind;
use monitor::{
    app::{self, AppError},
    cli::{self, Command, ConfigCommand},
    config::{self, ConfigError, in_one_line},
    doctor,
    error::chain,
    generate,
    inspect::{self, InspectError},
    report,
    settings::{Events, Inspect, Record, Replay, Report, Serve, SettingsError, Source, Stream},
};

/// As `EX_NOPERM` of sysexits.h.
const NOT_PERMITTED: u8 = 77;
const BAD_USAGE: u8 = 2;
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = match config::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(ConfigError::Usage(error))
            if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            eprintln!("monitor: {}; see `monitor --help`", in_one_line(&error.to_string()));
            return ExitCode::from(BAD_USAGE);
        }
        // What was asked for: help or version.
        Err(ConfigError::Usage(error)) => error.exit(),
        Err(error) => {
            eprintln!("monitor: {}", chain(&error));
            return ExitCode::from(BAD_USAGE);
        }
    };
    let level = match cli.verbose {
        0 => log::LevelFilter::Warn,
        1 => log::LevelFilter::Info,
        _ => log::LevelFilter::Debug,
    };
    env_logger::Builder::new()
        .filter_level(level)
        .format(|out, record| writeln!(out, "monitor: {}", record.args()))
        .init();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("monitor: {error:#}");
            exit_code(&error)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Stream(args) => app::stream(&Source::try_from(&args.source)?, &Stream::from(&args))?,
        Command::Snapshot(args) => app::stream(&Source::try_from(&args.source)?, &Stream::from(&args))?,
        Command::Blame(args) => app::stream(&Source::try_from(&args.source)?, &Stream::from(&args))?,
        Command::Events(args) => {
            let mut source = Source::try_from(&args.source)?;
            let events = Events::from(&args);
            source.wishes = events.wishes(source.wishes);
            source.filesystem_interval = None;
            app::watch(&source, &events)?;
        }
        Command::Serve(args) => {
            let mut source = Source::try_from(&args.source)?;
            let serve = Serve::try_from(&args)?;
            source.wishes = serve.wishes(source.wishes);
            app::serve(&source, &serve)?;
        }
        Command::Record(args) => app::record(&Source::try_from(&args.source)?, &Record::try_from(&args)?)?,
        Command::Replay(args) => app::replay(&Replay::try_from(&args)?)?,
        Command::Report(args) => report::run(&Report::from(args))?,
        Command::Doctor(args) => return Ok(doctor::run(&args)?),
        Command::Inspect(args) => inspect::run(&Inspect::try_from(args)?)?,
        Command::Config(ConfigCommand::Check { config }) => check(config)?,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut cli::command(), "monitor", &mut text);
            std::io::stdout().write_all(&text).context("write to standard output")?;
        }
        Command::Generate { directory } => {
            generate::write_all(&directory)
                .with_context(|| format!("write documentation to {}", directory.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads settings as `monitor serve` would.
fn check(file: Option<PathBuf>) -> anyhow::Result<()> {
    let mut typed: Vec<OsString> = ["monitor", "serve"].map(OsString::from).to_vec();
    if let Some(file) = file {
        typed.extend(["--config".into(), file.into_os_string()]);
    }
    let Command::Serve(args) = config::read(typed)?.command else { return Ok(()) };
    Source::try_from(&args.source)?;
    Serve::try_from(&args)?;
    println!("the settings are good");
    Ok(())
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<SettingsError>() || error.is::<ConfigError>() {
        return ExitCode::from(BAD_USAGE);
    }
    let is_not_permitted = matches!(error.downcast_ref(), Some(AppError::NotPermitted(_)))
        || matches!(error.downcast_ref(), Some(InspectError::NotPermitted(_)));
    ExitCode::from(if is_not_permitted { NOT_PERMITTED } else { FAILED })
}
