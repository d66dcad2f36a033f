//! One guest, from its start to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::kernel::Kernel;
use super::report;
use crate::command::say;
use crate::setup;

/// A disk to read from, all zeroes.
const DISK_BYTES: u64 = 16 << 20;

/// What every kernel is told. No test of an emulated processor's speculation is wanted, a crash is to end the guest, and the one
/// `NVMe` disk is not to be hidden behind a second one.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 oops=panic nokaslr mitigations=off cryptomgr.notests audit=0 apparmor=0 \
                            random.trust_cpu=on nvme_core.multipath=N quiet loglevel=4";

/// What the kernel hands on to the first process as its environment, besides `CGROUPS`. The folder of eBPF objects has to be
/// named to the tests' harness; the binary has its own inside.
const ENVIRONMENT: &str = "MONITOR_BIN=/bin/monitor WORKLOAD_BIN=/bin/workload MONITOR_BPF_DIR=/";

/// By which `tests/src/bin/package` knows that it is in such a guest; the kernel ignores it.
const MARK: &str = "monitor.guest";

/// What is booted, besides the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum System<'a> {
    /// Programs in memory, with an empty disk.
    Programs {
        /// Of [`super::initramfs`].
        archive: &'a Path,
        /// How cgroups are mounted.
        mode: &'a str,
    },
    /// A disk with a whole system, which is left as it was.
    Disk(&'a Path),
}

/// Files of one guest, all beginning with `place`.
struct Files {
    console: PathBuf,
    report: PathBuf,
    disk: PathBuf,
}

/// Runs a guest and returns what it reported. One that did not come to its end is run once more: emulation of two processors
/// is not without faults of its own, and now and then the kernel meets one of them anywhere.
///
/// A guest that takes longer than `limit` hangs.
pub(crate) fn run(place: &Path, kernel: &Kernel, system: System<'_>, limit: Duration) -> Result<String> {
    let files = Files {
        console: place.with_extension("console"),
        report: place.with_extension("report"),
        disk: place.with_extension("disk"),
    };
    let mut text = run_once(&files, kernel, system, limit)?;
    if !report::parse(&text).is_whole {
        say(&format!("the guest did not come to its end ({}); once more", files.console.display()));
        text = run_once(&files, kernel, system, limit)?;
    }
    setup::remove_file(&files.disk)?;
    Ok(text)
}

fn run_once(files: &Files, kernel: &Kernel, system: System<'_>, limit: Duration) -> Result<String> {
    if let System::Programs { .. } = system {
        let disk = File::create(&files.disk).with_context(|| format!("make {}", files.disk.display()))?;
        disk.set_len(DISK_BYTES).with_context(|| format!("make {}", files.disk.display()))?;
    }
    let mut qemu = command(files, kernel, system).spawn().context("start qemu-system-x86_64")?;
    let deadline = Instant::now() + limit;
    while qemu.try_wait().context("wait for QEMU")?.is_none() {
        if Instant::now() > deadline {
            say(&format!("the guest did not end within {} s", limit.as_secs()));
            qemu.kill().context("end QEMU")?;
            qemu.wait().context("wait for QEMU")?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let report = fs::read(&files.report).with_context(|| format!("read {}", files.report.display()))?;
    Ok(String::from_utf8_lossy(&report).into_owned())
}

fn command(files: &Files, kernel: &Kernel, system: System<'_>) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    // Emulated all the way, so that it runs anywhere, in virtual machines too.
    qemu.args(["-M", "pc", "-accel", "tcg,thread=multi", "-cpu", "max,-cx16", "-smp", "2"]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(&kernel.image);
    for port in [&files.console, &files.report] {
        qemu.arg("-serial").arg(format!("file:{}", port.display()));
    }
    let disk = match system {
        System::Programs { archive, mode } => {
            qemu.args(["-m", "512", "-initrd"]).arg(archive);
            let told = format!("{COMMAND_LINE} rdinit=/init {ENVIRONMENT} CGROUPS={mode}");
            qemu.arg("-append").arg(told);
            format!("file={}", files.disk.display())
        }
        System::Disk(image) => {
            qemu.args(["-m", "1024", "-append"]).arg(format!("{COMMAND_LINE} root=/dev/nvme0n1 rw {MARK}"));
            // What is written goes to a file without a name.
            format!("file={},snapshot=on", image.display())
        }
    };
    qemu.arg("-drive").arg(format!("id=disk,{disk},format=raw,if=none,cache=unsafe"));
    qemu.args(["-device", "nvme,serial=disk,drive=disk"]);
    qemu.stdin(Stdio::null());
    qemu
}
