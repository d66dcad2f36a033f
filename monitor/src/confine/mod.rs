//! What each thread may do from the moment that it has what it needs.
//!
//! Linux keeps rights thread by thread. Programs are loaded and files opened with all that the process was given; then each
//! thread [`enter`]s its [`Part`] and keeps what that needs: [`capabilities`], system calls (`syscalls`) and, where the kernel
//! has Landlock, `files`. None of it comes back. Threads share their memory, so this is no wall between them: it bounds what
//! whoever gets one of them to misbehave can ask of the kernel. docs/adr/0026 has the reasons.

pub mod capabilities;
mod files;
mod syscalls;

use std::{fs, path::Path, thread};

pub use rustix::thread::CapabilitySet;

pub use self::files::landlock;
use self::{capabilities::CapabilitiesError, files::FilesError, syscalls::SyscallsError};
use crate::error::chain;

/// What a thread does, which says what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Reads counters, cgroup files and other processes' namespaces, with the capabilities that this kernel asks for to read
    /// the programs' maps.
    Tick(CapabilitySet),
    /// The same, and removes the socket that was listened at in the end.
    TickOfSocket(CapabilitySet),
    /// Talks to runtimes, some of whose sockets are other users'.
    Edges,
    /// Walks the trees of containers, and asks for quotas where there are some.
    FileSystems {
        /// Whether some mounted file system keeps accounts of projects.
        has_quotas: bool,
    },
    /// Looks processes up.
    Processes,
    /// Keeps history below this directory, which is another user's or not.
    History(Option<&'a Path>),
    /// Answers requests. Opens no file and no connection.
    Serve,
    /// Writes to databases, whose names it looks up.
    Export {
        /// Whether one is a Unix socket, which may be another user's.
        to_socket: bool,
    },
    /// Draws on a terminal or reads keys from it, and gives it to the shell for a while.
    Terminal,
    /// Writes what was measured to files, wherever it was told to.
    Output,
    /// Reads keys, tokens and certificates again.
    Keys,
    /// Works on what is in memory.
    Memory,
}

/// What a thread keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rights<'a> {
    /// Of the capabilities that it has, no others than these.
    capabilities: CapabilitySet,
    /// The calls that nobody else makes.
    also: Also,
    files: Files<'a>,
}

/// What a thread does besides work on memory and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Also {
    /// Nothing.
    Nothing,
    /// `bpf(2)` on what is loaded.
    Maps,
    /// `quotactl(2)`.
    Quotas,
    /// Connections to others.
    Connections,
    /// Stop this process and those that were started with it, as Ctrl-Z does.
    Suspension,
}

/// What a thread may do with files that are not open yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Files<'a> {
    /// Nothing.
    Nothing,
    /// Read them.
    Read,
    /// Read and remove them.
    ReadAndRemove,
    /// Read and write them below this directory.
    Below(&'a Path),
    /// All that they allow.
    All,
}

/// A right that could not be given up.
#[derive(Debug, thiserror::Error)]
enum ConfineError {
    #[error(transparent)]
    Capabilities(#[from] CapabilitiesError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Syscalls(#[from] SyscallsError),
}

impl<'a> Part<'a> {
    fn rights(self) -> Rights<'a> {
        const LOOK: CapabilitySet = CapabilitySet::SYS_PTRACE;
        const READ: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;
        let none =
            Rights { capabilities: CapabilitySet::empty(), also: Also::Nothing, files: Files::Nothing };
        let reading = Rights { files: Files::Read, ..none };
        match self {
            Self::Tick(more) => Rights { capabilities: LOOK | READ | more, also: Also::Maps, ..reading },
            Self::TickOfSocket(more) => Rights { files: Files::ReadAndRemove, ..Self::Tick(more).rights() },
            // To connect to a socket is to write to it.
            Self::Edges => Rights {
                capabilities: READ | CapabilitySet::DAC_OVERRIDE,
                also: Also::Connections,
                ..reading
            },
            Self::FileSystems { has_quotas } => {
                // Others' directories are opened without a trace in their time of access.
                let walking = LOOK | READ | CapabilitySet::FOWNER;
                if has_quotas {
                    let asking = walking | CapabilitySet::SYS_ADMIN;
                    Rights { capabilities: asking, also: Also::Quotas, ..reading }
                } else {
                    Rights { capabilities: walking, ..reading }
                }
            }
            Self::Processes => Rights { capabilities: LOOK | READ, ..reading },
            Self::History(None) | Self::Serve | Self::Memory => none,
            Self::History(Some(folder)) => {
                let others = CapabilitySet::DAC_OVERRIDE;
                let is_ours = files::is_ours(folder);
                // It may be ours in a directory that is not.
                let sets = if is_ours { &[CapabilitySet::empty(), others][..] } else { &[others] };
                let kept = capabilities::least(sets, || fs::read_dir(folder).is_ok());
                Rights { capabilities: kept, files: Files::Below(folder), ..none }
            }
            Self::Output => {
                Rights { capabilities: READ | CapabilitySet::DAC_OVERRIDE, files: Files::All, ..none }
            }
            Self::Export { to_socket } => {
                let others = if to_socket { CapabilitySet::DAC_OVERRIDE } else { CapabilitySet::empty() };
                Rights { capabilities: others, also: Also::Connections, ..reading }
            }
            // Where standard input is something else, the terminal is opened again and again, to write.
            Self::Terminal => Rights { files: Files::All, also: Also::Suspension, ..none },
            Self::Keys => Rights { capabilities: READ, ..reading },
        }
    }
}

/// Gives up all that this part does not need, in the calling thread and those that it starts, for good. What cannot be given up
/// is said and kept: measuring does not depend on it.
pub fn enter(part: Part<'_>) {
    let rights = part.rights();
    // The filter of system calls comes last: it forbids what the others need.
    let tried: [Result<(), ConfineError>; 3] = [
        capabilities::keep(rights.capabilities).map_err(Into::into),
        files::confine(&rights).map_err(Into::into),
        syscalls::forbid(&rights).map_err(Into::into),
    ];
    for error in tried.into_iter().filter_map(Result::err) {
        let thread = thread::current();
        let name = thread.name().unwrap_or("without a name");
        log::warn!("the thread {name} keeps more rights than it needs: {}", chain(&error));
    }
}

#[cfg(test)]
mod tests;
