//! What the loader knows before the programs are verified.
//!
//! Words are written into the instructions themselves ([`Constants`]): the compiler leaves a mark in the place of each,
//! which the loader replaces, so the verifier removes what they switch off and nothing is loaded to know them.

use core::arch::asm;

#[cfg(doc)]
use monitor_common::fields::Constants;
use monitor_common::fields::{LOAD_MARK, VALUE_MARK};

/// Nanoseconds of `CLOCK_MONOTONIC` before the first task was looked at. Set by the loader.
#[unsafe(no_mangle)]
static BEGAN_NS: u64 = 0;

/// The number of a word of [`Constants`], as in `word!(hierarchy)`.
macro_rules! word {
    ($($path:tt)+) => { core::mem::offset_of!(monitor_common::fields::Constants, $($path)+) / size_of::<u32>() };
}
pub(crate) use word;

/// The number of the word that is a kernel struct member's offset, as in `member!(task_tid)`.
macro_rules! member {
    ($name:ident) => {
        $crate::globals::word!(offsets.$name)
    };
}
pub(crate) use member;

/// The value of a word of [`Constants`].
#[inline(always)]
pub(crate) fn constant<const WORD: usize>() -> u32 {
    value::<WORD>() as u32
}

/// Whether a word of [`Constants`] is not 0.
#[inline(always)]
pub(crate) fn is_set<const WORD: usize>() -> bool {
    value::<WORD>() != 0
}

#[inline(always)]
fn value<const WORD: usize>() -> u64 {
    let value: u64;
    // SAFETY: loads a constant.
    unsafe {
        asm!("{value} = {mark}", value = out(reg) value, mark = const VALUE_MARK + WORD as u32, options(nostack, nomem, pure));
    }
    value
}

/// The 8 bytes at a kernel struct member of a typed pointer, which the verifier checks against the struct.
#[inline(always)]
pub(crate) fn load_u64<const WORD: usize>(pointer: *const u8) -> u64 {
    let value: u64;
    // SAFETY: the verifier admits only loads inside the struct that `pointer` points to.
    unsafe {
        asm!("{value} = *(u64 *)({pointer} + {mark})", value = out(reg) value, pointer = in(reg) pointer, mark = const LOAD_MARK + WORD as u32, options(nostack, readonly));
    }
    value
}

/// As [`load_u64`], 4 bytes, the others 0.
#[inline(always)]
pub(crate) fn load_u32<const WORD: usize>(pointer: *const u8) -> u64 {
    let value: u64;
    // SAFETY: as above.
    unsafe {
        asm!("{value} = *(u32 *)({pointer} + {mark})", value = out(reg) value, pointer = in(reg) pointer, mark = const LOAD_MARK + WORD as u32, options(nostack, readonly));
    }
    value
}

/// As [`load_u64`], 2 bytes, the others 0.
#[inline(always)]
pub(crate) fn load_u16<const WORD: usize>(pointer: *const u8) -> u64 {
    let value: u64;
    // SAFETY: as above.
    unsafe {
        asm!("{value} = *(u16 *)({pointer} + {mark})", value = out(reg) value, pointer = in(reg) pointer, mark = const LOAD_MARK + WORD as u32, options(nostack, readonly));
    }
    value
}

/// As [`load_u64`], 1 byte, the others 0.
#[inline(always)]
pub(crate) fn load_u8<const WORD: usize>(pointer: *const u8) -> u64 {
    let value: u64;
    // SAFETY: as above.
    unsafe {
        asm!("{value} = *(u8 *)({pointer} + {mark})", value = out(reg) value, pointer = in(reg) pointer, mark = const LOAD_MARK + WORD as u32, options(nostack, readonly));
    }
    value
}

/// The hierarchy whose cgroups are counted; 0 is v2.
#[inline(always)]
pub(crate) fn hierarchy() -> u32 {
    constant::<{ word!(hierarchy) }>()
}

/// Whether that is v2.
#[inline(always)]
pub(crate) fn is_default_hierarchy() -> bool {
    !is_set::<{ word!(hierarchy) }>()
}

/// The hierarchy of the block controller; 0 is v2.
#[inline(always)]
pub(crate) fn block_hierarchy() -> u32 {
    constant::<{ word!(block_hierarchy) }>()
}

/// When counting began.
#[inline(always)]
pub(crate) fn began_ns() -> u64 {
    // SAFETY: the static above; volatile, since the loader sets it.
    unsafe { (&raw const BEGAN_NS).read_volatile() }
}

/// The address that does not move.
#[inline(always)]
pub(crate) fn origin() -> u64 {
    &raw const BEGAN_NS as u64
}

/// How far a kernel address is from one that does not move: a number to the verifier, which hands out no address.
#[inline(always)]
pub(crate) fn distance(pointer: *const u8) -> u64 {
    let mut distance = pointer as u64;
    // SAFETY: arithmetic. In assembly, so that the compiler does not move the subtraction into a comparison: the verifier
    // admits no other arithmetic on a typed pointer.
    unsafe {
        asm!("{distance} -= {origin}", distance = inout(reg) distance, origin = in(reg) origin(), options(nostack, nomem, pure));
    }
    distance
}
