//! Collectors of metrics: their published protocols, spoken by others' code.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::{
        ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    common::v1::{KeyValue, any_value},
    metrics::v1::{Metric, ResourceMetrics},
};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    container::{mortal, succeeded},
    http, wait,
};

/// An OTLP collector that speaks gRPC.
pub struct Otlp {
    address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    resources: Mutex<Vec<ResourceMetrics>>,
    /// How the next calls are answered.
    answers: Mutex<Vec<Status>>,
    /// Data points that are refused of each call from now on.
    refused: Mutex<i64>,
    headers: Mutex<Vec<String>>,
}

struct Service(Arc<Kept>);

#[tonic::async_trait]
impl MetricsService for Service {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        if let Some(status) = self.0.answers.lock().expect("answers").pop() {
            return Err(status);
        }
        let header = request.metadata().get("x-token").and_then(|value| value.to_str().ok());
        self.0.headers.lock().expect("headers").extend(header.map(str::to_owned));
        self.0.resources.lock().expect("resources").extend(request.into_inner().resource_metrics);
        let rejected_data_points = *self.0.refused.lock().expect("refused");
        let partial_success = (rejected_data_points > 0).then(|| ExportMetricsPartialSuccess {
            rejected_data_points,
            error_message: "too many dots".to_owned(),
        });
        Ok(Response::new(ExportMetricsServiceResponse { partial_success }))
    }
}

impl Otlp {
    /// Starts one that answers first with these, the last one first.
    #[must_use]
    pub fn start(answers: Vec<Status>) -> Self {
        let kept = Arc::new(Kept { answers: Mutex::new(answers), ..Kept::default() });
        let address = http::free_address();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let service = MetricsServiceServer::new(Service(Arc::clone(&kept)));
        // It ends with the test's process.
        thread::spawn(move || runtime.block_on(Server::builder().add_service(service).serve(address)));
        Self { address, kept }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses so many data points of each call from now on.
    pub fn refuse(&self, points: i64) {
        *self.kept.refused.lock().expect("refused") = points;
    }

    /// The values of the header `x-token` that came.
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        self.kept.headers.lock().expect("headers").clone()
    }

    /// The metrics of each resource with this attribute, in the order in which they came.
    #[must_use]
    pub fn metrics_of(&self, key: &str, value: &str) -> Vec<Vec<Metric>> {
        let resources = self.kept.resources.lock().expect("resources");
        let is_meant = |resource: &&ResourceMetrics| {
            let all = resource.resource.as_ref().map(|one| attributes(&one.attributes));
            all.is_some_and(|all| all.get(key).map(String::as_str) == Some(value))
        };
        let metrics = |resource: &ResourceMetrics| {
            resource.scope_metrics.iter().flat_map(|scope| scope.metrics.clone()).collect()
        };
        resources.iter().filter(is_meant).map(metrics).collect()
    }
}

/// Attributes that are texts.
#[must_use]
pub fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |one: &KeyValue| match one.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some((one.key.clone(), text.clone())),
        _ => None,
    };
    all.iter().filter_map(text).collect()
}

/// collectd as a `StatsD` daemon, which writes what it has counted to files every second.
pub struct Collectd {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Collectd {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        // Below a folder whose name begins with a dot it writes nothing.
        let folder = tempfile::Builder::new().prefix("collectd-").tempdir().expect("make a folder");
        let address = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let place = folder.path().display();
        let config = format!(
            "Hostname \"here\"\nFQDNLookup false\nInterval 1\nBaseDir \"{place}\"\nPIDFile \"{place}/pid\"\n\
             TypesDB \"/usr/share/collectd/types.db\"\nLoadPlugin statsd\nLoadPlugin csv\n\
             <Plugin statsd>\nHost \"127.0.0.1\"\nPort \"{}\"\n</Plugin>\n\
             <Plugin csv>\nDataDir \"{place}/csv\"\nStoreRates false\n</Plugin>\n",
            address.port()
        );
        let file = folder.path().join("collectd.conf");
        fs::write(&file, config).expect("write the configuration");
        let child = mortal("collectd")
            .args(["-f", "-C", &file.display().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start collectd");
        let listens = |table: &str| {
            let wanted = format!(":{:04X} ", address.port());
            fs::read_to_string(table).expect("read the sockets").contains(&wanted)
        };
        wait::until("collectd", || listens("/proc/net/udp").then_some(()));
        Self { child, address, folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last value of a metric; of a counter all that was counted.
    #[must_use]
    pub fn value(&self, kind: &str, name: &str) -> Option<f64> {
        let folder = self.folder.path().join("csv/here/statsd");
        let files = fs::read_dir(folder).ok()?;
        let name = format!("{kind}-{name}-");
        // Of two days there may be two.
        let mut files: Vec<_> = files
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path: &PathBuf| {
                path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name))
            })
            .collect();
        files.sort();
        let text = fs::read_to_string(files.last()?).ok()?;
        text.lines().next_back()?.rsplit_once(',')?.1.parse().ok()
    }
}

impl Drop for Collectd {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A certificate for 127.0.0.1 that vouches for itself, and its key.
#[must_use]
pub fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let config = folder.join("openssl.conf");
    let text = "[req]\ndistinguished_name=name\nx509_extensions=extensions\nprompt=no\n[name]\nCN=test\n\
                [extensions]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n";
    fs::write(&config, text).expect("write the configuration");
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .arg("-config")
        .arg(&config)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("run openssl");
    let _printed = succeeded("openssl req", output);
    (certificate, key)
}
