//! `monitor serve`: what it says is what there is, and no client can harm it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    container::Container,
    monitor::command,
    prometheus::complaints,
    schema,
    server::{Answer, Server},
    wait,
};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn what_is_served_is_what_the_kernel_counted() {
    let server = Server::start(&[]);
    let mut container = Container::start(&["switch", "--blocks", "2000"]);
    container.workload().go();
    let _done = container.workload().wait_done();
    let truth = container.still_tasks();
    let path = format!("/api/v1/containers/{}", container.name());
    let one = wait::until("all switches", || {
        let answer = server.get(&path);
        let one = (answer.status == 200).then(|| answer.json()["container"].clone())?;
        (one["scheduler"]["voluntary_switches_total"].as_u64()? >= truth.voluntary).then_some(one)
    });
    // The program that docker starts it with has switched in its cgroup too, some hundred times before it became the workload.
    let voluntary = one["scheduler"]["voluntary_switches_total"].as_u64().expect("a count");
    assert!((truth.voluntary..truth.voluntary + 1000).contains(&voluntary), "{voluntary}: {truth:?}");
    assert_eq!(one["id"], container.id());

    for by in [container.id(), &container.id()[..12]] {
        assert_eq!(server.json(&format!("/api/v1/containers/{by}"))["container"]["id"], container.id());
    }
    let listed = server.json(&format!("/api/v1/containers?name={}&state=running", container.name()));
    assert_eq!(listed["containers"].as_array().expect("a list").len(), 1);
    let image = one["image"].as_str().expect("an image");
    let labels = format!("id=\"{}\",name=\"{}\",image=\"{image}\"", &container.id()[..12], container.name());
    let series = format!("monitor_container_scheduler_voluntary_switches_total{{{labels}}}");
    let scraped = server.metric(&series).unwrap_or_else(|| panic!("no {series}"));
    assert!((scraped - voluntary as f64).abs() < 1.0, "{scraped}, not {voluntary}");
}

#[test]
fn a_served_snapshot_fits_the_committed_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/snapshot.schema.json");
    let schema = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let _container = Container::start(&["hog"]);
    let server = Server::start(&[]);
    let faults = schema::faults(&schema, &server.json("/api/v1/snapshot"));
    assert!(faults.is_empty(), "{faults:#?}");
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json"));
    assert_eq!(server.get("/api/v1/openapi.json").text(), committed.expect("docs/openapi.json"));
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let _container = Container::start(&["hog"]);
    let server = Server::start(&["--metrics", "all"]);
    // What is beside it at /metrics is cAdvisor's.
    let complaints = complaints(&server.get("/metrics/monitor").body);
    assert!(complaints.is_empty(), "{complaints:#?}");
    let open = server.get_with("/metrics", "accept: application/openmetrics-text\r\n");
    assert!(open.head.contains("application/openmetrics-text"), "{}", open.head);
    assert!(open.text().ends_with("# EOF\n"));
}

/// Reads a stream of server-sent events up to so many ids.
fn ids(server: &Server, path: &str, headers: &str, count: usize) -> Vec<String> {
    let mut stream = server.connect();
    let request = format!("GET {path} HTTP/1.0\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("ask for a stream");
    let lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    lines.filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)).take(count).collect()
}

#[test]
fn a_stream_goes_on_where_it_was_left() {
    let container = Container::start(&["hog"]);
    let server = Server::start(&[]);
    let first = ids(&server, "/api/v1/stream", "", 3);
    assert!(first.is_sorted(), "{first:?}");
    let resumed = ids(
        &server,
        &format!("/api/v1/stream?container={}", container.name()),
        &format!("last-event-id: {}\r\n", first[0]),
        2,
    );
    assert_eq!(resumed, first[1..], "not what came after the first");
    let refused = server.get_with("/api/v1/stream", "last-event-id: yesterday\r\n");
    assert_eq!((refused.status, refused.problem().as_str()), (400, "bad-parameter"));
}

#[test]
fn events_of_a_container_are_kept_and_streamed() {
    let server = Server::start(&["--process-events"]);
    let mut container = Container::start(&["switch", "--blocks", "1"]);
    container.workload().go();
    let _done = container.workload().wait_done();
    assert_eq!(container.exit(3).code(), Some(3));
    let path = format!("/api/v1/events?container={}", container.id());
    let died = wait::until("the container's end", || {
        let events = server.json(&path)["events"].clone();
        events.as_array()?.iter().find(|event| event["kind"] == "container_died").cloned()
    });
    assert_eq!(died["exit_code"], 3);
    assert_eq!(died["container"]["name"], container.name());
    // The runtime's own processes end in the container's cgroup too.
    let exits = server.json(&format!("{path}&kind=exit"))["events"].clone();
    let exits = exits.as_array().expect("a list");
    assert!(exits.iter().any(|exit| exit["exit_code"] == 3), "{exits:?}");
    let number = died["number"].as_u64().expect("a number");
    let streamed = ids(&server, "/api/v1/events/stream", &format!("last-event-id: {}\r\n", number - 1), 1);
    assert_eq!(streamed, [number.to_string()]);
}

#[test]
fn who_waited_for_whom_is_served() {
    let cpu = "0";
    let server = Server::start(&[]);
    let mut one = Container::start(&["hog", "--cpus", cpu]);
    let mut other = Container::start(&["hog", "--cpus", cpu]);
    one.workload().go();
    other.workload().go();
    let path = format!("/api/v1/interference?container={}", one.name());
    let blamed = wait::until("a wait for the other container", || {
        let victims = server.json(&path)["containers"].clone();
        let parts = victims.as_array()?.first()?["interference"].as_array()?.clone();
        parts.into_iter().find(|part| part["id"] == other.id())
    });
    assert_eq!(blamed["name"], other.name());
}

#[test]
fn a_client_that_does_not_read_is_dropped_while_the_tick_goes_on() {
    let server = Server::start(&["--interval", "50ms"]);
    let mut stalled: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut stalled {
        stream
            .write_all(b"GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .expect("ask for a stream");
    }
    let taken_at = || {
        let at = server.json("/api/v1/host")["taken_at"].as_str().expect("a time").parse::<Timestamp>();
        at.expect("a time")
    };
    let dropped = || {
        let count = |what| server.metric(&format!("monitor_http_dropped_{what}_total")).expect("a count");
        (count("streams"), count("clients"))
    };
    assert_eq!(dropped(), (0.0, 0.0));
    let deadline = Instant::now() + wait::LONG;
    while dropped() != (3.0, 3.0) {
        assert!(Instant::now() < deadline, "dropped streams and clients: {:?}", dropped());
        let age = Timestamp::now().duration_since(taken_at());
        assert!(age < jiff::SignedDuration::from_secs(2), "the tick hangs: the last is {age:#} old");
        thread::sleep(Duration::from_millis(100));
    }
    let missed = server.metric("monitor_lost_total{what=\"unwritten_snapshots\"}");
    assert_eq!(missed, Some(0.0), "the server's thread was held up");
}

#[test]
fn bad_requests_are_refused_and_do_no_harm() {
    let server = Server::start(&[]);
    // Those before the first snapshot.
    let failed = || server.metric("monitor_http_failed_requests_total");
    let failed_before = failed();
    let mut slow = server.connect();
    slow.write_all(b"GET /api/v1/host HT").expect("begin a request");
    for (path, status, problem) in [
        ("/api/v1/containers/no-such-container", 404, "no-such-container"),
        ("/api/v1/nothing", 404, "no-such-path"),
        ("/%00%ff", 404, "no-such-path"),
        ("/api/v1/containers?limit=-1", 400, "bad-parameter"),
        ("/api/v1/containers?limit=99999999999999999999", 400, "bad-parameter"),
        ("/api/v1/containers?colour=red", 400, "bad-parameter"),
        ("/api/v1/events?after=x", 400, "bad-parameter"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{path}");
    }
    let post = server.ask(b"POST /api/v1/host HTTP/1.0\r\ncontent-length: 0\r\n\r\n");
    assert_eq!((post.status, post.problem().as_str()), (405, "bad-method"));
    let large = server.ask(b"GET /api/v1/host HTTP/1.0\r\ncontent-length: 10000000\r\n\r\n");
    assert_eq!((large.status, large.problem().as_str()), (413, "large-body"));
    for (garbage, status) in [
        (&b"\x00\x01\x02\xff\r\n\r\n"[..], 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
    ] {
        assert_eq!(server.ask(garbage).status, status, "{garbage:?}");
    }
    let mut huge = b"GET /api/v1/host HTTP/1.1\r\nx: ".to_vec();
    huge.resize(10 << 20, b'a');
    assert_eq!(server.ask(&huge).status, 431);
    let answer = Answer::read(slow);
    assert_eq!((answer.status, answer.problem().as_str()), (408, "slow-request"));
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(failed(), failed_before);
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = Server::start(&["--max-connections", "2"]);
    let held = [server.connect(), server.connect()];
    let refused = wait::until("a refusal", || {
        let answer = server.get("/healthz");
        (answer.status != 200).then_some(answer)
    });
    assert_eq!((refused.status, refused.problem().as_str()), (503, "too-busy"));
    drop(held);
    wait::until("room", || (server.get("/healthz").status == 200).then_some(()));
}

#[test]
fn a_signal_ends_it_with_its_streams() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /api/v1/stream HTTP/1.0\r\n\r\n").expect("ask for a stream");
    let mut first = [0];
    stream.read_exact(&mut first).expect("a stream");
    let reader = thread::spawn(move || {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the rest of the stream");
        rest
    });
    let began = Instant::now();
    let status = server.end(Signal::TERM);
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
    let rest = reader.join().expect("the reader");
    assert!(rest.ends_with(b"\n\n"), "the last event was cut");
}

#[test]
fn systemd_is_told_of_the_beginning_the_life_and_the_end() {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("bind a socket");
    socket.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
    let told = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).expect("a message");
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    };
    let mut command = command(&["serve", "--verbose", "--listen", "127.0.0.1:0", "--interval", "100ms"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let server = Server::spawn(command);
    let first = [told(), told(), told()];
    assert!(first.iter().any(|one| one == "READY=1"), "{first:?}");
    assert!(first.iter().filter(|one| *one == "WATCHDOG=1").count() >= 2, "{first:?}");
    assert!(server.end(Signal::TERM).success());
    wait::until("STOPPING", || (told() == "STOPPING=1").then_some(()));
}

#[test]
fn settings_come_from_a_file_the_environment_and_flags() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("config.toml");
    let path = file.to_str().expect("UTF-8");
    fs::write(&file, "listen = \"127.0.0.1:0\"\ninterval = \"1h\"\nmetrics = [\"pressure\"]\n")
        .expect("write the file");
    let check = |path: &str| command(&["config", "check", "--config", path]).output().expect("run monitor");
    assert!(check(path).status.success(), "{:?}", check(path));

    // The file has an hour, the environment a minute.
    let mut command = command(&["serve", "--verbose", "--config", path, "--interval", "100ms"]);
    command.env("MONITOR_INTERVAL", "1m").env("MONITOR_MAX_CONNECTIONS", "1");
    let server = Server::spawn(command);
    let window = server.json("/api/v1/host")["window_ns"].as_u64().expect("a window");
    assert!(window < 10_000_000_000, "{window}");
    let held = server.connect();
    wait::until("a refusal", || (server.get("/healthz").status == 503).then_some(()));
    drop(held);
}

#[test]
fn each_mistake_in_a_file_of_settings_is_told_in_a_line() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("config.toml");
    let path = file.to_str().expect("UTF-8");
    for (text, words) in [
        ("colour = \"red\"", &[path, "--colour"][..]),
        ("listen = ", &[path, "TOML"]),
        ("listen = \"nowhere\"", &["--listen", "nowhere"]),
        ("max-connections = 0", &[path, "--max-connections"]),
        ("interval = \"1ms\"", &[path, "--interval", "10ms"]),
        ("metrics = [\"no.such\"]", &["--metrics", "no.such"]),
        ("runtime = [\"docker\"]", &["--runtime", "docker"]),
        ("docker-host = \"http://x\"", &["--docker-host"]),
        ("history = [\"1s\"]", &["--history", "1s"]),
        ("history = [\"1s=10m\", \"7s=2h\"]", &["--history", "7"]),
        ("history-memory = 0", &[path, "--history-memory"]),
        ("replay-speed = 10", &[path, "--replay"]),
        ("influxdb-database = \"d\"", &["--influxdb-url"]),
        ("influxdb-url = \"http://db\"", &["--influxdb-database", "--influxdb-bucket"]),
        ("influxdb-url = \"http://u:xyzzy@db\"\ninfluxdb-database = \"d\"", &["--influxdb-url", "password"]),
        ("influxdb-database = \"d\"\ninfluxdb-bucket = \"b\"", &[path, "--influxdb-bucket"]),
        ("remote-write-url = \"db\"", &["--remote-write-url", "http://"]),
        ("remote-write-url = \"http://db\"\nremote-write-token-file = \"/no/such\"", &["/no/such"]),
        ("otlp-headers-file = \"/no/such\"", &["--otlp-url"]),
        ("otlp-protocol = \"udp\"", &[path, "--otlp-protocol", "grpc"]),
        ("statsd = \"localhost\"", &["--statsd", "localhost"]),
        ("sflow = \"a:b\"", &["--sflow", "a:b"]),
        ("export-label = \"x\"", &["--export-label", "NAME=VALUE"]),
        ("export-ca-file = \"/no/such\"", &["--export-ca-file", "/no/such"]),
        ("export-queue = \"much\"", &[path, "--export-queue", "much"]),
    ] {
        fs::write(&file, text).expect("write the file");
        let mut check = command(&["config", "check", "--config", path]);
        let refused = check.env_remove("DOCKER_HOST").output().expect("run monitor");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{text}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
        assert!(said.trim_end().lines().count() == 1 && !said.contains("xyzzy"), "{text}: {said}");
    }
}
