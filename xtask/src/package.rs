//! `cargo xtask package`: a Debian package of `monitor`, which cargo-deb makes as `monitor/Cargo.toml` says.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt::file_in;
use crate::checkout::Checkout;
use crate::command::{in_checkout, run, step};
use crate::{no_args, run as build, setup, test, web};

pub(crate) fn package_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    no_args("package", args)?;
    web::build(checkout)?;
    build::build_static(checkout)?;
    setup::for_package(checkout)?;
    let package = step("make the package", || make(checkout))?;
    let bytes = fs::metadata(&package).with_context(|| format!("read {}", package.display()))?.len();
    writeln!(io::stdout(), "{} ({bytes} bytes)", package.display())?;
    Ok(())
}

/// Packs what was built, and says where the package is.
fn make(checkout: &Checkout) -> Result<PathBuf> {
    let folder = checkout.target().join("debian");
    setup::remove_dir(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    run(in_checkout(checkout, checkout.tools().join("bin/cargo-deb"))
        .args(["--package", "monitor", "--no-build", "--strip", "--target", &test::host_triple(checkout)?])
        .arg("--output")
        .arg(&folder)
        .env("CARGO_TARGET_DIR", build::static_target(checkout)))?;
    file_in(&folder, |name| Path::new(name).extension().is_some_and(|extension| extension == "deb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// dpkg takes the version from one of them, and lintian and readers from the other.
    #[test]
    fn debian_s_changelog_has_the_version_that_is_built() {
        let changelog = Checkout::find().unwrap().root().join("deploy/debian/changelog");
        let text = fs::read_to_string(changelog).unwrap();
        let expected = format!("monitor ({}-1) ", env!("CARGO_PKG_VERSION"));
        assert!(text.starts_with(&expected), "{expected:?} is not the beginning of:\n{text}");
    }
}
