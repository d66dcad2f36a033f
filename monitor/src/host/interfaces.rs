//! The interfaces of a process's network namespace, by `/proc/PID/net/dev`.

use std::{io, os::fd::OwnedFd};

use rustix::fs::{Mode, OFlags, open, openat};

/// What an interface has counted since it was made, link-layer headers included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name in its namespace.
    pub name: String,
    /// What came in.
    pub rx: Direction,
    /// What went out.
    pub tx: Direction,
}

/// One direction of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Bytes, link-layer headers included.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Packets that were damaged.
    pub errors: u64,
    /// Packets that were thrown away.
    pub dropped: u64,
}

/// A process whose network namespace is looked at.
///
/// Held by its directory in `/proc`: that keeps neither process nor namespace alive, and is never that of a later
/// process with the same number.
#[derive(Debug)]
pub struct NetworkView(OwnedFd);

impl NetworkView {
    /// Of a process.
    pub fn of_process(pid: i32) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(open(format!("/proc/{pid}"), flags, Mode::empty())?))
    }

    /// Reads the counters of every interface; fails once the process is gone.
    pub fn read(&self) -> io::Result<Vec<Interface>> {
        let file = openat(&self.0, "net/dev", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let text = io::read_to_string(std::fs::File::from(file))?;
        parse_interfaces(&text).ok_or_else(|| io::Error::other("unknown form of /proc/PID/net/dev"))
    }
}

/// Reads `/proc/net/dev`: two lines of headings, then `name: ` and eight numbers for each direction.
pub(super) fn parse_interfaces(text: &str) -> Option<Vec<Interface>> {
    text.lines().skip(2).map(parse_interface).collect()
}

fn parse_interface(line: &str) -> Option<Interface> {
    // A name may hold a colon, the numbers cannot.
    let (name, numbers) = line.rsplit_once(':')?;
    let numbers: Vec<u64> =
        numbers.split_ascii_whitespace().map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let direction = |first: usize| {
        let [bytes, packets, errors, dropped] = *numbers.get(first..)?.first_chunk()?;
        Some(Direction { bytes, packets, errors, dropped })
    };
    Some(Interface { name: name.trim().to_owned(), rx: direction(0)?, tx: direction(8)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1040      10    0    0    0     0          0         0     1040      10    0    0    0     0       0          0
  eth0: 17029286    3047    1    2    0     0          0         0   156826    2377    3    4    0     0       0          0
";

    #[test]
    fn interfaces_are_read_line_by_line() {
        let interfaces = parse_interfaces(CAPTURED).unwrap();
        let names: Vec<&str> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
        assert_eq!(names, ["lo", "eth0"]);
        let eth0 = interfaces.last().unwrap();
        assert_eq!(eth0.rx, Direction { bytes: 17_029_286, packets: 3047, errors: 1, dropped: 2 });
        assert_eq!(eth0.tx, Direction { bytes: 156_826, packets: 2377, errors: 3, dropped: 4 });
    }

    #[test]
    fn an_alias_keeps_its_colon() {
        let line = "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
        assert_eq!(parse_interface(line).unwrap().name, "eth0:1");
        assert_eq!(parse_interface("eth0: 1 2 3"), None);
        assert_eq!(parse_interface("eth0"), None);
    }

    #[test]
    fn our_own_namespace_is_readable_and_a_dead_process_s_is_not() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(NetworkView::of_process(me).unwrap().read().unwrap().iter().any(|found| found.name == "lo"));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let view = NetworkView::of_process(i32::try_from(child.id()).unwrap()).unwrap();
        child.wait().unwrap();
        assert!(view.read().is_err());
    }
}
