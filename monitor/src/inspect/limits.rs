//! The limits that the cgroup files hold, in the words of the output.

use super::model;
use crate::cgroup::{CgroupLimits, IoLimit, Limit};

/// Each limit as a number, with -1 for none.
pub(super) fn describe(read: CgroupLimits) -> model::Limits {
    let CgroupLimits {
        quota_us,
        period_us,
        shares,
        weight,
        cpus,
        memory_nodes,
        memory_bytes,
        memory_high_bytes,
        memory_reservation_bytes,
        swap_bytes,
        pids,
        io_weight,
        io,
        hugetlb_bytes,
    } = read;
    let number = |limit: Option<Limit>| limit.map(Limit::or_minus_one);
    let quota_us = number(quota_us);
    model::Limits {
        cpu: model::CpuLimits { quota_us, period_us, shares, weight, cpus, memory_nodes },
        memory: model::MemoryLimits {
            limit_bytes: number(memory_bytes),
            high_bytes: number(memory_high_bytes),
            reservation_bytes: number(memory_reservation_bytes),
            swap_bytes: number(swap_bytes),
        },
        pids: number(pids),
        io: model::IoLimits {
            weight: io_weight,
            devices: io.map(|devices| devices.into_iter().map(io_device).collect()),
        },
        hugetlb: hugetlb_bytes
            .into_iter()
            .map(|(page_size, limit)| model::HugetlbLimit { page_size, limit_bytes: limit.or_minus_one() })
            .collect(),
    }
}

fn io_device((device, limit): (String, IoLimit)) -> model::IoDeviceLimit {
    let IoLimit { read_bytes, write_bytes, read_operations, write_operations } = limit;
    model::IoDeviceLimit {
        device,
        read_bytes_per_second: read_bytes.or_minus_one(),
        write_bytes_per_second: write_bytes.or_minus_one(),
        read_operations_per_second: read_operations.or_minus_one(),
        write_operations_per_second: write_operations.or_minus_one(),
    }
}
