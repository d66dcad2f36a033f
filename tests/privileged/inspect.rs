//! `monitor inspect` against /proc, the cgroup files and what Docker was told.

use std::{collections::BTreeSet, fs, path::Path, process::Command, process::Output, process::Stdio};

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, Image},
    env,
    monitor::command,
    schema, truth, wait,
    workload::Workload,
};
use jiff::Timestamp;
use serde_json::Value;

fn run(args: &[&str]) -> Output {
    command(&["inspect"]).args(args).output().expect("run monitor")
}

fn inspect(container: &str) -> Value {
    let output = run(&[container, "--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert_eq!(said, "");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Panics unless it ended with the code and one line that says each of the words.
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "not one line: {said}");
    for word in words {
        assert!(said.contains(word), "{said:?} does not say {word:?}");
    }
    assert!(output.stdout.is_empty(), "printed something all the same");
}

fn pid(container: &Container) -> u64 {
    container.inspect("{{.State.Pid}}").parse().expect("a process id")
}

fn proc_file(pid: u64, name: &str) -> String {
    truth::read(Path::new(&format!("/proc/{pid}/{name}"))).expect("a process that runs")
}

fn namespace<'v>(inspection: &'v Value, kind: &str) -> &'v Value {
    let namespaces = inspection["namespaces"].as_array().expect("namespaces");
    namespaces.iter().find(|namespace| namespace["kind"] == kind).expect("of this kind")
}

/// The inode number of a namespace, as /proc links to it.
fn namespace_inode(pid: &str, kind: &str) -> u64 {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("a namespace");
    let link = link.to_str().expect("UTF-8").to_owned();
    let inode = link.split(['[', ']']).nth(1).expect("an inode number");
    inode.parse().expect("a number")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|item| item.as_str().expect("a string")).collect()
}

#[test]
fn limits_are_docker_s() {
    let create = [
        "--memory=64m",
        "--memory-reservation=32m",
        "--cpus=0.5",
        "--pids-limit=50",
        "--cpuset-cpus=0",
        "--cpu-shares=512",
    ];
    let container = Container::start_with(&Image::import(), &create, &["hog"]);
    let inspection = inspect(container.name());
    let limits = &inspection["limits"];
    let docker = |field: &str| -> i64 {
        container.inspect(&format!("{{{{.HostConfig.{field}}}}}")).parse().expect("a number")
    };
    assert_eq!(limits["memory"]["limit_bytes"], docker("Memory"));
    assert_eq!(limits["memory"]["reservation_bytes"], docker("MemoryReservation"));
    assert_eq!(limits["pids"], docker("PidsLimit"));
    let number = |field: &str| limits["cpu"][field].as_i64().unwrap_or_else(|| panic!("no {field}"));
    assert_eq!(number("quota_us") * 1_000_000_000 / number("period_us"), docker("NanoCpus"));
    assert_eq!(limits["cpu"]["cpus"], container.inspect("{{.HostConfig.CpusetCpus}}"));
    if let Some(file) = container.places().file("cpu.shares") {
        assert_eq!(limits["cpu"]["shares"].as_u64(), truth::read_number(&file));
        assert_eq!(limits["cpu"]["shares"], 512);
    } else {
        let file = container.places().file("cpu.weight").expect("a share or weight");
        assert_eq!(limits["cpu"]["weight"].as_u64(), truth::read_number(&file));
    }
    let unlimited = Container::start(&["hog"]);
    let inspection = inspect(unlimited.id());
    assert_eq!(inspection["limits"]["memory"]["limit_bytes"], -1);
    assert_eq!(inspection["limits"]["cpu"]["quota_us"], -1);
    assert_eq!(inspection["limits"]["pids"], -1);
}

#[test]
fn rights_are_those_of_the_first_process() {
    let create = ["--cap-drop=NET_RAW", "--cap-add=SYS_TIME", "--security-opt=no-new-privileges"];
    let container = Container::start_with(&Image::import(), &create, &["hog"]);
    let inspection = inspect(container.name());
    let status = proc_file(pid(&container), "status");
    let hex = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a set");
        u64::from_str_radix(line.trim(), 16).expect("bits")
    };
    let capabilities = &inspection["security"]["capabilities"];
    for (set, field) in
        [("effective", "CapEff:"), ("permitted", "CapPrm:"), ("bounding", "CapBnd:"), ("ambient", "CapAmb:")]
    {
        let names = strings(&capabilities[set]);
        assert_eq!(u32::try_from(names.len()), Ok(hex(field).count_ones()), "{set}: {names:?}");
        // include/uapi/linux/capability.h
        for (name, number) in [("CAP_CHOWN", 0), ("CAP_NET_RAW", 13), ("CAP_SYS_TIME", 25), ("CAP_BPF", 39)] {
            assert_eq!(names.contains(&name), hex(field) >> number & 1 == 1, "{name} in {set}");
        }
    }
    let effective = strings(&capabilities["effective"]);
    assert!(effective.contains(&"CAP_SYS_TIME") && !effective.contains(&"CAP_NET_RAW"), "{effective:?}");
    let security = &inspection["security"];
    let mode = match truth::field(&status, "Seccomp:") {
        0 => "disabled",
        1 => "strict",
        _ => "filter",
    };
    assert_eq!(security["seccomp"], mode);
    assert_eq!(security["seccomp_filters"].as_u64(), truth::try_field(&status, "Seccomp_filters:"));
    assert_eq!(security["no_new_privs"], true);
    let label = fs::read_to_string(format!("/proc/{}/attr/current", pid(&container))).ok();
    let label = label.map(|label| label.trim_end_matches(['\0', '\n']).to_owned());
    assert_eq!(security["lsm_label"].as_str(), label.as_deref().filter(|label| !label.is_empty()));
}

#[test]
fn who_shares_a_namespace_is_named() {
    let image = Image::import();
    let owner = Container::start_with(&image, &[], &["hog"]);
    let network = format!("--network=container:{}", owner.name());
    let guest = Container::start_with(&image, &[&network], &["hog"]);
    let open = Container::start_with(&image, &["--pid=host"], &["hog"]);
    for container in [&owner, &guest, &open] {
        let inspection = inspect(container.id());
        for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
            let truth = namespace_inode(&pid(container).to_string(), kind);
            assert_eq!(namespace(&inspection, kind)["inode"], truth, "{kind}");
        }
    }
    for (one, other) in [(&owner, &guest), (&guest, &owner)] {
        let inspection = inspect(one.id());
        let net = namespace(&inspection, "net");
        assert_eq!(net["is_host"], false);
        let sharers = net["shared_with"].as_array().expect("a list");
        assert_eq!(sharers.len(), 1, "{net}");
        assert_eq!(sharers[0]["id"], other.id());
        assert_eq!(sharers[0]["name"], other.name());
        let mnt = namespace(&inspection, "mnt");
        assert_eq!(mnt["is_host"], false);
        assert_eq!(mnt["shared_with"], Value::Array(Vec::new()));
    }
    let inspection = inspect(open.id());
    let in_host = namespace(&inspection, "pid");
    assert_eq!(in_host["is_host"], true);
    assert_eq!(in_host["inode"], namespace_inode("self", "pid"));
    // This one has no process 1 of its own.
    assert_eq!(inspection["first_pid"], pid(&open));
    assert_eq!(inspection["processes"][0]["namespace_pid"], pid(&open));
}

#[test]
fn processes_files_and_cgroups_are_those_of_proc() {
    let mut container = Container::start_with(
        &Image::import(),
        &["--user=1234"],
        &["switch", "--threads", "3", "--blocks", "1"],
    );
    container.workload().go();
    let _done = container.workload().wait_done();
    let _still = container.still_tasks();
    let first = pid(&container);
    let inspection = inspect(&container.id()[..12]);
    assert_eq!(inspection["id"], container.id());
    assert_eq!(inspection["name"], container.name());
    assert_eq!(inspection["runtime"], "docker");
    assert_eq!(inspection["is_frozen"], false);
    assert_eq!(inspection["first_pid"], first);

    let processes = inspection["processes"].as_array().expect("processes");
    let pids: BTreeSet<u64> =
        processes.iter().map(|process| process["pid"].as_u64().expect("a pid")).collect();
    let truth: BTreeSet<u64> =
        truth::processes(container.places().any()).into_iter().map(u64::from).collect();
    assert_eq!(pids, truth);
    let status = proc_file(first, "status");
    let process = &processes[0];
    assert_eq!(process["pid"], first);
    assert_eq!(process["namespace_pid"], 1);
    assert_eq!(process["parent_pid"], truth::field(&status, "PPid:"));
    assert_eq!(process["user_id"], 1234);
    assert_eq!(process["state"], "S");
    assert_eq!(process["threads"], truth::field(&status, "Threads:"));
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    let resident_kib: u64 = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    assert_eq!(process["resident_bytes"], resident_kib * 1024);
    assert_eq!(strings(&process["arguments"]).first(), Some(&"/workload"));
    let started_at: Timestamp = process["started_at"].as_str().expect("a time").parse().expect("a time");
    let truth: Timestamp = container.inspect("{{.State.StartedAt}}").parse().expect("a time");
    assert!(
        started_at.duration_since(truth).abs() < jiff::SignedDuration::from_secs(3),
        "{started_at} {truth}"
    );

    let descriptors: Vec<_> = fs::read_dir(format!("/proc/{first}/fd")).expect("descriptors").collect();
    assert_eq!(inspection["open_files"], descriptors.len());
    assert_eq!(process["open_files"], descriptors.len());
    let mountinfo = proc_file(first, "mountinfo");
    let targets: Vec<&str> = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).collect();
    let mounts = inspection["mounts"].as_array().expect("mounts");
    assert_eq!(
        mounts.iter().map(|mount| mount["target"].as_str().expect("a target")).collect::<Vec<_>>(),
        targets
    );

    let memberships = proc_file(first, "cgroup");
    let cgroups = inspection["cgroups"].as_array().expect("cgroups");
    assert_eq!(cgroups.len(), memberships.lines().count());
    for (place, line) in cgroups.iter().zip(memberships.lines()) {
        let path = line.splitn(3, ':').nth(2).expect("a path");
        assert_eq!(place["path"], path);
        assert_eq!(place["is_own"], path.contains(container.id()));
        if place["is_own"] == true
            && let Some(id) = place["id"].as_u64()
        {
            assert!(container.places().has_id(id), "{place}");
        }
    }
    assert!(container.exit(0).success());
}

#[test]
fn a_paused_container_is_frozen() {
    let container = Container::start(&["hog"]);
    container.docker(&["pause"]);
    wait::until("the container to freeze", || (inspect(container.id())["is_frozen"] == true).then_some(()));
    container.docker(&["unpause"]);
}

#[test]
fn both_forms_are_whole_and_show_no_environment() {
    let create = ["--env", "SECRET=correct-horse-battery"];
    let container = Container::start_with(&Image::import(), &create, &["hog"]);
    let environment = fs::read(format!("/proc/{}/environ", pid(&container))).expect("its environment");
    assert!(String::from_utf8_lossy(&environment).contains("correct-horse-battery"));
    let text = run(&[container.name()]);
    assert!(text.status.success(), "{}", String::from_utf8_lossy(&text.stderr));
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    for word in [
        "NAMESPACES",
        "SECURITY",
        "LIMITS",
        "CGROUPS",
        "PROCESSES",
        "MOUNTS",
        container.name(),
        container.id(),
    ] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let json = inspect(container.name());
    assert!(!text.contains("correct-horse") && !json.to_string().contains("correct-horse"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/inspect.schema.json");
    let described: Value = serde_json::from_str(&truth::read(&path).expect("a schema")).expect("JSON");
    let faults = schema::faults(&described, &json);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn without_docker_the_id_is_enough_and_a_name_is_not() {
    let container = Container::start(&["hog"]);
    for args in [["--no-docker", ""], ["--docker-host", "unix:///nonexistent/docker.sock"]] {
        let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let by_id = command(&["inspect", "--format", "json", &container.id()[..20]]).args(&args).output();
        let by_id = by_id.expect("run monitor");
        assert!(by_id.status.success(), "{}", String::from_utf8_lossy(&by_id.stderr));
        let inspection: Value = serde_json::from_slice(&by_id.stdout).expect("JSON");
        assert_eq!((&inspection["id"], &inspection["name"]), (&container.id().into(), &Value::Null));
        let by_name = command(&["inspect", container.name()]).args(&args).output().expect("run monitor");
        assert_refused(&by_name, 1, &[container.name()]);
    }
}

#[test]
fn what_does_not_run_is_refused_in_one_line() {
    assert_refused(&run(&["no-such-container"]), 1, &["no-such-container"]);
    assert_refused(&run(&[""]), 2, &["CONTAINER"]);
    assert_refused(&run(&[]), 2, &["CONTAINER"]);
    assert_refused(&run(&["x", "--docker-host", "ssh://x"]), 2, &["ssh://x"]);
    let mut container = Container::start(&["switch", "--blocks", "1"]);
    let (id, name) = (container.id().to_owned(), container.name().to_owned());
    container.workload().go();
    let _done = container.workload().wait_done();
    assert_eq!(container.exit(3).code(), Some(3));
    for by in [name.as_str(), id.as_str(), &id[..12]] {
        assert_refused(&run(&[by]), 1, &[&name, "exited", "exit code 3"]);
    }
}

#[test]
fn a_container_that_no_runtime_knows_is_found_by_its_cgroup() {
    let beginning = format!("{:08x}", std::process::id());
    let ids = ["a", "b"].map(|next| beginning.clone() + next + &"0".repeat(64 - 9));
    let [full, _empty] = ids.each_ref().map(|id| Cgroup::make(&Places::roots(), id));
    let mut workload = Workload::start(&["hog"]);
    let _ready = workload.wait_ready();
    full.take(workload.pid());
    let inspection = inspect(&ids[0]);
    assert_eq!((&inspection["runtime"], &inspection["name"]), (&"unknown".into(), &Value::Null));
    assert_eq!(inspection["first_pid"], workload.pid());
    for namespace in inspection["namespaces"].as_array().expect("namespaces") {
        assert_eq!(namespace["is_host"], true, "{namespace}");
    }
    assert_refused(&run(&[&beginning]), 1, &["any of", &ids[0][..12], &ids[1][..12]]);
    assert_refused(&run(&[&ids[1]]), 1, &[&ids[1][..12], "not running"]);
    workload.go();
    workload.stop();
    let _done = workload.wait_done();
    assert!(workload.exit(0).success());
}

#[test]
fn the_missing_capability_is_named() {
    let container = Container::start(&["hog"]);
    // util-linux: every Debian has it.
    let output = Command::new("setpriv")
        .args(["--inh-caps=-all", "--bounding-set=-sys_ptrace"])
        .arg(env::monitor_bin())
        .args(["inspect", container.id()])
        .stdin(Stdio::null())
        .output()
        .expect("run setpriv");
    assert_refused(&output, 77, &["CAP_SYS_PTRACE"]);
}
