//! `monitor serve`: what the tick measured, for whoever asks over HTTP.
//!
//! The tick hands each snapshot to a [`hub::Publisher`] and never waits. Everything else happens on the server's own
//! thread: the [`hub`] keeps the latest snapshots, [`server`] accepts connections within bounds, [`connection`] speaks
//! HTTP on one of them, [`routes`] keeps every request within bounds, [`access`] refuses who may not ask, [`api`] says what is served where, [`dashboard`] has the
//! pages. [`past`] keeps and serves history, on threads of its own. No source is asked because of a request.

pub mod access;
pub mod api;
pub mod cache;
pub mod connection;
pub mod dashboard;
mod feed;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod hub;
mod keys;
pub mod listener;
pub mod metrics;
pub mod openapi;
pub mod past;
pub(crate) mod priority;
pub mod problem;
pub mod query;
pub mod routes;
pub mod server;
mod stalling;
mod stream;
pub mod watchdog;

pub use self::{
    hub::{Hub, Publisher},
    server::{ServeError, Server},
};
