//! What monitor says: the public JSON, one type for each object in it.
//!
//! A value that was not measured is `None` and `null`, never 0. Names end in their unit, counters in `_total`;
//! counters are integers. The scalar measurements are declared by the `metrics!` macro (`metric.rs`), which makes each of
//! them a struct field, a JSON member, a line of the schema and an entry of the [`catalog`] at once.

pub mod audit;
pub mod catalog;
pub mod coverage;
mod devices;
pub mod event;
pub mod filesystems;
pub mod groups;
pub mod host;
pub mod interference;
pub mod measurements;
pub mod member;
mod metric;
pub mod runs;
pub mod shared;
pub mod snapshot;
#[cfg(any(test, fuzzing))]
pub(crate) mod testing;
pub mod typescript;

pub use self::{
    audit::{Agent, Audit, Comparison},
    catalog::{Distribution, Kind, Metric, Span, Value},
    coverage::{Coverage, Lost, Probe, Sink, Source},
    devices::{is_disk, leads_outside},
    event::{EVENT_SCHEMA_VERSION, Event, EventContainer, Happening, LossCause},
    filesystems::{
        FilesystemSpace, Filesystems, HostFilesystem, Tree, TreeUsage, UsageMethod, Volume, VolumeKind,
    },
    groups::Measurements,
    host::{
        CpuTimes, Disk, DiskActivity, Host, HostFaults, HostInterface, HostMemory, HostReclaim,
        HostScheduler, HostTotals, InterfaceTraffic, NumberedCpu,
    },
    interference::{BlockInterference, Interference, InterferenceSource},
    measurements::{
        BlockDevice, BlockIo, Cpu, Faults, Interface, Latency, LatencyBucket, Memory, Network, NumaMemory,
        PacketDrops, Pids, Pressure, Scheduler, Stall, StallShare, Tasks,
    },
    runs::{is_called, latest_runs},
    shared::Shared,
    snapshot::{
        About, Cgroup, CgroupEntry, CgroupKind, CgroupMode, Container, ContainerState, Namespaces, Pod,
        SCHEMA_VERSION, Snapshot,
    },
};
