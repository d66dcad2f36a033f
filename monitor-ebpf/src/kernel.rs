//! The one place that turns a kernel address into a value.
//!
//! The structs are generic over how their memory is read. A pointer that came typed, from a BTF tracepoint's arguments for
//! example, is loaded from directly: the verifier checks each load against the struct, and a faulting address reads as 0. A
//! bare address goes through a helper.

mod socket;

use aya_ebpf::helpers::{
    bpf_get_current_task, bpf_probe_read_kernel, bpf_probe_read_kernel_str_bytes,
    generated::bpf_get_current_task_btf,
};
use monitor_common::{
    limits::{COMM_BYTES, PATH_BYTES},
    slots::TaskTotals,
};

pub(crate) use self::socket::{Packet, Sock, TcpPacket, TcpSock};
use crate::{
    globals::{
        constant, distance, is_default_hierarchy, is_set, load_u8, load_u16, load_u32, load_u64, member, word,
    },
    tally,
};

/// A kernel struct whose members can be read, each named by its word of `Constants`.
pub(crate) trait Memory: Copy {
    fn u8<const MEMBER: usize>(self) -> u64;
    fn u16<const MEMBER: usize>(self) -> u64;
    /// 4 bytes; a register has 8, and keeping it at that spares instructions.
    fn u32<const MEMBER: usize>(self) -> u64;
    fn u64<const MEMBER: usize>(self) -> u64;
    fn follow<const MEMBER: usize>(self) -> Self;
    /// A number that no other struct has at the same time.
    fn number(self) -> Option<u64>;
}

/// A pointer that the verifier tracks with its kernel type.
#[derive(Clone, Copy)]
pub(crate) struct Typed(*const u8);

impl Memory for Typed {
    #[inline(always)]
    fn u8<const MEMBER: usize>(self) -> u64 {
        load_u8::<MEMBER>(self.0)
    }

    #[inline(always)]
    fn u16<const MEMBER: usize>(self) -> u64 {
        load_u16::<MEMBER>(self.0)
    }

    #[inline(always)]
    fn u32<const MEMBER: usize>(self) -> u64 {
        load_u32::<MEMBER>(self.0)
    }

    #[inline(always)]
    fn u64<const MEMBER: usize>(self) -> u64 {
        load_u64::<MEMBER>(self.0)
    }

    #[inline(always)]
    fn follow<const MEMBER: usize>(self) -> Self {
        Self(self.u64::<MEMBER>() as *const u8)
    }

    #[inline(always)]
    fn number(self) -> Option<u64> {
        Some(distance(self.0))
    }
}

/// An address that is but a number to the verifier. What cannot be read is 0.
#[derive(Clone, Copy)]
pub(crate) struct Address(u64);

impl Address {
    #[inline(always)]
    fn load<T: Default>(self, offset: u64) -> T {
        // SAFETY: the helper checks the address and fails on one that cannot be read.
        unsafe { bpf_probe_read_kernel((self.0 + offset) as *const T) }.unwrap_or_default()
    }
}

impl Memory for Address {
    #[inline(always)]
    fn u8<const MEMBER: usize>(self) -> u64 {
        u64::from(self.load::<u8>(u64::from(constant::<MEMBER>())))
    }

    #[inline(always)]
    fn u16<const MEMBER: usize>(self) -> u64 {
        u64::from(self.load::<u16>(u64::from(constant::<MEMBER>())))
    }

    #[inline(always)]
    fn u32<const MEMBER: usize>(self) -> u64 {
        u64::from(self.load::<u32>(u64::from(constant::<MEMBER>())))
    }

    #[inline(always)]
    fn u64<const MEMBER: usize>(self) -> u64 {
        self.load(u64::from(constant::<MEMBER>()))
    }

    #[inline(always)]
    fn follow<const MEMBER: usize>(self) -> Self {
        Self(self.u64::<MEMBER>())
    }

    #[inline(always)]
    fn number(self) -> Option<u64> {
        Some(self.0.wrapping_sub(tally::origin()?))
    }
}

/// A `struct task_struct`.
#[derive(Clone, Copy)]
pub(crate) struct Task<M>(M);

/// A `struct cgroup`.
#[derive(Clone, Copy)]
pub(crate) struct Cgroup<M>(M);

/// A `struct request` to a block device.
#[derive(Clone, Copy)]
pub(crate) struct Request(Typed);

/// A `struct gendisk`.
#[derive(Clone, Copy)]
pub(crate) struct Disk(Typed);

impl Task<Typed> {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    /// The task that this CPU runs. Linux 5.11.
    #[inline(always)]
    pub(crate) fn typed_current() -> Self {
        // SAFETY: the helper has no preconditions.
        Self(Typed(unsafe { bpf_get_current_task_btf() } as *const u8))
    }

    /// Whether no thread of its process goes on. Of threads that end at the same time, several may find it so.
    #[inline(always)]
    pub(crate) fn is_among_the_last(self) -> bool {
        self.0.follow::<{ member!(task_signal) }>().u32::<{ member!(signal_live) }>() == 0
    }

    /// Whether it waits for I/O.
    #[inline(always)]
    pub(crate) fn is_in_iowait(self) -> bool {
        let bit = constant::<{ word!(iowait_bit) }>();
        bit != 0 && load_u8::<{ word!(iowait_byte) }>(self.0.0) & u64::from(bit) != 0
    }

    /// `__state`.
    #[inline(always)]
    pub(crate) fn state(self) -> u32 {
        self.0.u32::<{ member!(task_state) }>() as u32
    }

    /// `exit_state`.
    #[inline(always)]
    pub(crate) fn exit_state(self) -> u32 {
        self.0.u32::<{ member!(task_exit_state) }>() as u32
    }

    /// The first thread of its process.
    #[inline(always)]
    pub(crate) fn leader(self) -> Self {
        Self(self.0.follow::<{ member!(task_group_leader) }>())
    }

    /// Whether its process was chosen to be killed when memory was short.
    #[inline(always)]
    pub(crate) fn is_oom_victim(self) -> bool {
        self.0.follow::<{ member!(task_signal) }>().u64::<{ member!(signal_oom_mm) }>() != 0
    }

    /// Its name, ended by a 0.
    #[inline(always)]
    pub(crate) fn comm(self) -> [u8; COMM_BYTES] {
        Address(self.0.0 as u64).load(u64::from(constant::<{ member!(task_comm) }>()))
    }

    /// How deep its process's pid namespace is, if it is the first process in it: its end ends the namespace, and the
    /// container that it is. 0 otherwise.
    #[inline(always)]
    pub(crate) fn ended_namespace_level(self) -> u64 {
        /// `struct upid`: a number, padding and a pointer.
        const UPID_BYTES: u64 = 16;
        let signal = self.0.follow::<{ member!(task_signal) }>();
        let pid = signal.follow::<{ member!(signal_pids) }>();
        let level = pid.u32::<{ member!(pid_level) }>();
        if level == 0 {
            return 0;
        }
        // A typed pointer takes constant offsets only, so this load goes through the helper.
        let numbers = u64::from(constant::<{ member!(pid_numbers) }>());
        let number: u32 = Address(pid.0 as u64).load(numbers + level * UPID_BYTES);
        if number == 1 { level } else { 0 }
    }
}

impl Task<Address> {
    /// The task that this CPU runs.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no preconditions.
        Self(Address(unsafe { bpf_get_current_task() }))
    }
}

/// One of a task's own counters each; see [`TaskTotals`].
macro_rules! totals {
    ($($name:ident: $member:ident,)+) => {$(
        #[inline(always)]
        pub(crate) fn $name(self) -> u64 {
            self.0.u64::<{ member!($member) }>()
        }
    )+};
}

impl<M: Memory> Task<M> {
    /// A number that no other living task has; see [`monitor_common::slots::SeenTask`].
    #[inline(always)]
    pub(crate) fn number(self) -> Option<u64> {
        self.0.number()
    }

    /// The task's id. 0 is the idle task, which every program leaves out.
    #[inline(always)]
    pub(crate) fn tid(self) -> u64 {
        self.0.u32::<{ member!(task_tid) }>()
    }

    #[inline(always)]
    pub(crate) fn tgid(self) -> u64 {
        self.0.u32::<{ member!(task_tgid) }>()
    }

    /// The id of its cgroup in the hierarchy that is counted.
    #[inline(always)]
    pub(crate) fn cgroup_id(self) -> u64 {
        let css_set = self.0.follow::<{ member!(task_css_set) }>();
        let cgroup = if is_default_hierarchy() {
            css_set.follow::<{ member!(css_set_dfl_cgrp) }>()
        } else {
            css_set.follow::<{ member!(css_set_subsys) }>().follow::<{ member!(css_cgroup) }>()
        };
        Cgroup(cgroup).id()
    }

    /// The serial number of that cgroup, or of what stands for it in the hierarchy: fewer steps away than its id.
    #[inline(always)]
    pub(crate) fn cgroup_serial(self) -> u64 {
        let css_set = self.0.follow::<{ member!(task_css_set) }>();
        if is_default_hierarchy() {
            css_set.follow::<{ member!(css_set_dfl_cgrp) }>().u64::<{ member!(cgroup_serial) }>()
        } else {
            css_set.follow::<{ member!(css_set_subsys) }>().u64::<{ member!(css_serial) }>()
        }
    }

    /// Whether another task is in the same cgroup of every hierarchy. Two that are not may still share the one that is counted.
    #[inline(always)]
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.0.u64::<{ member!(task_css_set) }>() == other.0.u64::<{ member!(task_css_set) }>()
    }

    /// Its own counters.
    #[inline(always)]
    pub(crate) fn totals(self) -> TaskTotals {
        TaskTotals {
            voluntary_switches: self.voluntary_switches(),
            involuntary_switches: self.involuntary_switches(),
            on_cpu_ns: self.on_cpu_ns(),
            minor_faults: self.minor_faults(),
            major_faults: self.major_faults(),
            run_delay_ns: self.run_delay_ns(),
        }
    }

    totals! {
        voluntary_switches: task_voluntary,
        involuntary_switches: task_involuntary,
        on_cpu_ns: task_on_cpu,
        minor_faults: task_minor_faults,
        major_faults: task_major_faults,
        run_delay_ns: task_run_delay,
    }

    /// Since when it waits for a CPU, by the run-queue clock; 0 while it does not.
    #[inline(always)]
    pub(crate) fn queued_at_ns(self) -> u64 {
        self.0.u64::<{ member!(task_last_queued) }>()
    }

    /// When it was last given a CPU, by the run-queue clock.
    #[inline(always)]
    pub(crate) fn arrived_at_ns(self) -> u64 {
        self.0.u64::<{ member!(task_last_arrival) }>()
    }

    /// How long a quota has kept tasks of its group from the CPU.
    #[inline(always)]
    pub(crate) fn throttled_ns(self) -> u64 {
        self.0.follow::<{ member!(task_cfs_rq) }>().u64::<{ member!(cfs_rq_throttled) }>()
    }

    /// Switches away from it, of either kind.
    #[inline(always)]
    pub(crate) fn switches(self) -> u64 {
        self.voluntary_switches() + self.involuntary_switches()
    }

    /// Times it was moved to another CPU, the low half.
    #[inline(always)]
    pub(crate) fn migrations(self) -> u32 {
        self.0.u64::<{ member!(task_migrations) }>() as u32
    }

    /// Whether it is leaving its CPU for the last time.
    #[inline(always)]
    pub(crate) fn is_dead(self) -> bool {
        /// `TASK_DEAD` (include/linux/sched.h). Not a zombie's `exit_state`, which may still be preempted.
        const DEAD: u64 = 0x80;
        self.0.u32::<{ member!(task_state) }>() & DEAD != 0
    }

    /// When it was made, in nanoseconds of `CLOCK_MONOTONIC`.
    #[inline(always)]
    pub(crate) fn start_time(self) -> u64 {
        self.0.u64::<{ member!(task_start_time) }>()
    }

    #[inline(always)]
    pub(crate) fn exit_code(self) -> u64 {
        self.0.u32::<{ member!(task_exit_code) }>()
    }
}

/// The cgroup id of the task that this CPU runs, in the hierarchy that is counted.
#[inline(always)]
pub(crate) fn current_cgroup_id() -> u64 {
    let has_typed_current = is_set::<{ word!(has_typed_current) }>();
    if has_typed_current { Task::typed_current().cgroup_id() } else { Task::current().cgroup_id() }
}

/// The path of the program that a `struct linux_binprm`, a tracepoint's argument, is about.
#[inline(always)]
pub(crate) fn program_path(binprm: *const u8) -> *const u8 {
    Typed(binprm).u64::<{ member!(binprm_filename) }>() as *const u8
}

/// Copies text that ends with a 0; its length, or that of `into` where it was cut, or 0 where it cannot be read.
#[inline(always)]
pub(crate) fn copy_text(from: *const u8, into: &mut [u8; PATH_BYTES]) -> u32 {
    // SAFETY: the helper checks the address and cuts what is longer.
    match unsafe { bpf_probe_read_kernel_str_bytes(from, into) } {
        Ok(text) if text.len() >= PATH_BYTES - 1 => PATH_BYTES as u32,
        Ok(text) => text.len() as u32,
        Err(_) => 0,
    }
}

impl Cgroup<Typed> {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }
}

impl<M: Memory> Cgroup<M> {
    /// The kernfs id of the cgroup's directory.
    #[inline(always)]
    pub(crate) fn id(self) -> u64 {
        self.0.follow::<{ member!(cgroup_kn) }>().u64::<{ member!(kernfs_node_id) }>()
    }

    /// The number of the hierarchy that it is in; 0 is v2.
    #[inline(always)]
    pub(crate) fn hierarchy(self) -> u64 {
        self.0.follow::<{ member!(cgroup_root) }>().u32::<{ member!(cgroup_root_hierarchy) }>()
    }
}

impl Request {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    /// A number of `enum req_op`.
    #[inline(always)]
    pub(crate) fn operation(self) -> u64 {
        /// `REQ_OP_MASK`; above are flags.
        const OPERATION: u64 = 0xff;
        self.0.u32::<{ member!(request_operation) }>() & OPERATION
    }

    /// Where it is on its way.
    #[inline(always)]
    pub(crate) fn flags(self) -> u64 {
        self.0.u32::<{ member!(request_flags) }>()
    }

    /// Bytes that are left to do of it.
    #[inline(always)]
    pub(crate) fn length(self) -> u64 {
        self.0.u32::<{ member!(request_length) }>()
    }

    /// Pieces of memory that its data are in; 0 where it has none.
    #[inline(always)]
    pub(crate) fn segments(self) -> u64 {
        self.0.u16::<{ member!(request_segments) }>()
    }

    /// When it was made; 0 where that was not noted.
    #[inline(always)]
    pub(crate) fn begun_ns(self) -> u64 {
        self.0.u64::<{ member!(request_begun) }>()
    }

    /// When it was issued to the device; 0 where that was not noted.
    #[inline(always)]
    pub(crate) fn issued_ns(self) -> u64 {
        self.0.u64::<{ member!(request_issued) }>()
    }

    /// The id of the cgroup that its data are charged to, in the block controller's hierarchy; 0 where there is none.
    #[inline(always)]
    pub(crate) fn cgroup_id(self) -> u64 {
        let bio = self.0.follow::<{ member!(request_bio) }>();
        if bio.0.is_null() {
            return 0;
        }
        let group = bio.follow::<{ member!(bio_blkg) }>();
        if group.0.is_null() {
            return 0;
        }
        Cgroup(group.follow::<{ member!(blkg_blkcg) }>().follow::<{ member!(blkcg_cgroup) }>()).id()
    }

    /// The device.
    #[inline(always)]
    pub(crate) fn disk(self) -> Option<Disk> {
        let disk = if is_set::<{ word!(has_queue_disk) }>() {
            self.0.follow::<{ member!(request_queue) }>().follow::<{ member!(queue_disk) }>()
        } else {
            self.0.follow::<{ member!(request_disk) }>()
        };
        (!disk.0.is_null()).then_some(Disk(disk))
    }
}

impl Disk {
    #[inline(always)]
    pub(crate) fn major(self) -> u32 {
        self.0.u32::<{ member!(disk_major) }>() as u32
    }

    /// The minor number of the whole device.
    #[inline(always)]
    pub(crate) fn first_minor(self) -> u32 {
        self.0.u32::<{ member!(disk_first_minor) }>() as u32
    }
}
