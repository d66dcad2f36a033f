//! Carries a plan out. Dropping [`Probes`] detaches every program.

use std::{fs::File, io, os::fd::AsFd, path::Path};

use aya::{
    Ebpf, EbpfLoader,
    maps::Map,
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, PerfEvent, Program as Loaded,
        iter::IterLink,
        perf_event::{PerfEventConfig, PerfEventScope, SamplePolicy, SoftwareEvent},
    },
    util::online_cpus,
};
use aya_log::EbpfLogger;

use monitor_common::limits::{SHORTAGES, WAIT_PAIRS};

use super::{
    block::Blocks,
    constants::{self, ConstantsError},
    events::Lifecycle,
    plan::{Plan, fault_entries, faulting_tasks, map_bytes},
    programs::{Hook, Program},
    read::Reader,
    sys::{ProgramStats, lift_memlock_limit, program_stats},
};

/// Why no program at all could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The kernel or aya refused the object as a whole, its maps for example.
    #[error("load the eBPF object into the kernel")]
    Object(#[source] Box<aya::EbpfError>),
    /// The programs cannot be told what the kernel is like.
    #[error("prepare the eBPF programs for this kernel")]
    Constants(#[source] ConstantsError),
    /// The object and this loader were built from different sources.
    #[error("find {0} in the eBPF object")]
    NotInObject(&'static str),
    /// A map cannot be used.
    #[error("open the eBPF map {name}")]
    Map {
        /// Its name in the object.
        name: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// How one program fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeState {
    /// It counts.
    Attached,
    /// The plan left it out, or the kernel does not know the hook.
    Unsupported(String),
    /// The kernel refused it.
    Refused(String),
}

/// One program's state in coverage.
#[derive(Clone, Debug)]
pub struct ProbeStatus {
    /// The program.
    pub program: &'static Program,
    /// How it fared.
    pub state: ProbeState,
    /// What the kernel says of it, where it is loaded.
    pub stats: Option<ProgramStats>,
}

/// Loaded programs and what they write to.
pub struct Probes {
    pub(super) ebpf: Ebpf,
    states: Vec<(&'static Program, ProbeState)>,
    /// The counters.
    pub reader: Reader,
    /// The requests to block devices.
    pub blocks: Blocks,
    /// The records.
    pub lifecycle: Lifecycle,
    /// Bytes that the maps take in the kernel.
    pub map_bytes: usize,
    logger: Option<EbpfLogger<&'static dyn log::Log>>,
}

/// The object that the build embeds.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("MONITOR_EBPF_OBJECT"));

impl Probes {
    /// Loads and attaches what was planned; a program that the kernel refuses costs only itself.
    ///
    /// `tree` is where the hierarchy that is counted is mounted.
    pub fn load(plan: &Plan, tree: Option<&Path>) -> Result<Self, LoadError> {
        lift_memlock_limit();
        let geometry = plan.constants.geometry;
        let object = constants::write(OBJECT, &plan.constants).map_err(LoadError::Constants)?;
        let kernel_types = aya::Btf::from_sys_fs().ok();
        let mut ebpf = EbpfLoader::new()
            .btf(kernel_types.as_ref())
            .override_global("BEGAN_NS", &monotonic_ns(), true)
            .override_global(aya_log::LEVEL, &plan.log_level, true)
            .map_max_entries("TAGS", geometry.tag_entries())
            .map_max_entries("SLOTS", geometry.counter_entries())
            .map_max_entries("NET_TAGS", geometry.tag_entries())
            .map_max_entries("NET", geometry.counter_entries())
            .map_max_entries("CPUS", geometry.cpus)
            .map_max_entries("TURNS", geometry.cpus)
            .map_max_entries("WAITS", geometry.cpus * WAIT_PAIRS)
            .map_max_entries("SHORTAGE", geometry.cpus * SHORTAGES)
            .map_max_entries("FAULTING", faulting_tasks(&plan.constants))
            .map_max_entries("FAULT_TIMES", fault_entries(&plan.constants))
            .map_max_entries("SEEN", 1 << plan.constants.seen_bits)
            .load(&object)
            .map_err(|source| LoadError::Object(Box::new(source)))?;
        let lifecycle = Lifecycle::open(take_map(&mut ebpf, "LIFECYCLE")?)
            .map_err(|source| LoadError::Map { name: "LIFECYCLE", source })?;
        let mut states: Vec<_> = plan
            .left_out
            .iter()
            .map(|(program, reason)| (*program, ProbeState::Unsupported(reason.clone())))
            .collect();
        for program in &plan.programs {
            let state = match attach(&mut ebpf, program, kernel_types.as_ref(), tree) {
                Ok(()) => ProbeState::Attached,
                Err(reason) => ProbeState::Refused(reason),
            };
            states.push((program, state));
        }
        let blocks = Blocks::open(&mut ebpf)?;
        let reader = Reader::open(&mut ebpf, geometry, &plan.drop_reasons)?;
        reader.note_running();
        let logger = (plan.log_level > 0).then(|| EbpfLogger::init(&mut ebpf)).and_then(Result::ok);
        let map_bytes = map_bytes(&plan.constants);
        Ok(Self { ebpf, states, reader, blocks, lifecycle, map_bytes, logger })
    }

    /// Passes on what the programs have logged.
    pub fn flush_log(&mut self) {
        if let Some(logger) = &mut self.logger {
            logger.flush();
        }
    }

    /// Every program's state and, where the kernel keeps them, statistics.
    pub fn status(&self) -> impl Iterator<Item = ProbeStatus> + '_ {
        self.states.iter().map(|(program, state)| {
            let loaded = self.ebpf.program(program.name).and_then(|program| program.fd().ok());
            let stats = loaded.and_then(|fd| program_stats(fd.as_fd()).ok());
            ProbeStatus { program, state: state.clone(), stats }
        })
    }

    /// Whether a program counts.
    #[must_use]
    pub fn is_attached(&self, name: &str) -> bool {
        self.states.iter().any(|(program, state)| program.name == name && *state == ProbeState::Attached)
    }
}

/// The clock of a task's `start_time`.
fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap_or_default()
}

fn attach(
    ebpf: &mut Ebpf,
    program: &Program,
    kernel_types: Option<&aya::Btf>,
    tree: Option<&Path>,
) -> Result<(), String> {
    let loaded = ebpf.program_mut(program.name).ok_or("not in the eBPF object")?;
    let attached = match (program.hook, loaded) {
        (Hook::Tracepoint(name), Loaded::BtfTracePoint(loaded)) => {
            let kernel_types = kernel_types.ok_or("no kernel types")?;
            loaded.load(name, kernel_types).and_then(|()| loaded.attach()).map(|_| ())
        }
        (Hook::PacketsIn, Loaded::CgroupSkb(loaded)) => {
            return attach_to_tree(loaded, CgroupSkbAttachType::Ingress, tree);
        }
        (Hook::PacketsOut, Loaded::CgroupSkb(loaded)) => {
            return attach_to_tree(loaded, CgroupSkbAttachType::Egress, tree);
        }
        (Hook::MajorFaults, Loaded::PerfEvent(loaded)) => return attach_to_major_faults(loaded),
        (Hook::OnDemand, Loaded::RawTracePoint(loaded)) => loaded.load(),
        (Hook::TasksOnDemand, Loaded::Iter(loaded)) => {
            loaded.load("task", kernel_types.ok_or("no kernel types")?)
        }
        (Hook::EveryTask, Loaded::Iter(loaded)) => {
            let kernel_types = kernel_types.ok_or("no kernel types")?;
            let link = loaded
                .load("task", kernel_types)
                .and_then(|()| loaded.attach())
                .and_then(|link| loaded.take_link(link));
            return link.map_err(|error| explain(&error)).and_then(run_to_the_end);
        }
        _ => return Err("of another type in the eBPF object".to_owned()),
    };
    attached.map_err(|error| explain(&error))
}

fn attach_to_tree(
    program: &mut CgroupSkb,
    direction: CgroupSkbAttachType,
    tree: Option<&Path>,
) -> Result<(), String> {
    let tree = tree.ok_or("no cgroup hierarchy is mounted")?;
    let root = File::open(tree).map_err(|error| format!("open {}: {error}", tree.display()))?;
    // Links take no mode: other programs on the tree go on, and more may come.
    program
        .load()
        .and_then(|()| program.attach(root, direction, CgroupAttachMode::Single))
        .map(|_| ())
        .map_err(|error| explain(&error))
}

/// On each CPU that is online now.
fn attach_to_major_faults(program: &mut PerfEvent) -> Result<(), String> {
    let cpus = online_cpus().map_err(|(what, error)| format!("{what}: {error}"))?;
    program.load().map_err(|error| explain(&error))?;
    for cpu in cpus {
        let event = PerfEventConfig::Software(SoftwareEvent::PageFaultsMaj);
        let scope = PerfEventScope::AllProcessesOneCpu { cpu };
        // Each of them: a period of one is never cut by the limit on the rate of samples.
        program.attach(event, scope, SamplePolicy::Period(1), false).map_err(|error| explain(&error))?;
    }
    Ok(())
}

/// Reading an iterator is what makes its program run.
fn run_to_the_end(link: IterLink) -> Result<(), String> {
    let mut file = link.into_file().map_err(|error| crate::error::chain(&error))?;
    io::copy(&mut file, &mut io::sink()).map(|_| ()).map_err(|error| format!("read the iterator: {error}"))
}

/// The last line of the verifier's complaint, or the error and its causes.
fn explain(error: &aya::programs::ProgramError) -> String {
    if let aya::programs::ProgramError::LoadError { io_error, verifier_log } = error {
        let log = verifier_log.to_string();
        log::debug!("the verifier's log: {log}");
        let is_statistics = |line: &str| {
            ["processed ", "stack depth ", "verification time "].iter().any(|words| line.starts_with(words))
        };
        let verdict = log.lines().rev().find(|line| !line.is_empty() && !is_statistics(line));
        return format!("{io_error}: {}", verdict.unwrap_or("the verifier gave no reason"));
    }
    crate::error::chain(error)
}

pub(super) fn take_map(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, LoadError> {
    ebpf.take_map(name).ok_or(LoadError::NotInObject(name))
}

#[cfg(test)]
mod tests {
    use object::{Object as _, ObjectSection as _, SectionKind};

    use super::*;

    /// aya takes two functions at the same place in two sections for one.
    #[test]
    fn all_that_programs_call_is_in_one_section() {
        let object = object::File::parse(OBJECT).unwrap();
        let sections: Vec<_> = object
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .filter_map(|section| section.name().ok().map(str::to_owned))
            .filter(|name| name.starts_with(".text"))
            .collect();
        assert_eq!(sections, [".text"]);
    }
}
