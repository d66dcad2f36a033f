//! `/api/v1/history` and beside it: what was measured lately, and what it says statistically.
//!
//! [`keeper`] fills the history, on threads of its own. Answers are made on others too, few at a time, so that the server's
//! thread goes on.

mod answer;
mod ask;
pub mod keeper;
mod statistics;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, header},
    response::IntoResponse,
    routing::get,
};
use schemars::SchemaGenerator;
use serde::Serialize;
use tokio::sync::Semaphore;

pub use self::keeper::{Keeper, Past};
use super::{
    api::{Endpoint, JSON, encode},
    problem::{self, Problem},
    query::Query,
};

/// Answers that are made at a time.
const QUICK: usize = 2;
/// Statistics, which take long, that are made at a time.
const LONG: usize = 1;
/// Requests that may wait for their turn, of either kind; more are refused.
const WAITING: usize = 16;

/// What handlers share.
pub struct Desk {
    past: Option<Arc<Past>>,
    quick: Turns,
    long: Turns,
}

/// Who may be at work.
struct Turns {
    working: Arc<Semaphore>,
    waiting: Semaphore,
}

const PROBLEMS: &[problem::Kind] =
    &[problem::BAD_PARAMETER, problem::NO_HISTORY, problem::NO_SUCH_CONTAINER, problem::TOO_BUSY];

/// All of them.
pub const ENDPOINTS: &[Endpoint<Desk>] = &[
    Endpoint {
        path: "/api/v1/history",
        summary: "What was measured, step by step: of counters how much they grew, of others mean, least and greatest value.",
        parameters: ask::OF_HISTORY,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<answer::HistoryAnswer>,
        problems: &[
            problem::BAD_PARAMETER,
            problem::NO_HISTORY,
            problem::NO_SUCH_CONTAINER,
            problem::NO_SUCH_CGROUP,
            problem::TOO_BUSY,
        ],
        handler: || get(history),
    },
    Endpoint {
        path: "/api/v1/history/subjects",
        summary: "Who there is any history of, those included that have ended, and what is kept.",
        parameters: ask::OF_SUBJECTS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<answer::SubjectList>,
        problems: &[problem::BAD_PARAMETER, problem::NO_HISTORY, problem::TOO_BUSY],
        handler: || get(subjects),
    },
    Endpoint {
        path: "/api/v1/history/interference",
        summary: "Who kept containers from a CPU, and whom their requests to block devices waited for, over a stretch of time.",
        parameters: ask::OF_WAITS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<answer::Waits>,
        problems: PROBLEMS,
        handler: || get(interference),
    },
    Endpoint {
        path: "/api/v1/statistics",
        summary: "Rates, percentiles, trends, outliers and changes of level over a stretch of time, the greatest of each metric, \
                  and which containers go together: what `monitor report` says of a recording.",
        parameters: ask::OF_STATISTICS,
        media: JSON,
        schema: SchemaGenerator::subschema_for::<crate::report::Statistics>,
        problems: PROBLEMS,
        handler: || get(statistics_of),
    },
];

/// The routes; every answer is that there is no history where none is kept.
pub fn routes(past: Option<Arc<Past>>) -> Router {
    let turns =
        |working| Turns { working: Arc::new(Semaphore::new(working)), waiting: Semaphore::new(WAITING) };
    let desk = Arc::new(Desk { past, quick: turns(QUICK), long: turns(LONG) });
    let routes = ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, (endpoint.handler)()));
    routes.with_state(desk)
}

type Answer = Result<Response<Body>, Problem>;

async fn history(State(desk): State<Arc<Desk>>, query: Query) -> Answer {
    query.check(ask::OF_HISTORY)?;
    desk.answer(&desk.quick, move |past| answer::history(past, &query)).await
}

async fn subjects(State(desk): State<Arc<Desk>>, query: Query) -> Answer {
    query.check(ask::OF_SUBJECTS)?;
    desk.answer(&desk.quick, move |past| Ok(answer::subjects(past, &query))).await
}

async fn interference(State(desk): State<Arc<Desk>>, query: Query) -> Answer {
    query.check(ask::OF_WAITS)?;
    desk.answer(&desk.quick, move |past| answer::waits(past, &query)).await
}

async fn statistics_of(State(desk): State<Arc<Desk>>, query: Query) -> Answer {
    query.check(ask::OF_STATISTICS)?;
    desk.answer(&desk.long, move |past| statistics::statistics(past, &query)).await
}

impl Desk {
    /// Makes an answer on another thread, when it is its turn.
    async fn answer<T: Serialize>(
        &self,
        turns: &Turns,
        make: impl FnOnce(&Past) -> Result<T, Problem> + Send + 'static,
    ) -> Answer {
        let Some(past) = self.past.clone() else {
            return Err(Problem::new(problem::NO_HISTORY, "it was switched off with --no-history"));
        };
        let too_busy = || Problem::new(problem::TOO_BUSY, "too many such requests wait already");
        let waiting = turns.waiting.try_acquire().map_err(|_full| too_busy())?;
        let turn = Arc::clone(&turns.working).acquire_owned().await.map_err(|_closed| too_busy())?;
        drop(waiting);
        let made = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also where the client has gone.
            let _turn = turn;
            make(&past).map(|answer| encode(&answer))
        });
        let bytes = made.await.map_err(|error| Problem::new(problem::INTERNAL, error.to_string()))??;
        let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")];
        Ok((headers, Body::from(bytes)).into_response())
    }
}

#[cfg(test)]
mod tests;
