use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    process::Command,
};

use tempfile::TempDir;

use super::*;

/// As fast as it goes, with something done at a given entry.
struct Free<F: FnMut(u64) -> bool> {
    steps: u64,
    at: F,
}

impl<F: FnMut(u64) -> bool> Pace for Free<F> {
    fn step(&mut self) -> bool {
        self.steps += 1;
        (self.at)(self.steps)
    }
}

fn walk_while(path: &Path, at: impl FnMut(u64) -> bool) -> Result<Found, WalkError> {
    Root::open(path)?.walk(&mut Free { steps: 0, at })
}

fn walk(path: &Path) -> Found {
    walk_while(path, |_| true).unwrap()
}

fn du(path: &Path, options: &[&str]) -> u64 {
    let output = Command::new("du").args(["-s", "-x"]).args(options).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn assert_is_du_s(path: &Path) {
    let found = walk(path);
    assert_eq!(found.bytes, du(path, &["--block-size=1"]));
    assert_eq!(found.inodes, du(path, &["--inodes"]));
    assert_eq!(found.skipped, 0);
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_plain_tree_is_what_du_says() {
    let root = folder();
    fs::create_dir_all(root.path().join("a/b/c")).unwrap();
    for (name, length) in [("a/one", 1), ("a/b/two", 70_000), ("a/b/c/none", 0)] {
        fs::write(root.path().join(name), vec![7; length]).unwrap();
    }
    assert_is_du_s(root.path());
    let found = walk(root.path());
    assert_eq!((found.inodes, found.apparent_bytes), (7, 70_001));
}

#[test]
fn a_sparse_file_takes_what_is_allocated() {
    let root = folder();
    File::create(root.path().join("sparse")).unwrap().set_len(1 << 30).unwrap();
    assert_is_du_s(root.path());
    let found = walk(root.path());
    assert_eq!(found.apparent_bytes, 1 << 30);
    assert!(found.bytes < 1 << 20, "{}", found.bytes);
}

#[test]
fn a_file_with_several_names_counts_once() {
    let root = folder();
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("one"), vec![7; 10_000]).unwrap();
    fs::hard_link(root.path().join("one"), root.path().join("two")).unwrap();
    fs::hard_link(root.path().join("one"), root.path().join("d/three")).unwrap();
    assert_is_du_s(root.path());
    let found = walk(root.path());
    assert_eq!((found.inodes, found.apparent_bytes), (3, 10_000));
}

#[test]
fn links_are_counted_and_never_followed() {
    let (root, other) = (folder(), folder());
    fs::write(other.path().join("big"), vec![7; 1 << 20]).unwrap();
    symlink(other.path(), root.path().join("out")).unwrap();
    symlink(".", root.path().join("loop")).unwrap();
    symlink("/nonexistent", root.path().join("dangling")).unwrap();
    assert_is_du_s(root.path());
    assert_eq!(walk(root.path()).inodes, 4);
}

#[test]
fn a_root_that_is_a_link_is_refused() {
    let root = folder();
    fs::create_dir(root.path().join("real")).unwrap();
    symlink("real", root.path().join("link")).unwrap();
    let error = Root::open(&root.path().join("link")).unwrap_err();
    assert!(matches!(error, WalkError::Open { .. }), "{error}");
    assert!(Root::open(&root.path().join("none")).is_err());
}

#[test]
fn a_whiteout_is_an_inode_without_bytes() {
    let root = folder();
    let before = walk(root.path());
    let made = Command::new("mknod").arg(root.path().join("gone")).args(["c", "0", "0"]).status().unwrap();
    // Linux lets everybody make this one device since 5.8, but for some sandboxes.
    if made.success() {
        let after = walk(root.path());
        assert_eq!((after.bytes, after.inodes), (before.bytes, before.inodes + 1));
        assert_is_du_s(root.path());
    }
}

#[test]
fn what_vanishes_meanwhile_is_no_loss() {
    let root = folder();
    for number in 0..20 {
        let folder = root.path().join(format!("d{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("f"), "x").unwrap();
    }
    let found = walk_while(root.path(), |step| {
        if step == 5 {
            for number in 0..20 {
                fs::remove_dir_all(root.path().join(format!("d{number}"))).unwrap();
            }
        }
        true
    });
    let found = found.unwrap();
    assert_eq!(found.skipped, 0);
    assert!(found.inodes >= 1, "{found:?}");
}

#[test]
fn a_directory_that_became_a_link_is_not_entered() {
    let (root, other) = (folder(), folder());
    fs::write(other.path().join("big"), vec![7; 1 << 20]).unwrap();
    let target = root.path().join("d");
    fs::create_dir(&target).unwrap();
    let root_fd = Root::open(root.path()).unwrap();
    let seen = rustix::fs::stat(&target).unwrap();
    fs::remove_dir(&target).unwrap();
    symlink(other.path(), &target).unwrap();
    assert!(open_same(root_fd.directory.as_fd(), c"d", &seen).unwrap().is_none());
    fs::remove_file(&target).unwrap();
    fs::write(&target, "").unwrap();
    assert!(open_same(root_fd.directory.as_fd(), c"d", &seen).unwrap().is_none());
}

#[test]
fn a_directory_that_cannot_be_read_is_counted_as_a_loss() {
    let root = folder();
    let closed = root.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("f"), "x").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let found = walk(root.path());
    // Root may read it all the same.
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!((found.inodes, found.skipped), if is_root { (3, 0) } else { (2, 1) });
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_tree_deeper_than_is_entered_is_a_loss() {
    let root = folder();
    let mut directory = Root::open(root.path()).unwrap().directory;
    for _ in 0..MAX_DEPTH + 2 {
        rustix::fs::mkdirat(&directory, c"d", Mode::RWXU).unwrap();
        directory = open_quietly(|flags| openat(&directory, c"d", flags, Mode::empty())).unwrap();
    }
    drop(directory);
    let found = walk(root.path());
    assert_eq!((found.inodes, found.skipped), (MAX_DEPTH as u64 + 2, 1));
    assert!(Command::new("rm").arg("-r").arg(root.path().join("d")).status().unwrap().success());
}

#[test]
fn the_pace_ends_a_walk() {
    let root = folder();
    fs::write(root.path().join("f"), "x").unwrap();
    assert!(matches!(walk_while(root.path(), |_| false), Err(WalkError::Stopped)));
}

#[test]
fn a_log_is_its_file_and_the_rotated_ones() {
    let root = folder();
    for name in ["c-json.log", "c-json.log.1", "c-json.log.2.gz", "c-json.logs", "config.json"] {
        fs::write(root.path().join(name), "12345").unwrap();
    }
    let opened = Root::open(root.path()).unwrap();
    let found = opened.walk_named(OsStr::new("c-json.log"), &mut Free { steps: 0, at: |_| true }).unwrap();
    assert_eq!((found.inodes, found.apparent_bytes), (3, 15));
    let one = fs::metadata(root.path().join("c-json.log")).unwrap().blocks() * 512;
    assert_eq!(found.bytes, 3 * one);
}

#[test]
fn another_file_system_is_not_entered() {
    // `/proc` lies below the root on every machine, and is another one.
    let root = Root::open(Path::new("/")).unwrap();
    let mut pace = Free { steps: 0, at: |_| true };
    let mut walker = Walker::new(root.device(), &mut pace);
    assert!(walker.look(root.directory.as_fd(), c"proc").is_none());
    assert_eq!(walker.found, Found::default());
}
