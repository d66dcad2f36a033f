//! The kernel's own figures of network namespaces.

use std::{
    ops::{Add, Sub},
    path::{Path, PathBuf},
    process::Command,
};

use crate::truth;

/// What passed through an interface or sockets, from the IP header on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

/// An Ethernet header, which `/proc/net/dev` counts with each packet, on every interface but the loopback one.
const ETHERNET: u64 = 14;

impl Traffic {
    /// Of an interface in a process's network namespace, link-layer headers taken off. ARP and neighbour discovery,
    /// which are no socket's, are in it: a few packets of less than 100 bytes.
    #[must_use]
    pub fn of_interface(pid: u32, name: &str) -> Self {
        let path = PathBuf::from(format!("/proc/{pid}/net/dev"));
        let text = truth::read(&path).unwrap_or_else(|| panic!("process {pid} is gone"));
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(':'));
        let line = line.unwrap_or_else(|| panic!("no interface {name} in {text}"));
        let fields: Vec<u64> =
            line.split_ascii_whitespace().map(|field| field.parse().expect("a count")).collect();
        let header = if name == "lo" { 0 } else { ETHERNET };
        Self {
            rx_bytes: fields[0] - fields[1] * header,
            rx_packets: fields[1],
            tx_bytes: fields[8] - fields[9] * header,
            tx_packets: fields[9],
        }
    }

    /// With the ends exchanged.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            rx_bytes: self.tx_bytes,
            rx_packets: self.tx_packets,
            tx_bytes: self.rx_bytes,
            tx_packets: self.rx_packets,
        }
    }
}

impl Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes + other.rx_bytes,
            rx_packets: self.rx_packets + other.rx_packets,
            tx_bytes: self.tx_bytes + other.tx_bytes,
            tx_packets: self.tx_packets + other.tx_packets,
        }
    }
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes - other.rx_bytes,
            rx_packets: self.rx_packets - other.rx_packets,
            tx_bytes: self.tx_bytes - other.tx_bytes,
            tx_packets: self.tx_packets - other.tx_packets,
        }
    }
}

/// A counter of `/proc/PID/net/snmp`, such as `Tcp` `RetransSegs`.
#[must_use]
pub fn snmp(pid: u32, protocol: &str, name: &str) -> u64 {
    let path = PathBuf::from(format!("/proc/{pid}/net/snmp"));
    let text = truth::read(&path).unwrap_or_else(|| panic!("process {pid} is gone"));
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(": "));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let place = names.split(' ').position(|other| other == name);
    let value = place.and_then(|place| values.split(' ').nth(place));
    value.unwrap_or_else(|| panic!("no {protocol} {name} in {text}")).parse().expect("a count")
}

/// Throws away packets of TCP that come into a network namespace, which goes with its container.
///
/// Netem is not in every kernel.
pub fn drop_tcp(pid: u32, rule: &[&str]) {
    let net = Path::new("/proc").join(pid.to_string()).join("ns/net");
    let namespace = format!("--net={}", net.display());
    let status = Command::new("nsenter")
        .arg(namespace)
        .args(["iptables", "--append", "INPUT", "--protocol", "tcp"])
        .args(rule)
        .args(["--jump", "DROP"])
        .status();
    assert!(status.expect("run nsenter").success(), "iptables {rule:?}");
}
