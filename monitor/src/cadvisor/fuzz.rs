//! Promises of what answers requests to cAdvisor's API: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::sync::{Arc, LazyLock};

use axum::http::{StatusCode, header};

use super::{
    exposition::ContainerLabels,
    history::Cadvisor,
    routes::router,
    testing::{cgroup, container, snapshot},
};
use crate::serve::fuzz::Server;

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    Server::new(|hub, publisher| {
        let cadvisor = Arc::new(Cadvisor::new(hub, ContainerLabels::All));
        for second in 10..13 {
            let containers = vec![container("ab12"), container("cd34")];
            publisher.publish(snapshot(second, containers, vec![cgroup("/docker"), cgroup("/x.slice")]));
        }
        router(cadvisor)
    })
});

/// A request, as [`crate::serve::fuzz::request`] takes it. A container that is not there is an error of the server's to cAdvisor.
pub(crate) fn request(input: &[u8]) {
    let Some(answer) = SERVER.answer(input) else { return };
    if answer.status() == StatusCode::INTERNAL_SERVER_ERROR {
        let kind = answer.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        assert_eq!(kind, Some("text/plain; charset=utf-8"), "{answer:?}");
    }
}
