//! What this kernel, cgroup set-up and runtime allow, line by line, with what to do about each no.

use std::{
    fmt::Write as _, io, io::Write as _, path::Path, process::ExitCode, sync::mpsc, thread, time::Duration,
};

use serde::Serialize;

use crate::{
    app::{self, Counted},
    cgroup::{Hierarchy, Mode, raise_fd_limit},
    cli::{DoctorArgs, ReportFormat},
    confine,
    host::read_facts,
    output::table::printable,
    privileges::{NEEDS, effective},
    probes::{
        btf::{Btf, VMLINUX},
        load::{ProbeState, Probes},
        plan::{Wishes, plan},
        support::probe_kernel,
    },
    runtime::{
        RuntimeEvent,
        places::{Place, RuntimeSettings, UsualPlace},
    },
};

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub subject: String,
    /// `yes`, `partly` or `no`.
    pub answer: &'static str,
    /// What was found.
    pub finding: String,
    /// What to do about it, where something can be done.
    pub advice: Option<String>,
    /// Whether monitor can do its main job without.
    pub is_vital: bool,
}

impl Check {
    fn yes(subject: &str, finding: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            answer: "yes",
            finding: finding.into(),
            advice: None,
            is_vital: false,
        }
    }

    fn no(subject: &str, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = Some(advice.into());
        Self { subject: subject.into(), answer: "no", finding: finding.into(), advice, is_vital: false }
    }

    fn partly(subject: &str, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { answer: "partly", ..Self::no(subject, finding, advice) }
    }

    fn vital(self) -> Self {
        Self { is_vital: true, ..self }
    }
}

/// Looks at everything and prints it; fails where the main job cannot be done.
pub fn run(args: &DoctorArgs) -> io::Result<ExitCode> {
    let checks = examine(args);
    let text = match args.format {
        ReportFormat::Text => text(&checks),
        ReportFormat::Json => serde_json::to_string_pretty(&serde_json::json!({ "checks": checks }))? + "\n",
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    let is_fit = checks.iter().all(|check| check.answer != "no" || !check.is_vital);
    Ok(if is_fit { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.subject.len()).max().unwrap_or_default();
    for Check { subject, answer, finding, advice, is_vital: _ } in checks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{answer:<7} {subject:<width$}  {}", printable(finding));
        if let Some(advice) = advice {
            let _ = writeln!(text, "{:<7} {:<width$}  → {}", "", "", printable(advice));
        }
    }
    text
}

fn examine(args: &DoctorArgs) -> Vec<Check> {
    let host = read_facts();
    let mut checks = vec![Check::yes("kernel", format!("{} on {} CPUs", host.kernel_release, host.cpus))];
    checks.extend(rights());
    let kernel_types = Btf::read_kernel();
    checks.push(match &kernel_types {
        Ok(_) => Check::yes("kernel types (BTF)", VMLINUX).vital(),
        Err(error) => Check::no(
            "kernel types (BTF)",
            crate::error::chain(error),
            "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels from 5.10 on are",
        )
        .vital(),
    });
    let hierarchy = Hierarchy::detect(Path::new("/proc"));
    checks.extend(cgroups(&hierarchy));
    if let Ok(hierarchy) = &hierarchy {
        checks.extend(probes(&kernel_types, hierarchy));
    }
    checks.push(confinement());
    checks.push(open_files());
    checks.extend(runtimes(args));
    checks
}

fn rights() -> Vec<Check> {
    let capabilities = effective();
    let check = |need: &crate::privileges::Need| {
        let check = if need.is_met_by(capabilities) {
            Check::yes("may", need.purpose)
        } else {
            Check::no(
                "may",
                format!("not {}", need.purpose),
                format!("run as root, or give it {}", need.names()),
            )
        };
        if need.is_vital { check.vital() } else { check }
    };
    NEEDS.iter().map(check).collect()
}

fn cgroups(hierarchy: &Result<Hierarchy, crate::cgroup::CgroupError>) -> Vec<Check> {
    let hierarchy = match hierarchy {
        Ok(hierarchy) => hierarchy,
        Err(error) => {
            let advice = "mount one: mount -t cgroup2 none /sys/fs/cgroup";
            return vec![Check::no("cgroups", crate::error::chain(error), advice).vital()];
        }
    };
    let mut checks = vec![Check::yes("cgroups", format!("{} set-up", hierarchy.mode())).vital()];
    for v1 in hierarchy.v1() {
        let finding = format!("v1 at {}", v1.mount.point.display());
        checks.push(Check::yes(&format!("controller {}", v1.controllers.join(",")), finding));
    }
    if let Some(unified) = hierarchy.unified() {
        let controllers = std::fs::read_to_string(unified.join("cgroup.controllers")).unwrap_or_default();
        let names = match controllers.trim() {
            "" => "no controllers".to_owned(),
            names => format!("controllers {names}"),
        };
        checks.push(Check::yes("cgroup2 tree", format!("{} with {names}", unified.display())));
    }
    for name in hierarchy.disabled_controllers() {
        let advice = format!("boot without cgroup_disable={name} to get its fields");
        checks.push(Check::no(&format!("controller {name}"), "switched off at boot", advice));
    }
    checks.push(if hierarchy.mode() == Mode::V1 {
        Check::no("pressure", "needs a cgroup2 tree", "mount one beside v1: mount -t cgroup2 none DIRECTORY")
    } else if Path::new("/proc/pressure/cpu").exists() {
        Check::yes("pressure", "/proc/pressure and the cgroup2 tree")
    } else {
        Check::no("pressure", "the kernel does not measure it", "boot with psi=1, or build with CONFIG_PSI=y")
    });
    checks
}

fn probes(kernel_types: &Result<Btf, crate::probes::btf::BtfError>, hierarchy: &Hierarchy) -> Vec<Check> {
    let counted = app::choose(hierarchy, kernel_types.as_ref().ok());
    let facts = probe_kernel(kernel_types);
    // Also what is off unless asked for.
    let wishes = Wishes { major_fault_latency: true, ..Wishes::default() };
    let plan = plan(&facts, counted.as_ref().map(|counted| counted.hierarchy), wishes);
    let tree = counted.as_ref().map(|counted| counted.mount.point.as_path());
    let loaded = match Probes::load(&plan, tree) {
        Ok(loaded) => loaded,
        Err(error) => {
            return vec![Check::no("eBPF", crate::error::chain(&error), "see the lines above").vital()];
        }
    };
    let mut checks: Vec<Check> = loaded
        .status()
        .map(|status| {
            let subject = format!("probe {}", status.program.name);
            let check = match status.state {
                ProbeState::Attached => {
                    let verified = status.stats.map_or(0, |stats| stats.verified_instructions);
                    Check::yes(&subject, format!("attached; {verified} instructions verified"))
                }
                ProbeState::Unsupported(reason) => {
                    Check::no(&subject, reason, "its fields are null; docs/kernel-support.md lists kernels")
                }
                ProbeState::Refused(reason) => {
                    Check::no(&subject, reason, "its fields are null; please report this kernel")
                }
            };
            if status.program.name == "sched_switch" { check.vital() } else { check }
        })
        .collect();
    if let Some(Counted { hierarchy, mount }) = counted {
        let slots = loaded.reader.geometry().owned_slots;
        let kib = loaded.map_bytes / 1024;
        let tree = if hierarchy.number == 0 { "cgroup2 tree" } else { "v1 hierarchy" };
        let finding = format!("{tree} of {}: {slots} slots a CPU, {kib} KiB of maps", mount.point.display());
        checks.push(Check::yes("counted cgroups", finding));
    }
    checks
}

fn confinement() -> Check {
    match confine::landlock() {
        Ok(()) => Check::yes("confinement", "of capabilities, system calls and files, thread by thread"),
        Err(reason) => Check::partly(
            "confinement",
            "of capabilities and system calls, thread by thread; not of files",
            reason,
        ),
    }
}

fn open_files() -> Check {
    /// Files that are kept open for a cgroup, at most.
    const PER_CGROUP: u64 = 14;
    let limit = raise_fd_limit();
    let cgroups = limit / PER_CGROUP;
    let finding = format!("up to {limit}: enough for {cgroups} cgroups kept open");
    if cgroups >= 1000 {
        Check::yes("open files", finding)
    } else {
        Check::partly(
            "open files",
            finding,
            "raise the hard limit (ulimit -Hn); above it files are opened each time",
        )
    }
}

/// Every runtime that was named or is found here.
fn runtimes(args: &DoctorArgs) -> Vec<Check> {
    let settings = match RuntimeSettings::try_from(&args.runtimes) {
        Ok(settings) => settings,
        Err(error) => {
            return vec![Check::no("runtimes", crate::error::chain(&error), "see `monitor doctor --help`")];
        }
    };
    let mut checks: Vec<Check> = settings.present().into_iter().map(runtime).collect();
    checks.extend(settings.absent().into_iter().filter_map(installed_without_socket));
    if Path::new("/var/lib/lxc").is_dir() {
        checks.push(Check::yes("lxc", "containers are known by their cgroup's path; there is nobody to ask"));
    }
    if Path::new("/run/systemd/system").is_dir() {
        checks.push(Check::yes("systemd", "units and nspawn's machines are known by their cgroup's path"));
    }
    checks
}

/// Asks a runtime as the stream would, and takes its first answer.
fn runtime(place: Place) -> Check {
    const PATIENCE: Duration = Duration::from_secs(5);
    let (name, endpoint) = (place.name.to_string(), place.endpoint());
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(place.watch(move |event| drop(sender.send(event))));
    });
    let advice = match name.as_str() {
        "docker" => {
            "containers are still counted, by id; start Docker, name its socket by --docker-host, or say --no-docker"
        }
        _ => "containers are still counted, by id; start it, or name its socket by --runtime NAME=SOCKET",
    };
    match answers.recv_timeout(PATIENCE) {
        Ok(RuntimeEvent::Connection(state)) if state.connected => {
            Check::yes(&name, format!("{} at {endpoint}", state.server_version.unwrap_or_default()))
        }
        Ok(RuntimeEvent::Connection(state)) => Check::no(&name, state.reason.unwrap_or_default(), advice),
        _ => Check::no(&name, format!("no answer from {endpoint} within 5 s"), advice),
    }
}

/// A runtime that is installed but cannot be asked; of one that is not, there is nothing to say.
fn installed_without_socket(place: UsualPlace) -> Option<Check> {
    let (program, advice) = match place.name {
        "podman" => ("podman", "to know names, not ids only: systemctl enable --now podman.socket"),
        "containerd" => {
            ("containerd", "if it is used: systemctl start containerd, or --runtime containerd=SOCKET")
        }
        "cri-o" => ("crio", "if it is used: systemctl start crio, or --runtime cri=SOCKET"),
        _ => return None,
    };
    let path = std::env::var_os("PATH")?;
    let is_installed = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    is_installed.then(|| Check::no(place.name, format!("nothing at {}", place.socket), advice))
}
