//! cAdvisor's interfaces, for the dashboards, alerts and clients that were made for it.
//!
//! Everything here is a view of snapshots: `frame` looks at one by the paths of cgroups, `convert` says it in
//! cAdvisor's words (`info`), and from these come the metrics (`metrics`, `render`) and both generations of the REST API
//! (`v1` by `routes`, `v2`). Values that cAdvisor gets wrong are right here; what there is no value of is left out.
//! docs/cadvisor.md lists every metric and path.

mod convert;
mod events;
mod exposition;
mod frame;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod history;
mod info;
mod lookup;
mod machine;
mod metrics;
mod pages;
mod ps;
mod render;
mod request;
mod routes;
mod summary;
#[cfg(any(test, fuzzing))]
mod testing;
mod v2;

pub use self::{exposition::ContainerLabels, history::Cadvisor, render::markdown, routes::router};
