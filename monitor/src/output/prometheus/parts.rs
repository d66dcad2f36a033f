//! What containers did through each block device and each interface, and why packets were thrown away: families of their own,
//! only where they are asked for.

use super::{
    exposition::{Exposition, Family, Kind, put_label},
    groups::Subject,
    host::put_metric,
    number::Number,
    selection::Selection,
};
use crate::model::{BlockDevice, HostInterface, Interface, InterfaceTraffic, PacketDrops};

/// Devices, interfaces or reasons of one container at most, so that one that makes interfaces without end cannot fill the
/// scraper's memory: those with the most traffic.
const MOST: usize = 32;

/// Group and name of these fields.
pub(super) const PARTS: [(&str, &str); 3] =
    [("block_io", "devices"), ("network", "interfaces"), ("network", "drops")];

/// A number of a block device.
struct DeviceFigure {
    /// Its name, without `_total`, in base units.
    name: &'static str,
    unit: &'static str,
    /// Decimal places between what was measured and the unit.
    places: u32,
    help: &'static str,
    get: fn(&BlockDevice) -> Option<u64>,
}

macro_rules! figures {
    ($($name:literal $unit:literal $places:literal $field:ident $help:literal,)*) => {
        [$(DeviceFigure {
            name: $name,
            unit: $unit,
            places: $places,
            help: $help,
            get: |device| device.$field,
        },)*]
    };
}

const DEVICE: [DeviceFigure; 13] = figures![
    "read_bytes" "bytes" 0 read_bytes_total "Bytes read.",
    "write_bytes" "bytes" 0 write_bytes_total "Bytes written.",
    "discard_bytes" "bytes" 0 discard_bytes_total "Bytes discarded.",
    "read_ops" "" 0 read_ops_total "Read requests completed.",
    "write_ops" "" 0 write_ops_total "Write requests completed.",
    "discard_ops" "" 0 discard_ops_total "Discards completed.",
    "flush_ops" "" 0 flush_ops_total "Flushes completed.",
    "read_seconds" "seconds" 9 read_ns_total "Time from beginning to completion of all reads together.",
    "write_seconds" "seconds" 9 write_ns_total "Time from beginning to completion of all writes together.",
    "charged_read_bytes" "bytes" 0 charged_read_bytes_total "Bytes read as the block controller charged them.",
    "charged_write_bytes" "bytes" 0 charged_write_bytes_total "Bytes written as the block controller charged them.",
    "charged_read_ops" "" 0 charged_read_ops_total "Reads that the block controller charged.",
    "charged_write_ops" "" 0 charged_write_ops_total "Writes that the block controller charged.",
];

/// The names of all families of a part, for the documentation.
pub(super) fn families(part: &str) -> Vec<String> {
    let of = |prefix: &str, names: Vec<String>| -> Vec<String> {
        names.iter().map(|name| format!("monitor_container_{prefix}_{name}_total")).collect()
    };
    match part {
        "devices" => of("block_io_device", DEVICE.iter().map(|figure| figure.name.to_owned()).collect()),
        "interfaces" => {
            let names =
                InterfaceTraffic::METRICS.iter().filter_map(|metric| metric.name.strip_suffix("_total"));
            of("network_interface", names.map(str::to_owned).collect())
        }
        _ => vec!["monitor_container_network_drops_total".to_owned()],
    }
}

/// Appends the parts that are selected.
pub(super) fn put(prefix: &str, subjects: &[Subject<'_>], selection: &Selection, out: &mut Exposition) {
    if selection.has("block_io", "devices") {
        put_devices(prefix, subjects, out);
    }
    if selection.has("network", "interfaces") {
        put_interfaces(prefix, subjects, out);
    }
    if selection.has("network", "drops") {
        put_drops(prefix, subjects, out);
    }
}

fn put_devices(prefix: &str, subjects: &[Subject<'_>], out: &mut Exposition) {
    let mut parts = Vec::new();
    for subject in subjects {
        let traffic = |device: &BlockDevice| device.read_bytes_total.max(device.write_bytes_total);
        for device in busiest(subject.measurements.block_io.devices.iter().flatten(), traffic) {
            let name = device.name.as_deref().unwrap_or(&device.device);
            parts.push((labels(subject, "device", name), device));
        }
    }
    for DeviceFigure { name, unit, places, help, get } in DEVICE {
        let name = format!("{prefix}_block_io_device_{name}");
        out.family(&Family { name: &name, kind: Kind::Counter, unit, help }, |samples| {
            for (labels, device) in &parts {
                let Some(value) = get(device) else { continue };
                let value = i128::from(value);
                let number = if places > 0 { Number::Shifted(value, places) } else { Number::Integer(value) };
                samples.put(labels, number);
            }
        });
    }
}

/// What an interface has counted is called as the machine's own.
fn put_interfaces(prefix: &str, subjects: &[Subject<'_>], out: &mut Exposition) {
    let mut traffic = Vec::new();
    for subject in subjects {
        let bytes = |one: &Interface| one.rx_bytes_total.max(one.tx_bytes_total);
        for one in busiest(subject.measurements.network.interfaces.iter().flatten(), bytes) {
            traffic.push((labels(subject, "interface", &one.name), counted(one)));
        }
    }
    let parts: Vec<(String, &HostInterface)> =
        traffic.iter().map(|(labels, counted)| (labels.clone(), counted)).collect();
    for metric in InterfaceTraffic::METRICS {
        put_metric(&format!("{prefix}_network_interface"), metric, &parts, out);
    }
}

fn counted(interface: &Interface) -> HostInterface {
    let Interface {
        ref name,
        rx_bytes_total,
        rx_packets_total,
        rx_errors_total,
        rx_dropped_total,
        tx_bytes_total,
        tx_packets_total,
        tx_errors_total,
        tx_dropped_total,
    } = *interface;
    let traffic = InterfaceTraffic {
        rx_bytes_total: Some(rx_bytes_total),
        rx_packets_total: Some(rx_packets_total),
        rx_errors_total: Some(rx_errors_total),
        rx_dropped_total: Some(rx_dropped_total),
        tx_bytes_total: Some(tx_bytes_total),
        tx_packets_total: Some(tx_packets_total),
        tx_errors_total: Some(tx_errors_total),
        tx_dropped_total: Some(tx_dropped_total),
        ..InterfaceTraffic::default()
    };
    HostInterface { name: name.clone(), traffic }
}

fn put_drops(prefix: &str, subjects: &[Subject<'_>], out: &mut Exposition) {
    let name = format!("{prefix}_network_drops");
    let help = "Packets of its sockets that the kernel threw away, by its reason.";
    out.family(&Family { name: &name, kind: Kind::Counter, unit: "", help }, |samples| {
        for subject in subjects {
            let drops = subject.measurements.network.drops.iter().flatten();
            for PacketDrops { reason, packets_total } in busiest(drops, |drops| drops.packets_total) {
                let labels = labels(subject, "reason", reason.as_deref().unwrap_or_default());
                samples.put(&labels, Number::Integer((*packets_total).into()));
            }
        }
    });
}

fn labels(subject: &Subject<'_>, name: &str, value: &str) -> String {
    let mut labels = subject.labels.clone();
    put_label(&mut labels, name, value);
    labels
}

/// The first [`MOST`] by traffic, in their order.
fn busiest<'a, T, K: Ord>(all: impl Iterator<Item = &'a T>, traffic: impl Fn(&T) -> K) -> Vec<&'a T> {
    let mut all: Vec<(usize, &T)> = all.enumerate().collect();
    if all.len() > MOST {
        all.sort_by_key(|(_, one)| std::cmp::Reverse(traffic(one)));
        all.truncate(MOST);
        all.sort_by_key(|(place, _)| *place);
    }
    all.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::Form, *};
    use crate::model::{Measurements, catalog::distributions, member::Form as MemberForm};

    fn exported(measurements: &Measurements, wanted: &str) -> String {
        let selection = Selection::new(&[wanted.to_owned()], &[]).unwrap();
        let mut out = Exposition::new(Form::Text);
        put("c", &[Subject { labels: "id=\"1\"".to_owned(), cgroup: 1, measurements }], &selection, &mut out);
        String::from_utf8(out.finish()).unwrap()
    }

    #[test]
    fn each_device_and_interface_has_its_series() {
        let mut measured = Measurements::default();
        let device = |name: Option<&str>, bytes| BlockDevice {
            device: "8:0".to_owned(),
            name: name.map(str::to_owned),
            read_bytes_total: Some(bytes),
            read_ns_total: Some(1_500_000_000),
            ..BlockDevice::default()
        };
        measured.block_io.devices = Some(vec![device(Some("sda"), 1), device(None, 2)]);
        let interface = Interface { name: "eth0".to_owned(), rx_bytes_total: 7, ..Interface::default() };
        measured.network.interfaces = Some(vec![interface]);
        measured.network.drops =
            Some(vec![PacketDrops { reason: Some("NO_SOCKET".to_owned()), packets_total: 3 }]);
        let text = exported(&measured, "block_io.devices");
        assert!(text.contains("c_block_io_device_read_bytes_total{id=\"1\",device=\"sda\"} 1\n"), "{text}");
        assert!(text.contains("c_block_io_device_read_bytes_total{id=\"1\",device=\"8:0\"} 2\n"), "{text}");
        assert!(
            text.contains("c_block_io_device_read_seconds_total{id=\"1\",device=\"sda\"} 1.5\n"),
            "{text}"
        );
        assert!(!text.contains("write_bytes") && !text.contains("interface"), "{text}");
        let text = exported(&measured, "network");
        assert!(
            text.contains("c_network_interface_rx_bytes_total{id=\"1\",interface=\"eth0\"} 7\n"),
            "{text}"
        );
        assert!(text.contains("c_network_drops_total{id=\"1\",reason=\"NO_SOCKET\"} 3\n"), "{text}");
        assert_eq!(exported(&measured, "memory"), "");
    }

    #[test]
    fn no_container_has_more_than_so_many() {
        let mut measured = Measurements::default();
        let interface = |number: u64| Interface {
            name: format!("v{number}"),
            rx_bytes_total: number,
            ..Interface::default()
        };
        measured.network.interfaces = Some((0..100).map(interface).collect());
        let text = exported(&measured, "network.interfaces");
        let series =
            text.lines().filter(|line| line.starts_with("c_network_interface_rx_bytes_total")).count();
        assert_eq!(series, MOST);
        assert!(text.contains("interface=\"v99\"") && !text.contains("interface=\"v0\""));
    }

    #[test]
    fn every_number_of_a_device_is_exported() {
        let Value::Object(device) = serde_json::to_value(BlockDevice::default()).unwrap() else { panic!() };
        let numbers = device.keys().filter(|name| name.ends_with("_total")).count();
        assert_eq!(numbers, DEVICE.len());
    }

    #[test]
    fn parts_are_fields_of_the_catalogue() {
        for (group, name) in PARTS {
            let found = crate::model::catalog::members().find(|one| one.group == group && one.name == name);
            assert!(found.is_some_and(|one| one.form == MemberForm::Object), "{group}.{name}");
        }
        assert!(distributions().all(|spread| PARTS.iter().all(|part| part.1 != spread.name)));
    }
}
