//! `monitor serve`: what the tick measured, for whoever asks over HTTP.
//!
//! The tick hands each snapshot to a [`hub::Publisher`] and never waits. Everything else happens on the server's own
//! thread: the [`hub`] keeps the latest snapshots, [`server`] accepts connections within bounds, [`connection`] speaks
//! HTTP on one of them, [`routes`] keeps every request within bounds, [`api`] says what is served where. No source is asked because of a request.

pub mod api;
pub mod cache;
pub mod connection;
mod feed;
pub mod hub;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod routes;
pub mod server;
mod stalling;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
pub mod watchdog;

pub use self::{
    hub::{Hub, Publisher},
    server::{ServeError, Server},
};
