//! Network traffic by interface, each packet of a machine's counted for one container.

use crate::{
    cadvisor::{
        frame::{NetworkOwner, Subject, What},
        info::{Interface, Network},
    },
    model,
};

/// Beginnings of the names of interfaces that cAdvisor leaves out: what passes them passes another one too, or none.
const LEFT_OUT: [&str; 4] = ["lo", "veth", "docker", "nerdctl"];

/// What stands for the interface of a container in the machine's network: the traffic of its own sockets.
const SOCKETS: &str = "sockets";

/// The traffic of the machine's interfaces, or of a container's.
pub(super) fn network(subject: &Subject<'_>) -> Network {
    let interfaces: Vec<Interface> = match subject.what {
        What::Machine(_) => machine(subject),
        What::Container(container) => match subject.network_owner() {
            NetworkOwner::Itself => {
                let seen = container.measurements.network.interfaces.as_deref().unwrap_or_default();
                seen.iter().filter(|seen| !is_left_out(&seen.name)).map(of_container).collect()
            }
            NetworkOwner::Machine => sockets(&container.measurements.network).into_iter().collect(),
            NetworkOwner::Another => Vec::new(),
        },
        What::Cgroup(_) => Vec::new(),
    };
    Network { first: interfaces.first().cloned(), interfaces }
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|beginning| name.starts_with(beginning))
}

fn machine(subject: &Subject<'_>) -> Vec<Interface> {
    let interfaces = subject.frame.snapshot.host.totals.interfaces.as_deref().unwrap_or_default();
    interfaces
        .iter()
        .filter(|interface| !is_left_out(&interface.name))
        .map(|interface| Interface {
            name: interface.name.clone(),
            rx_bytes: interface.traffic.rx_bytes_total,
            rx_packets: interface.traffic.rx_packets_total,
            rx_errors: interface.traffic.rx_errors_total,
            rx_dropped: interface.traffic.rx_dropped_total,
            tx_bytes: interface.traffic.tx_bytes_total,
            tx_packets: interface.traffic.tx_packets_total,
            tx_errors: interface.traffic.tx_errors_total,
            tx_dropped: interface.traffic.tx_dropped_total,
        })
        .collect()
}

fn of_container(interface: &model::Interface) -> Interface {
    Interface {
        name: interface.name.clone(),
        rx_bytes: Some(interface.rx_bytes_total),
        rx_packets: Some(interface.rx_packets_total),
        rx_errors: Some(interface.rx_errors_total),
        rx_dropped: Some(interface.rx_dropped_total),
        tx_bytes: Some(interface.tx_bytes_total),
        tx_packets: Some(interface.tx_packets_total),
        tx_errors: Some(interface.tx_errors_total),
        tx_dropped: Some(interface.tx_dropped_total),
    }
}

fn sockets(counted: &model::Network) -> Option<Interface> {
    Some(Interface {
        name: SOCKETS.to_owned(),
        rx_bytes: Some(counted.rx_bytes_total?),
        rx_packets: counted.rx_packets_total,
        rx_errors: None,
        rx_dropped: None,
        tx_bytes: counted.tx_bytes_total,
        tx_packets: counted.tx_packets_total,
        tx_errors: None,
        tx_dropped: None,
    })
}
