//! TCP's own events equal the kernel's counts for the network namespace, on the container whose sockets they are.

use integration_tests::{
    container::{Container, Image},
    monitor::Monitor,
    net::{drop_tcp, snmp},
    snapshot::Network,
};

fn pid(container: &Container) -> u32 {
    container.inspect("{{.State.Pid}}").parse().expect("a process id")
}

fn address(container: &Container) -> String {
    container.inspect("{{.NetworkSettings.IPAddress}}") + ":7000"
}

fn network(monitor: &mut Monitor, container: &Container) -> Network {
    monitor.next_snapshot().container(container.id()).measured.network.clone()
}

const BRIDGE: [&str; 2] = ["--network", "bridge"];

#[test]
fn network_retransmits() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    let receive = ["receive", "--address", "0.0.0.0:7000", "--bytes", "8000000", "--connections", "2"];
    let mut receiver = Container::start_with(&image, &BRIDGE, &receive);
    let to = address(&receiver);
    let send = ["send", "--address", &to, "--bytes", "8000000", "--connections", "2"];
    let mut sender = Container::start_with(&image, &BRIDGE, &send);
    // Netem is not in every kernel; what falls on the floor in front of the receiver's socket is lost as well.
    drop_tcp(pid(&receiver), &["--match", "statistic", "--mode", "nth", "--every", "40", "--packet", "3"]);
    let sender_pid = pid(&sender);
    receiver.workload().go();
    sender.workload().go();
    let _done = sender.workload().wait_done();
    let _done = receiver.workload().wait_done();
    let truth = snmp(sender_pid, "Tcp", "RetransSegs");
    let ours = network(&mut monitor, &sender);
    assert!(truth >= 5, "{truth} segments were sent again");
    assert_eq!(ours.tcp_retransmits_total, Some(truth), "of the sender");
    // Its FIN is sent again where the answer was dropped, perhaps just now.
    monitor.wait_for("as many segments that the receiver sent again as the kernel counts", |snapshot| {
        let ours = snapshot.find(receiver.id())?.measured.network.tcp_retransmits_total;
        (ours == Some(snmp(pid(&receiver), "Tcp", "RetransSegs"))).then_some(())
    });
    assert!(sender.exit(0).success());
    assert!(receiver.exit(0).success());
}

#[test]
fn network_connections() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    let args = ["loopback", "--address", "127.0.0.1:7000", "--bytes", "1000", "--connections", "30"];
    let mut container = Container::start_with(&image, &[], &args);
    container.workload().go();
    let _done = container.workload().wait_done();
    let count = |name| Some(snmp(pid(&container), "Tcp", name));
    let ours = network(&mut monitor, &container);
    assert_eq!(count("ActiveOpens"), Some(30));
    assert_eq!(ours.tcp_opened_total, count("ActiveOpens"), "opened");
    assert_eq!(ours.tcp_accepted_total, count("PassiveOpens"), "accepted");
    assert_eq!(ours.tcp_failed_total, Some(0), "failed");
    assert_eq!(ours.tcp_open, count("CurrEstab"), "open");
    assert!(container.exit(0).success());
}

#[test]
fn network_connections_open_now() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    let receive = ["receive", "--address", "0.0.0.0:7000", "--bytes", "1000"];
    let mut receiver = Container::start_with(&image, &BRIDGE, &receive);
    let to = address(&receiver);
    let mut sender = Container::start_with(&image, &BRIDGE, &["send", "--address", &to, "--bytes", "1000"]);
    // The kernel takes the connection for the receiver, which does not accept it yet.
    sender.workload().go();
    let open = monitor.wait_for("an open connection", |snapshot| {
        snapshot.find(receiver.id())?.measured.network.tcp_open.filter(|open| *open > 0)
    });
    assert_eq!(open, snmp(pid(&receiver), "Tcp", "CurrEstab"));
    receiver.workload().go();
    let _done = sender.workload().wait_done();
    let _done = receiver.workload().wait_done();
    assert_eq!(network(&mut monitor, &sender).tcp_open, Some(0));
    assert_eq!(network(&mut monitor, &receiver).tcp_open, Some(0));
    assert!(sender.exit(0).success());
    assert!(receiver.exit(0).success());
}

#[test]
fn network_resets_and_failures() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    let refused = ["refused", "--address", "127.0.0.1:7001", "--connections", "7"];
    let mut container = Container::start_with(&image, &[], &refused);
    container.workload().go();
    let _done = container.workload().wait_done();
    let ours = network(&mut monitor, &container);
    let truth = |name| Some(snmp(pid(&container), "Tcp", name));
    assert_eq!(truth("AttemptFails"), Some(7));
    assert_eq!(ours.tcp_opened_total, Some(7), "opened");
    assert_eq!(ours.tcp_failed_total, truth("AttemptFails"), "failed");
    assert_eq!(ours.tcp_resets_received_total, Some(7), "resets received");
    assert_eq!(ours.tcp_open, Some(0), "open");
    assert!(container.exit(0).success());
}
