//! The processes that work, wait or sleep while something is measured. They are this program, started again.

use std::{
    env, hint,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::{
    process::{Signal, set_parent_process_death_signal},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use crate::load;

/// What a helper does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Never leaves its CPU.
    Busy,
    /// Sends back each byte.
    Echo,
    /// Sleeps.
    Idle,
    /// Wakes up once a second.
    Waking,
    /// Asks a server, as many clients do.
    Clients,
}

impl Role {
    const ALL: [Self; 5] = [Self::Busy, Self::Echo, Self::Idle, Self::Waking, Self::Clients];

    /// As the only argument; none that a person would type.
    fn argument(self) -> &'static str {
        match self {
            Self::Busy => "helper:busy",
            Self::Echo => "helper:echo",
            Self::Idle => "helper:idle",
            Self::Waking => "helper:waking",
            Self::Clients => "helper:clients",
        }
    }

    /// The role that this process was started in, if any.
    pub(crate) fn of_this_process() -> Option<Self> {
        let argument = env::args().nth(1)?;
        Self::ALL.into_iter().find(|role| role.argument() == argument)
    }

    /// Plays the role until the end.
    pub(crate) fn play(self) {
        // So that none is left behind, however the benchmark ends.
        set_parent_process_death_signal(Some(Signal::KILL)).expect("ask for a signal at the parent's death");
        match self {
            Self::Busy => loop {
                hint::spin_loop();
            },
            Self::Echo => echo().expect("echo"),
            Self::Idle => loop {
                thread::park();
            },
            Self::Waking => loop {
                thread::sleep(Duration::from_secs(1));
            },
            Self::Clients => {
                let mut rest = env::args().skip(2);
                let address = rest.next().and_then(|address| address.parse().ok()).expect("an address");
                let seconds = rest.next().and_then(|seconds| seconds.parse().ok()).expect("seconds");
                load::play(address, Duration::from_secs(seconds)).expect("ask a server");
            }
        }
    }
}

/// Clients of a server, whose standard output is to be read.
pub(crate) fn load(address: SocketAddr, time: Duration) -> Child {
    let mut command = command(Role::Clients);
    command.args([address.to_string(), time.as_secs().to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("start the clients")
}

fn echo() -> io::Result<()> {
    let (input, output) = (io::stdin(), io::stdout());
    let mut byte = [0];
    while rustix::io::read(&input, &mut byte)? == 1 {
        rustix::io::write(&output, &byte)?;
    }
    Ok(())
}

/// A helper that is ended on drop.
#[derive(Debug)]
pub(crate) struct Helper(Child);

impl Helper {
    pub(crate) fn start(role: Role) -> Self {
        Self::spawn(command(role).stdin(Stdio::null()))
    }

    fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().expect("start a helper"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // In vain only where it has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(role: Role) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program's own file"));
    command.arg(role.argument());
    command
}

/// Two processes on one CPU, of which one waits while the other runs: two switches a round trip.
#[derive(Debug)]
pub(crate) struct PingPong {
    to: PipeWriter,
    from: PipeReader,
    _partner: Helper,
    _pinned: Pinned,
}

impl PingPong {
    pub(crate) fn start() -> Self {
        let pinned = Pinned::to_last_cpu();
        let (input, to) = io::pipe().expect("make a pipe");
        let (from, output) = io::pipe().expect("make a pipe");
        let partner = Helper::spawn(command(Role::Echo).stdin(input).stdout(output));
        let mut pair = Self { to, from, _partner: partner, _pinned: pinned };
        // It is there once it answers.
        pair.round_trips(100);
        pair
    }

    pub(crate) fn round_trips(&mut self, count: usize) {
        let mut byte = [0];
        for _ in 0..count {
            self.to.write_all(&byte).expect("write to a pipe");
            self.from.read_exact(&mut byte).expect("read from a pipe");
        }
    }
}

/// Keeps this thread, and what it starts, on one CPU until dropped.
#[derive(Debug)]
pub(crate) struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// The last of those that this thread may run on: interrupts tend to go to the first.
    pub(crate) fn to_last_cpu() -> Self {
        let before = sched_getaffinity(None).expect("ask for the CPUs");
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| before.is_set(*cpu)).expect("some CPU");
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).expect("stay on a CPU");
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It cannot fail for the CPUs that were allowed before, unless they were taken offline.
        let _ = sched_setaffinity(None, &self.before);
    }
}
