//! Packages of another suite of Debian's than this machine's, taken apart; nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::setup::remove_dir;

/// Where Debian is, if this machine does not say.
const MIRROR: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt with sources and state of its own, beside the machine's.
pub(crate) struct Apt {
    /// The folder of its state, into which packages are downloaded.
    pub(crate) root: PathBuf,
}

impl Apt {
    /// Sets it up below a folder, which is emptied.
    pub(crate) fn prepare(root: &Path, suite: &str) -> Result<Self> {
        remove_dir(root)?;
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let sources = root.join("sources.list");
        fs::write(&sources, source(suite) + "\n").with_context(|| format!("write {}", sources.display()))?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// One of its programs, told so.
    pub(crate) fn command(&self, program: &str) -> Command {
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
}

/// A suite of this machine's mirror, as a line of a list of sources.
pub(crate) fn source(suite: &str) -> String {
    format!("deb [signed-by={KEYRING}] {} {suite} main", mirror())
}

/// A file in a folder by its name.
pub(crate) fn file_in(folder: &Path, is_it: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", folder.display()))?;
        if entry.file_name().to_str().is_some_and(&is_it) {
            return Ok(entry.path());
        }
    }
    bail!("find what was unpacked in {}", folder.display())
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
    fn the_mirror_is_read_from_both_forms() {
        let old =
            "# deb http://a.example/debian x main\ndeb [arch=amd64] http://b.example/debian/ bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("http://b.example/debian"));
        let new = "Types: deb\nURIs: https://c.example/debian\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("https://c.example/debian"));
        assert_eq!(mirror_in("deb http://d.example/debian-security bookworm-security main\n"), None);
    }
}
