//! Databases of the test's own, which can be stopped and started again.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    container::mortal,
    env,
    http::{self, escaped},
    monitor, wait,
};

/// Makes a daemon's command from its address and its folder.
type Start = Box<dyn Fn(SocketAddr, &Path) -> Command>;

/// A daemon with an address and a folder that stay its own.
pub struct Daemon {
    address: SocketAddr,
    folder: TempDir,
    start: Start,
    /// Answers with less than 300 when the daemon is ready; `None` where TLS hides it.
    ready: Option<&'static str>,
    child: Option<Child>,
}

impl Daemon {
    /// Starts one by a command that is told the address and the folder.
    fn start(ready: Option<&'static str>, start: impl Fn(SocketAddr, &Path) -> Command + 'static) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let address = http::free_address();
        let mut daemon = Self { address, folder, start: Box::new(start), ready, child: None };
        daemon.go();
        daemon
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it, again where it was stopped.
    pub fn go(&mut self) {
        let mut command = (self.start)(self.address, self.folder.path());
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(quiet.spawn().expect("start a database"));
        wait::until("a database", || match self.ready {
            Some(path) => http::get(self.address, path).ok().filter(|answer| answer.status < 300).map(drop),
            None => std::net::TcpStream::connect(self.address).ok().map(drop),
        });
    }

    /// Ends it as its user would, and waits.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        monitor::send(&child, Signal::TERM);
        wait::until("the end of a database", || child.try_wait().expect("wait for a database"));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has nothing that outlives it but the folder, which is removed too.
        if let Some(child) = &mut self.child {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// InfluxDB 1, with users.
pub struct InfluxDb(pub Daemon);

/// Who writes to it.
const WRITER: &str = "writer";
/// Its administrator, as a header.
const ADMINISTRATOR: &str = "Authorization: Basic YWRtaW46YWRtaW4=\r\n";

impl InfluxDb {
    /// Starts one with an administrator and no database; and a user `writer` with this password.
    #[must_use]
    pub fn start(password: &str) -> Self {
        let daemon = Daemon::start(Some("/ping"), |address, folder| influxd(address, folder, None));
        let influx = Self(daemon);
        let _made = influx.order("CREATE USER admin WITH PASSWORD 'admin' WITH ALL PRIVILEGES");
        let _made = influx.order(&format!("CREATE USER {WRITER} WITH PASSWORD '{password}'"));
        fs::write(influx.password_file(), password).expect("write the password");
        influx
    }

    fn password_file(&self) -> PathBuf {
        self.0.folder.path().join("password")
    }

    /// What `monitor serve` is told for writing to a database there as `writer`, and what else.
    #[must_use]
    pub fn flags(&self, database: &str, more: &[&str]) -> Vec<String> {
        let [url, file] = [format!("http://{}", self.0.address), self.password_file().display().to_string()];
        let own = ["--influxdb-url", &url, "--influxdb-database", database, "--influxdb-user", WRITER];
        let own = own.into_iter().chain(["--influxdb-password-file", &file]);
        own.chain(more.iter().copied()).map(str::to_owned).collect()
    }

    /// Makes a database that `writer` may write to.
    pub fn make(&self, database: &str) {
        let _made = self.order(&format!("CREATE DATABASE {database}"));
        let _given = self.order(&format!("GRANT WRITE ON {database} TO {WRITER}"));
    }

    /// The rows of what a query finds: a time in nanoseconds and the columns asked for.
    #[must_use]
    pub fn query(&self, database: &str, query: &str) -> Vec<Vec<Value>> {
        let path = format!("/query?db={database}&epoch=ns&q={}", escaped(query));
        let answer: Value = self.ask("GET", &path);
        let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
        let rows = series.iter().flat_map(|one| one["values"].as_array().cloned().unwrap_or_default());
        rows.map(|row| row.as_array().cloned().expect("a row")).collect()
    }

    fn order(&self, order: &str) -> Value {
        self.ask("POST", &format!("/query?q={}", escaped(order)))
    }

    fn ask(&self, method: &str, path: &str) -> Value {
        let answer = http::ask(self.0.address, method, path, ADMINISTRATOR);
        let answer: Value = answer.unwrap_or_else(|error| panic!("{path}: {error}")).json();
        assert!(answer["results"][0]["error"].is_null(), "{path}: {answer}");
        answer
    }
}

/// InfluxDB 1 behind TLS, without users; the certificate is at the path.
#[must_use]
pub fn influxdb_with_tls(certificate: &Path, key: &Path) -> Daemon {
    let files = (certificate.to_owned(), key.to_owned());
    Daemon::start(None, move |address, folder| influxd(address, folder, Some((&files.0, &files.1))))
}

fn influxd(address: SocketAddr, folder: &Path, tls: Option<(&Path, &Path)>) -> Command {
    let tls = tls.map_or(String::from("auth-enabled = true\n"), |(certificate, key)| {
        let (certificate, key) = (certificate.display(), key.display());
        format!(
            "https-enabled = true\nhttps-certificate = \"{certificate}\"\nhttps-private-key = \"{key}\"\n"
        )
    });
    let folder = folder.display();
    let rpc = http::free_address();
    let config = format!(
        "reporting-disabled = true\nbind-address = \"{rpc}\"\n[meta]\ndir = \"{folder}/meta\"\n\
         [data]\ndir = \"{folder}/data\"\nwal-dir = \"{folder}/wal\"\n[monitor]\nstore-enabled = false\n\
         [http]\nbind-address = \"{address}\"\nlog-enabled = false\n{tls}"
    );
    let file = format!("{folder}/influxdb.conf");
    fs::write(&file, config).expect("write the configuration");
    let mut command = mortal("influxd");
    command.args(["-config", &file]);
    command
}

/// `VictoriaMetrics`.
#[must_use]
pub fn victoria_metrics() -> Daemon {
    Daemon::start(Some("/health"), |address, folder| {
        let mut command = mortal(&env::victoria_metrics_bin().display().to_string());
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-storageDataPath={}", folder.join("data").display()))
            // What has just come is to be found.
            .args(["-search.latencyOffset=0s", "-search.disableCache", "-loggerLevel=ERROR"])
            .arg("-retentionPeriod=1y");
        command
    })
}

/// A Prometheus that scrapes nothing and takes what is written to it.
#[must_use]
pub fn prometheus_receiver() -> Daemon {
    Daemon::start(Some("/-/ready"), |address, folder| {
        let file = folder.join("prometheus.yml");
        fs::write(&file, "{}").expect("write the configuration");
        let mut command = mortal("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--web.enable-remote-write-receiver", "--log.level=error"]);
        command
    })
}
