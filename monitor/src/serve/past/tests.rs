use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::{
    history::{History, Resolution, Resolutions},
    model::{
        ContainerState, Interference, InterferenceSource, Latency, LatencyBucket,
        testing::{container, snapshot},
    },
    serve::hub,
};

const START: i64 = 1_800_000_000;

fn history() -> History {
    let usual: Vec<Resolution> = "1s=10m,10s=2h,1m=24h".split(',').map(|one| one.parse().unwrap()).collect();
    let mut history = History::new(&Resolutions::new(usual).unwrap(), 64 << 20);
    for second in 0..200_u64 {
        let all = ["aa", "ab", "b"].into_iter().map(|id| {
            let mut one = container(id);
            one.measurements.scheduler.voluntary_switches_total = Some(second * 100);
            one.measurements.cpu.usage_cores = Some(if second % 7 == 0 { 0.5 } else { 1.0 });
            let bucket = LatencyBucket { from_ns: 1024, to_ns: Some(1280), count: 2 };
            one.measurements.scheduler.runq_latency =
                Some(Latency { count: 2, buckets: vec![bucket], ..Latency::default() });
            *one.measurements.interference = Some(vec![Interference {
                source: InterferenceSource::Container,
                id: Some("b".to_owned()),
                name: None,
                wait_ns_total: 0,
                wait_ns_per_second: Some(if id == "aa" { 3e6 } else { 0.0 }),
                waits_total: 0,
                preemptions_total: 0,
            }]);
            if id == "ab" && second > 100 {
                one.state = ContainerState::Exited;
                one.exit_code = Some(3);
            }
            one
        });
        history.push(&snapshot(START + i64::try_from(second).unwrap(), all.collect()));
    }
    history
}

fn router(history: Option<History>) -> TowerToHyperService<Router> {
    let (_publisher, inlet) = hub::open();
    TowerToHyperService::new(routes(history.map(|history| Past::new(history, inlet.hub()))))
}

async fn fetch(router: &TowerToHyperService<Router>, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = router.call(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}")))
}

async fn fetched(router: &TowerToHyperService<Router>, path: &str) -> Value {
    let (status, json) = fetch(router, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {json}");
    json
}

#[tokio::test]
async fn arrays_stand_beside_the_times() {
    let router = router(Some(history()));
    let answer = fetched(
        &router,
        "/api/v1/history?from=100s&step=10&metric=scheduler.voluntary_switches_total,scheduler.runq_latency&container=c-aa",
    )
    .await;
    assert_eq!(answer["step_s"], 10);
    let times = answer["times"].as_array().unwrap();
    let [one] = answer["subjects"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((one["kind"].as_str(), one["id"].as_str()), (Some("container"), Some("aa")));
    let switches = &one["metrics"]["scheduler.voluntary_switches_total"];
    assert_eq!(
        (switches["kind"].as_str(), switches["mean"].as_array().unwrap().len()),
        (Some("counter"), times.len())
    );
    let growth: Vec<u64> = switches["growth"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(growth[1], 1000);
    let spread = &one["distributions"]["scheduler.runq_latency"];
    assert_eq!((spread["from_ns"][0].as_u64(), spread["to_ns"][0].as_u64()), (Some(1024), Some(1280)));
    assert_eq!((spread["counts"][0][1].as_u64(), spread["count"][1].as_u64()), (Some(20), Some(20)));
    assert_eq!(spread["p50_ns"][1], 1152);
    let narrow = fetched(&router, "/api/v1/history?metric=cpu.usage_cores&figure=max&container=aa").await;
    let narrow = &narrow["subjects"][0]["metrics"]["cpu.usage_cores"];
    assert_eq!(narrow.as_object().unwrap().keys().collect::<Vec<_>>(), ["kind", "max", "unit"]);
}

#[tokio::test]
async fn who_has_ended_is_listed() {
    let router = router(Some(history()));
    let all = fetched(&router, "/api/v1/history/subjects?kind=container").await;
    assert_eq!(all["resolutions"][1]["step_s"], 10);
    let ended = fetched(&router, "/api/v1/history/subjects?state=exited").await;
    let [one] = ended["subjects"].as_array().unwrap().as_slice() else { panic!("{ended}") };
    assert_eq!((one["id"].as_str(), one["exit_code"].as_i64()), (Some("ab"), Some(3)));
    let last_seen: Timestamp = one["last_seen_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(last_seen.as_second(), START + 101);
    // Of those of whom nothing was measured in that time nothing is told, unless they are named.
    let lately = fetched(&router, "/api/v1/history?from=20s").await;
    assert_eq!(lately["subjects"].as_array().unwrap().len(), 2);
    let named = fetched(&router, "/api/v1/history?from=20s&container=aa&container=ab&host=true").await;
    assert_eq!(named["subjects"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn who_waited_for_whom() {
    let router = router(Some(history()));
    let waits = fetched(&router, "/api/v1/history/interference?from=99s").await;
    let [one] = waits["containers"].as_array().unwrap().as_slice() else { panic!("{waits}") };
    assert_eq!((one["id"].as_str(), one["wait_ns"].as_u64()), (Some("aa"), Some(100 * 3_000_000)));
    assert_eq!(one["interference"][0]["name"], "c-b");
}

#[tokio::test]
async fn statistics_are_those_of_a_report() {
    let router = router(Some(history()));
    let said = fetched(&router, "/api/v1/statistics?from=5m&step=1&metric=cpu.usage_cores&container=b").await;
    let metric = &said["containers"][0]["metrics"][0];
    assert_eq!((metric["count"].as_u64(), metric["p50"].as_f64()), (Some(200), Some(1.0)));
    let mean = (29.0 * 0.5 + 171.0) / 200.0;
    assert!((metric["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{metric}");
    let both =
        fetched(&router, "/api/v1/statistics?from=5m&step=1&metric=cpu.usage_cores&container=b&container=aa")
            .await;
    assert_eq!(both["correlations"][0]["rho"], 1.0);
    let quantile =
        fetched(&router, "/api/v1/statistics?from=5m&metric=scheduler.runq_latency.p99_ns&container=b").await;
    assert_eq!(quantile["containers"][0]["metrics"][0]["metric"], "scheduler.runq_latency.p99_ns");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let router = router(Some(history()));
    for (path, status, kind) in [
        ("/api/v1/history?from=yesterday", 400, "bad-parameter"),
        ("/api/v1/history?from=1m&to=2m", 400, "bad-parameter"),
        ("/api/v1/history?step=0", 400, "bad-parameter"),
        ("/api/v1/history?from=24h&step=1", 400, "bad-parameter"),
        ("/api/v1/history?metric=cpu.temperature", 400, "bad-parameter"),
        ("/api/v1/history?metric=block_io.read_bytes_per_second", 400, "bad-parameter"),
        ("/api/v1/history?metric=epoch", 400, "bad-parameter"),
        ("/api/v1/history?metric=all&from=3h&step=1s", 400, "bad-parameter"),
        ("/api/v1/history?figure=median", 400, "bad-parameter"),
        ("/api/v1/history?colour=red", 400, "bad-parameter"),
        ("/api/v1/history?container=zz", 404, "no-such-container"),
        ("/api/v1/history?container=", 404, "no-such-container"),
        ("/api/v1/history?cgroup=/nowhere", 404, "no-such-cgroup"),
        ("/api/v1/statistics?metric=weather", 400, "bad-parameter"),
        ("/api/v1/history/subjects?kind=pod", 400, "bad-parameter"),
        ("/api/v1/history/interference?from=x", 400, "bad-parameter"),
    ] {
        let (got, problem) = fetch(&router, path).await;
        assert_eq!(got.as_u16(), status, "{path}: {problem}");
        assert_eq!(problem["type"], format!("urn:monitor:problem:{kind}"), "{path}: {problem}");
    }
}

#[tokio::test]
async fn without_history_it_is_said_so() {
    let router = router(None);
    for endpoint in ENDPOINTS {
        let (status, problem) = fetch(&router, endpoint.path).await;
        assert_eq!(
            (status.as_u16(), problem["type"].as_str()),
            (404, Some("urn:monitor:problem:no-history"))
        );
    }
}
