//! `StatsD`, and Datadog's dialect of it: lines of text in datagrams.
//! <https://github.com/statsd/statsd/blob/v0.10.2/docs/metric_types.md>,
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>
//!
//! Counters are sent as what they have grown by since the last export, everything else as it is. Names are the catalogue's.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::{
    net::{UdpSocket, UnixDatagram},
    time::timeout,
};

use super::{
    Batch, Deliver, Encode, Export, Failure, Taken, Then,
    rows::{Field, Row, Subject, rows},
};
use crate::model::{Container, Kind, Value};

/// Where to send to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsD {
    /// The daemon's socket.
    pub socket: Socket,
    /// What it understands.
    pub dialect: Dialect,
}

/// A socket that takes datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// UDP, as `ADDRESS:PORT`.
    Udp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// What a metric is about is part of its name.
    StatsD,
    /// It is in tags.
    DogStatsD,
}

/// What fits into a frame of Ethernet, headers and a tunnel's among them: what Datadog's own clients send.
const UDP_BYTES: usize = 1432;
/// The receive buffer of Datadog's agent.
const UNIX_BYTES: usize = 8192;
/// How long a socket may be full.
const PATIENCE: Duration = Duration::from_secs(1);

impl Socket {
    /// What is wrong with a text that is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix://") {
            let is_path = Path::new(path).is_absolute();
            return if is_path { Ok(Self::Unix(path.into())) } else { Err("is no unix:///PATH") };
        }
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && is_port(port) => Ok(Self::Udp(text.to_owned())),
            _ => Err("is neither ADDRESS:PORT nor unix:///PATH"),
        }
    }

    /// Whether it is one of this machine's own.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// For reading.
    pub(super) fn destination(&self) -> String {
        match self {
            Self::Udp(address) => address.clone(),
            Self::Unix(path) => format!("unix://{}", path.display()),
        }
    }
}

impl StatsD {
    /// The side that writes lines, with these tags where there are tags.
    pub(super) fn encoder(&self, tags: &[(String, String)]) -> Box<dyn Encode> {
        let most = match self.socket {
            Socket::Udp(_) => UDP_BYTES,
            Socket::Unix(_) => UNIX_BYTES,
        };
        Box::new(Lines {
            dialect: self.dialect,
            most,
            tags: tags.to_vec(),
            before: HashMap::new(),
            last: None,
        })
    }

    /// The side that sends them.
    pub(super) fn deliverer(self) -> Box<dyn Deliver> {
        Box::new(Sender::new(self.socket))
    }
}

struct Lines {
    dialect: Dialect,
    /// Bytes in a datagram at most.
    most: usize,
    tags: Vec<(String, String)>,
    /// Counters at the last export, by name and tags.
    before: HashMap<String, i128>,
    /// When that was.
    last: Option<Timestamp>,
}

impl Encode for Lines {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch> {
        let before = std::mem::take(&mut self.before);
        let mut packing = Packing { most: self.most, ..Packing::default() };
        for row in rows(export) {
            let (prefix, tags) = self.name(&row);
            for field in &row.fields {
                self.put(&mut packing, &prefix, &tags, &row, field, &before);
            }
            for spread in &row.spreads {
                let (group, name, latency) = (spread.of.group, spread.of.name, spread.latency);
                for (quantile, value) in
                    [("p50", latency.p50_ns), ("p90", latency.p90_ns), ("p99", latency.p99_ns)]
                {
                    if let Some(value) = value {
                        packing.put(&format!("{prefix}.{group}.{name}_{quantile}_ns:{value}|g{tags}"));
                    }
                }
            }
        }
        self.last = Some(export.snapshot.taken_at);
        packing.batches()
    }
}

impl Lines {
    /// What the names of a row begin with, and what its lines end in.
    fn name(&self, row: &Row<'_>) -> (String, String) {
        let kind = row.subject.kind(".");
        let told = row.tags.iter().map(|(name, value)| (name.as_ref(), *value));
        match self.dialect {
            Dialect::StatsD => {
                let about = match row.subject {
                    Subject::Container(one) => plain(&whole_name(one)),
                    _ => plain(row.tags.first().map_or("", |(_, value)| value)),
                };
                (if about.is_empty() { kind } else { format!("{kind}.{about}") }, String::new())
            }
            Dialect::DogStatsD => {
                let added = self.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let mut tags = String::new();
                for (name, value) in told.chain(added).filter(|(_, value)| !value.is_empty()) {
                    let mark = if tags.is_empty() { "|#" } else { "," };
                    // Writing to a String cannot fail.
                    let _ = write!(tags, "{mark}{name}:{}", tag_value(value));
                }
                (kind, tags)
            }
        }
    }

    fn put(
        &mut self,
        packing: &mut Packing,
        prefix: &str,
        tags: &str,
        row: &Row<'_>,
        field: &Field<'_>,
        before: &HashMap<String, i128>,
    ) {
        let name = format!("{prefix}.{}", field.full_name("."));
        match (field.kind, field.value) {
            (Kind::Counter, Value::Integer(now)) => {
                let series = format!("{} {name}{tags}", run(row));
                let growth = match before.get(&series) {
                    Some(before) => now - before,
                    // What began after the last export began at 0.
                    None if self.began_since(row) => now,
                    None => 0,
                };
                self.before.insert(series, now);
                // A counter that went backwards has begun anew.
                let growth = if growth < 0 { now } else { growth };
                if growth > 0 {
                    packing.put(&format!("{name}:{growth}|c{tags}"));
                }
            }
            (_, value @ (Value::Integer(_) | Value::Real(_))) => {
                packing.put(&format!("{name}:{value}|g{tags}"));
            }
            (_, Value::Text(_)) => {}
        }
    }

    fn began_since(&self, row: &Row<'_>) -> bool {
        let counting_since = match row.subject {
            Subject::Container(one) => Some(one.counting_since),
            Subject::Cgroup(one) => Some(one.counting_since),
            _ => None,
        };
        self.last.zip(counting_since).is_some_and(|(last, since)| since > last)
    }
}

/// What a container is called where nothing else is told of it. Names of a pod's containers are its own: every other pod may have
/// the same.
fn whole_name(container: &Container) -> Cow<'_, str> {
    let name = container.name.as_deref().unwrap_or(&container.short_id);
    match &container.pod {
        None => name.into(),
        Some(pod) => {
            let told = [pod.namespace.as_deref(), Some(pod.name.as_deref().unwrap_or(&pod.uid)), Some(name)];
            told.into_iter().flatten().collect::<Vec<_>>().join("/").into()
        }
    }
}

/// What tells apart those that are called the same. What is counted begins anew with each run of a container.
fn run(row: &Row<'_>) -> String {
    match row.subject {
        Subject::Container(one) => format!("{}/{}", one.id, one.cgroup.id),
        Subject::Cgroup(one) => one.cgroup.id.to_string(),
        _ => String::new(),
    }
}

/// A part of a name, between dots.
fn plain(text: &str) -> String {
    let one = |character: char| {
        let is_plain = character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if is_plain { character } else { '_' }
    };
    text.trim_matches('/').chars().map(one).collect()
}

/// A tag's value without what would end it or the line.
fn tag_value(text: &str) -> String {
    let one = |character: char| {
        if matches!(character, ',' | '|' | '#') || character.is_control() { '_' } else { character }
    };
    text.chars().map(one).collect()
}

/// Lines in as few datagrams as they fit into.
#[derive(Default)]
struct Packing {
    most: usize,
    full: Vec<Batch>,
    text: String,
    samples: u64,
}

impl Packing {
    fn put(&mut self, line: &str) {
        if !self.text.is_empty() && self.text.len() + 1 + line.len() > self.most {
            self.close();
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.samples += 1;
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            let bytes = Bytes::from(std::mem::take(&mut self.text));
            self.full.push(Batch { bytes, samples: std::mem::take(&mut self.samples) });
        }
    }

    fn batches(mut self) -> Vec<Batch> {
        self.close();
        self.full
    }
}

/// Sends datagrams. One that cannot be sent now is not sent at all: its values are of this moment.
pub(super) struct Sender {
    to: Socket,
    open: Option<Open>,
}

enum Open {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Sender {
    pub(super) fn new(to: Socket) -> Self {
        Self { to, open: None }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Self::connect(&self.to).await?,
        };
        match &open {
            Open::Udp(socket) => socket.send(bytes).await?,
            Open::Unix(socket) => socket.send(bytes).await?,
        };
        // After an error the name may stand for another address, or the path for another socket.
        self.open = Some(open);
        Ok(())
    }

    async fn connect(to: &Socket) -> io::Result<Open> {
        match to {
            Socket::Udp(address) => Ok(Open::Udp(connect_udp(address).await?)),
            Socket::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Ok(Open::Unix(socket))
            }
        }
    }
}

/// A socket of the family of the first address that a name stands for.
pub(super) async fn connect_udp(address: &str) -> io::Result<UdpSocket> {
    let mut addresses = tokio::net::lookup_host(address).await?;
    let first = addresses.next().ok_or_else(|| io::Error::other("the name stands for no address"))?;
    let socket = UdpSocket::bind(if first.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(first).await?;
    Ok(socket)
}

impl Deliver for Sender {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            match timeout(PATIENCE, self.send(&batch.bytes)).await {
                Ok(Ok(())) => Ok(Taken::default()),
                Ok(Err(error)) => Err(failure(&error)),
                Err(_elapsed) => Err(failure(&io::ErrorKind::TimedOut.into())),
            }
        })
    }
}

fn failure(error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::ConnectionRefused => ": nobody listens there",
        io::ErrorKind::NotFound => ": there is no such socket",
        io::ErrorKind::TimedOut => ": it takes nothing",
        _ => "",
    };
    // Failures of one kind have to be told apart from those of others, and nothing more.
    let kind = error.raw_os_error().and_then(|number| u16::try_from(number).ok()).unwrap_or_default();
    Failure { kind, why: format!("{error}{advice}"), then: Then::GiveUp }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            ContainerState, Latency, Pod,
            testing::{container, snapshot},
        },
        output::prometheus::{Selection, Totals},
    };

    fn switches(id: &str, count: u64, since: i64) -> Container {
        let mut one = container(id);
        one.counting_since = Timestamp::from_second(since).unwrap();
        one.measurements.scheduler.voluntary_switches_total = Some(count);
        one.measurements.pids.current = Some(3);
        one.measurements.scheduler.runq_latency = Some(Latency { p99_ns: Some(9), ..Latency::default() });
        one
    }

    fn lines(lines: &mut dyn Encode, second: i64, containers: Vec<Container>) -> Vec<String> {
        let snapshot = snapshot(second, containers);
        let export =
            Export { snapshot: &snapshot, totals: &Totals::default(), selection: &Selection::default() };
        let mut all = Vec::new();
        for batch in lines.encode(&export) {
            assert!(batch.bytes.len() <= UDP_BYTES, "{}", batch.bytes.len());
            let text = String::from_utf8(batch.bytes.to_vec()).unwrap();
            assert_eq!(batch.samples, text.lines().count() as u64);
            all.extend(text.lines().map(str::to_owned));
        }
        all
    }

    fn encoder(dialect: Dialect) -> Box<dyn Encode> {
        let tags = [("env".to_owned(), "a|b".to_owned())];
        StatsD { socket: Socket::parse("h:8125").unwrap(), dialect }.encoder(&tags)
    }

    #[test]
    fn counters_are_growth_and_gauges_are_as_they_are() {
        let mut dog = encoder(Dialect::DogStatsD);
        let first = lines(dog.as_mut(), 10, vec![switches("a", 100, 0)]);
        let tags = "|#id:a,name:c-a,image:busybox:latest,env:a_b";
        assert_eq!(
            first,
            [
                format!("monitor.container.pids.current:3|g{tags}"),
                format!("monitor.container.scheduler.runq_latency_p99_ns:9|g{tags}"),
            ]
        );
        let grown = vec![switches("a", 107, 0), switches("b", 5, 11), switches("c", 5, 9)];
        let second = lines(dog.as_mut(), 20, grown);
        let counters: Vec<&String> = second.iter().filter(|line| line.contains("|c|")).collect();
        assert_eq!(counters.len(), 2, "of c it is not known when it counted: {counters:?}");
        assert!(counters[0].starts_with("monitor.container.scheduler.voluntary_switches_total:7|c|#id:a,"));
        assert!(counters[1].starts_with("monitor.container.scheduler.voluntary_switches_total:5|c|#id:b,"));
    }

    #[test]
    fn without_tags_the_container_is_in_the_name() {
        let mut plain = encoder(Dialect::StatsD);
        let mut one = switches("a", 100, 0);
        one.name = Some("we.b/1".to_owned());
        let first = lines(plain.as_mut(), 10, vec![one]);
        assert_eq!(first[0], "monitor.container.we_b_1.pids.current:3|g");
    }

    #[test]
    fn containers_that_are_called_the_same_are_counted_each_by_itself() {
        let mut plain = encoder(Dialect::StatsD);
        let run = |id: &str, cgroup, count, since, pod: &str| {
            let mut run = switches(id, count, since);
            (run.cgroup.id, run.name) = (cgroup, Some("nginx".to_owned()));
            let name = Some(pod.to_owned());
            run.pod = Some(Pod { name, namespace: Some("prod".to_owned()), uid: "u".to_owned() });
            run
        };
        let ended = |mut run: Container| {
            run.state = ContainerState::Exited;
            run
        };
        let first = vec![run("a", 1, 1000, 0, "web-0"), run("b", 2, 900, 0, "web-1")];
        lines(plain.as_mut(), 10, first);
        let again = ended(run("a", 1, 1000, 0, "web-0"));
        let second = vec![again.clone(), run("a", 3, 5, 11, "web-0"), run("b", 2, 901, 0, "web-1")];
        let third = vec![run("a", 3, 6, 11, "web-0"), again, run("b", 2, 901, 0, "web-1")];
        let grown: Vec<String> = [lines(plain.as_mut(), 20, second), lines(plain.as_mut(), 30, third)]
            .into_iter()
            .flatten()
            .filter(|line| line.ends_with("|c"))
            .collect();
        let line = |pod: &str, grown: u64| {
            format!("monitor.container.prod_{pod}_nginx.scheduler.voluntary_switches_total:{grown}|c")
        };
        assert_eq!(grown, [line("web-0", 5), line("web-1", 1), line("web-0", 1)]);
    }

    #[test]
    fn lines_are_packed_into_datagrams() {
        let many = (0..100).map(|number| switches(&number.to_string(), 1, 0)).collect();
        assert_eq!(lines(encoder(Dialect::DogStatsD).as_mut(), 1, many).len(), 200);
    }

    #[test]
    fn sockets_are_parsed() {
        assert_eq!(Socket::parse("[::1]:8125"), Ok(Socket::Udp("[::1]:8125".to_owned())));
        assert_eq!(Socket::parse("unix:///run/d.sock"), Ok(Socket::Unix("/run/d.sock".into())));
        for wrong in ["localhost", "localhost:0", ":8125", "unix://d.sock", "host:port"] {
            assert!(Socket::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_daemon_that_comes_back_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.sock");
        let mut sender = Sender::new(Socket::Unix(path.clone()));
        let batch = Batch { bytes: Bytes::from_static(b"x:1|g"), samples: 1 };
        let failure = sender.deliver(&batch).await.unwrap_err();
        assert!(failure.then == Then::GiveUp && failure.why.contains("no such socket"), "{failure:?}");
        for _ in 0..2 {
            let daemon = UnixDatagram::bind(&path).unwrap();
            while sender.deliver(&batch).await.is_err() {}
            let mut bytes = [0; 16];
            let length = daemon.recv(&mut bytes).await.unwrap();
            assert_eq!(&bytes[..length], b"x:1|g");
            drop(daemon);
            std::fs::remove_file(&path).unwrap();
        }
    }
}
