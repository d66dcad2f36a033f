//! sFlow version 5: counters of the machine and, as its virtual nodes, of containers, as host sFlow sends them.
//! <https://sflow.org/sflow_version_5.txt>, <https://sflow.org/sflow_host.txt>
//!
//! The machine is the physical entity 1, containers are logical entities. Counters that are not known are all ones, levels 0.

pub(super) mod machine;
mod records;
mod xdr;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, UdpSocket},
    path::Path,
};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};

use self::{
    machine::{Machine, adapters},
    xdr::Writer,
};
use super::{
    Batch, Deliver, Encode, Export,
    statsd::{Sender, Socket},
};

/// Where to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SFlow {
    /// The collector, as `ADDRESS:PORT`.
    collector: String,
}

const DEFAULT_PORT: u16 = 6343;
/// What fits into a frame of Ethernet, as the specification asks for.
const DATAGRAM_BYTES: usize = 1400;
const VERSION: u32 = 5;
/// `counters_sample` of the standard's own.
const COUNTERS_SAMPLE: u32 = 2;
/// The machine: class 2, physical entities.
const MACHINE: Source = Source { class: 2, index: 1 };
/// Class 3, logical entities.
const LOGICAL: u32 = 3;
/// Where host sFlow begins to number them.
const FIRST_LOGICAL: u32 = 100_000;
/// The largest index.
const LAST_LOGICAL: u32 = (1 << 24) - 1;

/// What counters are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source {
    class: u32,
    index: u32,
}

impl SFlow {
    /// What is wrong with a text that is no collector.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_bare = match text.rsplit_once(':') {
            None => true,
            // The last part of an IPv6 address is no port.
            Some((host, _)) => text.ends_with(']') || (host.contains(':') && !host.ends_with(']')),
        };
        let collector = match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]:{DEFAULT_PORT}"),
            _ if is_bare && !text.is_empty() => format!("{text}:{DEFAULT_PORT}"),
            _ => text.to_owned(),
        };
        match Socket::parse(&collector)? {
            Socket::Udp(collector) => Ok(Self { collector }),
            Socket::Unix(_) => Err("is neither ADDRESS nor ADDRESS:PORT"),
        }
    }

    /// For reading.
    pub(super) fn destination(&self) -> String {
        self.collector.clone()
    }

    /// The side that makes datagrams.
    pub(super) fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Agent {
            machine: Machine::read(Path::new("/sys"), Path::new("/etc")),
            address: own_address(&self.collector).ok(),
            collector: self.collector.clone(),
            datagrams: 0,
            sources: HashMap::new(),
            next: FIRST_LOGICAL,
        })
    }

    /// The side that sends them.
    pub(super) fn deliverer(self) -> Box<dyn Deliver> {
        Box::new(Sender::new(Socket::Udp(self.collector)))
    }
}

/// The address that the collector sees us at. Nothing is sent for that.
fn own_address(collector: &str) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("[::]:0").or_else(|_no_ipv6| UdpSocket::bind("0.0.0.0:0"))?;
    let connected = socket.connect(collector).and_then(|()| socket.local_addr());
    let address = match connected {
        Ok(address) => address,
        Err(_other_family) => {
            let socket = UdpSocket::bind("0.0.0.0:0")?;
            socket.connect(collector)?;
            socket.local_addr()?
        }
    };
    Ok(address.ip().to_canonical())
}

/// An sFlow agent.
struct Agent {
    machine: Machine,
    address: Option<IpAddr>,
    collector: String,
    datagrams: u32,
    /// Indices of containers by the ids of their cgroups, and how many samples of each there were; the machine is 0.
    sources: HashMap<u64, (Source, u32)>,
    next: u32,
}

impl Encode for Agent {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch> {
        let snapshot = export.snapshot;
        // By its name it may be reachable only now.
        self.address = self.address.or_else(|| own_address(&self.collector).ok());
        let adapters = adapters(Path::new("/sys"));
        let mut samples = vec![self.sample(0, &records::machine(snapshot, &self.machine, &adapters))];
        let mut kept = HashMap::from([(0, self.source(0))]);
        for container in &snapshot.containers {
            let id = container.cgroup.id;
            let records = records::container(container, &snapshot.host, &self.machine, MACHINE);
            samples.push(self.sample(id, &records));
            kept.insert(id, self.source(id));
        }
        self.sources = kept;
        self.pack(&samples)
    }
}

impl Agent {
    /// What a cgroup is known by here, and its samples so far.
    fn source(&mut self, cgroup: u64) -> (Source, u32) {
        if let Some(known) = self.sources.get(&cgroup) {
            return *known;
        }
        let source = if cgroup == 0 { MACHINE } else { Source { class: LOGICAL, index: self.next } };
        if cgroup != 0 {
            self.next = if self.next == LAST_LOGICAL { FIRST_LOGICAL } else { self.next + 1 };
        }
        self.sources.insert(cgroup, (source, 0));
        (source, 0)
    }

    fn sample(&mut self, cgroup: u64, records: &[(u32, Writer)]) -> Writer {
        let (source, before) = self.source(cgroup);
        let number = before.wrapping_add(1);
        self.sources.insert(cgroup, (source, number));
        let mut body = Writer::default();
        body.int(number).int((source.class << 24) | source.index);
        body.int(u32::try_from(records.len()).unwrap_or_default());
        for (format, record) in records {
            body.tagged(*format, record);
        }
        let mut sample = Writer::default();
        sample.tagged(COUNTERS_SAMPLE, &body);
        sample
    }

    /// Samples in as few datagrams as they fit into, each with one at least.
    fn pack(&mut self, samples: &[Writer]) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut rest = samples;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |sample: &&Writer| {
                bytes += sample.bytes.len();
                bytes <= DATAGRAM_BYTES - 64
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (now, later) = rest.split_at(count);
            batches.push(self.datagram(now));
            rest = later;
        }
        batches
    }

    fn datagram(&mut self, samples: &[Writer]) -> Batch {
        self.datagrams = self.datagrams.wrapping_add(1);
        let mut all = Writer::default();
        all.int(VERSION);
        match self.address {
            Some(IpAddr::V4(address)) => all.int(1).opaque(&address.octets()),
            Some(IpAddr::V6(address)) => all.int(2).opaque(&address.octets()),
            None => all.int(1).opaque(&[0; 4]),
        };
        // Of several agents on one machine this is the first.
        all.int(0).int(self.datagrams).counter(Some(uptime_ms()));
        all.int(u32::try_from(samples.len()).unwrap_or_default());
        for sample in samples {
            all.opaque(&sample.bytes);
        }
        let samples = u64::try_from(samples.len()).unwrap_or(u64::MAX);
        Batch { bytes: Bytes::from(all.bytes), samples }
    }
}

/// Since the machine was booted.
fn uptime_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    seconds * 1000 + u64::try_from(now.tv_nsec / 1_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::testing::{container, snapshot},
        output::prometheus::{Selection, Totals},
    };

    #[test]
    fn collectors_are_parsed() {
        for (text, collector) in [
            ("collector", "collector:6343"),
            ("10.0.0.1:7000", "10.0.0.1:7000"),
            ("::1", "[::1]:6343"),
            ("[::1]:7000", "[::1]:7000"),
        ] {
            assert_eq!(SFlow::parse(text).map(|one| one.collector), Ok(collector.to_owned()), "{text}");
        }
        for wrong in ["", "a:b", "unix:///x"] {
            assert!(SFlow::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn datagrams_are_small_and_numbered() {
        let mut agent = SFlow::parse("127.0.0.1").unwrap().encoder();
        let many = (1..=20).map(|number| {
            let mut one = container(&number.to_string());
            one.cgroup.id = number;
            one
        });
        let snapshot = snapshot(3, many.collect());
        let export =
            Export { snapshot: &snapshot, totals: &Totals::default(), selection: &Selection::default() };
        let first = agent.encode(&export);
        let second = agent.encode(&export);
        assert_eq!(first.iter().map(|batch| batch.samples).sum::<u64>(), 21);
        assert!(first.iter().all(|batch| batch.bytes.len() <= DATAGRAM_BYTES));
        let number = |batch: &Batch| u32::from_be_bytes(batch.bytes[16..20].try_into().unwrap());
        assert_eq!((number(&first[0]), number(&second[0])), (1, u32::try_from(first.len()).unwrap() + 1));
        assert_eq!(first[0].bytes[..12], [0, 0, 0, 5, 0, 0, 0, 1, 127, 0, 0, 1]);
    }
}
