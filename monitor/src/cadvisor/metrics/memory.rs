//! Memory.

use super::{
    Metric, Of,
    Read::{Each, One},
    Single, same,
};
use crate::cadvisor::{
    exposition::{
        Kind::{Counter, Gauge},
        Series,
        Value::Count,
    },
    info::Memory,
};

const V2_ONLY: &str = "absent where not measured, and on cgroup v1, where cAdvisor says 0";

/// In the order of the export.
pub(super) static MEMORY: &[Metric] = &[
    memory("container_memory_usage_bytes", "All memory that is charged.", |_, stats| {
        stats.memory.usage.map(Count)
    }),
    memory("container_memory_max_usage_bytes", "The most that all memory has been.", |_, stats| {
        stats.memory.max_usage.map(Count)
    }),
    memory("container_memory_working_set_bytes", "Memory but for inactive page cache.", |_, stats| {
        stats.memory.working_set.map(Count)
    }),
    memory("container_memory_rss", "Anonymous memory, in bytes.", |_, stats| stats.memory.rss.map(Count)),
    memory("container_memory_cache", "Page cache, in bytes.", |_, stats| stats.memory.cache.map(Count)),
    memory("container_memory_swap", "Swap space in use, in bytes.", |_, stats| stats.memory.swap.map(Count)),
    memory("container_memory_mapped_file", "Page cache that is mapped, in bytes.", |_, stats| {
        stats.memory.mapped_file.map(Count)
    }),
    memory("container_memory_kernel_usage", "Kernel memory, in bytes.", |_, stats| {
        stats.memory.kernel.map(Count)
    }),
    memory("container_memory_total_active_file_bytes", "Page cache in recent use.", |_, stats| {
        stats.memory.total_active_file.map(Count)
    }),
    memory(
        "container_memory_total_inactive_file_bytes",
        "Page cache that reclaim takes first.",
        |_, stats| stats.memory.total_inactive_file.map(Count),
    ),
    same(
        "container_memory_failcnt",
        Counter,
        Of::Use,
        "Times that the memory limit was hit.",
        One(|_, stats| stats.memory.failcnt.map(Count)),
    )
    .corrected("on cgroup v2 too (`max` of `memory.events`)"),
    same(
        "container_memory_failures_total",
        Counter,
        Of::Use,
        "Page faults.",
        Each(|stats, series| {
            put_failures(&stats.memory, series);
        }),
    )
    .by(&["failure_type", "scope"])
    .corrected(
        "`scope=\"container\"` of containers only: of other cgroups it would be the same number again",
    ),
    memory("container_memory_file_dirty_bytes", "Page cache that waits to be written.", |_, stats| {
        stats.memory.file_dirty.map(Count)
    })
    .corrected("on cgroup v1 too"),
    memory("container_memory_file_writeback_bytes", "Page cache that is being written.", |_, stats| {
        stats.memory.file_writeback.map(Count)
    })
    .corrected("on cgroup v1 too"),
    same(
        "container_memory_events_high_total",
        Counter,
        Of::Use,
        "Times that memory.high was exceeded.",
        One(|_, stats| stats.memory.events.high.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_events_max_total",
        Counter,
        Of::Use,
        "Times that memory.max was hit.",
        One(|_, stats| stats.memory.events.max.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_pgscan_total",
        Counter,
        Of::Use,
        "Pages that reclaim looked at.",
        One(|_, stats| stats.memory.pgscan.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_pgsteal_total",
        Counter,
        Of::Use,
        "Pages that reclaim freed.",
        One(|_, stats| stats.memory.pgsteal.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_workingset_refault_file_total",
        Counter,
        Of::Use,
        "Pages of files needed again soon after they were reclaimed.",
        One(|_, stats| stats.memory.workingset_refault_file.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_workingset_refault_anon_total",
        Counter,
        Of::Use,
        "Anonymous pages needed again soon after they were reclaimed.",
        One(|_, stats| stats.memory.workingset_refault_anon.map(Count)),
    )
    .corrected(V2_ONLY),
    same(
        "container_memory_numa_pages",
        Gauge,
        Of::Use,
        "Pages on each NUMA node.",
        Each(|stats, series| {
            put_numa(&stats.memory, series);
        }),
    )
    .by(&["type", "scope", "node"])
    .corrected("absent on machines with one node"),
    same(
        "container_hugetlb_usage_bytes",
        Gauge,
        Of::Use,
        "Huge pages in use.",
        Each(|stats, series| {
            for (size, pages) in &stats.hugetlb {
                series.put_with(&[("pagesize", size)], Some(Count(pages.usage)));
            }
        }),
    )
    .by(&["pagesize"]),
];

const fn memory(name: &'static str, help: &'static str, read: Single) -> Metric {
    same(name, Gauge, Of::Use, help, One(read))
}

fn put_failures(memory: &Memory, series: &mut Series<'_>) {
    for (scope, data) in [("container", &memory.container_data), ("hierarchy", &memory.hierarchical_data)] {
        for (failure, count) in [("pgfault", data.pgfault), ("pgmajfault", data.pgmajfault)] {
            series.put_with(&[("failure_type", failure), ("scope", scope)], count.map(Count));
        }
    }
}

fn put_numa(memory: &Memory, series: &mut Series<'_>) {
    for (scope, data) in [("container", &memory.container_data), ("hierarchy", &memory.hierarchical_data)] {
        let numa = &data.numa_stats;
        for (kind, nodes) in [("file", &numa.file), ("anon", &numa.anon), ("unevictable", &numa.unevictable)]
        {
            for (node, pages) in nodes {
                let labels = [("type", kind), ("scope", scope), ("node", &*node.to_string())];
                series.put_with(&labels, Some(Count(*pages)));
            }
        }
    }
}
