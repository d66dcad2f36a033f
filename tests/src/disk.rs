//! Block devices of the tests' own, and the kernel's figures of them.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    process::Command,
};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

use crate::truth;

/// A file system that is soon full. Unmounted on drop.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Makes one of half a megabyte.
    #[must_use]
    pub fn mount() -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(c"size=512k"))
            .expect("mount a tmpfs");
        Self(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Detached, so that it goes even while something is open on it.
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

/// A loop device over a file, which nobody else uses. Detached on drop.
#[derive(Debug)]
pub struct LoopDevice {
    path: String,
    _folder: TempDir,
}

impl LoopDevice {
    /// Makes one of this size, whose requests are served from the page cache.
    #[must_use]
    pub fn attach(bytes: u64) -> Self {
        Self::attach_with(bytes, &[])
    }

    /// Makes one of this size, whose requests are passed on to the disk that its file is on.
    #[must_use]
    pub fn attach_direct(bytes: u64) -> Self {
        Self::attach_with(bytes, &["--direct-io=on"])
    }

    fn attach_with(bytes: u64, options: &[&str]) -> Self {
        // Not in /tmp, which may be memory.
        let folder = tempfile::tempdir_in("/var/tmp").expect("make a folder");
        let image = folder.path().join("image");
        write_image(&image, bytes).expect("make an image");
        let output = Command::new("losetup").args(["--find", "--show"]).args(options).arg(&image).output();
        let output = output.expect("run losetup");
        assert!(output.status.success(), "losetup: {}", String::from_utf8_lossy(&output.stderr));
        let path = String::from_utf8(output.stdout).expect("a path").trim().to_owned();
        Self { path, _folder: folder }
    }

    /// Its place in `/dev`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.trim_start_matches("/dev/")
    }
}

/// Without holes, which no disk would be asked for.
fn write_image(path: &Path, bytes: u64) -> io::Result<()> {
    let mut image = File::create(path)?;
    io::copy(&mut io::repeat(1).take(bytes), &mut image)?;
    image.sync_all()
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // In vain only where it is gone.
        let _ = Command::new("losetup").args(["--detach", &self.path]).status();
    }
}

/// Bytes of a sector, in which the kernel counts.
const SECTOR_BYTES: u64 = 512;

/// What `/sys/block/NAME/stat` has of requests without data to or from a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherStats {
    /// Discards completed.
    pub discards: u64,
    /// Bytes discarded.
    pub discard_bytes: u64,
    /// Flushes of the device's cache completed.
    pub flushes: u64,
}

impl OtherStats {
    /// Of a device, by its name. Linux 5.5.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let path = format!("/sys/block/{name}/stat");
        let text = truth::read(Path::new(&path)).unwrap_or_else(|| panic!("no {path}"));
        let fields: Vec<u64> =
            text.split_ascii_whitespace().map(|field| field.parse().expect("a count")).collect();
        Self { discards: fields[11], discard_bytes: fields[13] * SECTOR_BYTES, flushes: fields[15] }
    }

    /// What grew since.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            discards: self.discards - before.discards,
            discard_bytes: self.discard_bytes - before.discard_bytes,
            flushes: self.flushes - before.flushes,
        }
    }
}

/// What `/proc/diskstats` has of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// Reads completed.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Milliseconds that all reads took together.
    pub read_ms: u64,
    /// Writes completed, flushes included.
    pub writes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Milliseconds that all writes took together.
    pub write_ms: u64,
}

impl DiskStats {
    /// Of a device, by its name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let text = truth::read(Path::new("/proc/diskstats")).expect("/proc/diskstats");
        let mut lines = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        let line = lines.find(|fields| fields.get(2) == Some(&name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        let field = |at: usize| line[at].parse::<u64>().expect("a count");
        Self {
            reads: field(3),
            read_bytes: field(5) * SECTOR_BYTES,
            read_ms: field(6),
            writes: field(7),
            write_bytes: field(9) * SECTOR_BYTES,
            write_ms: field(10),
        }
    }

    /// What grew since.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            read_bytes: self.read_bytes - before.read_bytes,
            read_ms: self.read_ms - before.read_ms,
            writes: self.writes - before.writes,
            write_bytes: self.write_bytes - before.write_bytes,
            write_ms: self.write_ms - before.write_ms,
        }
    }
}
