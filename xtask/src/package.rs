//! `cargo xtask package`: a Debian package of `monitor`, which cargo-deb makes as `monitor/Cargo.toml` says. With `--test` it is
//! judged by lintian, and installed, used and removed in a guest with Debian and systemd.

mod system;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::apt::file_in;
use crate::checkout::Checkout;
use crate::command::{in_checkout, run, say, step};
use crate::vm::guest::{self, System};
use crate::vm::{self, kernel, report};
use crate::{run as build, setup, test, web};

const TEST: &str = "--test";
/// What does the rest in the guest, a program of `integration-tests`.
const CHECKS: &str = "package";
/// The guest installs, waits for the watchdog, and removes.
const LIMIT: Duration = Duration::from_mins(10);

pub(crate) fn package_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let is_tested = match args {
        [] => false,
        [flag] if flag == TEST => true,
        _ => bail!("`cargo xtask package` takes {TEST} or nothing"),
    };
    web::build(checkout)?;
    build::build_static(checkout)?;
    setup::for_package(checkout)?;
    let package = step("make the package", || make(checkout))?;
    if is_tested {
        judge(&package)?;
        install_in_guest(checkout, &package)?;
    }
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

/// What lintian holds to be wrong and deploy/debian/lintian-overrides does not name.
fn judge(package: &Path) -> Result<()> {
    setup::for_package_tests()?;
    step("lintian", || {
        let mut lintian = Command::new("lintian");
        run(lintian.args(["--allow-root", "--fail-on", "error,warning"]).arg(package))
    })
}

/// Boots Debian with its own kernel, and tells what was found there.
fn install_in_guest(checkout: &Checkout, package: &Path) -> Result<()> {
    if !vm::IS_POSSIBLE {
        bail!(
            "the guest is an x86-64 machine, and this is none: a package made here cannot be installed there"
        );
    }
    setup::require_root("`cargo xtask package --test`, which makes the disk of a system,")?;
    let folder = vm::folder(checkout)?;
    let kernel = kernel::fetch(&folder.join("kernels"), system::SUITE)?;
    step("build what checks it there", || vm::build_program(checkout, CHECKS))?;
    let checks = vm::stripped(checkout, CHECKS)?;
    let disk = system::make_disk(&folder, package, &checks)?;
    let text = step("install it in a guest", || {
        guest::run(&folder.join("package"), &kernel, System::Disk(&disk), LIMIT)
    })?;
    setup::remove_file(&disk)?;
    let report = report::parse(&text);
    for (name, has_passed, finding) in &report.checks {
        say(&format!("{} {name}: {finding}", if *has_passed { "ok    " } else { "FAILED" }));
    }
    let failures = report.failures();
    if !failures.is_empty() {
        bail!(
            "the package is not as it should be (the guest's console is in target/vm):\n{}",
            failures.join("\n")
        );
    }
    Ok(())
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

    #[test]
    fn what_would_be_ignored_is_refused() {
        let checkout = Checkout::find().unwrap();
        let strings = |args: &[&str]| args.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(package_command(&checkout, &strings(&["--fast"])).is_err());
        assert!(package_command(&checkout, &strings(&["--test", "now"])).is_err());
    }
}
