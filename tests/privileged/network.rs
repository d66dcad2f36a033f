//! Bytes and packets equal what the interfaces count that they came through, on the container whose sockets they are.

use integration_tests::{
    bracket::assert_within,
    container::{Container, Image},
    monitor::Monitor,
    net::Traffic,
    snapshot::Snapshot,
};

/// Bytes may differ from the interfaces' by this many thousandths: ARP and neighbour discovery are no socket's.
const BYTES_PER_MILLE: u64 = 1;
/// Large enough for those to be less.
const BYTES: &str = "16000000";
/// Of UDP, whose datagrams are answered one by one.
const FEWER_BYTES: &str = "4000000";

fn ours(snapshot: &Snapshot, id: &str) -> Traffic {
    let network = &snapshot.container(id).measured.network;
    Traffic {
        rx_bytes: network.rx_bytes_total.expect("bytes received"),
        rx_packets: network.rx_packets_total.expect("packets received"),
        tx_bytes: network.tx_bytes_total.expect("bytes sent"),
        tx_packets: network.tx_packets_total.expect("packets sent"),
    }
}

/// Compares with an interface but for what is no socket's: ARP and neighbour discovery, a few short packets.
fn assert_same_but_for_neighbours(who: &str, ours: Traffic, truth: Traffic) {
    /// An IPv6 router solicitation has 56 bytes, a multicast listener report 76 and more.
    const SHORT: u64 = 100;
    const FEW: u64 = 10;
    eprintln!("{who}: truth {truth:?}\n{who}: ours  {ours:?}");
    let missing = truth - ours;
    assert!(missing.rx_packets <= FEW && missing.rx_bytes <= missing.rx_packets * SHORT, "{missing:?}");
    assert!(missing.tx_packets <= FEW && missing.tx_bytes <= missing.tx_packets * SHORT, "{missing:?}");
}

fn pid(container: &Container) -> u32 {
    container.inspect("{{.State.Pid}}").parse().expect("a process id")
}

fn address(container: &Container) -> String {
    container.inspect("{{.NetworkSettings.IPAddress}}")
}

/// Lets a container transfer to itself, and compares with its loopback interface.
fn assert_loopback(create: &[&str], args: &[&str]) {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut container = Container::start_with(&image, create, &[&["loopback"], args].concat());
    let pid = pid(&container);
    let before = Traffic::of_interface(pid, "lo");
    assert_eq!(ours(&monitor.next_snapshot(), container.id()), Traffic::default(), "before the transfer");
    container.workload().go();
    let _done = container.workload().wait_done();
    let truth = Traffic::of_interface(pid, "lo") - before;
    let snapshot = monitor.next_snapshot();
    let ours = ours(&snapshot, container.id());
    assert!(truth.tx_bytes > 4_000_000, "it sent {}", truth.tx_bytes);
    eprintln!("{args:?}: truth {truth:?}\n{args:?}: ours  {ours:?}");
    assert_within("bytes sent", ours.tx_bytes, truth.tx_bytes, BYTES_PER_MILLE);
    assert_eq!((ours.rx_bytes, ours.rx_packets), (truth.rx_bytes, truth.rx_packets), "received");
    // What is sent in one piece may be cut on its way to the interface, which has packets of up to 64 KiB.
    assert!(ours.tx_packets <= truth.tx_packets, "{} packets sent", ours.tx_packets);
    let network = &snapshot.container(container.id()).measured.network;
    assert_eq!(network.tx_segments_total, network.rx_segments_total, "segments");
    assert_eq!(network.tx_wire_bytes_total, network.rx_wire_bytes_total, "bytes as on a wire");
    assert!(container.exit(0).success());
}

#[test]
fn network_of_loopback_tcp() {
    assert_loopback(&[], &["--address", "127.0.0.1:7000", "--bytes", BYTES]);
}

#[test]
fn network_of_loopback_udp() {
    assert_loopback(&[], &["--protocol", "udp", "--address", "127.0.0.1:7000", "--bytes", FEWER_BYTES]);
}

#[test]
fn network_of_loopback_ipv6() {
    let create =
        ["--sysctl", "net.ipv6.conf.all.disable_ipv6=0", "--sysctl", "net.ipv6.conf.lo.disable_ipv6=0"];
    assert_loopback(&create, &["--address", "[::1]:7000", "--bytes", BYTES]);
    assert_loopback(&create, &["--protocol", "udp", "--address", "[::1]:7000", "--bytes", FEWER_BYTES]);
}

/// Lets one container send to another one, and compares both with the receiver's interface; `bystander` must see
/// nothing.
fn assert_transfer(
    receiver: &mut Container,
    bystander: &Container,
    image: &Image,
    sender: &[&str],
    to: &str,
    args: &[&str],
) {
    let mut monitor = Monitor::start();
    let send = ["send", "--address", to];
    let mut sender = Container::start_with(image, sender, &[&send, args].concat());
    let receiver_pid = pid(receiver);
    let truth_before = Traffic::of_interface(receiver_pid, "eth0");
    let before = monitor.next_snapshot();
    receiver.workload().go();
    sender.workload().go();
    let _done = sender.workload().wait_done();
    let _done = receiver.workload().wait_done();
    let truth = Traffic::of_interface(receiver_pid, "eth0") - truth_before;
    let after = monitor.next_snapshot();
    let grown = |id: &str| ours(&after, id) - ours(&before, id);
    assert!(truth.rx_bytes > 4_000_000, "it received {}", truth.rx_bytes);
    assert_same_but_for_neighbours("receiver", grown(receiver.id()), truth);
    assert_same_but_for_neighbours("sender", grown(sender.id()), truth.reversed());
    assert_within("bytes", grown(receiver.id()).rx_bytes, truth.rx_bytes, BYTES_PER_MILLE);
    assert_eq!(grown(bystander.id()), Traffic::default(), "of the bystander");
    assert!(sender.exit(0).success());
    assert!(receiver.exit(0).success());
}

const RECEIVE: [&str; 3] = ["receive", "--address", "0.0.0.0:7000"];
const TRANSFERS: [&[&str]; 2] = [&["--bytes", BYTES], &["--protocol", "udp", "--bytes", FEWER_BYTES]];

#[test]
fn network_of_bridged_containers() {
    let image = Image::import();
    let bystander = Container::start_with(&image, &["--network", "bridge"], &["sleep", "--ms", "1"]);
    for args in TRANSFERS {
        let mut receiver =
            Container::start_with(&image, &["--network", "bridge"], &[&RECEIVE, args].concat());
        let to = address(&receiver) + ":7000";
        assert_transfer(&mut receiver, &bystander, &image, &["--network", "bridge"], &to, args);
    }
}

#[test]
fn network_of_a_container_on_the_host_s() {
    let image = Image::import();
    let bystander = Container::start_with(&image, &["--network", "host"], &["sleep", "--ms", "1"]);
    for args in TRANSFERS {
        let mut receiver =
            Container::start_with(&image, &["--network", "bridge"], &[&RECEIVE, args].concat());
        let to = address(&receiver) + ":7000";
        assert_transfer(&mut receiver, &bystander, &image, &["--network", "host"], &to, args);
    }
}

#[test]
fn network_of_containers_that_share_a_namespace() {
    let image = Image::import();
    let owner = Container::start_with(&image, &["--network", "bridge"], &["sleep", "--ms", "1"]);
    let to = address(&owner) + ":7000";
    let share = format!("container:{}", owner.id());
    for args in TRANSFERS {
        let mut receiver = Container::start_with(&image, &["--network", &share], &[&RECEIVE, args].concat());
        assert_transfer(&mut receiver, &owner, &image, &["--network", "bridge"], &to, args);
    }
}

#[test]
fn network_interfaces_are_those_of_the_namespace() {
    let mut monitor = Monitor::start();
    let args = ["loopback", "--address", "127.0.0.1:7000", "--bytes", "1000000"];
    let mut container = Container::start_with(&Image::import(), &["--network", "bridge"], &args);
    container.workload().go();
    let _done = container.workload().wait_done();
    let truth = Traffic::of_interface(pid(&container), "lo");
    let interfaces = monitor.wait_for("the loopback interface's bytes", |snapshot| {
        let interfaces = snapshot.find(container.id())?.measured.network.interfaces.clone()?;
        let loopback = interfaces.iter().find(|interface| interface.name == "lo")?;
        let shown = Traffic {
            rx_bytes: loopback.rx_bytes_total,
            rx_packets: loopback.rx_packets_total,
            tx_bytes: loopback.tx_bytes_total,
            tx_packets: loopback.tx_packets_total,
        };
        (shown == truth).then_some(interfaces)
    });
    assert!(interfaces.iter().any(|interface| interface.name == "eth0"), "{interfaces:?}");
    assert!(container.exit(0).success());
}
