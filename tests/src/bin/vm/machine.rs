//! The guest as its first process finds it.

use std::{
    env,
    ffi::CString,
    fs,
    io::{self, ErrorKind},
    net::UdpSocket,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
};

use rustix::mount::{MountFlags, mount};

/// How the guest's cgroups are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each controller in a v1 hierarchy of its own, and no cgroup2 tree.
    V1,
    /// Likewise, and a cgroup2 tree without controllers beside them.
    Hybrid,
    /// All in one cgroup2 tree.
    V2,
}

impl Mode {
    /// As snapshots name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::V1, Self::Hybrid, Self::V2].into_iter().find(|mode| mode.name() == name)
    }
}

const CGROUPS: &str = "/sys/fs/cgroup";
/// v1 controllers that distributions mount together.
const TOGETHER: [&[&str]; 2] = [&["cpu", "cpuacct"], &["net_cls", "net_prio"]];

/// Mounts what a Linux system has and brings the loopback interface up.
pub(crate) fn set_up() -> io::Result<Mode> {
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp")] {
        mount_at(kind, place, "")?;
    }
    // What the kernel does not know on its command line becomes the first process's environment.
    let wanted = env::var("CGROUPS").unwrap_or_default();
    let mode = Mode::named(&wanted).ok_or_else(|| io::Error::other(format!("no mode {wanted:?}")))?;
    match mode {
        Mode::V2 => mount_v2()?,
        Mode::V1 | Mode::Hybrid => mount_v1(mode)?,
    }
    loopback_up()?;
    Ok(mode)
}

fn mount_at(kind: &str, place: impl AsRef<Path>, options: &str) -> io::Result<()> {
    let place = place.as_ref();
    match fs::create_dir(place) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let options = CString::new(options)?;
    match mount(kind, place, kind, MountFlags::empty(), Some(options.as_c_str())) {
        Err(error) => Err(io::Error::other(format!("mount {kind} at {}: {error}", place.display()))),
        Ok(()) => Ok(()),
    }
}

/// With every controller for the cgroups below.
fn mount_v2() -> io::Result<()> {
    mount_at("cgroup2", CGROUPS, "nsdelegate")?;
    delegate(Path::new(CGROUPS));
    Ok(())
}

/// Lets the cgroups below have every controller that this one has.
pub(crate) fn delegate(cgroup: &Path) {
    let controllers = fs::read_to_string(cgroup.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        // Some cannot be had there; then their files are missing, which is told.
        let _ = fs::write(cgroup.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

fn mount_v1(mode: Mode) -> io::Result<()> {
    mount_at("tmpfs", CGROUPS, "mode=755")?;
    for names in hierarchies(&fs::read_to_string("/proc/cgroups")?) {
        let place = PathBuf::from(CGROUPS).join(&names);
        // A kernel may have a controller for v2 alone.
        if mount_at("cgroup", &place, &names).is_err() {
            fs::remove_dir(&place)?;
        }
    }
    mount_at("cgroup", Path::new(CGROUPS).join("systemd"), "none,name=systemd")?;
    if mode == Mode::Hybrid {
        mount_at("cgroup2", Path::new(CGROUPS).join("unified"), "nsdelegate")?;
    }
    Ok(())
}

/// The controllers of each v1 hierarchy as distributions mount them, from `/proc/cgroups`.
fn hierarchies(controllers: &str) -> Vec<String> {
    let enabled = controllers.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(3) == Some(&"1")).then(|| fields.first().copied()).flatten()
    });
    let enabled: Vec<&str> = enabled.collect();
    let mut hierarchies = Vec::new();
    for name in &enabled {
        let group = TOGETHER.into_iter().find(|group| group.contains(name));
        let names: Vec<&str> = match group {
            Some(group) => group.iter().copied().filter(|one| enabled.contains(one)).collect(),
            None => vec![name],
        };
        let names = names.join(",");
        if !hierarchies.contains(&names) {
            hierarchies.push(names);
        }
    }
    hierarchies
}

/// By the one call that there is for it, on a socket of any kind.
fn loopback_up() -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut request = Interface { name: [0; 16], flags: 0, rest: [0; 22] };
    for (to, from) in request.name.iter_mut().zip(b"lo") {
        *to = *from;
    }
    request.flags = i16::try_from(libc::IFF_UP | libc::IFF_RUNNING).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "no safe call brings an interface up")]
    // SAFETY: `request` has the layout and at least the size of `struct ifreq`, and the kernel only reads it.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `struct ifreq` with flags.
#[repr(C)]
struct Interface {
    name: [u8; 16],
    flags: i16,
    rest: [u8; 22],
}
const _: () = assert!(size_of::<Interface>() == size_of::<libc::ifreq>());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_mounted_as_distributions_do() {
        let text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t1\t1\ncpu\t0\t1\t1\ncpuacct\t0\t1\t1\n\
                    memory\t0\t1\t0\nnet_prio\t0\t1\t1\n";
        assert_eq!(hierarchies(text), ["cpuset", "cpu,cpuacct", "net_prio"]);
    }
}
