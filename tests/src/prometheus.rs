//! A Prometheus server of the test's own.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    container::{mortal, succeeded},
    http::{self, escaped},
    wait,
};

/// Its configuration's file.
const CONFIG: &str = "prometheus.yml";

/// A running one, which scrapes every second.
#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    _data: TempDir,
}

/// One series of an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Series {
    /// Its labels.
    pub metric: BTreeMap<String, String>,
    /// The time in seconds and the value.
    #[serde(default)]
    value: Option<(f64, String)>,
    /// The same of each sample, where a range was asked for.
    #[serde(default)]
    values: Vec<(f64, String)>,
}

#[derive(Debug, Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct Found {
    result: Vec<Series>,
}

/// A rule as the server has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    /// The name of the alert, or of what is recorded.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// `recording` or `alerting`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `ok` once it was evaluated.
    pub health: String,
    /// What went wrong when it was evaluated last.
    #[serde(default, rename = "lastError")]
    pub last_error: String,
}

#[derive(Debug, Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

impl Series {
    /// Its value.
    #[must_use]
    pub fn number(&self) -> f64 {
        let (_, value) = self.value.as_ref().expect("one value");
        value.parse().expect("a number")
    }

    /// Times and values.
    #[must_use]
    pub fn samples(&self) -> Vec<(f64, f64)> {
        self.values.iter().map(|(at, value)| (*at, value.parse().expect("a number"))).collect()
    }
}

/// What a query in `PromQL` finds at a server now, or at a moment in seconds since 1970.
#[must_use]
pub fn found(server: SocketAddr, query: &str, at: Option<f64>) -> Vec<Series> {
    let time = at.map(|at| format!("&time={at:.3}")).unwrap_or_default();
    let path = format!("/api/v1/query?query={}{time}", escaped(query));
    let answer = http::get(server, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
    answer.json::<Answer<Found>>().data.result
}

/// What `promtool check metrics` complains of in a page.
#[must_use]
pub fn complaints(page: &[u8]) -> Vec<String> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run promtool");
    promtool.stdin.take().expect("its standard input").write_all(page).expect("pass the metrics on");
    let output = promtool.wait_with_output().expect("wait for promtool");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() || !said.is_empty(), "promtool: {}", output.status);
    said.lines().map(str::to_owned).collect()
}

impl Prometheus {
    /// Scrapes each of these paths with their parameters, as a job of the name beside it.
    #[must_use]
    pub fn start(target: SocketAddr, jobs: &[(&str, &str)]) -> Self {
        Self::start_with(target, jobs, &[])
    }

    /// The same with more arguments.
    #[must_use]
    pub fn start_with(target: SocketAddr, jobs: &[(&str, &str)], args: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("make a folder");
        let jobs: Vec<serde_json::Value> = jobs.iter().map(|(name, path)| job(target, name, path)).collect();
        let config = serde_json::json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s" },
            "scrape_configs": jobs,
        });
        // JSON is YAML.
        fs::write(data.path().join(CONFIG), config.to_string()).expect("write the configuration");
        Self::spawn(data, args)
    }

    /// With a configuration that is shipped and its rules, but for where monitor is, and every second.
    #[must_use]
    pub fn shipped(folder: &Path, target: SocketAddr) -> Self {
        let data = tempfile::tempdir().expect("make a folder");
        let copied = Command::new("cp").arg("-r").arg(folder.join("rules")).arg(data.path()).output();
        let _printed = succeeded("cp", copied.expect("run cp"));
        let config = fs::read_to_string(folder.join(CONFIG)).expect("read the configuration");
        let ours = config.replace("127.0.0.1:8080", &target.to_string()).replace("15s", "1s");
        assert!(ours.contains(&target.to_string()), "nothing is scraped: {config}");
        fs::write(data.path().join(CONFIG), ours).expect("write the configuration");
        Self::spawn(data, &[])
    }

    fn spawn(data: TempDir, args: &[&str]) -> Self {
        let address = http::free_address();
        let child = mortal("prometheus")
            .arg(format!("--config.file={}", data.path().join(CONFIG).display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("start prometheus");
        let prometheus = Self { child, address, _data: data };
        wait::until("prometheus to be ready", || {
            http::get(address, "/-/ready").ok().filter(|answer| answer.status == 200)
        });
        prometheus
    }

    /// All rules.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let answer = http::get(self.address, "/api/v1/rules").expect("ask for the rules");
        let groups = answer.json::<Answer<Groups>>().data.groups;
        groups.into_iter().flat_map(|group| group.rules).collect()
    }

    /// What a query finds now.
    #[must_use]
    pub fn query(&self, query: &str) -> Vec<Series> {
        found(self.address, query, None)
    }

    /// What a query finds at a moment, in seconds since 1970.
    #[must_use]
    pub fn query_at(&self, query: &str, at: f64) -> Vec<Series> {
        found(self.address, query, Some(at))
    }

    /// What a query finds as soon as it finds anything; panics when it does not.
    #[must_use]
    pub fn wait_for(&self, query: &str) -> Vec<Series> {
        wait::until(&format!("data of {query}"), || Some(self.query(query)).filter(|found| !found.is_empty()))
    }
}

fn job(target: SocketAddr, name: &str, path: &str) -> serde_json::Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let params: BTreeMap<&str, [&str; 1]> = query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| (name, [value]))
        .collect();
    serde_json::json!({
        "job_name": name,
        "metrics_path": path,
        "params": params,
        "static_configs": [{ "targets": [target.to_string()] }],
    })
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It has nothing that outlives it but the folder, which is removed too.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
