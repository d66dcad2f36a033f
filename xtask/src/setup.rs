//! Installs what is missing, and nothing else.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build_ebpf::{self, Toolchain};
use crate::checkout::Checkout;
use crate::command::{self, cargo, find_tool, output, run, succeeds};

/// Something that must be on the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Debian's package that has it.
    pub(crate) package: &'static str,
    /// A program that will do just as well, whoever installed it.
    pub(crate) tool: Option<&'static str>,
}

const fn package(package: &'static str) -> Need {
    Need { package, tool: None }
}

const fn tool(package: &'static str, tool: &'static str) -> Need {
    Need { package, tool: Some(tool) }
}

/// Debian's Rust compiler with a `core` that is built for BPF, and what bpf-linker is built from.
const DEBIAN_TOOLCHAIN: [Need; 7] = [
    package("rustc-web"),
    package("libstd-rust-web-dev-bpf"),
    package("llvm-22-dev"),
    package("zlib1g-dev"),
    package("libzstd-dev"),
    tool("gcc", "gcc"),
    package("libc6-dev"),
];

/// What runs the tests' containers.
const CONTAINERS: [Need; 5] = [
    tool("docker.io", "dockerd"),
    tool("iptables", "iptables"),
    tool("iproute2", "ip"),
    tool("util-linux", "unshare"),
    // Not `busybox`: the one program in the tests' image has no libc beside it.
    package("busybox-static"),
];

/// The other runtimes that the tests start, each by itself.
const OTHER_RUNTIMES: [Need; 4] =
    [tool("podman", "podman"), tool("containerd", "ctr"), tool("runc", "runc"), tool("lxc", "lxc-start")];

/// What `monitor top` is drawn on, and what says how it leaves it.
const TERMINAL: [Need; 2] = [tool("tmux", "tmux"), tool("coreutils", "stty")];

/// What reads what is exported.
const READERS: [Need; 3] =
    [tool("prometheus", "promtool"), tool("zabbix-agent", "zabbix_agentd"), tool("curl", "curl")];
/// What is written to; `openssl` makes certificates for it.
const DATABASES: [Need; 4] = [
    tool("influxdb", "influxd"),
    tool("prometheus", "prometheus"),
    tool("collectd-core", "collectd"),
    tool("openssl", "openssl"),
];
/// What makes a Python of the checkout's own.
const PYTHON: [Need; 1] = [package("python3-venv")];

/// What builds the dashboard.
const NODE: [Need; 2] = [tool("nodejs", "node"), tool("npm", "npm")];
/// What looks at it, with something to write in.
const BROWSER: [Need; 2] = [tool("chromium", "chromium"), package("fonts-dejavu-core")];

/// What makes pictures small.
const PICTURES: [Need; 1] = [tool("pngquant", "pngquant")];

/// What benchmarks deceive monitor with, and ask its server with.
const BENCHMARKS: [Need; 3] = [tool("strace", "strace"), tool("curl", "curl"), tool("openssl", "openssl")];

/// What builds libFuzzer.
const FUZZING: [Need; 1] = [tool("g++", "g++")];

/// What runs guests with other kernels, and makes programs small for them.
const VIRTUAL_MACHINES: [Need; 2] =
    [tool("qemu-system-x86", "qemu-system-x86_64"), tool("binutils", "strip")];

/// What packs and strips for Debian.
const PACKAGE: [Need; 2] = [tool("xz-utils", "xz"), tool("binutils", "strip")];
/// What judges a package, and what makes a system to install it in.
const PACKAGE_TESTS: [Need; 3] =
    [tool("lintian", "lintian"), tool("mmdebstrap", "mmdebstrap"), tool("e2fsprogs", "mkfs.ext4")];

/// Lints for the eBPF programs, by the compiler that builds them.
const DEBIAN_CLIPPY: [Need; 1] = [package("rust-web-clippy")];

const BPF_LINKER: &str = "0.13.0";
/// The LLVM of Debian's rustc-web, which bpf-linker must share.
const LLVM: &str = "22";
const CARGO_DEB: &str = "3.8.0";

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Makes sure that the eBPF programs can be built, and says with what.
pub(crate) fn for_build(checkout: &Checkout) -> Result<Toolchain> {
    let facts = Facts {
        debian_missing: missing(&DEBIAN_TOOLCHAIN)?,
        is_root: is_root()?,
        can_install: &|| apt_offers("libstd-rust-web-dev-bpf"),
        has_nightly: &build_ebpf::has_nightly,
    };
    match choose(&facts)? {
        Choice::Debian => {}
        Choice::Install => install(&facts.debian_missing)?,
        Choice::Nightly => {
            if find_tool("bpf-linker").is_none() && !checkout.tools().join("bin/bpf-linker").is_file() {
                bail!("missing bpf-linker: `cargo install bpf-linker` with the LLVM of rustup's nightly");
            }
            return Ok(Toolchain::Nightly);
        }
    }
    install_bpf_linker(checkout)?;
    Ok(Toolchain::Debian)
}

/// Makes sure that a Docker daemon can be started and images be made without a registry.
pub(crate) fn for_containers(daemon_answers: bool) -> Result<()> {
    // A daemon that answers needs nothing here but what goes into the images.
    let needs = if daemon_answers { &CONTAINERS[CONTAINERS.len() - 1..] } else { &CONTAINERS[..] };
    require(needs)
}

/// Makes sure that the other runtimes can be started.
pub(crate) fn for_other_runtimes() -> Result<()> {
    require(&OTHER_RUNTIMES)
}

/// Makes sure that there is a terminal to draw on.
pub(crate) fn for_terminal() -> Result<()> {
    require(&TERMINAL)
}

/// Makes sure that what benchmarks need is there.
pub(crate) fn for_benchmarks() -> Result<()> {
    require(&BENCHMARKS)
}

/// Makes sure that what reads the exports is there.
pub(crate) fn for_readers() -> Result<()> {
    require(&READERS)
}

/// Makes sure that the databases and collectors are there that Debian 12 has.
pub(crate) fn for_databases() -> Result<()> {
    require(&DATABASES)
}

/// Makes sure that Python packages can be installed beside the system's.
pub(crate) fn for_python() -> Result<()> {
    require(&PYTHON)
}

/// Makes sure that the dashboard can be built.
pub(crate) fn for_dashboard() -> Result<()> {
    require(&NODE)
}

/// Makes sure that the dashboard can be looked at.
pub(crate) fn for_browser() -> Result<()> {
    require(&BROWSER)
}

/// Makes sure that pictures can be made small.
pub(crate) fn for_pictures() -> Result<()> {
    require(&PICTURES)
}

/// Makes sure that libFuzzer can be built.
pub(crate) fn for_fuzzing() -> Result<()> {
    require(&FUZZING)
}

/// Makes sure that guests with other kernels can be started.
pub(crate) fn for_virtual_machines() -> Result<()> {
    require(&VIRTUAL_MACHINES)
}

/// Makes sure that packages for Debian can be made.
pub(crate) fn for_package(checkout: &Checkout) -> Result<()> {
    require(&PACKAGE)?;
    install_crate(checkout, "cargo-deb", CARGO_DEB, None, |_| {})
}

/// Makes sure that packages can be judged and installed in a system of their own.
pub(crate) fn for_package_tests() -> Result<()> {
    require(&PACKAGE_TESTS)?;
    for_virtual_machines()
}

/// Makes sure that Debian's clippy is there for Debian's compiler.
pub(crate) fn for_debian_clippy() -> Result<()> {
    require(&DEBIAN_CLIPPY)
}

/// Fails in one line unless this process is root.
pub(crate) fn require_root(what: &str) -> Result<()> {
    if is_root()? {
        return Ok(());
    }
    bail!("{what} needs root: run it as root")
}

fn is_root() -> Result<bool> {
    let metadata = fs::metadata("/proc/self").context("read the owner of /proc/self")?;
    Ok(metadata.uid() == 0)
}

/// What the choice of a compiler for the eBPF programs depends on; the slow questions are asked when needed.
struct Facts<'a> {
    debian_missing: Vec<&'static str>,
    is_root: bool,
    can_install: &'a dyn Fn() -> bool,
    has_nightly: &'a dyn Fn() -> bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// Debian's compiler is there.
    Debian,
    /// It is not, but can be installed.
    Install,
    /// Rustup's nightly builds `core` itself.
    Nightly,
}

fn choose(facts: &Facts) -> Result<Choice> {
    if facts.debian_missing.is_empty() {
        return Ok(Choice::Debian);
    }
    let packages = facts.debian_missing.join(" ");
    if facts.is_root && (facts.can_install)() {
        return Ok(Choice::Install);
    }
    if (facts.has_nightly)() {
        return Ok(Choice::Nightly);
    }
    if !facts.is_root && (facts.can_install)() {
        bail!("missing Debian packages {packages}: run this once as root, or `apt-get install {packages}`");
    }
    bail!(
        "no compiler for eBPF: install Debian's {packages}, or \
         `rustup toolchain install nightly --component rust-src` and `cargo install bpf-linker`"
    )
}

fn require(needs: &[Need]) -> Result<()> {
    let missing = missing(needs)?;
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if find_tool("apt-get").is_none() {
        bail!("missing {packages}, and no apt-get to install it with");
    }
    if !is_root()? {
        bail!("missing Debian packages {packages}: run this once as root, or `apt-get install {packages}`");
    }
    install(&missing)
}

/// The packages of those needs that nothing on this machine meets.
fn missing(needs: &[Need]) -> Result<Vec<&'static str>> {
    let installed = installed_packages(needs)?;
    Ok(needs
        .iter()
        .filter(|need| !installed.contains(need.package) && need.tool.and_then(find_tool).is_none())
        .map(|need| need.package)
        .collect())
}

fn installed_packages(needs: &[Need]) -> Result<HashSet<String>> {
    if find_tool("dpkg-query").is_none() {
        return Ok(HashSet::new());
    }
    // It fails as soon as one package is unknown, and prints the others all the same.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Abbrev}${Package}\\n"])
        .args(needs.iter().map(|need| need.package))
        .output()
        .context("ask dpkg-query which packages are installed")?;
    Ok(parse_installed(&String::from_utf8_lossy(&output.stdout)))
}

/// Lines of three characters of state and a package's name; `ii` is wanted and installed.
fn parse_installed(text: &str) -> HashSet<String> {
    text.lines().filter_map(|line| line.strip_prefix("ii")).map(|package| package.trim().to_owned()).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    command::step(&format!("install {}", packages.join(" ")), || {
        let _quiet = NoServices::new()?;
        run(apt_get().arg("update"))?;
        run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
    })
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
    command
}

fn apt_offers(package: &str) -> bool {
    let is_known =
        || output(Command::new("apt-cache").args(["policy", package])).is_ok_and(|text| has_candidate(&text));
    find_tool("apt-get").is_some() && (is_known() || (succeeds(apt_get().arg("update")) && is_known()))
}

fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate: "))
        .any(|version| version != "(none)")
}

/// Keeps Debian's packages from starting the services they bring: the tests start their own daemon, and
/// whoever wants Docker to run all the time can say so themselves.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn new() -> Result<Self> {
        let mut options = fs::OpenOptions::new();
        match options.write(true).create_new(true).mode(0o755).open(POLICY) {
            Ok(mut file) => {
                use std::io::Write as _;
                file.write_all(b"#!/bin/sh\nexit 101\n").with_context(|| format!("write {POLICY}"))?;
                Ok(Self { is_ours: true })
            }
            // Someone else's policy stands.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { is_ours: false }),
            Err(error) => Err(error).with_context(|| format!("create {POLICY}")),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            // Nothing to be done here about a failure, and the next line of dpkg would tell.
            let _ = fs::remove_file(POLICY);
        }
    }
}

fn install_bpf_linker(checkout: &Checkout) -> Result<()> {
    let feature = format!("llvm-{LLVM}");
    install_crate(checkout, "bpf-linker", BPF_LINKER, Some(&feature), |install| {
        install.env("LLVM_PREFIX", format!("/usr/lib/llvm-{LLVM}"));
    })
}

/// Builds a program from crates.io into the checkout's own tools, unless it is there, with one of its features or none.
fn install_crate(
    checkout: &Checkout,
    name: &str,
    version: &str,
    feature: Option<&str>,
    adjust: impl FnOnce(&mut Command),
) -> Result<()> {
    let tools = checkout.tools();
    // cargo's own record of what it installed where, with versions and features.
    let record = fs::read_to_string(tools.join(".crates2.json")).unwrap_or_default();
    if is_recorded(&record, name, version, feature) && tools.join("bin").join(name).is_file() {
        return Ok(());
    }
    command::step(&format!("build {name} {version} (about a minute, once)"), || {
        let build_dir = checkout.target().join(format!("{name}-build"));
        let mut install = cargo(checkout, ["install", name, "--version", version, "--locked", "--force"]);
        install.arg("--no-default-features").args(feature.map(|feature| format!("--features={feature}")));
        install.arg("--root").arg(&tools).env("CARGO_TARGET_DIR", &build_dir);
        adjust(&mut install);
        let built = run(&mut install);
        remove_dir(&build_dir)?;
        built
    })
}

/// Whether cargo's record has it: `"NAME VERSION (REGISTRY)":{…,"features":["FEATURE"],…}`.
fn is_recorded(record: &str, name: &str, version: &str, feature: Option<&str>) -> bool {
    let Some((_, rest)) = record.split_once(&format!("\"{name} {version} ")) else { return false };
    let features = feature.map(|feature| format!("\"{feature}\"")).unwrap_or_default();
    let its_own = rest.split_once("\"features\":").map(|(_, features)| features);
    its_own.is_some_and(|found| found.starts_with(&format!("[{features}]")))
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Removes a directory with all that is in it, if it is there.
pub(crate) fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(
        missing: &[&'static str],
        is_root: bool,
        can_install: bool,
        has_nightly: bool,
    ) -> Result<Choice> {
        choose(&Facts {
            debian_missing: missing.to_vec(),
            is_root,
            can_install: &|| can_install,
            has_nightly: &|| has_nightly,
        })
    }

    #[test]
    fn debian_s_compiler_is_taken_whenever_it_is_there() {
        for (is_root, has_nightly) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(choice(&[], is_root, false, has_nightly).unwrap(), Choice::Debian);
        }
    }

    #[test]
    fn root_installs_it_where_debian_offers_it() {
        assert_eq!(choice(&["rustc-web"], true, true, true).unwrap(), Choice::Install);
        assert_eq!(choice(&["rustc-web"], true, false, true).unwrap(), Choice::Nightly);
    }

    #[test]
    fn without_root_a_nightly_that_is_there_will_do() {
        assert_eq!(choice(&["rustc-web"], false, true, true).unwrap(), Choice::Nightly);
    }

    #[test]
    fn the_error_names_the_packages_and_the_right() {
        let error = choice(&["rustc-web", "gcc"], false, true, false).unwrap_err().to_string();
        assert!(error.contains("rustc-web gcc") && error.contains("root"), "{error}");
        let error = choice(&["rustc-web"], true, false, false).unwrap_err().to_string();
        assert!(error.contains("rustc-web") && error.contains("rust-src"), "{error}");
    }

    #[test]
    fn only_installed_packages_count() {
        let installed = parse_installed("ii gcc\nrc docker.io\nun iptables\niHR half\n");
        assert_eq!(installed, HashSet::from(["gcc".to_owned()]));
    }

    #[test]
    fn a_package_without_a_candidate_is_not_offered() {
        assert!(has_candidate("rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1\n"));
        assert!(!has_candidate("rustc-web:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }

    #[test]
    fn a_tool_is_built_anew_for_another_version_or_feature() {
        let record = "{\"installs\":{\"bpf-linker 1.2.3 (registry)\":{\"bins\":[\"bpf-linker\"],\"features\":[\"llvm-22\"]},\
                      \"cargo-deb 3.0.0 (registry)\":{\"bins\":[\"cargo-deb\"],\"features\":[]}}}";
        assert!(is_recorded(record, "bpf-linker", "1.2.3", Some("llvm-22")));
        assert!(is_recorded(record, "cargo-deb", "3.0.0", None));
        for (name, version, feature) in [
            ("bpf-linker", "1.2.4", Some("llvm-22")),
            ("bpf-linker", "1.2.3", Some("llvm-2")),
            ("bpf-linker", "1.2.3", None),
            ("cargo-deb", "3.0.0", Some("llvm-22")),
        ] {
            assert!(!is_recorded(record, name, version, feature), "{name} {version} {feature:?}");
        }
        assert!(!is_recorded("", "bpf-linker", "1.2.3", None));
    }
}
