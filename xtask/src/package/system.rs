//! A disk with Debian and systemd, as few packages of it as will do, and what is to be checked there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;
use crate::command::{run, step};
use crate::setup::{remove_dir, remove_file};

/// Which Debian.
pub(crate) const SUITE: &str = "bookworm";
/// What the package needs nothing of, but its test: an init system, and a reader of manuals.
const PACKAGES: &str = "systemd-sysv,dbus,man-db";
const DISK_SIZE: &str = "1G";
/// What is run there, by systemd.
const CHECKS: &str = "usr/local/sbin/check-package";
const UNITS: &str = "etc/systemd/system";
const UNIT: &str = "check-package.service";
const UNIT_TEXT: &str = "[Unit]\nDescription=What cargo xtask package --test checks\n\n\
                         [Service]\nExecStart=/usr/local/sbin/check-package\nStandardError=journal+console\n";

/// Makes the disk anew; the system is fetched unless it was before. To have newer packages of it, remove it.
pub(crate) fn make_disk(folder: &Path, package: &Path, checks: &Path) -> Result<PathBuf> {
    let root = folder.join(format!("{SUITE}-root"));
    if !root.is_dir() {
        step(&format!("fetch Debian {SUITE}"), || fetch(&root))?;
    }
    for (from, to) in [(package, "root/monitor.deb"), (checks, CHECKS)] {
        fs::copy(from, root.join(to)).with_context(|| format!("copy {}", from.display()))?;
    }
    let disk = folder.join("package.ext4");
    remove_file(&disk)?;
    let mut mkfs = Command::new("mkfs.ext4");
    mkfs.args(["-q", "-F", "-O", "^has_journal", "-m", "0", "-d"]).arg(&root).arg(&disk).arg(DISK_SIZE);
    step("make the guest's disk", || run(&mut mkfs))?;
    Ok(disk)
}

fn fetch(root: &Path) -> Result<()> {
    let unfinished = root.with_extension("new");
    remove_dir(&unfinished)?;
    // What it mounts while it installs is nobody else's, and goes with it.
    let mut mmdebstrap = Command::new("unshare");
    mmdebstrap.args(["--mount", "--propagation", "private", "mmdebstrap", "--quiet", "--mode=root"]);
    mmdebstrap.args(["--variant=essential", "--include", PACKAGES]);
    mmdebstrap.args(["--aptopt=APT::Install-Recommends \"false\"", SUITE]);
    run(mmdebstrap.arg(&unfinished).arg(apt::source(SUITE)))?;
    let wanted_by = unfinished.join(UNITS).join("multi-user.target.wants");
    fs::create_dir_all(&wanted_by).with_context(|| format!("make {}", wanted_by.display()))?;
    let unit = unfinished.join(UNITS).join(UNIT);
    fs::write(&unit, UNIT_TEXT).with_context(|| format!("write {}", unit.display()))?;
    let link = wanted_by.join(UNIT);
    symlink(format!("/{UNITS}/{UNIT}"), &link).with_context(|| format!("make {}", link.display()))?;
    // Empty, so that systemd does not take the machine for a new one that is to be set up.
    let id = unfinished.join("etc/machine-id");
    fs::write(&id, "").with_context(|| format!("write {}", id.display()))?;
    fs::rename(&unfinished, root).with_context(|| format!("move {}", unfinished.display()))
}
