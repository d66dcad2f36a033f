//! The machine's own figures.

use std::iter::once;

use super::{
    exposition::{Exposition, Family, Kind, put_label},
    groups::put_pressure,
    naming::named,
    number::Number,
};
use crate::model::{
    CpuTimes, DiskActivity, FilesystemSpace, Host, HostFaults, HostMemory, HostReclaim, HostScheduler,
    HostTotals, InterfaceTraffic, Metric,
};

pub(super) fn put(host: &Host, out: &mut Exposition) {
    put_info(host, out);
    let totals = &host.totals;
    let groups: [&[Metric<HostTotals>]; 5] = [
        CpuTimes::METRICS,
        HostScheduler::METRICS,
        HostMemory::METRICS,
        HostFaults::METRICS,
        HostReclaim::METRICS,
    ];
    for metric in groups.into_iter().flatten() {
        put_metric(&format!("monitor_host_{}", metric.group), metric, &[(String::new(), totals)], out);
    }
    let disks = totals.disks.iter().flatten();
    let disks: Vec<_> = disks.map(|disk| (labels([("device", &disk.name)]), disk)).collect();
    for metric in DiskActivity::METRICS {
        put_metric("monitor_host_disk", metric, &disks, out);
    }
    let filesystems = totals.filesystems.iter().flatten().map(|one| {
        let names = [("mount_point", &one.mount_point), ("device", &one.source), ("fs_type", &one.fs_type)];
        (labels(names), one)
    });
    let filesystems: Vec<_> = filesystems.collect();
    for metric in FilesystemSpace::METRICS {
        put_metric("monitor_host_filesystem", metric, &filesystems, out);
    }
    let interfaces = totals.interfaces.iter().flatten();
    let interfaces: Vec<_> = interfaces.map(|one| (labels([("interface", &one.name)]), one)).collect();
    for metric in InterfaceTraffic::METRICS {
        put_metric("monitor_host_interface", metric, &interfaces, out);
    }
    put_pressure("monitor_host", once(("", &totals.pressure)), out);
}

fn put_info(host: &Host, out: &mut Exposition) {
    let info = Family { name: "monitor_host", kind: Kind::Info, unit: "", help: "The machine." };
    out.family(&info, |samples| {
        let mut labels = labels([("hostname", &host.hostname), ("kernel_release", &host.kernel_release)]);
        if let Some(boot_id) = &host.boot_id {
            put_label(&mut labels, "boot_id", boot_id);
        }
        samples.put(&labels, Number::Integer(1));
    });
    let cpus = Family { name: "monitor_host_cpus", kind: Kind::Gauge, unit: "", help: "CPUs online." };
    out.family(&cpus, |samples| samples.put("", Number::Integer(host.cpus.into())));
}

fn labels<const N: usize>(names: [(&str, &String); N]) -> String {
    let mut labels = String::new();
    for (name, value) in names {
        put_label(&mut labels, name, value);
    }
    labels
}

/// Appends the family of a metric with a sample for each subject that has a value.
pub(super) fn put_metric<T>(
    prefix: &str,
    metric: &Metric<T>,
    subjects: &[(String, &T)],
    out: &mut Exposition,
) {
    let Some(named) = named(prefix, metric) else { return };
    let family = Family { name: &named.name, kind: named.kind, unit: named.unit, help: metric.help };
    out.family(&family, |samples| {
        for (labels, subject) in subjects {
            if let Some(number) = (metric.get)(subject).and_then(|value| named.number(metric.kind, value)) {
                samples.put(labels, number);
            }
        }
    });
}
