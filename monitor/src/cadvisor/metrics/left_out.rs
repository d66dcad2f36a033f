//! The metrics of cAdvisor that are not exported.

/// Why each is not; names with the same reason together.
pub(in crate::cadvisor) static LEFT_OUT: &[(&[&str], &str)] = &[
    (&["container_health_state"], "the result of health checks is not asked for at the runtime"),
    (
        &["container_spec_memory_reservation_limit_bytes"],
        "not read; on cgroup v2 cAdvisor reads `memory.min`, which runtimes do not write a reservation to",
    ),
    (
        &["container_cpu_cfs_burst_periods_total", "container_cpu_cfs_burst_seconds_total"],
        "not read: runtimes set no burst",
    ),
    (&["container_memory_migrate"], "a setting of cgroup v1's cpuset, no figure"),
    (
        &["container_referenced_bytes"],
        "measuring it resets the referenced bits of the container's pages, which the kernel's reclaim goes by",
    ),
    (
        &["container_hugetlb_failcnt", "container_hugetlb_max_usage_bytes"],
        "not read, unlike `container_hugetlb_usage_bytes`",
    ),
    (
        &["container_fs_reads_merged_total", "container_fs_writes_merged_total"],
        "not counted by cgroup; cAdvisor gives the whole partition's",
    ),
    (
        &["container_fs_io_time_weighted_seconds_total"],
        "not counted by cgroup; cAdvisor gives the whole partition's, a million times too small",
    ),
    (
        &[
            "container_fs_io_cost_usage_seconds_total",
            "container_fs_io_cost_wait_seconds_total",
            "container_fs_io_cost_indebt_seconds_total",
            "container_fs_io_cost_indelay_seconds_total",
        ],
        "not read: of hosts with `io.cost` switched on",
    ),
    (
        &[
            "container_network_tcp_usage_total",
            "container_network_tcp6_usage_total",
            "container_network_udp_usage_total",
            "container_network_udp6_usage_total",
        ],
        "cAdvisor reads every socket of the namespace for them, and has them off by default; monitor counts connections \
         opened, accepted, failed and open as it happens",
    ),
    (
        &["container_network_advance_tcp_stats_total"],
        "of a network namespace and not of a container, and off by default; monitor counts retransmits, resets and drops by \
         container",
    ),
    (
        &["container_processes", "container_file_descriptors", "container_sockets", "container_ulimits_soft"],
        "needs every process's directory in `/proc` at each scrape, and off by default; `/api/v2.0/ps` and `monitor inspect` \
         look when asked",
    ),
    (
        &[
            "container_perf_events_total",
            "container_perf_events_scaling_ratio",
            "container_perf_uncore_events_total",
            "container_perf_uncore_events_scaling_ratio",
        ],
        "of hardware events that a file names; holds a counter for each event, CPU and cgroup",
    ),
    (
        &[
            "container_memory_bandwidth_bytes",
            "container_memory_bandwidth_local_bytes",
            "container_llc_occupancy_bytes",
        ],
        "needs groups of Intel's resource control, which cAdvisor makes; monitor changes nothing",
    ),
    (
        &[
            "machine_dimm_count",
            "machine_dimm_capacity_bytes",
            "machine_nvm_capacity",
            "machine_nvm_avg_power_budget_watts",
        ],
        "of memory modules that few machines tell of",
    ),
];
