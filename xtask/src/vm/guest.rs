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

/// A guest takes some ten seconds; one that takes this long hangs.
const LIMIT: Duration = Duration::from_mins(3);
/// A disk to read from, all zeroes.
const DISK_BYTES: u64 = 16 << 20;

/// What the kernel is told besides the cgroup set-up. No test of an emulated processor's speculation is wanted, a crash is to
/// end the guest, and the one `NVMe` disk is not to be hidden behind a second one.
const COMMAND_LINE: &str = "console=ttyS0 rdinit=/init panic=-1 oops=panic nokaslr mitigations=off cryptomgr.notests \
                            audit=0 apparmor=0 random.trust_cpu=on nvme_core.multipath=N quiet loglevel=4";

/// What the kernel hands on to the first process as its environment, besides `CGROUPS`. The folder of eBPF objects has to be
/// named to the tests' harness; the binary has its own inside.
const ENVIRONMENT: &str = "MONITOR_BIN=/bin/monitor WORKLOAD_BIN=/bin/workload MONITOR_BPF_DIR=/";

/// Files of one guest, all beginning with `place`.
struct Files {
    console: PathBuf,
    report: PathBuf,
    disk: PathBuf,
}

/// Runs a guest and returns what it reported. One that did not come to its end is run once more: emulation of two processors
/// is not without faults of its own, and now and then the kernel meets one of them anywhere.
pub(crate) fn run(place: &Path, kernel: &Kernel, initramfs: &Path, mode: &str) -> Result<String> {
    let files = Files {
        console: place.with_extension("console"),
        report: place.with_extension("report"),
        disk: place.with_extension("disk"),
    };
    let mut text = run_once(&files, kernel, initramfs, mode)?;
    if !report::parse(&text).is_whole {
        say(&format!("the guest did not come to its end ({}); once more", files.console.display()));
        text = run_once(&files, kernel, initramfs, mode)?;
    }
    fs::remove_file(&files.disk).with_context(|| format!("remove {}", files.disk.display()))?;
    Ok(text)
}

fn run_once(files: &Files, kernel: &Kernel, initramfs: &Path, mode: &str) -> Result<String> {
    let disk = File::create(&files.disk).with_context(|| format!("make {}", files.disk.display()))?;
    disk.set_len(DISK_BYTES).with_context(|| format!("make {}", files.disk.display()))?;
    let mut qemu = command(files, kernel, initramfs, mode).spawn().context("start qemu-system-x86_64")?;
    let deadline = Instant::now() + LIMIT;
    while qemu.try_wait().context("wait for QEMU")?.is_none() {
        if Instant::now() > deadline {
            say(&format!("the guest did not end within {} s", LIMIT.as_secs()));
            qemu.kill().context("end QEMU")?;
            qemu.wait().context("wait for QEMU")?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let report = fs::read(&files.report).with_context(|| format!("read {}", files.report.display()))?;
    Ok(String::from_utf8_lossy(&report).into_owned())
}

fn command(files: &Files, kernel: &Kernel, initramfs: &Path, mode: &str) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    // Emulated all the way, so that it runs anywhere, in virtual machines too.
    qemu.args(["-M", "pc", "-accel", "tcg,thread=multi", "-cpu", "max,-cx16", "-smp", "2", "-m", "512"]);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(initramfs);
    for port in [&files.console, &files.report] {
        qemu.arg("-serial").arg(format!("file:{}", port.display()));
    }
    qemu.arg("-drive").arg(format!("id=disk,file={},format=raw,if=none,cache=unsafe", files.disk.display()));
    qemu.args(["-device", "nvme,serial=disk,drive=disk"]);
    qemu.arg("-append").arg(format!("{COMMAND_LINE} {ENVIRONMENT} CGROUPS={mode}"));
    qemu.stdin(Stdio::null());
    qemu
}
