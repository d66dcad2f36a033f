//! The only reader of every source, once a tick; and the arithmetic that turns two readings into a snapshot.

pub mod audit;
pub mod blame;
pub mod block;
pub mod census;
pub mod clock;
pub mod collect;
mod coverage;
mod files;
mod filesystems;
mod interfaces;
mod retire;
pub mod run;
pub mod sample;
pub mod throttling;
pub mod window;
pub mod witness;
