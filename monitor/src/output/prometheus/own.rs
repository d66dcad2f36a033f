//! What this program takes, what it measures by, and what it lost.

use super::{
    exposition::{Exposition, Family, Kind, put_label},
    host::put_metric,
    number::Number,
};
use crate::model::{Agent, Audit, Coverage, Sink, Snapshot};

pub(super) fn put(snapshot: &Snapshot, out: &mut Exposition) {
    for metric in Agent::METRICS {
        put_metric("monitor_agent", metric, &[(String::new(), &snapshot.audit)], out);
    }
    put_audit(&snapshot.audit, out);
    put_coverage(&snapshot.coverage, out);
}

fn put_audit(audit: &Audit, out: &mut Exposition) {
    let compared = [("switches", &audit.switches), ("faults", &audit.faults)];
    let sides = [
        (
            "monitor_audit_counted",
            "What was counted for all cgroups together, beside `monitor_audit_machine_total`.",
        ),
        ("monitor_audit_machine", "What the machine counted of the same in the same time."),
    ];
    for (side, (name, help)) in sides.into_iter().enumerate() {
        out.family(&Family { name, kind: Kind::Counter, unit: "", help }, |samples| {
            for (what, comparison) in compared {
                let Some(comparison) = comparison else { continue };
                let value = if side == 0 { comparison.counted } else { comparison.machine };
                samples.put_with("", "what", what, Number::Integer(value.into()));
            }
        });
    }
}

fn put_coverage(coverage: &Coverage, out: &mut Exposition) {
    let attached = Family {
        name: "monitor_probe_attached",
        kind: Kind::Gauge,
        unit: "",
        help: "Whether an eBPF program counts.",
    };
    out.family(&attached, |samples| {
        for probe in &coverage.probes {
            let is_attached = probe.state == "attached";
            samples.put_with("", "probe", &probe.name, Number::Integer(is_attached.into()));
        }
    });
    let source_ok = Family {
        name: "monitor_source_ok",
        kind: Kind::Gauge,
        unit: "",
        help: "Whether another source is read without a gap.",
    };
    out.family(&source_ok, |samples| {
        for (name, source) in &coverage.sources {
            samples.put_with("", "source", name, Number::Integer((source.state == "ok").into()));
        }
    });
    put_lost(coverage, out);
    put_sinks(coverage, out);
}

/// The databases and collectors that are written to.
fn put_sinks(coverage: &Coverage, out: &mut Exposition) {
    type Read = fn(&Sink) -> u64;
    let families: [(&str, Kind, &str, &str, Read); 6] = [
        ("monitor_sink_ok", Kind::Gauge, "", "Whether the last attempt to write there went well.", |sink| {
            (sink.state == "ok").into()
        }),
        ("monitor_sink_queued_bytes", Kind::Gauge, "bytes", "What waits for it.", |sink| sink.queued_bytes),
        ("monitor_sink_delivered_samples", Kind::Counter, "", "Values that it has taken.", |sink| {
            sink.delivered_samples_total
        }),
        ("monitor_sink_refused_samples", Kind::Counter, "", "Values that it refused for good.", |sink| {
            sink.refused_samples_total
        }),
        (
            "monitor_sink_dropped_samples",
            Kind::Counter,
            "",
            "Values that were thrown away because too many waited for it.",
            |sink| sink.dropped_samples_total,
        ),
        ("monitor_sink_retries", Kind::Counter, "", "Attempts that were in vain and made again.", |sink| {
            sink.retries_total
        }),
    ];
    for (name, kind, unit, help, read) in families {
        out.family(&Family { name, kind, unit, help }, |samples| {
            for (name, sink) in &coverage.sinks {
                samples.put_with("", "sink", name, Number::Integer(read(sink).into()));
            }
        });
    }
}

/// What `coverage.lost` has, by its names there; its times are a family of their own.
fn put_lost(coverage: &Coverage, out: &mut Exposition) {
    // It cannot fail, and is an object of integers.
    let lost = serde_json::to_value(&coverage.lost).unwrap_or_default();
    let counters = || {
        let members = lost.as_object().into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.strip_suffix("_total")?, value.as_u64()?)))
    };
    let times = || counters().filter_map(|(name, value)| Some((name.strip_suffix("_ns")?, value)));
    let help = "What was not counted where it belongs: `coverage.lost` of a snapshot.";
    let counts = Family { name: "monitor_lost", kind: Kind::Counter, unit: "", help };
    out.family(&counts, |samples| {
        for (what, value) in counters().filter(|(name, _)| !name.ends_with("_ns")) {
            samples.put_with("", "what", what, Number::Integer(value.into()));
        }
    });
    let seconds = Family { name: "monitor_lost_seconds", unit: "seconds", ..counts };
    out.family(&seconds, |samples| {
        for (what, value) in times() {
            let mut labels = String::new();
            put_label(&mut labels, "what", what);
            samples.put(&labels, Number::Shifted(value.into(), 9));
        }
    });
}
