//! The kernel struct members that the programs read.
//!
//! rustc emits no CO-RE relocations, so the loader looks each member up in the running kernel's BTF and writes its
//! offset into the instructions, which the compiler left with a mark in its place. The verifier and the processor
//! then see the program as if it had been compiled against this kernel.

/// Declares [`Offsets`] and the table by which it is filled, so that a member is named once.
macro_rules! kernel_fields {
    ($($(#[$doc:meta])* $name:ident: $root:literal, [$($path:literal),+];)+) => {
        /// Byte offsets of kernel struct members, from the running kernel's BTF.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Offsets {
            $($(#[$doc])* pub $name: u32,)+
        }

        /// A member's place among [`Offsets`], its struct, and the paths to try, newest kernel first.
        pub struct Field {
            /// The name in [`Offsets`].
            pub name: &'static str,
            /// The struct that it is an offset into.
            pub root: &'static str,
            /// Member paths, parts joined by dots; the first that exists is taken.
            pub paths: &'static [&'static str],
            /// Stores the offset.
            pub set: fn(&mut Offsets, u32),
        }

        /// Every member of [`Offsets`].
        pub const FIELDS: &[Field] = &[$(
            Field {
                name: stringify!($name),
                root: $root,
                paths: &[$($path),+],
                set: |offsets, value| offsets.$name = value,
            },
        )+];
    };
}

kernel_fields! {
    /// The task's id; 0 is the idle task.
    task_tid: "task_struct", ["pid"];
    /// The thread group's id.
    task_tgid: "task_struct", ["tgid"];
    /// The task's `css_set`, which holds its cgroups.
    task_css_set: "task_struct", ["cgroups"];
    /// Voluntary switches.
    task_voluntary: "task_struct", ["nvcsw"];
    /// Involuntary switches.
    task_involuntary: "task_struct", ["nivcsw"];
    /// Page faults without I/O.
    task_minor_faults: "task_struct", ["min_flt"];
    /// Page faults with I/O.
    task_major_faults: "task_struct", ["maj_flt"];
    /// Time on a CPU in nanoseconds, brought up to date at each tick and switch.
    task_on_cpu: "task_struct", ["se.sum_exec_runtime"];
    /// Times the task was moved to another CPU.
    task_migrations: "task_struct", ["se.nr_migrations"];
    /// Time waited for a CPU in nanoseconds, up to the last arrival on one.
    task_run_delay: "task_struct", ["sched_info.run_delay"];
    /// Since when the task waits for a CPU, by the run-queue clock; 0 while it does not.
    task_last_queued: "task_struct", ["sched_info.last_queued"];
    /// When the task was last given a CPU, by the run-queue clock.
    task_last_arrival: "task_struct", ["sched_info.last_arrival"];
    /// The run queue of its task group on its CPU.
    task_cfs_rq: "task_struct", ["se.cfs_rq"];
    /// How long a quota has kept tasks of the group from the CPU, nested groups included. Before 6.6 without the
    /// distinction of whether there were any.
    cfs_rq_throttled: "cfs_rq", ["throttled_clock_self_time", "throttled_clock_pelt_time", "throttled_clock_task_time"];
    /// What the process shares.
    task_signal: "task_struct", ["signal"];
    /// Why the task does not run.
    task_state: "task_struct", ["__state", "state"];
    /// Whether it has ended.
    task_exit_state: "task_struct", ["exit_state"];
    /// When it was made, in nanoseconds of `CLOCK_MONOTONIC`.
    task_start_time: "task_struct", ["start_time"];
    /// The status that wait(2) will return.
    task_exit_code: "task_struct", ["exit_code"];
    /// The first thread of its process, whose status is the process's.
    task_group_leader: "task_struct", ["group_leader"];
    /// The task's name.
    task_comm: "task_struct", ["comm"];
    /// The memory of a process that the kernel chose to kill for lack of it; null of others.
    signal_oom_mm: "signal_struct", ["oom_mm"];
    /// The path of the program that is executed.
    binprm_filename: "linux_binprm", ["filename"];
    /// The task's cgroup in the default (v2) hierarchy.
    css_set_dfl_cgrp: "css_set", ["dfl_cgrp"];
    /// The task's state in the v1 controller whose hierarchy is counted.
    css_set_subsys: "css_set", ["subsys"];
    /// The serial number of a controller's state, which no other state of any cgroup has, ever.
    css_serial: "cgroup_subsys_state", ["serial_nr"];
    /// The same of a cgroup's own.
    cgroup_serial: "cgroup", ["self.serial_nr"];
    /// The cgroup that a controller's state belongs to.
    css_cgroup: "cgroup_subsys_state", ["cgroup"];
    /// The cgroup's directory.
    cgroup_kn: "cgroup", ["kn"];
    /// The hierarchy that a cgroup is in.
    cgroup_root: "cgroup", ["root"];
    /// The directory's id: the cgroup id. A union before 5.5.
    kernfs_node_id: "kernfs_node", ["id", "id.id"];
    /// The hierarchy's number; 0 is v2.
    cgroup_root_hierarchy: "cgroup_root", ["hierarchy_id"];
    /// The process's id as a thread group.
    signal_pids: "signal_struct", ["pids"];
    /// How deep the innermost pid namespace of an id is.
    pid_level: "pid", ["level"];
    /// The id as a number in each namespace, outermost first.
    pid_numbers: "pid", ["numbers"];
    /// Threads of the process that have not begun to exit.
    signal_live: "signal_struct", ["live.counter", "live"];
    /// The socket's state, a number of `include/net/tcp_states.h`. In every kind of socket, also those that have no
    /// more than this.
    sock_state: "sock", ["__sk_common.skc_state"];
    /// Its transport protocol.
    sock_protocol: "sock", ["sk_protocol"];
    /// Its cgroup in the v2 hierarchy. Linux 5.15; before that a word that may hold something else.
    sock_cgroup: "sock", ["sk_cgrp_data.cgroup"];
    /// Its address family.
    sock_family: "sock", ["__sk_common.skc_family"];
    /// Of a TCP socket, the smoothed round-trip time in eighths of a microsecond.
    tcp_smoothed_rtt: "tcp_sock", ["srtt_us"];
    /// How often it sent something again.
    tcp_all_retransmits: "tcp_sock", ["total_retrans"];
    /// When it sent what it may have to give up on, in milliseconds of the next one's clock.
    tcp_retransmit_stamp: "tcp_sock", ["retrans_stamp"];
    /// When it last looked at the clock, in microseconds.
    tcp_clock: "tcp_sock", ["tcp_mstamp"];
    /// A packet's socket: its sender's, or its receiver's once that was looked up early; null where there is none.
    skb_sock: "sk_buff", ["sk"];
    /// The protocol of its network layer, in network byte order.
    skb_protocol: "sk_buff", ["protocol"];
    /// What the layer that a packet is in keeps with it.
    skb_cb: "sk_buff", ["cb"];
    /// Of that, at TCP's: how many segments the packet is cut into.
    tcp_cb_segments: "tcp_skb_cb", ["tcp_gso_segs"];
    /// What a request to a block device asks for, and how.
    request_operation: "request", ["cmd_flags"];
    /// Where it is on its way.
    request_flags: "request", ["rq_flags"];
    /// Bytes that are left to do of it.
    request_length: "request", ["__data_len"];
    /// Its first piece that is left, which knows its cgroup; null of requests without data that the kernel makes itself.
    request_bio: "request", ["bio"];
    /// Pieces of memory that its data are in.
    request_segments: "request", ["nr_phys_segments"];
    /// When it was made, in nanoseconds of `CLOCK_MONOTONIC`; 0 where the device keeps no statistics.
    request_begun: "request", ["start_time_ns"];
    /// When it was last issued to the device; 0 where nothing in the kernel wants to know.
    request_issued: "request", ["io_start_time_ns"];
    /// The device's queue.
    request_queue: "request", ["q"];
    /// The device, before Linux 5.17.
    request_disk: "request", ["rq_disk"];
    /// The device of a queue, from Linux 5.15 on.
    queue_disk: "request_queue", ["disk"];
    /// Its major number.
    disk_major: "gendisk", ["major"];
    /// Its minor number, of the whole device.
    disk_first_minor: "gendisk", ["first_minor"];
    /// The group that a piece's data are charged to.
    bio_blkg: "bio", ["bi_blkg"];
    /// The block controller's state of its cgroup.
    blkg_blkcg: "blkcg_gq", ["blkcg"];
    /// That cgroup.
    blkcg_cgroup: "blkcg", ["css.cgroup"];
}

/// What the loader writes into the programs' instructions before the kernel sees them: words that are constants to the
/// verifier and to the processor.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Where the kernel's struct members are.
    pub offsets: Offsets,
    /// The dimensions of the slot tables.
    pub geometry: crate::slots::Geometry,
    /// log2 of the entries of the table of tasks.
    pub seen_bits: u32,
    /// The hierarchy whose cgroups are counted: 0 is v2, as in `/proc/self/cgroup`.
    pub hierarchy: u32,
    /// 1 where the kernel hands out the running task with its type (`bpf_get_current_task_btf`, 5.11).
    pub has_typed_current: u32,
    /// 1 where the kernel tells how long a quota kept a group's tasks from a CPU.
    pub has_throttled: u32,
    /// 1 where `mark_victim` tells of a task; before, of a number (6.1).
    pub tells_victim: u32,
    /// 1 where `sched_process_exit` tells whether it is the process's last thread (6.16).
    pub tells_group_dead: u32,
    /// Which processes are told of one by one: bits of [`crate::lifecycle::process_records`].
    pub process_records: u32,
    /// 1 where `tcp_retransmit_skb` tells of failures too, and which it is in its third argument (6.17).
    pub tells_retransmit_error: u32,
    /// 1 where `kfree_skb` tells the reason in its third argument (5.17).
    pub tells_drop_reason: u32,
    /// 1 where it tells the receiving socket in its fourth (6.11).
    pub tells_drop_receiver: u32,
    /// The hierarchy that the block controller's cgroups are in.
    pub block_hierarchy: u32,
    /// The flag of a request whose flush is being carried out (`RQF_FLUSH_SEQ`).
    pub flush_sequence: u32,
    /// 1 where a request's device is found through its queue.
    pub has_queue_disk: u32,
    /// The byte of `task_struct` that has the bit `in_iowait`.
    pub iowait_byte: u32,
    /// That bit in it; 0 where the kernel does not tell.
    pub iowait_bit: u32,
    /// 1 where the beginning of each page fault is kept, since major ones are timed.
    pub times_faults: u32,
}

/// Words of [`Constants`].
pub const CONSTANTS: usize = size_of::<Constants>() / size_of::<u32>();

/// A load from memory at this offset plus `n` stands for a load at the offset that is word `n` of [`Constants`].
///
/// Real offsets are smaller: the largest struct read, `task_struct`, has some 10 KiB.
pub const LOAD_MARK: u32 = 0x7000;

/// An instruction that moves this plus `n` into a register stands for one that moves word `n` of [`Constants`].
pub const VALUE_MARK: u32 = 0x6d6f_6e00;

const _: () = assert!(CONSTANTS <= 0x100, "the marks have room for 256 words");
