//! The pages: files that were built from `web/` and are part of this binary. They ask `/api/v1` for all that they show.

use std::future::ready;

use axum::{
    Router,
    body::Body,
    http::{Response, header},
    response::IntoResponse as _,
    routing::get,
};
use bytes::Bytes;

/// A file's path in a URL and what is in it.
type File = (&'static str, &'static [u8]);

/// What `monitor/build.rs` found; nothing in a binary that was built without the dashboard.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The file that every page is.
const INDEX: &str = "/index.html";

/// Paths of pages, which are all one file: which page it is, it sees by its address.
const PAGES: [&str; 6] =
    ["/", "/container/{container}", "/interference", "/compare", "/statistics", "/statistics/{container}"];

/// Names of files below this have a hash of what is in them, so what is there never changes.
const HASHED: &str = "/assets/";

/// The icon, and where browsers look for one when a page names none, as text and JSON do.
const ICON: (&str, &str) = ("/favicon.svg", "/favicon.ico");

/// Nothing may be loaded from elsewhere, no script or style may stand in the page itself, and nobody may frame it. Pictures
/// are made in the page for downloads.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What `/` says in a binary without the dashboard.
const ABSENT: &str = "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>monitor</title>\n\
    <p>This monitor was built without its dashboard: <code>cargo xtask build</code> builds both.</p>\n\
    <p>All else is served: <a href=\"/api/v1/containers\">containers</a>, \
    <a href=\"/api/v1/openapi.json\">the API</a>, <a href=\"/metrics\">metrics</a>, \
    <a href=\"/validate/\">what is measured</a>.</p>\n";

/// The routes of the dashboard that is in this binary.
pub fn router() -> Router {
    over(FILES)
}

fn over(files: &'static [File]) -> Router {
    let index = files.iter().find(|(path, _)| *path == INDEX).map_or(ABSENT.as_bytes(), |(_, bytes)| *bytes);
    let router =
        PAGES.iter().fold(Router::new(), |router, path| router.route(path, get(move || ready(page(index)))));
    let others = files.iter().filter(|(path, _)| *path != INDEX);
    let also = files.iter().filter(|(path, _)| *path == ICON.0);
    let routes = others
        .map(|(path, bytes)| (*path, path, bytes))
        .chain(also.map(|(path, bytes)| (ICON.1, path, bytes)));
    routes.fold(router, |router, (at, path, bytes)| router.route(at, get(move || ready(file(path, bytes)))))
}

fn page(bytes: &'static [u8]) -> Response<Body> {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // The next binary's page names other files.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Bytes::from_static(bytes)).into_response()
}

fn file(path: &str, bytes: &'static [u8]) -> Response<Body> {
    let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, media_type(path)),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Bytes::from_static(bytes)).into_response()
}

/// By the end of the name, of those that the build makes.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Request, StatusCode};
    use http_body_util::BodyExt as _;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    async fn fetch(files: &'static [File], path: &str) -> (StatusCode, HeaderMap, Bytes) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(over(files)).call(request).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, head.headers, body.collect().await.unwrap().to_bytes())
    }

    const BUILT: &[File] =
        &[(INDEX, b"the page"), ("/assets/index-1a2b.js", b"the code"), ("/favicon.svg", b"<svg/>")];

    #[tokio::test]
    async fn every_page_is_the_index_and_may_load_nothing_from_elsewhere() {
        for path in ["/", "/container/web", "/interference", "/compare?container=web", "/statistics/web"] {
            let (status, headers, body) = fetch(BUILT, path).await;
            assert_eq!((status, &body[..]), (StatusCode::OK, &b"the page"[..]), "{path}");
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        }
        assert_eq!(fetch(BUILT, "/elsewhere").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn files_with_a_hash_are_kept_by_browsers() {
        let (_, headers, body) = fetch(BUILT, "/assets/index-1a2b.js").await;
        assert_eq!(body, "the code");
        assert_eq!(headers[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert!(headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        for path in [ICON.0, ICON.1] {
            let (_, headers, _) = fetch(BUILT, path).await;
            assert_eq!(headers[header::CONTENT_TYPE], "image/svg+xml", "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "{path}");
        }
    }

    #[tokio::test]
    async fn a_binary_without_the_dashboard_says_so() {
        let (status, _, body) = fetch(&[], "/").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.starts_with(b"<!DOCTYPE html>"));
        assert!(String::from_utf8(body.to_vec()).unwrap().contains("cargo xtask build"));
    }
}
