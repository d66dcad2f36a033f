//! Finds what `cargo xtask build` has made for this crate to embed: the eBPF object, for `probes/load.rs`, and the
//! dashboard's files, for `serve/dashboard.rs`. Without the object nothing can be built; without the dashboard there is none.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Where the dashboard is built, from this crate's folder. The folder above it is in the repository, so that cargo notices
/// what comes into it.
const DASHBOARD: &str = "../web/dist/site";

fn main() -> Result<(), Box<dyn Error>> {
    find_object();
    list_dashboard()
}

fn find_object() {
    println!("cargo::rerun-if-env-changed=MONITOR_BPF_DIR");
    // Set by xtask, and by .cargo/config.toml for plain cargo.
    let directory = env::var_os("MONITOR_BPF_DIR").map(PathBuf::from).unwrap_or_default();
    let object = directory.join("monitor");
    println!("cargo::rerun-if-changed={}", object.display());
    if object.is_file() {
        println!("cargo::rustc-env=MONITOR_EBPF_OBJECT={}", object.display());
    } else {
        println!(
            "cargo::error=there is no eBPF object at {}: `cargo xtask build` makes it",
            object.display()
        );
    }
}

/// Writes an expression: the paths and bytes of the dashboard's files, or none of them.
fn list_dashboard() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../web/dist");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(DASHBOARD);
    let mut files = Vec::new();
    // A build that was cut short has no index.
    if root.join("index.html").is_file() {
        find_files(&root, &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let no_text = "a file's name is no UTF-8";
        let name = file.strip_prefix(&root)?.to_str().ok_or(no_text)?;
        let file = file.to_str().ok_or(no_text)?;
        writeln!(list, "    ({:?}, include_bytes!({file:?})),", format!("/{name}"))?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("dashboard.rs"), list)?;
    Ok(())
}

fn find_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
