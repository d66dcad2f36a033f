//! The shared types as plain data, to aya and as words. The crate's only unsafe code.
#![expect(unsafe_code, reason = "aya::Pod is an unsafe trait, and words are the same bytes")]

use crate::{
    block::{BlockCounters, BlockKey},
    counters::{CpuState, Slot},
    faults::{FaultBegin, FaultTimes},
    fields::{CONSTANTS, Constants, Offsets},
    memory::Shortage,
    net::{ConnectionTimes, DropKey, NetSlot},
    queue::{DeviceQueue, QueuePair, QueueWaits},
    slots::{SeenTask, TagSet},
    waits::{Turns, WaitPair},
};

macro_rules! pod {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: `repr(C)`, made of integers only, valid for every bit pattern, without padding (its fields fill it:
        // checked by the size assertions beside the definitions and below).
        unsafe impl aya::Pod for $type {}
    )+};
}

pod!(
    BlockCounters,
    BlockKey,
    ConnectionTimes,
    CpuState,
    DeviceQueue,
    DropKey,
    FaultBegin,
    FaultTimes,
    NetSlot,
    QueuePair,
    QueueWaits,
    SeenTask,
    Shortage,
    Slot,
    TagSet,
    Turns,
    WaitPair,
);

const _: () = assert!(size_of::<SeenTask>() == 64);
const _: () = assert!(size_of::<Offsets>() == crate::fields::FIELDS.len() * size_of::<u32>());

impl Constants {
    /// In the order in which the programs number them.
    #[must_use]
    pub const fn words(self) -> [u32; CONSTANTS] {
        // SAFETY: `repr(C)` and made of nothing but `u32`.
        unsafe { core::mem::transmute(self) }
    }
}
