//! Everything that is served, and the bounds that every request keeps to.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{Response, header},
    middleware::{self, Next},
    response::IntoResponse,
};
use tower_http::compression::CompressionLayer;

use super::{
    api::{self, Served},
    hub::Hub,
    problem::{self, Problem},
};

/// How long an answer may take to begin, the reading of the request's body included.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request's body at most.
pub const BODY: usize = 64 << 10;

/// The API and `more`, the routes of other subjects, which get the same bounds.
pub fn router(hub: Hub, more: Router) -> Router {
    let served = Arc::new(Served::new(hub.clone()));
    let api = api::ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, (endpoint.handler)()));
    api.with_state(served)
        .merge(more)
        .fallback(|request: Request| async move {
            Problem::new(problem::NO_SUCH_PATH, format!("nothing is served at {}", request.uri().path()))
        })
        .method_not_allowed_fallback(|request: Request| async move {
            Problem::new(problem::BAD_METHOD, format!("{} is not for this path", request.method()))
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(hub, bound))
}

/// Ends what takes too long, refuses what is too large, and counts.
async fn bound(State(hub): State<Hub>, request: Request, next: Next) -> Response<Body> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let response = if length.is_some_and(|length| length > BODY as u64) {
        Problem::new(problem::LARGE_BODY, format!("a body may have {BODY} bytes")).into_response()
    } else {
        tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await.unwrap_or_else(|_elapsed| {
            Problem::new(problem::SLOW_REQUEST, "the answer took too long").into_response()
        })
    };
    hub.figures().count(response.status());
    response
}

#[cfg(test)]
mod tests;
