//! The one place that turns a kernel address into a value.
//!
//! The types wrap pointers that came typed from a BTF tracepoint's arguments. Their offsets are frozen globals taken
//! from this kernel's BTF, so the verifier checks each load against the struct; a faulting address reads as 0.

use aya_ebpf::helpers::{bpf_get_current_task, bpf_probe_read_kernel};
use monitor_common::slots::TaskTotals;

use crate::globals::{hierarchy, offset, subsystem};

/// A pointer that the verifier tracks with its kernel type.
#[derive(Clone, Copy)]
struct Typed(*const u8);

impl Typed {
    #[inline(always)]
    fn load<T: Copy>(self, offset: usize) -> T {
        // SAFETY: see the module: the verifier admits only loads inside the kernel struct that `self` points to.
        unsafe { self.0.add(offset).cast::<T>().read_volatile() }
    }

    #[inline(always)]
    fn follow(self, offset: usize) -> Self {
        Self(self.load::<*const u8>(offset))
    }

    #[inline(always)]
    fn address(self) -> u64 {
        self.0 as u64
    }
}

/// A `struct task_struct`.
#[derive(Clone, Copy)]
pub(crate) struct Task(Typed);

/// A `struct css_set`: the cgroups of a task, one for each hierarchy.
#[derive(Clone, Copy)]
pub(crate) struct CssSet(Typed);

/// A `struct cgroup`.
#[derive(Clone, Copy)]
pub(crate) struct Cgroup(Typed);

impl Task {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0.address()
    }

    /// The task's id. 0 is the idle task, which every program leaves out.
    #[inline(always)]
    pub(crate) fn tid(self) -> u32 {
        self.0.load(offset!(task_tid))
    }

    #[inline(always)]
    pub(crate) fn tgid(self) -> u32 {
        self.0.load(offset!(task_tgid))
    }

    #[inline(always)]
    pub(crate) fn css_set(self) -> CssSet {
        CssSet(self.0.follow(offset!(task_css_set)))
    }

    /// The task's own counters.
    #[inline(always)]
    pub(crate) fn totals(self) -> TaskTotals {
        TaskTotals {
            voluntary_switches: self.0.load(offset!(task_voluntary)),
            involuntary_switches: self.0.load(offset!(task_involuntary)),
            on_cpu_ns: self.0.load(offset!(task_on_cpu)),
            minor_faults: self.0.load(offset!(task_minor_faults)),
            major_faults: self.0.load(offset!(task_major_faults)),
            run_delay_ns: self.0.load(offset!(task_run_delay)),
        }
    }

    /// Times it was moved to another CPU, the low half.
    #[inline(always)]
    pub(crate) fn migrations(self) -> u32 {
        self.0.load::<u64>(offset!(task_migrations)) as u32
    }

    /// Whether it has become a zombie.
    #[inline(always)]
    pub(crate) fn has_exited(self) -> bool {
        self.0.load::<u32>(offset!(task_exit_state)) != 0
    }

    #[inline(always)]
    pub(crate) fn exit_code(self) -> u32 {
        self.0.load(offset!(task_exit_code))
    }

    /// How deep its pid namespace is, if this is the last thread of the first process in it: its end ends the namespace,
    /// and the container that it is. 0 otherwise.
    #[inline(always)]
    pub(crate) fn ended_namespace_level(self) -> u32 {
        /// `PIDTYPE_TGID` of `enum pid_type` (include/linux/pid_types.h).
        const TGID: usize = 1;
        /// `struct upid`: a number, padding and a pointer.
        const UPID_BYTES: usize = 16;
        let signal = self.0.follow(offset!(task_signal));
        if signal.load::<u32>(offset!(signal_live)) != 0 {
            return 0;
        }
        let pid = signal.follow(offset!(signal_pids) + TGID * size_of::<u64>());
        let level = pid.load::<u32>(offset!(pid_level));
        if level == 0 {
            return 0;
        }
        // A typed pointer takes constant offsets only, so this load goes through the helper.
        let number: u32 = load_from(pid.address(), offset!(pid_numbers) + level as usize * UPID_BYTES);
        if number == 1 { level } else { 0 }
    }
}

impl CssSet {
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0.address()
    }

    /// The cgroup in the default (v2) hierarchy.
    #[inline(always)]
    pub(crate) fn default_cgroup(self) -> Cgroup {
        Cgroup(self.0.follow(offset!(css_set_dfl_cgrp)))
    }

    /// The cgroup in the hierarchy of the v1 controller with this number.
    #[inline(always)]
    pub(crate) fn controller_cgroup(self, subsystem: u32) -> Cgroup {
        let state = self.0.follow(offset!(css_set_subsys) + subsystem as usize * size_of::<u64>());
        Cgroup(state.follow(offset!(css_cgroup)))
    }
}

impl Cgroup {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    /// The kernfs id of the cgroup's directory.
    #[inline(always)]
    pub(crate) fn id(self) -> u64 {
        self.0.follow(offset!(cgroup_kn)).load(offset!(kernfs_node_id))
    }

    /// The number of the hierarchy that it is in; 0 is v2.
    #[inline(always)]
    pub(crate) fn hierarchy(self) -> u32 {
        self.0.follow(offset!(cgroup_root)).load(offset!(cgroup_root_hierarchy))
    }
}

/// The task that runs on this CPU, for programs whose context does not bring it typed: read through a helper.
#[derive(Clone, Copy)]
pub(crate) struct CurrentTask(u64);

impl CurrentTask {
    #[inline(always)]
    pub(crate) fn get() -> Self {
        // SAFETY: the helper has no preconditions.
        Self(unsafe { bpf_get_current_task() })
    }

    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn tid(self) -> u32 {
        load_from(self.0, offset!(task_tid))
    }

    /// The address of its `css_set`.
    #[inline(always)]
    pub(crate) fn css_set(self) -> u64 {
        load_from(self.0, offset!(task_css_set))
    }

    /// Its cgroup's id in the hierarchy that is counted.
    #[inline(always)]
    pub(crate) fn cgroup_id(self) -> u64 {
        let cgroup: u64 = if hierarchy() == 0 {
            load_from(self.css_set(), offset!(css_set_dfl_cgrp))
        } else {
            let place = offset!(css_set_subsys) + subsystem() as usize * size_of::<u64>();
            load_from(load_from(self.css_set(), place), offset!(css_cgroup))
        };
        load_from(load_from(cgroup, offset!(cgroup_kn)), offset!(kernfs_node_id))
    }

    /// Its own counters.
    #[inline(always)]
    pub(crate) fn totals(self) -> TaskTotals {
        TaskTotals {
            voluntary_switches: load_from(self.0, offset!(task_voluntary)),
            involuntary_switches: load_from(self.0, offset!(task_involuntary)),
            on_cpu_ns: load_from(self.0, offset!(task_on_cpu)),
            minor_faults: load_from(self.0, offset!(task_minor_faults)),
            major_faults: load_from(self.0, offset!(task_major_faults)),
            run_delay_ns: load_from(self.0, offset!(task_run_delay)),
        }
    }

    /// Times it was moved to another CPU, the low half.
    #[inline(always)]
    pub(crate) fn migrations(self) -> u32 {
        load_from::<u64>(self.0, offset!(task_migrations)) as u32
    }
}

/// A value at a kernel address, as 0 where it cannot be read.
#[inline(always)]
fn load_from<T: Default>(address: u64, offset: usize) -> T {
    // SAFETY: the helper checks the address and fails on one that cannot be read.
    unsafe { bpf_probe_read_kernel((address as usize + offset) as *const T) }.unwrap_or_default()
}
