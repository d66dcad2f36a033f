use std::fs;

use axum::http::StatusCode;

use super::*;

const TOKEN: &str = "0123456789abcdef";

/// The status of the refusal of a GET with these headers; 200 where there is none.
fn status(access: &Access, path: &str, headers: &[(&str, &str)]) -> u16 {
    ask(access, Method::GET, path, headers, Entrance::Port)
}

fn ask(access: &Access, method: Method, path: &str, headers: &[(&str, &str)], entrance: Entrance) -> u16 {
    let builder = Request::builder().method(method).uri(path).extension(entrance);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    let refusal = access.refusal(&builder.body(Body::empty()).unwrap());
    refusal.map_or(StatusCode::OK, |problem| problem.status()).as_u16()
}

fn without_rules() -> Access {
    Access::open(Rules::default()).unwrap()
}

fn with_token() -> (Access, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
    let rules = Rules { token: Some(file.path().to_owned()), ..Rules::default() };
    (Access::open(rules).unwrap(), file)
}

#[test]
fn only_own_names_lead_here() {
    let rules = Rules {
        hosts: vec!["Monitor.example.org".to_owned(), "*.hosts.test".to_owned()],
        ..Rules::default()
    };
    let access = Access::open(rules).unwrap();
    let own = access.own_name.clone();
    for host in [
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.0.2.7",
        "localhost:8080",
        "LOCALHOST.",
        "a.localhost",
        "monitor.example.org:443",
        "web1.hosts.test",
        own.as_str(),
    ] {
        assert_eq!(status(&access, "/", &[("host", host)]), 200, "{host}");
    }
    for host in
        ["rebound.example", "127.0.0.1.example", "localhost.example", "hosts.test", ".hosts.test", "x:y"]
    {
        assert_eq!(status(&access, "/", &[("host", host)]), 421, "{host}");
        assert_eq!(status(&access, "/healthz", &[("host", host)]), 421, "{host}");
        assert_eq!(ask(&access, Method::GET, "/", &[("host", host)], Entrance::Socket), 200, "{host}");
    }
    assert_eq!(status(&access, "http://rebound.example/", &[("host", "localhost")]), 421);
    assert_eq!(status(&access, "/", &[]), 200);
}

#[test]
fn other_sites_pages_are_refused_and_links_are_not() {
    let access = without_rules();
    let from = |more: &[(&str, &str)]| {
        status(&access, "/api/v1/host", &[&[("host", "localhost:80")], more].concat())
    };
    assert_eq!(from(&[("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(from(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]), 200);
    let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    for site in ["cross-site", "same-site"] {
        assert_eq!(from(&[("sec-fetch-site", site)]), 403);
        assert_eq!(from(&[&[("sec-fetch-site", site)], &link[..]].concat()), 200);
        assert_eq!(from(&[&[("sec-fetch-site", site)], &frame[..]].concat()), 403);
    }
    let form = [&[("sec-fetch-site", "cross-site")], &link[..]].concat();
    assert_eq!(ask(&access, Method::POST, "/api/v2.0/stats", &form, Entrance::Port), 403);
}

#[test]
fn older_browsers_tell_the_page_by_its_origin() {
    let rules = Rules { hosts: vec!["monitor.example.org".to_owned()], ..Rules::default() };
    let access = Access::open(rules).unwrap();
    let from = |origin| status(&access, "/", &[("host", "127.0.0.1:8080"), ("origin", origin)]);
    assert_eq!(from("http://127.0.0.1:8080"), 200);
    assert_eq!(from("https://monitor.example.org"), 200, "a proxy's name");
    for origin in ["http://127.0.0.1:3000", "http://localhost:3000", "https://example.org", "null", ""] {
        assert_eq!(from(origin), 403, "{origin}");
    }
}

#[test]
fn who_has_the_token_is_answered() {
    let (access, _file) = with_token();
    let with =
        |value: &str| status(&access, "/metrics", &[("host", "any.example"), ("authorization", value)]);
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(with(&format!("Bearer {TOKEN}")), 200);
    assert_eq!(with(&format!("bearer   {TOKEN}")), 200);
    assert_eq!(with(&basic(&format!("anybody:{TOKEN}"))), 200);
    for wrong in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer 0123456789abcdeF".to_owned(),
        format!("Bearer {TOKEN}0"),
        format!("Token {TOKEN}"),
        TOKEN.to_owned(),
        basic(TOKEN),
        basic(&format!("{TOKEN}:")),
        "Basic !".to_owned(),
    ] {
        assert_eq!(with(&wrong), 401, "{wrong}");
    }
    assert_eq!(status(&access, "/metrics", &[("host", "localhost")]), 401);
    assert_eq!(status(&access, "/metrics?token=0123456789abcdef", &[]), 401);
    assert_eq!(status(&access, "/healthz", &[("host", "localhost")]), 200);
    assert_eq!(ask(&access, Method::GET, "/metrics", &[], Entrance::Socket), 200);
}

#[test]
fn a_token_is_renewed_and_a_bad_one_is_not_taken() {
    let (access, file) = with_token();
    let with = |token: &str| status(&access, "/", &[("authorization", &format!("Bearer {token}"))]);
    fs::write(file.path(), "short").unwrap();
    let error = access.renew().unwrap_err();
    assert!(matches!(error, AccessError::ShortToken { .. }));
    fs::write(file.path(), "fedcba9876543210 \n").unwrap();
    let error = access.renew().unwrap_err();
    assert!(matches!(error, AccessError::BlankToken { .. }));
    assert!(!crate::error::chain(&error).contains("short\""));
    assert_eq!(with(TOKEN), 200);
    fs::write(file.path(), "another token that is long").unwrap();
    access.renew().unwrap();
    assert_eq!((with(TOKEN), with("another token that is long")), (401, 200));
    assert!(!format!("{access:?}").contains("another token"));
}

#[tokio::test]
async fn a_refusal_says_what_to_send() {
    let (access, _file) = with_token();
    let refusal = access.refusal(&Request::get("/").body(Body::empty()).unwrap()).unwrap();
    let response = refusal.into_response();
    let asked: Vec<_> = response.headers().get_all(header::WWW_AUTHENTICATE).iter().collect();
    assert!(asked.iter().any(|one| one.as_bytes().starts_with(b"Basic ")), "{asked:?}");
    assert!(asked.iter().any(|one| one.as_bytes().starts_with(b"Bearer")), "{asked:?}");
}
