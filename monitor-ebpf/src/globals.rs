//! Read-only values that the loader sets before the programs are verified, so that the verifier knows them as
//! constants and removes what they switch off.

use monitor_common::{
    fields::{Offsets, Settings},
    slots::Geometry,
};

#[unsafe(no_mangle)]
static OFFSETS: Offsets = {
    // SAFETY: `Offsets` consists of integers.
    unsafe { core::mem::zeroed() }
};

#[unsafe(no_mangle)]
static SETTINGS: Settings = Settings { geometry: Geometry::new(3, 0), hierarchy: 0, subsystem: 0 };

/// A member's offset, as in `offset!(task_tid)`.
macro_rules! offset {
    ($field:ident) => {
        $crate::globals::read(core::ptr::addr_of!($crate::globals::offsets().$field)) as usize
    };
}
pub(crate) use offset;

#[inline(always)]
pub(crate) fn offsets() -> &'static Offsets {
    &OFFSETS
}

/// Reads a value as it is when the program runs: a global that the loader sets, or what went through a map.
#[inline(always)]
pub(crate) fn read<T: Copy>(global: *const T) -> T {
    // SAFETY: called with addresses inside the statics above, or of map entries that were looked up.
    unsafe { global.read_volatile() }
}

/// log2 of the sets on each CPU.
#[inline(always)]
pub(crate) fn set_bits() -> u32 {
    read(&raw const SETTINGS.geometry.set_bits)
}

/// Sets of one CPU.
#[inline(always)]
pub(crate) fn sets() -> u32 {
    read(&raw const SETTINGS.geometry.sets)
}

/// Slots of one CPU that a cgroup can own.
#[inline(always)]
pub(crate) fn owned_slots() -> u32 {
    read(&raw const SETTINGS.geometry.owned_slots)
}

/// The number of the hierarchy whose cgroups are counted; 0 is v2.
#[inline(always)]
pub(crate) fn hierarchy() -> u32 {
    read(&raw const SETTINGS.hierarchy)
}

/// The v1 controller whose hierarchy that is.
#[inline(always)]
pub(crate) fn subsystem() -> u32 {
    read(&raw const SETTINGS.subsystem)
}
