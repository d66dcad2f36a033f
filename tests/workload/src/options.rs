//! The command line.

use std::{error::Error, path::PathBuf, str::FromStr, time::Duration};

use crate::{
    disk::Disk,
    modes::Work,
    net::{Ends, Protocol, Transfer},
};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// CPUs to stay on; empty for any.
    pub(crate) cpus: Vec<usize>,
    pub(crate) threads: usize,
    /// The code to exit with when nobody is there to talk to.
    pub(crate) unattended: Option<u8>,
}

/// Who does the work.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Threads, which all live until the end.
    Threads(Work),
    /// Processes, which end on the way.
    Forks { children: usize, blocks: u64, pages: usize },
    /// Programs, one after the other, that exit with 0, 1, 2, ... and a last one that is killed.
    Execs { children: u8 },
    /// Sockets.
    Transfer(Transfer),
    /// A file or block device.
    Disk(Disk),
}

impl Options {
    /// `MODE [--FLAG VALUE]...`
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mode = args.next().ok_or("a mode is needed")?;
        let mut flags = Flags::collect(args)?;
        let mode = match mode.as_str() {
            "switch" => Mode::Threads(Work::Switch {
                blocks: flags.take("--blocks")?.unwrap_or(0),
                yields: flags.take("--yields")?.unwrap_or(0),
            }),
            "spin" => Mode::Threads(Work::Spin { time: milliseconds(&mut flags)? }),
            "hog" => Mode::Threads(Work::Hog),
            "sleep" => Mode::Threads(Work::Sleep { time: milliseconds(&mut flags)? }),
            "vfork" => Mode::Threads(Work::Vfork { time: milliseconds(&mut flags)? }),
            "faults" => Mode::Threads(Work::MinorFaults {
                pages: required(flags.take("--pages")?, "--pages")?,
                rounds: flags.take("--rounds")?.unwrap_or(1),
            }),
            "major" => {
                let file: PathBuf = required(flags.take("--file")?, "--file")?;
                // The options live as long as the process, and a thread's work is copied to each thread.
                let file = Box::leak(file.into_boxed_path());
                Mode::Threads(Work::MajorFaults { file, pages: required(flags.take("--pages")?, "--pages")? })
            }
            "forks" => Mode::Forks {
                children: required(flags.take("--children")?, "--children")?,
                blocks: flags.take("--blocks")?.unwrap_or(0),
                pages: flags.take("--pages")?.unwrap_or(0),
            },
            "execs" => Mode::Execs { children: required(flags.take("--children")?, "--children")? },
            "read" => {
                let file: PathBuf = required(flags.take("--file")?, "--file")?;
                // As above.
                let file = Box::leak(file.into_boxed_path());
                Mode::Threads(Work::Read { file, mebibytes: required(flags.take("--mib")?, "--mib")? })
            }
            "send" => Mode::Transfer(transfer(Ends::Sender, &mut flags)?),
            "receive" => Mode::Transfer(transfer(Ends::Receiver, &mut flags)?),
            "loopback" => Mode::Transfer(transfer(Ends::Both, &mut flags)?),
            "disk" => Mode::Disk(Disk {
                file: required(flags.take("--file")?, "--file")?,
                block_bytes: required(flags.take("--block-bytes")?, "--block-bytes")?,
                blocks: required(flags.take("--blocks")?, "--blocks")?,
                writes: flags.take("--writes")?.unwrap_or(0),
                reads: flags.take("--reads")?.unwrap_or(0),
                discards: flags.take("--discards")?.unwrap_or(0),
                flushes: flags.take("--flushes")?.unwrap_or(0),
            }),
            "flood" => Mode::Transfer(transfer(Ends::Flood, &mut flags)?),
            "refused" => Mode::Transfer(transfer(Ends::Refused, &mut flags)?),
            _ => return Err(format!("there is no mode {mode:?}").into()),
        };
        let cpus = flags.take::<String>("--cpus")?.unwrap_or_default();
        let options = Self {
            mode,
            cpus: cpus.split_terminator(',').map(str::parse).collect::<Result<_, _>>()?,
            threads: flags.take("--threads")?.unwrap_or(1),
            unattended: flags.take("--unattended")?,
        };
        flags.end()?;
        Ok(options)
    }
}

fn transfer(ends: Ends, flags: &mut Flags) -> Result<Transfer, Box<dyn Error>> {
    let protocol = match flags.take::<String>("--protocol")?.as_deref() {
        None | Some("tcp") => Protocol::Tcp,
        Some("udp") => Protocol::Udp,
        Some(other) => return Err(format!("there is no protocol {other:?}").into()),
    };
    Ok(Transfer {
        ends,
        protocol,
        listen: flags.take("--listen")?,
        address: required(flags.take("--address")?, "--address")?,
        bytes: flags.take("--bytes")?.unwrap_or(0),
        connections: flags.take("--connections")?.unwrap_or(1),
    })
}

fn milliseconds(flags: &mut Flags) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::from_millis(required(flags.take("--ms")?, "--ms")?))
}

fn required<T>(value: Option<T>, flag: &str) -> Result<T, Box<dyn Error>> {
    value.ok_or_else(|| format!("this mode needs {flag}").into())
}

/// Flags with their values, not taken yet.
struct Flags(Vec<(String, String)>);

impl Flags {
    fn collect(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut flags = Vec::new();
        while let Some(flag) = args.next() {
            let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
            flags.push((flag, value));
        }
        Ok(Self(flags))
    }

    fn take<T: FromStr<Err: Error + 'static>>(&mut self, flag: &str) -> Result<Option<T>, Box<dyn Error>> {
        let Some(at) = self.0.iter().position(|(name, _)| name == flag) else { return Ok(None) };
        let (_, value) = self.0.remove(at);
        Ok(Some(value.parse()?))
    }

    fn end(self) -> Result<(), Box<dyn Error>> {
        match self.0.first() {
            Some((flag, _)) => Err(format!("this mode knows no {flag}").into()),
            None => Ok(()),
        }
    }
}
