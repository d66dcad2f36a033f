use monitor_common::block::{READ, Requests, device};
use proptest::prelude::*;

use super::*;
use crate::{
    cgroup::PressureAverages,
    collector::{
        block::BlockTotals,
        census::Activity,
        sample::Sample,
        throttling::ThrottledPeriods,
        window::{
            Windows,
            tests::{ended_container, sample, series, snapshot},
        },
    },
    filesystem::{ContainerUsage, Filesystem, Measured, Method, Space, TreeUsage},
    host::Interface,
    model::Snapshot,
    probes::waits::Waited,
};

const CULPRIT: CgroupId = CgroupId(7);
const VICTIM: CgroupId = CgroupId(1);

type Change = (&'static str, fn(&mut Sample));

fn victim(sample: &mut Sample) -> &mut Series {
    sample.series.iter_mut().find(|series| series.cgroup == VICTIM).unwrap()
}

fn row(ns: u64) -> WaitRow {
    let waited = Waited { wait_ns: ns, ..Waited::default() };
    Arc::new([(Blamed::Container(CULPRIT), waited), (Blamed::System, waited)].into())
}

/// A victim of which everything is known, and a container that it waited for.
fn begin() -> Sample {
    let mut culprit = ended_container();
    Arc::make_mut(&mut culprit.container.as_mut().unwrap().run).ended_at = None;
    let mut victim = Series { container: culprit.container.clone(), ..series(VICTIM.0, 5) };
    (victim.waited, victim.queued) = (Some(row(5)), Some(row(6)));
    victim.block = Some(Arc::new(BlockTotals {
        devices: [(device(8, 0), [Requests::default(); 4])].into(),
        ..BlockTotals::default()
    }));
    victim.activity = Some(Arc::default());
    victim.throttled = Some(Arc::default());
    victim.files_read_ns = Some(1);
    victim.interfaces = Some(Arc::from([Interface { name: "eth0".to_owned(), ..Interface::default() }]));
    let measured = Measured {
        bytes: 1,
        apparent_bytes: None,
        inodes: 1,
        limit_bytes: None,
        limit_inodes: None,
        method: Method::Walk,
        skipped: 0,
        device: 0,
        space: None,
        at: jiff::Timestamp::UNIX_EPOCH,
        monotonic_ns: 0,
        busy_ns: 1,
    };
    let layer = TreeUsage { path: "/layer".into(), measured: Some(Arc::new(measured)) };
    victim.filesystems = Some(Arc::new(ContainerUsage { layer: Some(layer), ..ContainerUsage::default() }));
    sample(10, vec![victim, culprit, series(9, 5)])
}

/// One for each thing that can be otherwise in the next sample, and at last nothing at all.
const CHANGES: &[Change] = &[
    ("a switch", |sample| {
        Arc::make_mut(victim(sample).counters.get_or_insert_default()).sched.voluntary_switches += 1;
    }),
    ("a packet", |sample| {
        Arc::make_mut(victim(sample).counters.get_or_insert_default()).net.traffic.rx_packets += 1;
    }),
    ("fewer probes", |sample| victim(sample).counted.received ^= true),
    ("no counters", |sample| victim(sample).counters = None),
    ("a wait for a CPU", |sample| victim(sample).waited = Some(row(50))),
    ("a wait for a device", |sample| victim(sample).queued = Some(row(60))),
    ("no more blame", |sample| victim(sample).waited = None),
    ("a request", |sample| {
        let block = Arc::make_mut(victim(sample).block.get_or_insert_default());
        block.devices.entry(device(8, 0)).or_default()[READ].operations += 1;
    }),
    ("no requests", |sample| victim(sample).block = None),
    ("another load", |sample| {
        victim(sample).activity = Some(Arc::new(Activity { running_10s: 0.5, ..Activity::default() }));
    }),
    ("a throttled period", |sample| {
        victim(sample).throttled = Some(Arc::new(ThrottledPeriods { longest_ns: 1, ..Default::default() }));
    }),
    ("memory", |sample| Arc::make_mut(&mut victim(sample).files).memory.current_bytes = Some(4096)),
    ("CPU time", |sample| Arc::make_mut(&mut victim(sample).files).cpu.usage_ns = Some(7_000)),
    ("pressure", |sample| {
        let some = PressureAverages { avg10: 0.5, ..PressureAverages::default() };
        Arc::make_mut(&mut victim(sample).files).pressure.cpu =
            Some(crate::cgroup::Pressure { some: Some(some), full: None });
    }),
    ("pids", |sample| Arc::make_mut(&mut victim(sample).files).pids.current = Some(3)),
    ("a reading of the same", |sample| {
        let now_ns = sample.monotonic_ns;
        let victim = victim(sample);
        (victim.files, victim.files_read_ns) = (Arc::new((*victim.files).clone()), Some(now_ns));
    }),
    ("an interface's packet", |sample| {
        let interface = Interface { name: "eth0".to_owned(), ..Interface::default() };
        victim(sample).interfaces = Some(Arc::from([interface.clone(), interface]));
    }),
    ("no measured layer", |sample| victim(sample).filesystems = None),
    ("less space", |sample| {
        let space = Some(Space { available_bytes: 5, ..Space::default() });
        let (mount_point, fs_type) = ("/".to_owned(), "ext4".to_owned());
        let root =
            Filesystem { mount_point, device: "0:0".to_owned(), fs_type, source: String::new(), space };
        sample.filesystems = Some(Arc::from([root]));
    }),
    ("its end", |sample| {
        if let Some(container) = &mut victim(sample).container {
            Arc::make_mut(&mut container.run).ended_at = Some(jiff::Timestamp::UNIX_EPOCH);
        }
    }),
    ("namespaces", |sample| {
        if let Some(container) = &mut victim(sample).container {
            container.namespaces = Arc::new([("net".to_owned(), 5)].into());
        }
    }),
    ("a later beginning", |sample| victim(sample).counting_since = jiff::Timestamp::MAX),
    ("its beginning seen", |sample| victim(sample).is_whole ^= true),
    ("a culprit's end", |sample| sample.series.retain(|series| series.cgroup != CULPRIT)),
    ("a culprit called otherwise", |sample| {
        for series in sample.series.iter_mut().filter(|series| series.cgroup == CULPRIT) {
            let run = &mut series.container.as_mut().unwrap().run;
            Arc::make_mut(run).id = crate::newtypes::ContainerId::new("bbbbbbbbbbbbbbbbbb");
        }
    }),
    ("a disk's name", |sample| {
        let disk = procfs::DiskStat::from_line("8 0 sda 1 2 3 4 5 6 7 8 9 10 11").unwrap();
        sample.host_stats.disks = Some(vec![disk]);
    }),
    ("no container any more", |sample| victim(sample).container = None),
    ("nothing", |_| {}),
];

/// What is shown of the samples that these changes make, one after the other, beside what is shown of each pair of them alone.
fn shown(changes: impl IntoIterator<Item = &'static Change>) -> Vec<(&'static str, Snapshot, Snapshot)> {
    let (mut windows, mut before) = (Windows::after(begin()), begin());
    let advance = |(name, change): &'static Change| {
        let mut now = before.clone();
        // Windows are of different lengths.
        now.monotonic_ns += 1_000_000_000 + now.monotonic_ns % 7_777;
        change(&mut now);
        let (both, alone) = (windows.advance(now.clone()), snapshot(Some(&before), &now));
        before = now;
        (*name, both, alone)
    };
    changes.into_iter().map(advance).collect()
}

#[test]
fn whatever_changes_is_shown() {
    let nothing = CHANGES.last().unwrap();
    for change in CHANGES {
        let changes = [nothing, nothing, nothing, change, nothing, nothing, nothing, change, change, nothing];
        for (step, (name, both, alone)) in shown(changes).into_iter().enumerate() {
            assert_eq!(both, alone, "{name}, step {step} of {}", change.0);
        }
    }
}

#[test]
fn what_stands_still_is_shared() {
    let nothing = CHANGES.last().unwrap();
    let snapshots = shown([nothing; 4]);
    let [_, (_, before, _), (_, now, _), _] = snapshots.as_slice() else { panic!() };
    for (before, now) in before.containers.iter().zip(&now.containers) {
        let has_age = |name: &str| name == "tasks" || name == "filesystems";
        let groups = before.measurements.groups().into_iter().zip(now.measurements.groups());
        for ((name, before), (_, now)) in groups {
            assert!(has_age(name) || Arc::ptr_eq(&before, &now), "{name}");
        }
        assert!(Arc::ptr_eq(&before.about.handle(), &now.about.handle()));
    }
}

proptest! {
    #[test]
    fn whatever_changes_in_whatever_order_is_shown(
        places in prop::collection::vec(0..2 * CHANGES.len(), 1..30),
    ) {
        let changes = places.into_iter().map(|place| CHANGES.get(place).or(CHANGES.last()).unwrap());
        for (name, both, alone) in shown(changes) {
            prop_assert_eq!(both, alone, "{}", name);
        }
    }
}
