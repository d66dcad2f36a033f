//! Debian's kernels, taken out of their packages; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::apt::{Apt, file_in};
use crate::command::{output, run, step};
use crate::setup::remove_dir;

/// The package that depends on the newest kernel for virtual machines, which has `NVMe` and serial ports built in.
const NEWEST: &str = "linux-image-cloud-amd64";

/// A kernel that can be booted.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    pub(crate) image: PathBuf,
}

/// The kernel of a suite, fetched unless it was before. To have a newer one, remove it.
pub(crate) fn fetch(kernels: &Path, suite: &str) -> Result<Kernel> {
    let folder = kernels.join(suite);
    let image = folder.join("vmlinuz");
    if !image.is_file() {
        step(&format!("fetch the kernel of Debian {suite}"), || fetch_into(&folder, suite, &image))?;
    }
    Ok(Kernel { image })
}

fn fetch_into(folder: &Path, suite: &str, image: &Path) -> Result<()> {
    let apt = Apt::prepare(&folder.join("apt"), suite)?;
    run(apt.command("apt-get").arg("update"))?;
    let newest = dependency(&apt, NEWEST, "linux-image-")?;
    let newest = newest.with_context(|| format!("find a kernel behind {NEWEST} of {suite}"))?;
    // Since Linux 7 the kernel itself is in a package of its own.
    let package = dependency(&apt, &newest, "linux-binary-")?.unwrap_or(newest);
    run(apt.command("apt-get").arg("download").arg(&package).current_dir(&apt.root))?;
    let deb = file_in(&apt.root, |name| name.starts_with("linux-"))?;
    unpack(&deb, &apt.root)?;
    let kernel = file_in(&apt.root, |name| name.starts_with("vmlinuz"))?;
    fs::rename(&kernel, image).with_context(|| format!("move {}", kernel.display()))?;
    remove_dir(&apt.root)
}

/// Takes the kernel, and no module, out of a package: it is in `boot`, or (Linux 7.2) among its modules.
fn unpack(deb: &Path, folder: &Path) -> Result<()> {
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context("start dpkg-deb")?;
    let Some(stdout) = archive.stdout.take() else { bail!("dpkg-deb has no standard output") };
    let mut tar = Command::new("tar");
    // The folder first: it counts for the names that follow.
    tar.arg("--directory").arg(folder);
    tar.args(["--extract", "--transform", "s:.*/::", "--wildcards", "*/vmlinuz*"]).stdin(stdout);
    run(&mut tar)?;
    if !archive.wait().context("wait for dpkg-deb")?.success() {
        bail!("unpack {}: dpkg-deb failed", deb.display());
    }
    Ok(())
}

/// The first dependency of a package whose name begins so.
fn dependency(apt: &Apt, package: &str, beginning: &str) -> Result<Option<String>> {
    let text = output(apt.command("apt-cache").args(["depends", package]))?;
    Ok(parse_dependency(&text, beginning))
}

/// In `  Depends: linux-image-6.1.0-56-cloud-amd64`, with a version after the beginning.
fn parse_dependency(text: &str, beginning: &str) -> Option<String> {
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let mut versions = names.filter(|name| {
        name.strip_prefix(beginning)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    });
    versions.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_the_dependency_with_a_version() {
        let text = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Depends: other\n";
        assert_eq!(
            parse_dependency(text, "linux-image-").as_deref(),
            Some("linux-image-6.1.0-56-cloud-amd64")
        );
        assert_eq!(parse_dependency(text, "linux-binary-"), None);
        assert_eq!(parse_dependency("  Depends: linux-image-amd64\n", "linux-image-"), None);
    }
}
