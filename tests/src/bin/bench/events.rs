//! What each program costs at each event: monitor's minus an empty one on the same hook, both attached at once.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    process::{self, Command, Stdio},
};

use aya::sys::{Stats, enable_stats};
use integration_tests::{
    cgroup::{Cgroup, Places},
    container::unique,
    env,
};

use crate::{
    agent::Agent,
    disk::Disk,
    helpers::{Helper, PingPong, Role},
    interrupt,
    options::Options,
    pages::Pages,
    programs::{Cost, Empty, attached, costs},
    report::{Bar, Part},
    shortage::Shortage,
    sockets::Sockets,
    statistics::{least, median, most},
};

/// The most that `sched_switch` may cost, in nanoseconds net.
const SWITCH_NS: f64 = 40.0;
const ROUNDS: usize = 20;

/// Real events of some kind.
struct Drive {
    what: &'static str,
    /// The hooks on which it makes at least [`Self::events`] each.
    hooks: &'static [&'static str],
    events: u64,
    run: fn(&mut Rig),
}

const DRIVES: [Drive; 11] = [
    Drive {
        what: "bytes to and fro between two processes on one CPU",
        hooks: &["sched_switch"],
        events: 100_000,
        run: |rig| rig.ping_pong.round_trips(50_000),
    },
    Drive {
        what: "writes to fresh anonymous pages",
        hooks: &["page_fault_user"],
        events: 50_000,
        run: |rig| {
            rig.pages.discard();
            rig.pages.touch();
        },
    },
    Drive {
        what: "`read` of `/dev/zero` into fresh pages",
        hooks: &["page_fault_kernel"],
        events: 50_000,
        run: |rig| {
            rig.pages.discard();
            rig.zeroes.read_exact(rig.pages.bytes()).expect("read zeroes");
        },
    },
    Drive {
        what: "a small static program, started and ended",
        hooks: &["sched_process_exec", "sched_process_exit"],
        events: 200,
        run: |_| (0..200).for_each(|_| execute()),
    },
    Drive {
        what: "cgroups made, a process moved in and out, removed (in the counted hierarchy)",
        hooks: &["cgroup_mkdir", "cgroup_attach_task", "cgroup_rmdir"],
        events: 200,
        run: |rig| (0..200).for_each(|_| rig.churn_cgroups()),
    },
    Drive {
        what: "datagrams over the loopback interface",
        hooks: &["cgroup_skb_ingress", "cgroup_skb_egress"],
        events: 50_000,
        run: |rig| rig.sockets.datagrams(50_000),
    },
    Drive {
        what: "datagrams to a socket whose buffer is full",
        hooks: &["udp_fail_queue_rcv_skb", "kfree_skb"],
        events: 20_000,
        run: |rig| rig.sockets.datagrams_without_room(20_000),
    },
    Drive {
        what: "TCP connections over the loopback interface, opened, accepted and reset",
        hooks: &["inet_sock_set_state", "tcp_send_reset", "tcp_receive_reset"],
        events: 1000,
        run: |rig| rig.sockets.reset_connections(1000),
    },
    Drive {
        what: "direct reads of 4 KiB from a loop device",
        hooks: &["block_rq_complete"],
        events: 5000,
        // More than are asked for: where the kernel hides tasks, no program runs in what interrupts these.
        run: |rig| rig.disk.read(10_000),
    },
    Drive {
        what: "reads of a file by a process at its cgroup's memory limit (on direct reclaim the same programs)",
        hooks: &["mm_vmscan_memcg_reclaim_begin", "mm_vmscan_memcg_reclaim_end"],
        events: 100,
        run: |rig| rig.shortage.reclaim(),
    },
    Drive {
        what: "processes killed for lack of memory in their cgroup",
        hooks: &["mark_victim"],
        events: 3,
        run: |rig| (0..3).for_each(|_| rig.shortage.kill()),
    },
];

/// What the drives need.
struct Rig {
    ping_pong: PingPong,
    pages: Pages,
    zeroes: File,
    /// Is moved between cgroups.
    traveller: Helper,
    cgroup: Cgroup,
    sockets: Sockets,
    disk: Disk,
    shortage: Shortage,
}

impl Rig {
    fn new() -> Self {
        Self {
            ping_pong: PingPong::start(),
            pages: Pages::map(50_000),
            zeroes: File::open("/dev/zero").expect("open /dev/zero"),
            cgroup: Cgroup::make(&Places::roots(), &unique("monitor-bench")),
            traveller: Helper::start(Role::Idle),
            sockets: Sockets::open(),
            disk: Disk::open(),
            shortage: Shortage::make(),
        }
    }

    /// In the hierarchy whose cgroups are counted: elsewhere, the programs leave at once.
    fn churn_cgroups(&mut self) {
        let (outer, pid) = (self.cgroup.places().any(), self.traveller.pid().to_string());
        let inner = outer.join("churn");
        fs::create_dir(&inner).expect("make a cgroup");
        fs::write(inner.join("cgroup.procs"), &pid).expect("move a process in");
        fs::write(outer.join("cgroup.procs"), &pid).expect("move a process out");
        fs::remove_dir(&inner).expect("remove a cgroup");
    }
}

fn execute() {
    let mut program = Command::new(env::workload_bin());
    program.args(["forks", "--children", "0", "--unattended", "0"]).stdin(Stdio::null());
    assert!(program.status().expect("start the workload").success(), "the workload failed");
}

/// One measured difference.
#[derive(Clone, Copy)]
struct Round {
    ours_ns: f64,
    empty_ns: f64,
}

pub(crate) fn measure(options: Options) -> Part {
    let mut measured: BTreeMap<&str, Vec<Round>> = BTreeMap::new();
    // The first of two programs on a hook finds the caches colder: half the rounds each way.
    for empty_is_first in [true, false] {
        measure_in_order(options, empty_is_first, &mut measured);
    }
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for drive in &DRIVES {
        for hook in drive.hooks {
            let Some(rounds) = measured.get(hook) else {
                rows.push(vec![format!("`{hook}`"), "not attached here".to_owned()]);
                continue;
            };
            let net: Vec<f64> = rounds.iter().map(|round| round.ours_ns - round.empty_ns).collect();
            rows.push(row(hook, drive, rounds, &net));
            if *hook == "sched_switch" {
                let what = "`sched_switch`, complete: net ns a switch";
                bars.push(Bar { what, most: SWITCH_NS, measured: median(&net) });
            }
        }
    }
    Part {
        title: "Each event",
        method: format!(
            "Run time by the kernel's own statistics (`BPF_ENABLE_STATS`), which charge some tens of nanoseconds for \
             the measuring: an empty program on the same hook, attached at the same time, shows how many. Net is \
             ours minus empty. Medians of {} rounds, in half of which the empty program was attached first.",
            2 * options.rounds(ROUNDS / 2),
        ),
        columns: &[
            "program",
            "driven by",
            "events a round",
            "ours, ns",
            "empty, ns",
            "net, ns",
            "net, least – most",
        ],
        rows,
        bars,
    }
}

fn row(hook: &str, drive: &Drive, rounds: &[Round], net: &[f64]) -> Vec<String> {
    let ours: Vec<f64> = rounds.iter().map(|round| round.ours_ns).collect();
    let empty: Vec<f64> = rounds.iter().map(|round| round.empty_ns).collect();
    vec![
        format!("`{hook}`"),
        drive.what.to_owned(),
        drive.events.to_string(),
        format!("{:.1}", median(&ours)),
        format!("{:.1}", median(&empty)),
        format!("**{:.1}**", median(net)),
        format!("{:.1} – {:.1}", least(net), most(net)),
    ]
}

fn measure_in_order(
    options: Options,
    empty_is_first: bool,
    measured: &mut BTreeMap<&'static str, Vec<Round>>,
) {
    let hooks: Vec<&str> = DRIVES.iter().flat_map(|drive| drive.hooks).copied().collect();
    let early = empty_is_first.then(|| Empty::attach(&hooks));
    let agent = Agent::start(&["--interval", "1s"]);
    let late = (!empty_is_first).then(|| Empty::attach(&hooks));
    let (ours, empty) = (attached(agent.pid()), attached(process::id()));
    let _statistics = enable_stats(Stats::RunTime).expect("switch the programs' statistics on");
    let mut rig = Rig::new();
    // The first round warms up.
    for round in 0..=options.rounds(ROUNDS / 2) {
        for drive in &DRIVES {
            interrupt::check();
            let before = costs();
            (drive.run)(&mut rig);
            let after = costs();
            let since = |id: &u32| {
                let earlier: Cost = *before.get(id)?;
                after.get(id)?.ns_per_run_since(earlier, drive.events)
            };
            for hook in drive.hooks.iter().filter(|_| round > 0) {
                let (Some(ours), Some(empty)) = (ours.get(*hook), empty.get(*hook)) else { continue };
                let too_few = || panic!("less than {} events on {hook}", drive.events);
                let round = Round {
                    ours_ns: since(ours).unwrap_or_else(too_few),
                    empty_ns: since(empty).unwrap_or_else(too_few),
                };
                measured.entry(hook).or_default().push(round);
            }
        }
    }
    drop((early, late));
}
