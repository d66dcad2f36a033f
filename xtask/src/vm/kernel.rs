//! Debian's kernels, taken out of their packages; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{output, run, step};
use crate::setup::remove_dir;

/// Where Debian is, if this machine does not say.
const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
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
    let newest = apt.dependency(NEWEST, "linux-image-")?;
    let newest = newest.with_context(|| format!("find a kernel behind {NEWEST} of {suite}"))?;
    // Since Linux 7 the kernel itself is in a package of its own.
    let package = apt.dependency(&newest, "linux-binary-")?.unwrap_or(newest);
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

fn file_in(folder: &Path, is_it: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", folder.display()))?;
        if entry.file_name().to_str().is_some_and(&is_it) {
            return Ok(entry.path());
        }
    }
    bail!("find what was unpacked in {}", folder.display())
}

/// apt with sources and state of its own, beside the machine's.
struct Apt {
    root: PathBuf,
}

impl Apt {
    fn prepare(root: &Path, suite: &str) -> Result<Self> {
        remove_dir(root)?;
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let sources = root.join("sources.list");
        let line = format!("deb [signed-by={KEYRING}] {} {suite} main\n", mirror());
        fs::write(&sources, line).with_context(|| format!("write {}", sources.display()))?;
        Ok(Self { root: root.to_path_buf() })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-qq");
        let place = |name: &str| self.root.join(name).display().to_string();
        for option in [
            format!("Dir::Etc::SourceList={}", place("sources.list")),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State={}", place("state")),
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Cache={}", place("cache")),
            // The folder need not be one that apt's own user may enter.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }

    /// The first dependency of a package whose name begins so.
    fn dependency(&self, package: &str, beginning: &str) -> Result<Option<String>> {
        let text = output(self.command("apt-cache").args(["depends", package]))?;
        Ok(parse_dependency(&text, beginning))
    }
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

/// The mirror that this machine's own packages come from.
fn mirror() -> String {
    let listed =
        fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let files = listed.chain([PathBuf::from("/etc/apt/sources.list")]);
    let mut texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.find_map(|text| mirror_in(&text)).unwrap_or_else(|| MIRROR.to_owned())
}

/// The first address that ends in `/debian`, in either form of a list of sources.
fn mirror_in(sources: &str) -> Option<String> {
    let lines =
        sources.lines().map(str::trim).filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"));
    let mut words = lines.flat_map(str::split_whitespace).map(|word| word.trim_end_matches('/'));
    words.find(|word| word.starts_with("http") && word.ends_with("/debian")).map(str::to_owned)
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

    #[test]
    fn the_mirror_is_read_from_both_forms() {
        let old =
            "# deb http://a.example/debian x main\ndeb [arch=amd64] http://b.example/debian/ bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("http://b.example/debian"));
        let new = "Types: deb\nURIs: https://c.example/debian\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("https://c.example/debian"));
        assert_eq!(mirror_in("deb http://d.example/debian-security bookworm-security main\n"), None);
    }
}
