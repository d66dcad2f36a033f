//! The command: arguments → settings → app → exit code.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::{CommandFactory, Parser, error::ErrorKind};
use monitor::{
    app::{self, AppError},
    cli::{Cli, Command},
    doctor, generate,
    inspect::{self, InspectError},
    report,
    settings::{Events, Inspect, Record, Replay, Report, SettingsError, Source, Stream},
};

/// As `EX_NOPERM` of sysexits.h.
const NOT_PERMITTED: u8 = 77;
const BAD_USAGE: u8 = 2;
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error)
            if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            eprintln!("monitor: {}; see `monitor --help`", in_one_line(&error.to_string()));
            return ExitCode::from(BAD_USAGE);
        }
        // What was asked for: help or version.
        Err(error) => error.exit(),
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
        Command::Record(args) => app::record(&Source::try_from(&args.source)?, &Record::try_from(&args)?)?,
        Command::Replay(args) => app::replay(&Replay::try_from(&args)?)?,
        Command::Report(args) => report::run(&Report::from(args))?,
        Command::Doctor(args) => return Ok(doctor::run(&args)?),
        Command::Inspect(args) => inspect::run(&Inspect::try_from(args)?)?,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "monitor", &mut text);
            std::io::stdout().write_all(&text).context("write to standard output")?;
        }
        Command::Generate { directory } => {
            generate::write_all(&directory)
                .with_context(|| format!("write documentation to {}", directory.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is wrong, without clap's paragraphs on usage.
fn in_one_line(message: &str) -> String {
    let wrong = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = wrong.split_whitespace().collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<SettingsError>() {
        return ExitCode::from(BAD_USAGE);
    }
    let is_not_permitted = matches!(error.downcast_ref(), Some(AppError::NotPermitted(_)))
        || matches!(error.downcast_ref(), Some(InspectError::NotPermitted(_)));
    ExitCode::from(if is_not_permitted { NOT_PERMITTED } else { FAILED })
}
