//! What a thread can do after it has entered its part, by trying.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixDatagram, UnixStream},
    process::Command,
};

use rustix::{
    process::Signal,
    thread::{SecureComputingMode, capabilities, no_new_privs, secure_computing_mode},
};

use super::*;

/// What comes of something that is done in a thread of this part.
fn within<T: Send>(part: Part<'_>, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter(part);
            work()
        });
        thread.join().expect("the thread panicked")
    })
}

fn is_forbidden<T>(done: io::Result<T>) -> bool {
    done.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

const PARTS: [Part<'_>; 9] = [
    Part::Tick(CapabilitySet::empty()),
    Part::TickOfSocket(CapabilitySet::empty()),
    Part::Edges,
    Part::FileSystems { has_quotas: false },
    Part::Processes,
    Part::History(None),
    Part::Serve,
    Part::Export { to_socket: false },
    Part::Memory,
];

#[test]
fn no_part_runs_programs_or_gets_rights() {
    for part in PARTS {
        within(part, || {
            assert!(is_forbidden(Command::new("/bin/true").status()), "{part:?}");
            assert!(no_new_privs().unwrap(), "{part:?}");
            assert_eq!(secure_computing_mode().unwrap(), SecureComputingMode::Filter, "{part:?}");
            let now = capabilities(None).unwrap();
            let wanted = part.rights().capabilities;
            assert!(wanted.contains(now.permitted) && wanted.contains(now.effective), "{part:?}: {now:?}");
            assert!(now.inheritable.is_empty(), "{part:?}: {now:?}");
        });
    }
}

#[test]
fn no_part_but_history_writes_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "before").unwrap();
    for part in PARTS {
        within(part, || {
            assert!(is_forbidden(fs::write(&path, "after")), "{part:?}");
            assert!(is_forbidden(File::options().append(true).open(&path)), "{part:?}");
            assert!(is_forbidden(File::create(folder.path().join("new"))), "{part:?}");
            assert!(is_forbidden(fs::rename(&path, folder.path().join("new"))), "{part:?}");
            assert!(is_forbidden(fs::create_dir(folder.path().join("new"))), "{part:?}");
        });
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert!(within(Part::TickOfSocket(CapabilitySet::empty()), || fs::remove_file(&path)).is_ok());
}

#[test]
fn requests_are_answered_without_files_and_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for part in [Part::Serve, Part::Memory] {
        within(part, || {
            assert!(is_forbidden(File::open("/etc/passwd")), "{part:?}");
            assert!(is_forbidden(File::open("/proc/self/status")), "{part:?}");
            assert!(is_forbidden(fs::read_dir("/")), "{part:?}");
            assert!(is_forbidden(TcpStream::connect(address)), "{part:?}");
            assert!(is_forbidden(UnixStream::connect("/run/docker.sock")), "{part:?}");
            // What systemd is told goes this way.
            assert!(UnixDatagram::unbound().is_ok(), "{part:?}");
            // What was open before goes on, and threads can be had.
            let connected = thread::scope(|scope| {
                let client = scope.spawn(|| TcpStream::connect(address));
                client.join().unwrap()
            });
            assert!(is_forbidden(connected), "a thread has no more rights than the one that has started it");
        });
    }
    assert!(within(Part::Export { to_socket: false }, || TcpStream::connect(address)).is_ok());
    assert!(within(Part::Serve, || listener.accept()).is_ok());
}

#[test]
fn readers_read() {
    for part in [
        Part::Tick(CapabilitySet::empty()),
        Part::Edges,
        Part::Processes,
        Part::Export { to_socket: true },
        Part::Keys,
    ] {
        within(part, || assert!(fs::read_to_string("/proc/self/status").is_ok(), "{part:?}"));
    }
}

#[test]
fn history_is_written_in_its_folder_only() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let elsewhere = other.path().join("file");
    within(Part::History(Some(folder.path())), || {
        let path = folder.path().join("part");
        fs::write(&path, "history").unwrap();
        fs::rename(&path, folder.path().join("segment")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        if landlock().is_ok() {
            assert!(is_forbidden(fs::write(&elsewhere, "history")));
            assert!(is_forbidden(fs::read("/etc/passwd")));
        }
        fs::remove_file(folder.path().join("segment")).unwrap();
    });
}

/// `sudo monitor serve --data-dir ~/history`: root owns what it makes there and may not pass through the home without help.
#[test]
fn history_is_written_where_the_way_leads_through_others_directories() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("history");
    fs::create_dir(&folder).unwrap();
    if std::os::unix::fs::chown(home.path(), Some(1234), Some(1234)).is_err() {
        // Only root gives directories away.
        return;
    }
    within(Part::History(Some(&folder)), || {
        fs::write(folder.join("part"), "history").unwrap();
        fs::rename(folder.join("part"), folder.join("segment")).unwrap();
    });
    assert_eq!(fs::read_to_string(folder.join("segment")).unwrap(), "history");
}

#[test]
#[expect(unsafe_code, reason = "nothing safe makes these calls")]
fn no_part_makes_namespaces_or_goes_around_the_filter() {
    let error = || io::Error::last_os_error().raw_os_error();
    for part in PARTS {
        within(part, || {
            // SAFETY: without an argument it has nothing to read.
            let made = unsafe { libc::syscall(libc::SYS_clone3, 0, 0) };
            assert_eq!((made, error()), (-1, Some(libc::ENOSYS)), "{part:?}");
            let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::SIGCHLD;
            // SAFETY: a child that is made all the same goes on with a copy of all memory, and ends right here.
            let made = unsafe {
                let made = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0);
                if made == 0 {
                    libc::_exit(0);
                }
                made
            };
            assert_eq!((made, error()), (-1, Some(libc::EPERM)), "{part:?}");
            if cfg!(target_arch = "x86_64") {
                // SAFETY: it takes no arguments.
                let told = unsafe { libc::syscall(libc::SYS_getpid | 0x4000_0000) };
                assert_eq!((told, error()), (-1, Some(libc::EPERM)), "{part:?}");
            }
            assert!(thread::spawn(|| 7).join().is_ok_and(|seven| seven == 7), "{part:?}");
        });
    }
}

#[test]
#[expect(unsafe_code, reason = "nothing safe makes one of these calls")]
fn a_terminal_s_threads_stop_and_do_not_end_others() {
    let other = Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&other);
    let send = |part, signal| within(part, || rustix::process::kill_process(pid, signal));
    for part in PARTS {
        assert!(is_forbidden(send(part, Signal::KILL).map_err(Into::into)), "{part:?}");
        assert!(is_forbidden(send(part, Signal::TSTP).map_err(Into::into)), "{part:?}");
    }
    // SAFETY: a signal 0 is none.
    let told = within(Part::Serve, || unsafe { libc::syscall(libc::SYS_tgkill, other.id(), other.id(), 0) });
    assert_eq!(told, -1);
    assert!(is_forbidden(send(Part::Terminal, Signal::KILL).map_err(Into::into)));
    send(Part::Terminal, Signal::TSTP).unwrap();
    let mut other = other;
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn the_least_set_is_the_first_that_works() {
    let sets = [CapabilitySet::empty(), CapabilitySet::BPF, CapabilitySet::BPF | CapabilitySet::PERFMON];
    let before = capabilities(None).unwrap();
    assert_eq!(capabilities::least(&sets, || true), CapabilitySet::empty());
    if before.effective.contains(CapabilitySet::BPF) {
        let has_bpf = || capabilities(None).unwrap().effective.contains(CapabilitySet::BPF);
        assert_eq!(capabilities::least(&sets, has_bpf), CapabilitySet::BPF);
    }
    assert_eq!(capabilities(None).unwrap(), before);
}
