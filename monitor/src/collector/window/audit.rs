//! The audit's part of a snapshot.

use crate::{
    collector::{
        audit::{AgentUsage, AuditPoint},
        sample::Sample,
    },
    model::{Agent, Audit, Comparison, Coverage},
};

/// What was counted since the first sample beside what the machine counted, and what that cost.
pub(super) fn audit(before: Option<&Sample>, now: &Sample) -> Audit {
    let (since, point) = (&now.audit_since, &now.audit);
    let compared = |counted: fn(&AuditPoint) -> Option<u64>, machine: fn(&AuditPoint) -> Option<u64>| {
        compare(growth(since, point, counted)?, growth(since, point, machine)?)
    };
    let on_cpu = |point: &AuditPoint| point.counted.map(|counted| counted.on_cpu_ns);
    Audit {
        since: point.counted.map(|_| since.taken_at),
        switches: compared(
            |point| point.counted.map(|counted| counted.voluntary_switches + counted.involuntary_switches),
            |point| point.switches,
        ),
        faults: compared(
            |point| point.counted.map(|counted| counted.minor_faults + counted.major_faults),
            |point| point.faults,
        ),
        on_cpu_ns: compared(on_cpu, |point| point.on_cpu_ns),
        sampled_on_cpu_ns: compared(on_cpu, |point| point.sampled_on_cpu_ns),
        agent: agent(before, now),
    }
}

fn growth(since: &AuditPoint, now: &AuditPoint, read: fn(&AuditPoint) -> Option<u64>) -> Option<u64> {
    read(now)?.checked_sub(read(since)?)
}

fn compare(counted: u64, machine: u64) -> Option<Comparison> {
    let error = i64::try_from(i128::from(counted) - i128::from(machine)).ok()?;
    let error_percent = (machine > 0).then(|| error as f64 * 100.0 / machine as f64);
    Some(Comparison { counted, machine, error, error_percent })
}

fn agent(before: Option<&Sample>, now: &Sample) -> Agent {
    let AgentUsage { cpu_ns, resident_bytes } = now.agent;
    let cpu_cores = before.and_then(|before| {
        let elapsed = now.monotonic_ns.checked_sub(before.monotonic_ns).filter(|&elapsed| elapsed > 0)?;
        Some(cpu_ns.checked_sub(before.agent.cpu_ns)? as f64 / elapsed as f64)
    });
    let Coverage { probes, map_bytes, tick_ns, .. } = &now.coverage;
    let runs: Option<u64> = probes.iter().filter_map(|probe| probe.run_count).reduce(|sum, runs| sum + runs);
    let run_ns: Option<u64> = probes.iter().filter_map(|probe| probe.run_time_ns).reduce(|sum, ns| sum + ns);
    Agent {
        cpu_ns_total: Some(cpu_ns),
        cpu_cores,
        resident_bytes,
        map_bytes: Some(*map_bytes),
        tick_ns: Some(*tick_ns),
        program_runs_total: runs,
        program_run_ns_total: run_ns,
        program_run_mean_ns: runs.zip(run_ns).map(|(runs, ns)| ns as f64 / runs as f64),
    }
}
