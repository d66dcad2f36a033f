//! The command: arguments → settings → app → exit code.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::error::ErrorKind;
use monitor::{
    app::{self, AppError},
    cli::{self, CheckArgs, Command, ConfigCommand, ZabbixCommand},
    config::{self, ConfigError, in_one_line},
    console, doctor,
    error::chain,
    generate,
    inspect::{self, InspectError},
    output::escape::{printable, safe_json},
    plugin::{self, check::Verdict},
    report,
    serve::access::Access,
    settings::{
        Check, Events, Inspect, Record, Replay, Report, Serve, SettingsError, Source, Stream, Top, Wanted,
        Zabbix,
    },
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
            let wrong = in_one_line(&error.to_string());
            if is_check() {
                return end_check(&Verdict::unknown(&wrong));
            }
            eprintln!("monitor: {}; see `monitor --help`", printable(&wrong));
            return ExitCode::from(BAD_USAGE);
        }
        // What was asked for: help or version.
        Err(ConfigError::Usage(error)) => error.exit(),
        Err(error) => {
            eprintln!("monitor: {}", printable(&chain(&error)));
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
        .target(env_logger::Target::Pipe(Box::new(console::Log)))
        .format(|out, record| writeln!(out, "monitor: {}", printable(&record.args().to_string())))
        .init();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("monitor: {}", printable(&format!("{error:#}")));
            exit_code(&error)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Stream(args) => app::stream(&Source::try_from(&args.source)?, &Stream::from(&args))?,
        Command::Top(args) => app::top(&Source::try_from(&args.source)?, &Top::try_from(&args)?)?,
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
            source.keep_ended = serve.keep_ended(&source);
            app::serve(&source, &serve)?;
        }
        Command::Record(args) => app::record(&Source::try_from(&args.source)?, &Record::try_from(&args)?)?,
        Command::Replay(args) => app::replay(&Replay::try_from(&args)?)?,
        Command::Report(args) => report::run(&Report::from(args))?,
        Command::Doctor(args) => return Ok(doctor::run(&args)?),
        Command::Inspect(args) => inspect::run(&Inspect::try_from(args)?)?,
        Command::Check(args) => return Ok(end_check(&checked(&args))),
        Command::Zabbix(command) => return Ok(zabbix(&command)),
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

/// Whether `monitor check` was typed, whose exit codes are others.
fn is_check() -> bool {
    let mut typed = std::env::args_os().skip(1);
    typed.find(|word| !word.as_encoded_bytes().starts_with(b"-")).is_some_and(|word| word == "check")
}

/// Whatever is wrong is told in the line, where those who start plugins look for it.
fn checked(args: &CheckArgs) -> Verdict {
    let settings = Check::try_from(args).and_then(|check| Ok((check, Source::try_from(&args.source)?)));
    let (check, source) = match settings {
        Ok(settings) => settings,
        Err(error) => return Verdict::unknown(&chain(&error)),
    };
    let Check { target, question, thresholds, asked, timeout } = check;
    let measure = move || Ok(app::look(&source)?);
    let found = plugin::look(asked, target, timeout, measure);
    plugin::check::judge(&question, &thresholds, found)
}

fn end_check(verdict: &Verdict) -> ExitCode {
    // Who does not listen to the line still sees the code.
    let _ = writeln!(std::io::stdout(), "{}", printable(&verdict.line));
    ExitCode::from(verdict.status.code())
}

/// What Zabbix takes for a value that cannot be had: a text that is no number, and says why.
fn zabbix(command: &ZabbixCommand) -> ExitCode {
    let told = Zabbix::try_from(command).map_err(|error| chain(&error)).and_then(|zabbix| {
        let Zabbix { wanted, target, asked, timeout } = zabbix;
        let found = plugin::look(asked, target, timeout, || Err("only `monitor serve` is asked".into()));
        let found = found.map_err(|error| chain(&error))?;
        match wanted {
            Wanted::Discovery(kind) => Ok(plugin::zabbix::discovery(kind, &found)),
            Wanted::Item(item) => plugin::zabbix::item(&item, &found).map_err(|error| chain(&error)),
        }
    });
    let (code, text) = match told {
        Ok(text) => (ExitCode::SUCCESS, safe_json(text)),
        Err(why) => (ExitCode::from(FAILED), format!("ZBX_NOTSUPPORTED: {}", printable(&why))),
    };
    let _ = writeln!(std::io::stdout(), "{text}");
    code
}

/// Reads settings as `monitor serve` would.
fn check(file: Option<PathBuf>) -> anyhow::Result<()> {
    let mut typed: Vec<OsString> = ["monitor", "serve"].map(OsString::from).to_vec();
    if let Some(file) = file {
        typed.extend(["--config".into(), file.into_os_string()]);
    }
    let Command::Serve(args) = config::read(typed)?.command else { return Ok(()) };
    Source::try_from(&args.source)?;
    let serve = Serve::try_from(&args)?;
    Access::open(serve.access.rules)?;
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
