//! All groups of measurements.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    filesystems::Filesystems,
    interference::{BlockInterference, Interference},
    measurements::{BlockIo, Cpu, Faults, Memory, Network, Pids, Pressure, Scheduler, Tasks},
    member::ToJson,
    shared::Shared,
};

/// Declares [`Measurements`], with what treats all groups alike.
macro_rules! groups {
    ($(#[doc = $doc:literal] $(#[serde($serde:ident)])? $group:ident: $form:ty,)*) => {
        /// All groups of measurements.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct Measurements {
            $(#[doc = $doc] $(#[serde($serde)])? pub $group: Shared<$form>,)*
        }

        impl Measurements {
            /// Each group and its name, in the order of the JSON.
            #[must_use]
            pub fn groups(&self) -> [(&'static str, Arc<dyn ToJson>); [$(stringify!($group)),*].len()] {
                [$((stringify!($group), self.$group.handle())),*]
            }

            /// From now on shares the groups that are equal.
            pub fn share_with(&mut self, other: &Self) {
                $(self.$group.share_with(&other.$group);)*
            }
        }
    };
}

groups! {
    /// What the scheduler did to its tasks.
    scheduler: Scheduler,
    /// What its tasks were doing.
    tasks: Tasks,
    /// Page faults.
    faults: Faults,
    /// Traffic of its sockets.
    network: Network,
    /// CPU time, quota and placement.
    cpu: Cpu,
    /// Memory in use, its limits, and what happened at them.
    memory: Memory,
    /// Requests to block devices.
    block_io: BlockIo,
    /// Space and inodes taken on file systems.
    filesystems: Filesystems,
    /// Number of tasks.
    pids: Pids,
    /// Pressure stall information.
    pressure: Pressure,
    /// What its waiting for a CPU was spent on; `null` until measured.
    #[serde(default)]
    interference: Option<Vec<Interference>>,
    /// Whom its requests to block devices stood in line behind; `null` until measured.
    #[serde(default)]
    block_interference: Option<Vec<BlockInterference>>,
}
