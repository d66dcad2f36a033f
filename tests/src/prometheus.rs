//! A Prometheus server of the test's own.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    process::{Child, Stdio},
};

use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    container::mortal,
    http::{self, escaped},
    wait,
};

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

impl Prometheus {
    /// Scrapes each of these paths with their parameters, as a job of the name beside it.
    #[must_use]
    pub fn start(target: SocketAddr, jobs: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("make a folder");
        let jobs: Vec<serde_json::Value> = jobs.iter().map(|(name, path)| job(target, name, path)).collect();
        let config = serde_json::json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s" },
            "scrape_configs": jobs,
        });
        let file = data.path().join("prometheus.yml");
        // JSON is YAML.
        fs::write(&file, config.to_string()).expect("write the configuration");
        let address = http::free_address();
        let child = mortal("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
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

    /// What a query finds now.
    #[must_use]
    pub fn query(&self, query: &str) -> Vec<Series> {
        self.ask(&format!("/api/v1/query?query={}", escaped(query)))
    }

    /// What a query finds at a moment, in seconds since 1970.
    #[must_use]
    pub fn query_at(&self, query: &str, at: f64) -> Vec<Series> {
        self.ask(&format!("/api/v1/query?query={}&time={at:.3}", escaped(query)))
    }

    /// What a query finds as soon as it finds anything; panics when it does not.
    #[must_use]
    pub fn wait_for(&self, query: &str) -> Vec<Series> {
        wait::until(&format!("data of {query}"), || Some(self.query(query)).filter(|found| !found.is_empty()))
    }

    fn ask(&self, path: &str) -> Vec<Series> {
        let answer = http::get(self.address, path).unwrap_or_else(|error| panic!("{path}: {error}"));
        answer.json::<Answer<Found>>().data.result
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
