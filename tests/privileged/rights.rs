//! What `monitor` keeps of its rights, thread by thread, and whom it answers.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixDatagram,
    },
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use integration_tests::{
    certificates::Authority,
    container::{Container, succeeded},
    monitor::{Monitor, command},
    server::{Answer, Server},
    terminal::Terminal,
    threads::{Status, threads},
    wait,
};
use rustix::process::Signal;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

// Capabilities by their number (include/uapi/linux/capability.h).
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const FOWNER: u64 = 1 << 3;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const PERFMON: u64 = 1 << 38;
const BPF: u64 = 1 << 39;
const SETPCAP: u32 = 8;

/// What a thread of this name may keep at most.
fn most(name: &str) -> u64 {
    let tick = SYS_PTRACE | DAC_READ_SEARCH;
    match name {
        // A kernel before 5.19 asks for more.
        "monitor" if kernel() < (5, 19) => tick | BPF | PERFMON | SYS_ADMIN,
        "monitor" | "look-ups" => tick,
        "file-systems" => tick | FOWNER | SYS_ADMIN,
        "edges" => DAC_READ_SEARCH | DAC_OVERRIDE,
        "keys" => DAC_READ_SEARCH,
        "serve" | "export" | "events" | "screen" | "history" | "history-disk" => 0,
        pool if pool.starts_with("tokio-") => 0,
        other => panic!("a thread {other} that nobody has thought about"),
    }
}

fn kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    let mut parts = release.split(['.', '-']).map_while(|part| part.trim().parse().ok());
    (parts.next().expect("a number"), parts.next().expect("another"))
}

fn own_capabilities() -> u64 {
    threads(std::process::id()).values().map(|status| status.bits("CapEff")).max().expect("a thread")
}

fn assert_confined(name: &str, status: &Status) {
    let most = most(name);
    for set in ["CapEff", "CapPrm"] {
        assert_eq!(status.bits(set) & !most, 0, "{name} has more than it needs: {status:?}");
    }
    assert_eq!((status.bits("CapInh"), status.bits("CapAmb")), (0, 0), "{name}: {status:?}");
    // Where the test has no CAP_SETPCAP to give, it stays.
    if own_capabilities() >> SETPCAP & 1 == 1 {
        assert_eq!(status.bits("CapBnd") & !most, 0, "{name}: {status:?}");
    }
    assert!(status.is_confined(), "{name}: {status:?}");
}

#[test]
fn each_thread_keeps_what_it_needs() {
    let folder = tempfile::tempdir().expect("make a folder");
    let data_dir = folder.path().to_str().expect("UTF-8");
    let token = token_file(folder.path());
    let args = ["--data-dir", data_dir, "--statsd", "127.0.0.1:9", "--auth-token-file", &token];
    let server = Server::start(&args);
    wait::until("the threads to have given up their rights", || {
        threads(server.child().id()).values().all(Status::is_confined).then_some(())
    });
    let threads = threads(server.child().id());
    for (name, status) in &threads {
        assert_confined(name, status);
    }
    for name in [
        "monitor",
        "serve",
        "edges",
        "export",
        "events",
        "history",
        "history-disk",
        "file-systems",
        "keys",
        "look-ups",
    ] {
        assert!(threads.contains_key(name), "no thread {name}: {:?}", threads.keys());
    }
    // And all of them still work.
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let snapshot = server.get_with("/api/v1/snapshot", &bearer).json();
    let refused: Vec<_> = snapshot["coverage"]["probes"]
        .as_array()
        .expect("probes")
        .iter()
        .filter(|probe| probe["state"] == "refused")
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(snapshot["coverage"]["sources"]["confinement"]["origin"], "capabilities, seccomp, Landlock");
    let said = server.said();
    assert!(!said.iter().any(|line| line.contains("more rights than it needs")), "{said:?}");
}

#[test]
fn other_commands_are_confined_too() {
    let mut monitor = Monitor::start();
    let snapshot = monitor.next_snapshot();
    assert!(snapshot.window_ns > 0);
    let threads = wait::until("the threads to be confined", || {
        let threads = threads(monitor.pid());
        threads.values().all(Status::is_confined).then_some(threads)
    });
    let tick = &threads["monitor"];
    assert_eq!(tick.bits("CapEff") & !most("monitor") & !DAC_OVERRIDE, 0, "{tick:?}");
}

#[test]
fn a_terminal_s_threads_are_confined_too() {
    let terminal = Terminal::start(80, 24);
    terminal.run_monitor("", "top");
    terminal.wait_for("the table", |screen| screen.contains("switches/s"));
    let pid = terminal.child().unsigned_abs();
    let threads = wait::until("the threads to be confined", || {
        let threads = threads(pid);
        threads.values().all(Status::is_confined).then_some(threads)
    });
    for (name, status) in &threads {
        assert_confined(name, status);
    }
    for name in ["keys", "screen"] {
        assert_eq!(threads[name].bits("CapPrm"), 0, "{name}");
    }
    terminal.type_text("q");
    terminal.wait_for_end(0);
}

/// A socket that its owner alone may write to, and history below a home that its owner alone may enter.
#[test]
fn what_is_another_user_s_is_written_to() {
    let home = tempfile::tempdir().expect("make a folder");
    let socket = home.path().join("agent.sock");
    let agent = UnixDatagram::bind(&socket).expect("bind a socket");
    agent.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).expect("close it");
    for path in [socket.as_path(), home.path()] {
        chown(path, Some(1234), Some(1234)).expect("give it away");
    }
    let address = format!("unix://{}", socket.display());
    let data_dir = home.path().to_str().expect("UTF-8");
    let server = Server::start(&["--data-dir", data_dir, "--statsd", &address, "--export-interval", "1s"]);
    let length = agent.recv(&mut vec![0; 65_536]).expect("a datagram");
    assert!(length > 0);
    assert_eq!(server.end(Signal::TERM).code(), Some(0));
    let kept = fs::read_dir(home.path().join("history")).expect("a folder");
    assert!(kept.count() > 0, "no history was written");
}

/// What others than the tick's thread read for those who ask: processes of other users with their files, the machine.
#[test]
fn what_is_looked_up_is_found_without_rights_of_the_server() {
    let server = Server::start(&[]);
    let container = Container::start_with(
        &integration_tests::container::Image::import(),
        &["--user", "1234:1234"],
        &["hog"],
    );
    let path = format!("/api/v2.0/ps/{}?type=docker", container.name());
    let listed = wait::until("the container's processes", || {
        let answer = server.get(&path);
        (answer.status == 200).then(|| answer.json())
    });
    let processes = listed.as_array().expect("processes");
    assert_eq!(processes.len(), 1, "{listed}");
    assert!(processes[0]["fd_count"].as_u64().is_some_and(|files| files >= 3), "{listed}");
    assert_eq!(processes[0]["user"], "1234");
    let of_root = server.json("/api/v2.0/ps/?count=1");
    assert!(of_root.as_array().expect("processes").iter().any(|one| one["user"] == "root"), "{of_root}");
    let machine = server.json("/api/v1.3/machine");
    assert!(machine["num_cores"].as_u64().is_some_and(|cores| cores > 0), "{machine}");
}

fn token_file(folder: &Path) -> String {
    let path = folder.join("token");
    fs::write(&path, format!("{TOKEN}\n")).expect("write a token");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("hide it");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_socket_is_opened_by_its_mode_and_removed_in_the_end() {
    let folder = tempfile::tempdir().expect("make a folder");
    let socket = folder.path().join("monitor.sock");
    let address = format!("unix:{}", socket.display());
    let token = token_file(folder.path());
    let mut child = command(&["serve", "--listen", &address, "--auth-token-file", &token])
        .stderr(Stdio::null())
        .spawn()
        .expect("start monitor");
    wait::until("the socket to answer", || {
        let output = curl(&["--unix-socket", socket.to_str()?, "http://any.example/api/v1/host"]);
        (output.status.success() && code(&output) == "200").then_some(())
    });
    assert_eq!(fs::metadata(&socket).expect("the socket").permissions().mode() & 0o777, 0o660);
    let asked = command(&["zabbix", "item", "memory.available_bytes", "--url", &address])
        .output()
        .expect("run monitor");
    assert!(asked.status.success(), "{asked:?}");
    integration_tests::monitor::send(&child, Signal::TERM);
    let status = wait::until("its end", || child.try_wait().expect("wait for monitor"));
    assert!(status.success(), "{status}");
    assert!(!socket.exists(), "it has left its socket behind");
}

#[test]
fn where_others_reach_it_somebody_has_to_say_who_may_ask() {
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = command(&["serve", "--listen", listen]).output().expect("run monitor");
        let said = String::from_utf8(refused.stderr).expect("UTF-8");
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("--auth-token-file") && said.contains("--insecure"), "{said}");
    }
    let mut open = command(&["serve", "--verbose", "--listen", "0.0.0.0:0", "--insecure"]);
    let mut open = open.stderr(Stdio::piped()).spawn().expect("start monitor");
    let mut said = String::new();
    let mut stderr = open.stderr.take().expect("its standard error");
    let mut bytes = [0; 4096];
    while !said.contains("can read everything: --insecure") {
        let read = stderr.read(&mut bytes).expect("read standard error");
        assert!(read > 0, "it says nothing of --insecure: {said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    integration_tests::monitor::send(&open, Signal::TERM);
    drop(stderr);
    let _status = wait::until("its end", || open.try_wait().expect("wait for monitor"));
}

#[test]
fn a_token_opens_everything_and_is_told_to_nobody() {
    let folder = tempfile::tempdir().expect("make a folder");
    let token = token_file(folder.path());
    let server = Server::start(&["-v", "--auth-token-file", &token]);
    for path in [
        "/",
        "/metrics",
        "/api/v1/snapshot",
        "/api/v1/stream",
        "/metrics/cadvisor",
        "/api/v1.3/machine",
        "/no-such",
    ] {
        let refused = server.get(path);
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.problem(), "no-token", "{path}");
        assert!(refused.head.to_ascii_lowercase().contains("www-authenticate: basic"), "{}", refused.head);
        let wrong = server.get_with(path, &format!("Authorization: Bearer {}\r\n", TOKEN.to_uppercase()));
        assert_eq!(wrong.status, 401, "{path}");
    }
    let with = |header: &str| server.get_with("/api/v1/host", &format!("{header}\r\n")).status;
    assert_eq!(with(&format!("Authorization: Bearer {TOKEN}")), 200);
    // As a browser sends a user and a password.
    let basic = curl(&["--user", &format!("me:{TOKEN}"), &format!("http://{}/", server.address())]);
    assert_eq!(code(&basic), "200");
    assert_eq!(server.get("/healthz").status, 200);

    let url = format!("http://{}", server.address());
    let asked = ["zabbix", "item", "memory.available_bytes", "--url", &url];
    assert!(!command(&asked).status().expect("run monitor").success());
    let with_token = command(&[&asked[..], &["--auth-token-file", &token]].concat()).output();
    let _value = succeeded("monitor zabbix", with_token.expect("run monitor"));

    let pid = server.child().id();
    for file in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{pid}/{file}")).expect("read");
        assert!(!String::from_utf8_lossy(&text).contains(TOKEN), "{file} has the token");
    }
    fs::write(&token, "too short\n").expect("break the token");
    integration_tests::monitor::send(server.child(), Signal::HUP);
    wait::until("a word on the token that is none", || {
        let said = server.said().join("\n");
        assert!(!said.contains(TOKEN) && !said.contains("too short"), "{said}");
        said.contains("go on with").then_some(())
    });
    assert_eq!(with(&format!("Authorization: Bearer {TOKEN}")), 200);
    fs::write(&token, "another token that is long enough\n").expect("renew the token");
    integration_tests::monitor::send(server.child(), Signal::HUP);
    wait::until("the new token to be taken", || {
        (with("Authorization: Bearer another token that is long enough") == 200).then_some(())
    });
    assert_eq!(with(&format!("Authorization: Bearer {TOKEN}")), 401);
}

/// DNS rebinding, and pages that ask in the name of who looks at them.
#[test]
fn other_names_and_other_sites_are_refused() {
    let server = Server::start(&["--allowed-host", "monitor.example.org"]);
    let get = |headers: &str| -> Answer { server.get_with("/api/v1/snapshot", headers) };
    for host in ["127.0.0.1:8080", "localhost", "[::1]:1", "monitor.example.org"] {
        assert_eq!(get(&format!("Host: {host}\r\n")).status, 200, "{host}");
    }
    for host in ["rebound.example", "rebound.example:8080", "127.0.0.1.rebound.example"] {
        let refused = get(&format!("Host: {host}\r\n"));
        assert_eq!((refused.status, refused.problem().as_str()), (421, "unknown-host"), "{host}");
        assert!(refused.text().contains("--allowed-host"), "{}", refused.text());
    }
    let foreign = get("Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n");
    assert_eq!((foreign.status, foreign.problem().as_str()), (403, "foreign-page"));
    let by_origin = get("Host: localhost:80\r\nOrigin: https://evil.example\r\n");
    assert_eq!(by_origin.status, 403);
    let own = get("Host: localhost\r\nSec-Fetch-Site: same-origin\r\n");
    let head = own.head.to_ascii_lowercase();
    assert!(!head.contains("access-control-allow"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    assert!(head.contains("cross-origin-resource-policy: same-origin"), "{head}");
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = server.ask(format!("{method} /api/v1/snapshot HTTP/1.0\r\n\r\n").as_bytes());
        assert_eq!(answer.status, 405, "{method}");
    }
}

fn curl(args: &[&str]) -> Output {
    let fixed = [
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
    ];
    Command::new("curl").args(fixed).args(args).output().expect("run curl")
}

fn code(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server with TLS, and where it answers.
fn with_tls(args: &[&str]) -> (Server, String) {
    let server = Server::start_tls(args);
    let url = format!("https://{}", server.address());
    (server, url)
}

#[test]
fn tls_is_spoken_and_renewed_while_it_runs() {
    let authority = Authority::make();
    let (first, second) = (authority.certify("first"), authority.certify("second"));
    let folder = tempfile::tempdir().expect("make a folder");
    let (cert, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let install = |from: &integration_tests::certificates::Certificate| {
        for (from, to) in [(&from.key, &key), (&from.certificate, &cert)] {
            fs::copy(from, to).expect("copy");
        }
    };
    install(&first);
    let files = [cert.to_str().expect("UTF-8"), key.to_str().expect("UTF-8")];
    let (server, url) = with_tls(&["--tls-cert-file", files[0], "--tls-key-file", files[1]]);
    let ca = authority.certificate();
    let ca = ca.to_str().expect("UTF-8");
    let health = format!("{url}/healthz");
    wait::until("the first snapshot", || (code(&curl(&["--cacert", ca, &health])) == "200").then_some(()));
    assert_eq!(code(&curl(&[&health])), "000", "nobody vouches for it");
    assert_eq!(code(&curl(&["--cacert", ca, "--tls-max", "1.1", &health])), "000");
    // Who does not speak TLS gets nothing, and nothing breaks.
    assert_eq!(code(&curl(&[&health.replace("https", "http")])), "000");
    let mut silent = server.connect();
    silent.write_all(b"\x16\x03\x01\xff\xff").expect("begin a handshake");

    let item = ["zabbix", "item", "memory.available_bytes", "--url", &url];
    let trusted = command(&[&item[..], &["--ca-file", ca]].concat()).output().expect("run monitor");
    let _value = succeeded("monitor zabbix", trusted);
    let distrusted = command(&item).output().expect("run monitor");
    assert!(String::from_utf8_lossy(&distrusted.stdout).contains("--ca-file"), "{distrusted:?}");

    let subject = || {
        let address = server.address().to_string();
        let client = Command::new("openssl")
            .args(["s_client", "-connect", &address, "-CAfile", ca])
            .stdin(Stdio::null())
            .output()
            .expect("run openssl");
        let text = String::from_utf8_lossy(&client.stdout).into_owned();
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
        text.lines().find(|line| line.starts_with("subject=")).expect("a subject").to_owned()
    };
    assert!(subject().contains("first"));
    install(&second);
    integration_tests::monitor::send(server.child(), Signal::HUP);
    wait::until("the renewed certificate", || subject().contains("second").then_some(()));
    // Without being asked, too.
    std::thread::sleep(Duration::from_millis(20));
    install(&first);
    wait::until("the certificate that was put back", || subject().contains("first").then_some(()));
}

#[test]
fn clients_without_a_good_certificate_are_not_answered() {
    let (ours, others) = (Authority::make(), Authority::make());
    let (server_s, client_s, strangers) =
        (ours.certify("server"), ours.certify("client"), others.certify("client"));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let ca = path(&ours.certificate());
    let (server, url) = with_tls(&[
        "--tls-cert-file",
        &path(&server_s.certificate),
        "--tls-key-file",
        &path(&server_s.key),
        "--tls-client-ca-file",
        &ca,
    ]);
    let metrics = format!("{url}/metrics");
    let with = |one: &integration_tests::certificates::Certificate| {
        code(&curl(&["--cacert", &ca, "--cert", &path(&one.certificate), "--key", &path(&one.key), &metrics]))
    };
    wait::until("the first snapshot", || (with(&client_s) == "200").then_some(()));
    assert_eq!(with(&strangers), "000");
    assert_eq!(code(&curl(&["--cacert", &ca, &metrics])), "000");
    // Whom the certificate proves may call it what he likes.
    let rebound = ["--cacert", &ca, "--cert", &path(&client_s.certificate), "--key", &path(&client_s.key)];
    assert_eq!(code(&curl(&[&rebound[..], &["--header", "Host: node.example", &metrics]].concat())), "200");
    let item = ["zabbix", "item", "memory.available_bytes", "--url", &url, "--ca-file", &ca];
    assert!(!command(&item).status().expect("run monitor").success());
    let shown =
        ["--client-cert-file", &path(&client_s.certificate), "--client-key-file", &path(&client_s.key)];
    let _value =
        succeeded("monitor zabbix", command(&[&item[..], &shown].concat()).output().expect("run monitor"));
    drop(server);
}

#[test]
fn files_that_are_none_are_told_without_what_is_in_them() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("file");
    fs::write(&file, "xyzzy and nothing else").expect("write a file");
    let file = file.to_str().expect("UTF-8");
    for args in [
        &["--auth-token-file", "/nonexistent"][..],
        &["--auth-token-file", folder.path().to_str().expect("UTF-8")],
        &["--tls-cert-file", file, "--tls-key-file", file],
        &["--influxdb-url", "http://me:xyzzy@127.0.0.1:1/"],
        &["--remote-write-url", "http://me:xyzzy@127.0.0.1:1/"],
    ] {
        let refused =
            command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()).output().expect("run monitor");
        let said = String::from_utf8(refused.stderr).expect("UTF-8");
        assert!(!refused.status.success(), "{args:?}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("xyzzy"), "{said}");
    }
    let config = folder.path().join("config.toml");
    fs::write(&config, format!("auth-token-file = {file:?}\n")).expect("write settings");
    let checked = command(&["config", "check", "--config"]).arg(&config).output().expect("run monitor");
    let said = [checked.stdout, checked.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("xyzzy"));
}
