//! Bad input and bad manners: `monitor serve` says what is wrong, goes on, and grows by no more than a bound.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    server::{Answer, Server},
    wait,
};

/// Memory that it may take more after all of this, in KiB: 64 KiB for each of 300 connections, and as much again.
const MAY_GROW_KIB: u64 = 40 << 10;

fn resident_kib(server: &Server) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", server.child().id())).expect("read its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Asserts that nothing failed for a reason of the server's own, and that it still answers.
fn assert_well(server: &Server, failed_before: Option<f64>) {
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.metric("monitor_http_failed_requests_total"), failed_before, "an error of its own");
    assert_eq!(server.metric("monitor_lost_total{what=\"unwritten_snapshots\"}"), Some(0.0));
}

fn post(server: &Server, path: &str, body: &[u8]) -> Answer {
    let mut request = format!("POST {path} HTTP/1.0\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend(body);
    server.ask(&request)
}

#[test]
fn bodies_that_cannot_be_read_are_refused() {
    let server = Server::start(&[]);
    let failed = server.metric("monitor_http_failed_requests_total");
    let nested = b"[".repeat(60_000);
    let mut long_string = b"{\"start\": \"".to_vec();
    long_string.extend(b"a".repeat(60_000));
    long_string.extend(b"\"}");
    for body in [
        &b"{"[..],
        b"[]",
        b"null,",
        b"\"\xff\xfe\"",
        b"{\"num_stats\": \"many\"}",
        b"{\"num_stats\": -1.5}",
        b"{\"num_stats\": 1e999}",
        b"{\"num_stats\": 99999999999999999999999999}",
        b"{\"start\": \"yesterday\"}",
        b"{\"start\": 5}",
        &nested,
        &long_string,
    ] {
        let answer = post(&server, "/api/v1.3/containers/", body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        assert!(!answer.body.is_empty(), "{shown}: no word of what is wrong");
    }
    let too_large = post(&server, "/api/v1.3/containers/", &b" ".repeat(100 << 10));
    assert_eq!(too_large.status, 413);
    assert_well(&server, failed);
}

#[test]
fn ranges_and_names_that_cannot_be_are_refused() {
    let server = Server::start(&[]);
    let failed = server.metric("monitor_http_failed_requests_total");
    let long_name = format!("/api/v1/containers/{}", "a".repeat(10_000));
    for path in [
        "/api/v1/events?after=-1",
        "/api/v1/events?after=18446744073709551616",
        "/api/v1/events?limit=0",
        "/api/v1/containers?limit=1e3",
        "/api/v1/containers?limit=9999999999999",
        "/api/v1/containers?state=asleep",
        "/api/v1/cgroups?after=0x10",
        "/api/v1/containers?limit=1&limit=2",
        "/api/v1/containers/%ff%fe",
        "/api/v1/containers/..%2f..%2fetc%2fpasswd",
        "/api/v2.0/stats/?count=99999999999999999999",
        "/api/v1.3/events/?max_events=many",
        "/api/v1.3/events/?start_time=yesterday",
        "/api/v9/containers",
        "/api/v1/stream?container=a&colour=red",
        "/api/v1/stream?fields=no.such,cpu",
        "/api/v1/history?from=-5m",
        "/api/v1/history?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "/api/v1/history?from=99999999999999999999",
        "/api/v1/history?from=5m&to=1h",
        "/api/v1/history?from=24h&step=1s",
        "/api/v1/history?step=0",
        "/api/v1/history?metric=no.such",
        "/api/v1/history?metric=all&cgroup=*&from=24h&step=10s",
        "/api/v1/history?container=no-such-container",
        "/api/v1/history?cgroup=../../etc",
        "/api/v1/history/interference?to=soon",
        "/api/v1/history/subjects?kind=pod",
        "/api/v1/statistics?metric=no.such",
        "/api/v1/statistics?from=1e99",
        &long_name,
    ] {
        let answer = server.get(path);
        let shown = &path[..path.len().min(60)];
        assert!((400..500).contains(&answer.status), "{shown}: {} {}", answer.status, answer.text());
        assert!(!answer.body.is_empty(), "{shown}: no word of what is wrong");
    }
    assert_well(&server, failed);
}

/// Many clients that send a byte now and then, and many that send without end, beside one that is in its right.
#[test]
fn slow_and_greedy_clients_take_a_bounded_part() {
    let server = Server::start(&["--max-connections", "400"]);
    let failed = server.metric("monitor_http_failed_requests_total");
    let before = resident_kib(&server);
    let mut slow: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /api/v1/host HTTP/1.1\r\nx: ").expect("begin a request");
    }
    let address = server.address();
    let greedy: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).expect("connect");
                stream.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
                let _ = stream.write_all(b"GET /api/v1/host HTTP/1.1\r\nx: ");
                // Ten megabytes of a header; it may answer and close before.
                let piece = b"a".repeat(1 << 16);
                let _ = (0..160).try_for_each(|_| stream.write_all(&piece));
                Answer::read(stream).status
            })
        })
        .collect();
    let began = Instant::now();
    let mut most = before;
    while began.elapsed() < Duration::from_secs(12) {
        for stream in &mut slow {
            // In vain where it was told to go.
            let _ = stream.write_all(b"a");
        }
        let asked_at = Instant::now();
        assert_eq!(server.get("/api/v1/host").status, 200);
        let took = asked_at.elapsed();
        assert!(took < Duration::from_secs(2), "another client waited for {took:?}");
        most = most.max(resident_kib(&server));
        thread::sleep(Duration::from_millis(500));
    }
    for client in greedy {
        assert_eq!(client.join().expect("a greedy client"), 431);
    }
    assert!(most < before + MAY_GROW_KIB, "from {before} to {most} KiB");
    for stream in slow {
        let answer = Answer::read(stream);
        assert_eq!((answer.status, answer.problem().as_str()), (408, "slow-request"));
    }
    assert_well(&server, failed);
}

/// Clients that ask for more than the buffers between hold, and read nothing.
#[test]
fn clients_that_do_not_read_are_dropped_and_counted() {
    let server = Server::start(&[]);
    let dropped = || server.metric("monitor_http_dropped_clients_total").expect("a figure");
    assert!(dropped() < 1.0);
    let stalled: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = server.connect();
            stream.set_nonblocking(true).expect("never wait");
            // Until the server takes no more: it waits until its answers are read.
            let asked = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1000);
            let _ = stream.write(&asked).expect("ask");
            stream
        })
        .collect();
    wait::until("all to be dropped", || (dropped() >= 3.0).then_some(()));
    assert!(dropped() < 4.0, "one that reads was dropped");
    drop(stalled);
}
