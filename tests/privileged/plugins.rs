//! `monitor check` and `monitor zabbix` as Nagios and Zabbix' agent start them, beside a running `monitor serve`.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use integration_tests::{
    container::{Container, Image},
    env,
    monitor::{self, command},
    server::Server,
    wait,
};
use rustix::process::Signal;
use serde_json::Value;

/// The exit code and the line.
fn said(output: &Output) -> (i32, String) {
    let line = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert_eq!(line.lines().count(), 1, "{output:?}");
    (output.status.code().expect("a code"), line.trim_end().to_owned())
}

fn check(server: &Server, args: &[&str]) -> (i32, String) {
    let url = format!("http://{}", server.address());
    said(&command(&[&["check", "--url", &url], args].concat()).output().expect("run monitor"))
}

#[test]
fn a_check_judges_what_is_served() {
    let server = Server::start(&[]);
    let image = Image::import_with(&["--change", "LABEL tier=front"]);
    let mut busy = Container::start_with(&image, &["--memory", "64m"], &["hog"]);
    busy.workload().go();
    let idle = Container::start(&["hog"]);
    let (busy, idle) = (busy.name(), idle.name());
    let pids = |range: &str| check(&server, &["pids.current", "--container", idle, "-c", range]);

    // Those that started it are gone after a while.
    wait::until("the number of tasks", || {
        let tasks =
            server.json(&format!("/api/v1/containers/{idle}"))["container"]["pids"]["current"].as_u64()?;
        let (code, line) = pids("1:");
        (code == 0 && line.ends_with(&format!("| 'pids.current'={tasks};;1:;;"))).then_some(())
    });
    assert_eq!(pids("@0:1000").0, 2);

    let cores = ["cpu.usage_cores", "--container", busy, "-w", "0.05", "-c", "1000"];
    let (code, line) = check(&server, &cores);
    assert_eq!(code, 1, "{line}");
    assert!(line.starts_with(&format!("MONITOR WARNING: {busy} cpu.usage_cores is ")), "{line}");
    let (code, line) =
        check(&server, &["memory.limit_bytes", "--label", "tier=front", "-c", "67108864:67108864"]);
    assert_eq!((code, line.contains("'memory.limit_bytes'=67108864B;")), (0, true), "{line}");
    let (code, line) = check(&server, &["scheduler.runq_latency.p99", "--container", busy, "-c", "~:60"]);
    assert!(code == 0 || line.contains("was not measured"), "{line}");
    let (code, line) = check(&server, &["--host", "memory.available_bytes", "-w", "1:"]);
    assert_eq!(code, 0, "{line}");
    assert_eq!(check(&server, &["--container", idle]), (0, format!("MONITOR OK: {idle} runs")));
    // Of all containers.
    assert_eq!(check(&server, &["pids.current", "-c", "1:"]).0, 0);
}

#[test]
fn whatever_fails_is_unknown_in_one_line() {
    let server = Server::start(&[]);
    for (args, code, part) in [
        (&["--container", "no-such-container"][..], 2, "no container is called no-such-container"),
        (&["cpu.usage_cores", "--container", "no-such-container"], 3, "no container is called"),
        (&["cpu.nothing"], 3, "cpu.nothing is no metric"),
        (&["pids.current", "-w", "2:1"], 3, "it starts above its end"),
        (&["pids.current", "--colour", "red"], 3, "--colour"),
        (&["--url", "ftp://x"], 3, "--url"),
        (&["pids.current", "--label", "no-such-label"], 3, "nothing to check"),
    ] {
        let (got, line) = if args.first() == Some(&"--url") {
            said(&command(&[&["check"], args].concat()).output().expect("run monitor"))
        } else {
            check(&server, args)
        };
        assert_eq!((got, line.contains(part)), (code, true), "{args:?}: {line}");
    }
    drop(server);
    let nobody = said(&command(&["check", "--url", "http://127.0.0.1:1"]).output().expect("run monitor"));
    assert_eq!(nobody.0, 3);
    assert!(nobody.1.contains("does `monitor serve` run there?"), "{}", nobody.1);
    // A listener that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let began = Instant::now();
    let (code, line) = said(&command(&["check", "--url", &url, "-t", "1"]).output().expect("run monitor"));
    assert_eq!((code, line.contains("within 1.0 s")), (3, true), "{line}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_check_can_measure_by_itself() {
    let container = Container::start(&["hog"]);
    let args = ["check", "--measure", "--interval", "200ms", "-t", "30", "--container", container.name()];
    let output = command(&[&args[..], &["pids.current", "-c", "1:"]].concat()).output().expect("run monitor");
    let (code, line) = said(&output);
    assert_eq!(code, 0, "{line}");
    assert!(line.starts_with(&format!("MONITOR OK: {} pids.current is ", container.name())), "{line}");
}

/// The shipped parameters in a file of the test's own, with this binary and this server.
fn agent(server: &Server, folder: &Path) -> impl Fn(&str) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/zabbix/monitor.conf");
    let parameters = fs::read_to_string(shipped).expect("read the parameters");
    let monitor = env::monitor_bin().display().to_string();
    let ours = parameters
        .replace("/usr/bin/monitor", &monitor)
        .replace("http://127.0.0.1:8080", &format!("http://{}", server.address()));
    let config = folder.join("zabbix_agentd.conf");
    fs::write(&config, format!("Server=127.0.0.1\nHostname=test\n{ours}")).expect("write the configuration");
    move |key: &str| {
        let output = Command::new("zabbix_agentd").arg("-c").arg(&config).args(["-t", key]).output();
        let output = output.expect("run zabbix_agentd");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // `key [t|value]`
        let (_, value) = text.split_once("[t|").unwrap_or_else(|| panic!("{key}: {output:?}"));
        value.trim_end().strip_suffix(']').expect("a bracket").to_owned()
    }
}

#[test]
fn zabbix_agent_discovers_and_reads() {
    let server = Server::start(&[]);
    let container = Container::start_with(&Image::import(), &["--memory", "64m"], &["hog"]);
    let folder = tempfile::tempdir().expect("make a folder");
    let ask = agent(&server, folder.path());
    let name = container.name();

    let found: Vec<Value> = serde_json::from_str(&ask("monitor.discovery")).expect("a list");
    let row = found.iter().find(|row| row["{#CONTAINER}"] == name).unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((&row["{#RUNTIME}"], &row["{#ID}"]), (&"docker".into(), &container.id()[..12].into()));
    assert_eq!(ask(&format!("monitor.container[{name},memory.limit_bytes]")), "67108864");
    let whole: Value =
        serde_json::from_str(&ask(&format!("monitor.container.get[{name}]"))).expect("an object");
    assert_eq!(whole["memory"]["limit_bytes"], 64 << 20);
    let disks: Vec<Value> = serde_json::from_str(&ask("monitor.discovery[disks]")).expect("a list");
    if let Some(disk) = disks.first().and_then(|row| row["{#DISK}"].as_str()) {
        let reads = ask(&format!("monitor.host[disks.read_ops_total,{disk}]"));
        assert!(reads.parse::<u64>().is_ok(), "{reads}");
    }
    assert!(ask("monitor.host[memory.total_bytes]").parse::<u64>().is_ok());
    let missing = ask("monitor.container[no-such-container,pids.current]");
    assert!(missing.starts_with("ZBX_NOTSUPPORTED: no container"), "{missing}");

    // What the template takes out of the whole is there.
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/zabbix/template.yaml");
    let template = fs::read_to_string(template).expect("read the template");
    let paths: Vec<&str> =
        template.lines().filter_map(|line| line.trim().strip_prefix("- $.")).map(str::trim).collect();
    assert!(paths.len() > 15, "{paths:?}");
    let host: Value = serde_json::from_str(&ask("monitor.host.get")).expect("an object");
    for path in paths {
        // A distribution is null while nothing was seen.
        let of_groups: Vec<&str> = path.split('.').take(2).collect();
        let pointer = format!("/{}", of_groups.join("/"));
        assert!(whole.pointer(&pointer).or(host.pointer(&pointer)).is_some(), "{path}");
    }
}

#[test]
fn a_socket_is_served_and_asked() {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("monitor.sock");
    let url = format!("unix:{}", path.display());
    let mut server =
        command(&["serve", "--listen", &url, "--interval", "100ms"]).spawn().expect("start monitor");
    let host = ["check", "--host", "scheduler.tasks", "-c", "1:", "--url", &url];
    wait::until("an answer", || {
        (command(&host).output().expect("run monitor").status.code() == Some(0)).then_some(())
    });
    monitor::send(&server, Signal::TERM);
    assert!(server.wait().expect("wait for monitor").success());
    assert!(!path.exists(), "the socket is left behind");
}
