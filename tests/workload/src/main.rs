//! What runs in the tests' containers: a known amount of work between two barriers.
//!
//! It talks with the test in lines over its standard input and output:
//!
//! ```text
//! it: ready {...}    all its threads exist and block
//! test: go           (a hog also waits for `stop`)
//! it: done {...}     the work is done; all its threads still exist and block
//! test: exit CODE
//! ```
//!
//! Between a barrier and the next order nothing in it moves, so what the kernel counted for each of its tasks can be
//! read at leisure and compared. With `--unattended CODE` it says nothing, waits for nothing, and exits with CODE.

mod disk;
mod execs;
mod forks;
mod modes;
mod net;
mod options;
mod sys;
mod threads;
mod truth;

use std::{
    env,
    error::Error,
    io::{self, BufRead as _, Write as _},
    process::ExitCode,
};

use crate::{
    options::{Mode, Options},
    truth::{DeadTasks, Truth},
};

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("workload: {error}");
            ExitCode::from(125)
        }
    }
}

fn run() -> Result<u8, Box<dyn Error>> {
    let options = Options::parse(env::args().skip(1))?;
    if !options.cpus.is_empty() {
        sys::pin_to(&options.cpus)?;
    }
    let test = Test { unattended: options.unattended };
    let dead = match options.mode {
        Mode::Forks { children, blocks, pages } => {
            test.report("ready", &Truth::read(DeadTasks::default())?)?;
            test.expect("go")?;
            forks::run(children, blocks, pages)?
        }
        Mode::Execs { children } => {
            test.report("ready", &Truth::read(DeadTasks::default())?)?;
            test.expect("go")?;
            execs::run(children)?;
            DeadTasks::default()
        }
        Mode::Transfer(transfer) => {
            let prepared = transfer.prepare()?;
            test.report("ready", &Truth::read(DeadTasks::default())?)?;
            test.expect("go")?;
            prepared.run()?;
            DeadTasks::default()
        }
        Mode::Disk(disk) => {
            let prepared = disk.prepare()?;
            test.report("ready", &Truth::read(DeadTasks::default())?)?;
            test.expect("go")?;
            prepared.run(options.threads)?;
            DeadTasks::default()
        }
        Mode::Threads(work) => {
            let team = threads::Team::start(options.threads, work)?;
            test.report("ready", &Truth::read(DeadTasks::default())?)?;
            test.expect("go")?;
            team.begin();
            if work.needs_stop() {
                test.expect("stop")?;
                team.stop();
            }
            team.wait();
            DeadTasks::default()
        }
    };
    test.report("done", &Truth::read(dead)?)?;
    test.exit_code()
}

/// The other end of standard input and output.
struct Test {
    /// The code to exit with, where there is nobody.
    unattended: Option<u8>,
}

impl Test {
    fn report(&self, event: &str, truth: &Truth) -> io::Result<()> {
        if self.unattended.is_some() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{event} {truth}")?;
        stdout.flush()
    }

    fn expect(&self, order: &str) -> Result<(), Box<dyn Error>> {
        if self.unattended.is_some() {
            return Ok(());
        }
        let line = read_line()?;
        if line == order { Ok(()) } else { Err(format!("{order:?} was due, not {line:?}").into()) }
    }

    fn exit_code(&self) -> Result<u8, Box<dyn Error>> {
        if let Some(code) = self.unattended {
            return Ok(code);
        }
        let line = read_line()?;
        let code =
            line.strip_prefix("exit ").ok_or_else(|| format!("\"exit CODE\" was due, not {line:?}"))?;
        Ok(code.parse()?)
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    line.truncate(line.trim_end().len());
    Ok(line)
}
