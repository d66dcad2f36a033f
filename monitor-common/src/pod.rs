//! Tells aya that the shared types are plain data. The crate's only unsafe code.
#![expect(unsafe_code, reason = "aya::Pod is an unsafe trait")]

use crate::{
    counters::{Losses, Slot},
    fields::{Offsets, Settings},
    slots::{Running, SeenTask, TagSet},
};

macro_rules! pod {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: `repr(C)`, made of integers only, valid for every bit pattern, without padding (its fields fill it:
        // checked by the size assertions beside the definitions and below).
        unsafe impl aya::Pod for $type {}
    )+};
}

pod!(Losses, Offsets, Running, SeenTask, Settings, Slot, TagSet);

const _: () = assert!(size_of::<Settings>() == 24);
const _: () = assert!(size_of::<SeenTask>() == 64);
const _: () = assert!(size_of::<Running>() == 64);
const _: () = assert!(size_of::<Offsets>() == crate::fields::FIELDS.len() * size_of::<u32>());
