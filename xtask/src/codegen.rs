//! `cargo xtask codegen`: the files that `monitor` writes about itself: under docs/ and deploy/, and the dashboard's list of metrics.
//!
//! The hidden command `monitor generate DIR` writes them, laid out in DIR as they are in the checkout.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{run, say};
use crate::run::build;
use crate::setup::remove_dir;

/// Directories in which nothing is written by hand: a file that is no longer generated is removed.
const GENERATED_DIRS: [&str; 5] =
    ["docs/schema", "docs/man", "docs/completions", "deploy/grafana", "web/src/generated"];

type Files = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) fn codegen_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let is_check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("`cargo xtask codegen` takes `--check` or nothing"),
    };
    build(checkout)?;
    generate(checkout, !is_check)
}

/// Compares the committed files with what the built `monitor` writes; `bless` rewrites those that differ.
pub(crate) fn generate(checkout: &Checkout, bless: bool) -> Result<()> {
    let fresh_dir = checkout.target().join("generated");
    remove_dir(&fresh_dir)?;
    fs::create_dir_all(&fresh_dir).with_context(|| format!("create {}", fresh_dir.display()))?;
    run(Command::new(checkout.monitor_bin()).arg("generate").arg(&fresh_dir))?;

    let root = checkout.root();
    let fresh = read_tree(&fresh_dir)?;
    let committed = read_committed(root, &fresh)?;
    let differing = differing(&fresh, &committed);
    if differing.is_empty() {
        return Ok(());
    }
    if !bless {
        let names: Vec<String> = differing.iter().map(|path| path.display().to_string()).collect();
        bail!("not up to date: {}; `cargo xtask codegen` writes them", names.join(", "));
    }
    for path in differing {
        say(&format!("write {}", path.display()));
        replace(&root.join(&path), fresh.get(&path))?;
    }
    Ok(())
}

/// Paths that one side lacks or that both have with different contents.
fn differing(fresh: &Files, committed: &Files) -> Vec<PathBuf> {
    let gone = committed.keys().filter(|path| !fresh.contains_key(*path));
    let changed =
        fresh.iter().filter(|(path, bytes)| committed.get(*path) != Some(bytes)).map(|(path, _)| path);
    gone.chain(changed).cloned().collect()
}

/// The committed counterparts of the fresh files, and all else in the directories that are only generated.
fn read_committed(root: &Path, fresh: &Files) -> Result<Files> {
    let mut committed = Files::new();
    for dir in GENERATED_DIRS {
        let prefix = Path::new(dir);
        if root.join(prefix).is_dir() {
            committed.extend(
                read_tree(&root.join(prefix))?.into_iter().map(|(path, bytes)| (prefix.join(path), bytes)),
            );
        }
    }
    for path in fresh.keys() {
        if let Ok(bytes) = fs::read(root.join(path)) {
            committed.insert(path.clone(), bytes);
        }
    }
    Ok(committed)
}

fn read_tree(dir: &Path) -> Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        let name = path.strip_prefix(dir).with_context(|| format!("place {}", path.display()))?.to_path_buf();
        if path.is_dir() {
            files.extend(read_tree(&path)?.into_iter().map(|(below, bytes)| (name.join(below), bytes)));
        } else {
            let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

fn replace(path: &Path, bytes: Option<&Vec<u8>>) -> Result<()> {
    let Some(bytes) = bytes else {
        return fs::remove_file(path).with_context(|| format!("remove {}", path.display()));
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> Files {
        pairs.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn new_changed_and_abandoned_files_differ() {
        let fresh = files(&[("metrics.md", "new"), ("schema/a.json", "same"), ("man/b.1", "added")]);
        let committed = files(&[("metrics.md", "old"), ("schema/a.json", "same"), ("man/gone.1", "x")]);
        let expected = ["man/gone.1", "man/b.1", "metrics.md"].map(PathBuf::from);
        assert_eq!(differing(&fresh, &committed), expected);
        assert!(differing(&fresh, &fresh).is_empty());
    }

    #[test]
    fn handwritten_files_beside_generated_ones_are_left_alone() {
        let root = std::env::temp_dir().join(format!("xtask-codegen-{}", std::process::id()));
        let there = [
            ("docs/overhead.md", "by hand"),
            ("docs/metrics.md", "old"),
            ("docs/man/gone.1", "x"),
            ("web/src/main.tsx", "by hand"),
            ("web/src/generated/gone.ts", "x"),
        ];
        for (path, text) in there {
            replace(&root.join(path), Some(&text.as_bytes().to_vec())).unwrap();
        }
        let committed = read_committed(&root, &files(&[("docs/metrics.md", "new")])).unwrap();
        let expected =
            [("docs/metrics.md", "old"), ("docs/man/gone.1", "x"), ("web/src/generated/gone.ts", "x")];
        assert_eq!(committed, files(&expected));
        fs::remove_dir_all(&root).unwrap();
    }
}
