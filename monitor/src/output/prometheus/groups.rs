//! What is measured of containers, and in the same words of other cgroups.

use std::collections::BTreeMap;

use super::{
    exposition::{Exposition, Family, Kind, Samples, put_label},
    naming::named,
    native,
    number::Number,
    parts,
    selection::Selection,
    totals::{BOUNDS_NS, Counts, Totals},
};
use crate::model::{
    InterferenceSource, Measurements, Pressure, Stall,
    catalog::{distributions, metrics},
};

/// A container or cgroup.
pub(super) struct Subject<'a> {
    /// Its labels.
    pub(super) labels: String,
    /// The id of its cgroup.
    pub(super) cgroup: u64,
    /// What was measured.
    pub(super) measurements: &'a Measurements,
}

/// Appends what is selected of these subjects, family by family.
pub(super) fn put_groups(
    prefix: &str,
    subjects: &[Subject<'_>],
    totals: &Totals,
    selection: &Selection,
    out: &mut Exposition,
) {
    for metric in metrics().filter(|metric| selection.has(metric.group, metric.name)) {
        let Some(named) = named(&format!("{prefix}_{}", metric.group), metric) else { continue };
        let family = Family { name: &named.name, kind: named.kind, unit: named.unit, help: metric.help };
        out.family(&family, |samples| {
            for subject in subjects {
                let value = (metric.get)(subject.measurements);
                if let Some(number) = value.and_then(|value| named.number(metric.kind, value)) {
                    samples.put(&subject.labels, number);
                }
            }
        });
    }
    for (place, spread) in distributions().enumerate() {
        if !selection.has(spread.group, spread.name) {
            continue;
        }
        let name = format!("{prefix}_{}_{}_seconds", spread.group, spread.name);
        let help = spread.help.replace(" over the window", "");
        let family = Family { name: &name, kind: Kind::Histogram, unit: "seconds", help: &help };
        out.family(&family, |samples| {
            for subject in subjects {
                // What was never measured is in no sum.
                if let Some(counts) = totals.get(subject.cgroup, place)
                    && (spread.get)(subject.measurements).is_some()
                {
                    put_distribution(samples, subject, counts, sum_ns(spread.name, subject.measurements));
                }
            }
        });
    }
    parts::put(prefix, subjects, selection, out);
    put_interference(prefix, subjects, selection, out);
    if selection.has_group("pressure") {
        let each = subjects.iter().map(|subject| (subject.labels.as_str(), &*subject.measurements.pressure));
        put_pressure(prefix, each, out);
    }
}

fn put_distribution(samples: &mut Samples<'_>, subject: &Subject<'_>, counts: &Counts, sum: Option<u64>) {
    let mut so_far = 0;
    let classes = counts.classes();
    let mut cumulative = classes.iter().map(|count| {
        so_far += count;
        so_far
    });
    let buckets: Vec<(u64, u64)> = BOUNDS_NS.iter().copied().zip(&mut cumulative).collect();
    let count = cumulative.next().unwrap_or_default();
    samples.put_native(&subject.labels, || native::histogram(counts.buckets(), sum));
    samples.put_histogram(&subject.labels, &buckets, count, sum);
}

/// The sum of the durations that a distribution has, where a counter says it.
#[must_use]
pub fn sum_ns(distribution: &str, measurements: &Measurements) -> Option<u64> {
    let Measurements { scheduler, faults, cpu, block_io, .. } = measurements;
    match distribution {
        "runq_latency" => scheduler.runq_wait_ns_total,
        "timeslices" => scheduler.on_cpu_ns_total,
        "major_latency" => faults.major_ns_total,
        "throttled_period" => cpu.throttled_ns_total,
        "read_queue" => block_io.read_queue_ns_total,
        "write_queue" => block_io.write_queue_ns_total,
        "read_latency" => block_io.read_ns_total?.checked_sub(block_io.read_queue_ns_total?),
        "write_latency" => block_io.write_ns_total?.checked_sub(block_io.write_queue_ns_total?),
        _ => None,
    }
}

/// Waits by whom they are blamed on. Containers are one source, or, where asked for, each by itself: as many series as there
/// are pairs of containers that met.
fn put_interference(prefix: &str, subjects: &[Subject<'_>], selection: &Selection, out: &mut Exposition) {
    let name = format!("{prefix}_interference_wait_seconds");
    let family = Family {
        name: &name,
        kind: Kind::Counter,
        unit: "seconds",
        help: "Time that its tasks waited for a CPU, by what had it meanwhile: other containers, the system, its own tasks, \
               its quota, the waking of an idle CPU.",
    };
    let has_culprits = selection.has_group("culprits");
    out.family(&family, |samples| {
        for subject in subjects {
            let mut by_source: BTreeMap<_, u64> = BTreeMap::new();
            for part in subject.measurements.interference.iter().flatten() {
                let culprit = part.id.as_deref().filter(|_| has_culprits);
                let culprit = culprit.map(|id| (id, part.name.as_deref().unwrap_or_default()));
                *by_source.entry((source(part.source), culprit)).or_default() += part.wait_ns_total;
            }
            for ((source, culprit), wait_ns) in by_source {
                let mut labels = subject.labels.clone();
                put_label(&mut labels, "source", source);
                if let Some((id, name)) = culprit {
                    put_label(&mut labels, "culprit_id", id);
                    put_label(&mut labels, "culprit", name);
                }
                samples.put(&labels, Number::Shifted(wait_ns.into(), 9));
            }
        }
    });
}

/// As in the JSON.
#[must_use]
pub fn source(source: InterferenceSource) -> &'static str {
    match source {
        InterferenceSource::Own => "self",
        InterferenceSource::Container => "container",
        InterferenceSource::System => "system",
        InterferenceSource::Quota => "quota",
        InterferenceSource::Wakeup => "wakeup",
        InterferenceSource::Unknown => "unknown",
    }
}

/// Appends pressure stall information: of containers, cgroups or the machine.
pub(super) fn put_pressure<'a>(
    prefix: &str,
    subjects: impl Iterator<Item = (&'a str, &'a Pressure)>,
    out: &mut Exposition,
) {
    let name = format!("{prefix}_pressure_stall_seconds");
    let family = Family {
        name: &name,
        kind: Kind::Counter,
        unit: "seconds",
        help: "Time in which some task, or all that were not idle (full), waited for a resource.",
    };
    out.family(&family, |samples| {
        for (labels, pressure) in subjects {
            let Pressure { cpu, memory, io } = pressure;
            for (resource, stall) in [("cpu", cpu), ("memory", memory), ("io", io)] {
                let Some(Stall { some, full }) = stall else { continue };
                for (kind, share) in [("some", some), ("full", full)] {
                    let Some(share) = share else { continue };
                    let mut labels = labels.to_owned();
                    put_label(&mut labels, "resource", resource);
                    put_label(&mut labels, "kind", kind);
                    samples.put(&labels, Number::Shifted(share.stall_us_total.into(), 6));
                }
            }
        }
    });
}
