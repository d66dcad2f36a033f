//! Snapshot → bytes. One encoder a format; a sink decides where the bytes go and what a failure to write means.

pub mod blame;
pub mod csv;
mod delays;
pub mod escape;
pub mod events;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod json;
pub mod lines;
pub mod prometheus;
pub mod sink;
pub mod table;
