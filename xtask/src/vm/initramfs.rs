//! Programs, with the libraries that they are linked to, as an archive that a kernel unpacks into memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::output;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

/// An archive of these programs, each with its place in the guest, and of what they need to run.
pub(crate) fn pack(programs: &[(&str, &Path)]) -> Result<Vec<u8>> {
    let mut files: Vec<(String, PathBuf)> =
        programs.iter().map(|(place, file)| ((*place).to_owned(), file.to_path_buf())).collect();
    let mut libraries = BTreeSet::new();
    for (_, file) in programs {
        libraries.extend(libraries_of(file));
    }
    files.extend(libraries.into_iter().map(|library| (place_of(&library), library)));
    let mut archive = Archive::default();
    for folder in folders(files.iter().map(|(place, _)| place.as_str())) {
        archive.add(&folder, FOLDER, &[])?;
    }
    for (place, file) in &files {
        let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
        archive.add(place, PROGRAM, &bytes)?;
    }
    archive.finish()
}

/// The shared libraries and the loader of a program; none of a static one, for which ldd fails.
fn libraries_of(program: &Path) -> Vec<PathBuf> {
    output(Command::new("ldd").arg(program)).map(|text| parse_libraries(&text)).unwrap_or_default()
}

/// The absolute paths in what ldd prints: `libc.so.6 => /lib/libc.so.6 (0x…)` or `/lib64/ld-linux.so.2 (0x…)`.
fn parse_libraries(text: &str) -> Vec<PathBuf> {
    let path = |line: &str| {
        let found = line.rsplit_once("=>").map_or(line, |(_, found)| found).trim();
        let path = found.split(" (0x").next()?;
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    text.lines().filter_map(path).collect()
}

fn place_of(library: &Path) -> String {
    library.to_string_lossy().trim_start_matches('/').to_owned()
}

/// Every folder above the places, each before those in it.
fn folders<'a>(places: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    places
        .flat_map(|place| {
            place.match_indices('/').map(|(end, _)| place[..end].to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// In cpio's `newc` form: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    /// So that no two entries are links of each other.
    entries: u32,
}

impl Archive {
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.entries += 1;
        let size = u32::try_from(content.len()).with_context(|| format!("pack {name}"))?;
        let name_size = u32::try_from(name.len() + 1).with_context(|| format!("pack {name}"))?;
        // Magic, inode, mode, uid, gid, links, mtime, size, device, rdev (major and minor each), name's size, checksum.
        let header = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in header {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
        Ok(())
    }

    /// Names and contents end at multiples of four bytes.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        self.add("TRAILER!!!", 0, &[])?;
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_cpio_writes_it() {
        let mut archive = Archive::default();
        archive.add("a", PROGRAM, b"hello").unwrap();
        let expected = "070701\
                        00000001\
                        000081ed\
                        00000000\
                        00000000\
                        00000001\
                        00000000\
                        00000005\
                        00000000\
                        00000000\
                        00000000\
                        00000000\
                        00000002\
                        00000000\
                        a\0hello\0\0\0";
        assert_eq!(String::from_utf8(archive.bytes).unwrap(), expected);
    }

    #[test]
    fn every_folder_comes_before_what_is_in_it() {
        let found = folders(["init", "lib/x/libc.so.6", "lib64/ld.so"].into_iter());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["lib", "lib/x", "lib64"]);
    }

    #[test]
    fn libraries_are_the_paths_that_ldd_names() {
        let text = "\tlinux-vdso.so.1 (0x00007fff)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from);
        assert_eq!(parse_libraries(text), expected);
        assert!(parse_libraries("\tstatically linked\n").is_empty());
    }
}
