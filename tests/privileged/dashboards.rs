//! What is shipped for Prometheus and Grafana, against a real server that scrapes real containers.
//!
//! In a minute with a dozen containers; with `MONITOR_TEST_LONG=1`, for five minutes with fifty.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    container::{Container, Image, succeeded},
    disk::LoopDevice,
    prometheus::{Prometheus, Rule},
    server::Server,
    wait,
};
use serde_json::Value;

use crate::cadvisor;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// How long is scraped, and how many containers there are.
fn extent() -> (Duration, usize) {
    if env::var_os("MONITOR_TEST_LONG").is_some() {
        (Duration::from_mins(5), 50)
    } else {
        (Duration::from_secs(15), 12)
    }
}

/// Containers that do every kind of work until they are removed, and some that have ended.
struct Town {
    containers: Vec<Container>,
    _device: LoopDevice,
}

/// Without end, as far as a test is concerned.
const LONG: &str = "1000000000";

impl Town {
    fn build(count: usize) -> Self {
        let image = Image::import_with(&["--change", "LABEL com.docker.compose.project=town"]);
        let device = LoopDevice::attach(16 << 20);
        let disk = ["disk", "--file", device.path(), "--block-bytes", "4096", "--blocks", "4096"];
        let work: [(&[&str], &[&str]); 10] = [
            // Throttled, and on one CPU with others.
            (&["--cpus", "0.2", "--memory", "64m"], &["hog", "--threads", "2", "--cpus", "0"]),
            (&["--cpus", "0.3"], &["hog", "--cpus", "0"]),
            (&["--cpus", "0.1"], &["switch", "--threads", "2", "--blocks", LONG, "--cpus", "0"]),
            (&["--cpus", "0.1"], &["faults", "--pages", "1000", "--rounds", LONG]),
            (&["--memory", "24m"], &["read", "--file", "/file", "--mib", "48"]),
            (&[], &["major", "--file", "/file", "--pages", "100"]),
            (
                &["--network", "bridge", "--cpus", "0.1"],
                &["loopback", "--address", "127.0.0.1:7000", "--bytes", "100000", "--connections", LONG],
            ),
            (&[], &["flood", "--protocol", "udp", "--address", "127.0.0.1:7000", "--bytes", "10000000"]),
            (&["--device", device.path(), "--cpus", "0.1"], &[&disk[..], &["--reads", LONG]].concat()),
            (&["--device", device.path(), "--cpus", "0.1"], &[&disk[..], &["--writes", LONG]].concat()),
        ];
        let mut containers: Vec<Container> =
            work.iter().map(|(create, work)| Container::start_with(&image, create, work)).collect();
        for container in &mut containers {
            container.workload().go();
        }
        while containers.len() + 2 < count {
            containers.push(Container::start_with(&image, &[], &["hog"]));
        }
        let mut failed = Container::start_with(&image, &[], &["sleep", "--ms", "1"]);
        failed.workload().go();
        let _done = failed.workload().wait_done();
        assert_eq!(failed.exit(3).code(), Some(3));
        let hungry = ["faults", "--threads", "8", "--pages", "100000"];
        let mut killed = Container::start_with(&image, &["--memory=32m", "--memory-swap=32m"], &hungry);
        killed.workload().go();
        let _status = killed.workload().wait_end();
        containers.extend([failed, killed]);
        Self { containers, _device: device }
    }

    /// The name of one that has an interface: the queries that are asked of it alone are of its traffic too.
    fn networked(&self) -> &str {
        let on_bridge = |one: &&Container| one.inspect("{{.HostConfig.NetworkMode}}") == "bridge";
        self.containers.iter().find(on_bridge).expect("a container on a network").name()
    }
}

/// The queries of all panels and variables of the dashboards, each with where it is from.
fn of_dashboards() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for entry in fs::read_dir(deploy().join("grafana")).expect("list the dashboards") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("read a dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("a dashboard");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        for panel in dashboard["panels"].as_array().expect("panels") {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let query = target["expr"].as_str().expect("a query");
                queries.push((format!("{name}: {}", panel["title"]), substituted(query)));
            }
        }
        for variable in dashboard["templating"]["list"].as_array().expect("variables") {
            let Some(query) = variable["definition"].as_str() else { continue };
            let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (series, label) = inside.and_then(|inside| inside.rsplit_once(", ")).expect("label_values");
            let query = format!("count by ({label}) ({})", substituted(series));
            queries.push((format!("{name}: ${}", variable["name"]), query));
        }
    }
    queries
}

/// As Grafana would ask, with everything chosen.
fn substituted(query: &str) -> String {
    let query =
        query.replace("$__rate_interval", "10s").replace("$instance", ".*").replace("$container", ".*");
    assert!(!query.contains('$'), "{query}");
    query
}

/// What each rule asks for; of an alert, what it compares with its threshold.
fn of_rules(rules: &[Rule]) -> Vec<(String, String)> {
    let query = |rule: &Rule| {
        if rule.kind == "recording" {
            return rule.name.clone();
        }
        let compared = [" > ", " < "].iter().find_map(|operator| {
            let (expression, threshold) = rule.query.rsplit_once(operator)?;
            threshold.parse::<f64>().ok().map(|_| expression.to_owned())
        });
        compared.unwrap_or_else(|| panic!("{}: {} ends with no threshold", rule.name, rule.query))
    };
    rules.iter().map(|rule| (rule.name.clone(), query(rule))).collect()
}

/// Those that find no number.
fn without_data(prometheus: &Prometheus, queries: &[(String, String)]) -> Vec<(String, String)> {
    let has_data = |query: &str| prometheus.query(query).iter().any(|series| series.number().is_finite());
    queries.iter().filter(|(_, query)| !has_data(query)).cloned().collect()
}

#[test]
fn every_query_of_every_dashboard_and_rule_returns_data() {
    let (time, count) = extent();
    let config = deploy().join("config.toml");
    let config = config.to_str().expect("UTF-8");
    // Of databases there are figures where one is written to: nobody has to listen to datagrams.
    let statsd = ["--statsd", "127.0.0.1:9", "--export-interval", "1s"];
    let usual = ["--config", config, "--interval", "1s", "--keep-ended", "10m"];
    let server = Server::start(&[&usual[..], &statsd].concat());
    let town = Town::build(count);
    let prometheus = Prometheus::shipped(&deploy().join("prometheus"), server.address());
    thread::sleep(time);

    let rules = wait::until("every rule to be evaluated", || {
        let rules = prometheus.rules();
        rules.iter().all(|rule| rule.health != "unknown").then_some(rules)
    });
    assert!(rules.len() > 30, "{rules:?}");
    for Rule { name, health, last_error, .. } in &rules {
        assert_eq!(health, "ok", "{name}: {last_error}");
    }
    let mut queries = of_dashboards();
    let shipped = queries.len();
    queries.extend(of_rules(&rules));
    queries.extend(
        cadvisor::queries(town.networked()).into_iter().map(|query| ("193 and 14282".to_owned(), query)),
    );
    println!("{} queries, {shipped} of them the dashboards'", queries.len());
    assert!(shipped > 100, "{shipped} queries of dashboards");
    let deadline = Instant::now() + wait::LONG;
    let mut empty = without_data(&prometheus, &queries);
    while !empty.is_empty() && Instant::now() < deadline {
        thread::sleep(wait::SHORT);
        empty = without_data(&prometheus, &empty);
    }
    assert!(empty.is_empty(), "no data: {empty:#?}");
    let shown = prometheus.query("count(monitor_container_info)");
    assert!(shown[0].number() >= count as f64, "{shown:?}");
}

#[test]
fn promtool_takes_the_configuration_and_every_alert_is_tried() {
    let folder = deploy().join("prometheus");
    let promtool = |args: &[&str]| {
        let output = Command::new("promtool").args(args).current_dir(&folder).output().expect("run promtool");
        let _printed = succeeded(&format!("promtool {}", args.join(" ")), output);
    };
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["test", "rules", "tests/alerts.yml"]);
    let alerts = |text: &str, key: &str| -> BTreeSet<String> {
        text.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::to_owned).collect()
    };
    let tried = fs::read_to_string(folder.join("tests/alerts.yml")).expect("read the tests");
    let tried = alerts(&tried, "alertname: ");
    let mut shipped = BTreeSet::new();
    for entry in fs::read_dir(folder.join("rules")).expect("list the rules") {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("read rules");
        shipped.extend(alerts(&text, "- alert: "));
    }
    assert_eq!(tried, shipped);
}
