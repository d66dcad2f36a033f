//! An inspection as text for a terminal.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use super::model::{
    Capabilities, CgroupPlace, DataTree, Filesystems, Inspection, IoDeviceLimit, Limits, Mount, Namespace,
    Process, Seccomp, Security, Volume,
};
use crate::output::table::{bytes, printable};

/// Width of the names before values.
const NAME_WIDTH: usize = 20;

/// Sections with a heading each.
pub(super) fn encode(inspection: &Inspection) -> String {
    let mut text = String::new();
    header(&mut text, inspection);
    section(&mut text, "NAMESPACES");
    for namespace in &inspection.namespaces {
        line(&mut text, &namespace.kind, &namespace_value(namespace));
    }
    section(&mut text, "SECURITY");
    security(&mut text, &inspection.security);
    section(&mut text, "LIMITS");
    limits(&mut text, &inspection.limits);
    section(&mut text, "CGROUPS");
    cgroups(&mut text, &inspection.cgroups);
    processes(&mut text, inspection);
    mounts(&mut text, &inspection.mounts);
    if let Some(filesystems) = &inspection.filesystems {
        section(&mut text, "FILE SYSTEMS");
        data(&mut text, filesystems);
    }
    text
}

fn header(text: &mut String, inspection: &Inspection) {
    let name = inspection.name.as_deref().unwrap_or(&inspection.short_id);
    let mut facts = vec![inspection.runtime.clone()];
    facts.extend(inspection.is_frozen.filter(|is_frozen| *is_frozen).map(|_| "paused".to_owned()));
    facts.extend(inspection.image.as_ref().map(|image| format!("image {image}")));
    facts.extend(inspection.pod_uid.as_ref().map(|uid| format!("pod {uid}")));
    facts.push(format!("first process {}", inspection.first_pid));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{} · {}", printable(name), printable(&facts.join(" · ")));
    let _ = writeln!(text, "{}", printable(&inspection.id));
}

fn section(text: &mut String, heading: &str) {
    let _ = writeln!(text, "\n{heading}");
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {:<NAME_WIDTH$} {}", printable(name), printable(value));
}

fn namespace_value(namespace: &Namespace) -> String {
    let Some(inode) = namespace.inode else { return "-".to_owned() };
    let mut sharers: Vec<Cow<'_, str>> = Vec::new();
    if namespace.is_host == Some(true) {
        sharers.push("the host".into());
    }
    // With the host's own, the containers in it are of no interest.
    if namespace.is_host != Some(true) {
        sharers.extend(namespace.shared_with.iter().map(|container| {
            container.name.as_deref().or(container.id.get(..12)).unwrap_or(&container.id).into()
        }));
    }
    match sharers.as_slice() {
        [] => format!("{inode:<12} its own"),
        sharers => format!("{inode:<12} shared with {}", sharers.join(", ")),
    }
}

fn security(text: &mut String, security: &Security) {
    let Security { capabilities, seccomp, seccomp_filters, no_new_privs, lsm_label } = security;
    let Capabilities { effective, permitted, bounding, ambient } = capabilities;
    line(text, "effective", &set(effective));
    line(text, "permitted", &same_or(permitted, effective, "effective"));
    line(
        text,
        "bounding",
        &bounding.as_ref().map_or("-".to_owned(), |set| same_or(set, effective, "effective")),
    );
    line(text, "ambient", &ambient.as_ref().map_or("-".to_owned(), |names| set(names)));
    let filters = match (seccomp, seccomp_filters) {
        (None, _) => "-".to_owned(),
        (Some(Seccomp::Disabled), _) => "off".to_owned(),
        (Some(Seccomp::Strict), _) => "strict".to_owned(),
        (Some(Seccomp::Filter), Some(1)) => "1 filter".to_owned(),
        (Some(Seccomp::Filter), Some(count)) => format!("{count} filters"),
        (Some(Seccomp::Filter), None) => "filtered".to_owned(),
    };
    line(text, "seccomp", &filters);
    line(text, "no_new_privs", no_new_privs.map_or("-", |is_set| if is_set { "yes" } else { "no" }));
    line(text, "LSM label", lsm_label.as_deref().unwrap_or("-"));
}

/// Names as `capsh` and Docker's options have them, without `CAP_`.
fn set(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let short: Vec<&str> = names.iter().map(|name| name.strip_prefix("CAP_").unwrap_or(name)).collect();
    format!("{}: {}", short.len(), short.join(" "))
}

fn same_or(names: &[String], others: &[String], other: &str) -> String {
    if names == others && !names.is_empty() { format!("as {other}") } else { set(names) }
}

fn limits(text: &mut String, limits: &Limits) {
    let Limits { cpu, memory, pids, io, hugetlb } = limits;
    line(text, "cpu quota", &quota(cpu.quota_us, cpu.period_us));
    match (cpu.shares, cpu.weight) {
        (Some(shares), _) => line(text, "cpu shares", &format!("{shares} (default 1024)")),
        (None, Some(weight)) => line(text, "cpu weight", &format!("{weight} (default 100)")),
        (None, None) => line(text, "cpu weight", "-"),
    }
    line(text, "cpus", cpu.cpus.as_deref().unwrap_or("-"));
    line(text, "memory nodes", cpu.memory_nodes.as_deref().unwrap_or("-"));
    line(text, "memory", &byte_limit(memory.limit_bytes));
    if memory.high_bytes.is_some() {
        line(text, "memory high", &byte_limit(memory.high_bytes));
    }
    line(text, "memory reservation", &byte_limit(memory.reservation_bytes));
    line(text, "swap", &byte_limit(memory.swap_bytes));
    line(text, "pids", &number_limit(*pids));
    line(text, "io weight", &io.weight.map_or("-".to_owned(), |weight| weight.to_string()));
    for device in io.devices.iter().flatten() {
        line(text, &format!("io of {}", device.device), &io_limit(device));
    }
    for page in hugetlb {
        line(text, &format!("{} pages", page.page_size), &byte_limit(Some(page.limit_bytes)));
    }
}

fn quota(quota_us: Option<i64>, period_us: Option<u64>) -> String {
    match (quota_us, period_us) {
        (Some(-1), _) => "none".to_owned(),
        (Some(quota), Some(period)) if period > 0 => {
            format!("{quota} µs of every {period} µs: {:.2} CPUs", quota as f64 / period as f64)
        }
        _ => "-".to_owned(),
    }
}

fn byte_limit(limit: Option<i64>) -> String {
    match limit.map(u64::try_from) {
        None => "-".to_owned(),
        Some(Err(_minus_one)) => "none".to_owned(),
        Some(Ok(limit)) => bytes(Some(limit)),
    }
}

fn number_limit(limit: Option<i64>) -> String {
    match limit {
        None => "-".to_owned(),
        Some(-1) => "none".to_owned(),
        Some(limit) => limit.to_string(),
    }
}

fn io_limit(device: &IoDeviceLimit) -> String {
    format!(
        "read {}/s, {} operations/s; write {}/s, {} operations/s",
        byte_limit(Some(device.read_bytes_per_second)),
        number_limit(Some(device.read_operations_per_second)),
        byte_limit(Some(device.write_bytes_per_second)),
        number_limit(Some(device.write_operations_per_second)),
    )
}

/// A line for each path, with the hierarchies that have it: mostly it is the same in all of them.
fn cgroups(text: &mut String, places: &[CgroupPlace]) {
    let mut by_path: BTreeMap<(bool, &str), Vec<String>> = BTreeMap::new();
    for place in places {
        by_path.entry((!place.is_own, &place.path)).or_default().push(hierarchy_name(place));
    }
    for ((is_foreign, path), hierarchies) in by_path {
        let whose = if is_foreign { "  (not the container's)" } else { "" };
        let _ = writeln!(text, "  {}{whose}", printable(path));
        let _ = writeln!(text, "    in {}", printable(&hierarchies.join(", ")));
    }
}

fn hierarchy_name(place: &CgroupPlace) -> String {
    let controllers = place.controllers.join(",");
    match (place.hierarchy, controllers.as_str()) {
        (0, "") => "v2".to_owned(),
        (0, controllers) => format!("v2 with {controllers}"),
        (_, controllers) => controllers.to_owned(),
    }
}

fn processes(text: &mut String, inspection: &Inspection) {
    let count = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let (files, sockets) = (count(inspection.open_files), count(inspection.open_sockets));
    let processes = &inspection.processes;
    section(text, &format!("PROCESSES  {}, {files} open files, {sockets} sockets", processes.len()));
    let _ = writeln!(
        text,
        "  {:>8} {:>8} {:>8} {:>6} S {:>5} {:>10} {:>5} {:<19}  COMMAND",
        "PID", "INSIDE", "PARENT", "USER", "THR", "RESIDENT", "FILES", "STARTED (UTC)"
    );
    for process in processes {
        let _ = writeln!(
            text,
            "  {:>8} {:>8} {:>8} {:>6} {} {:>5} {:>10} {:>5} {:<19}  {}",
            process.pid,
            process.namespace_pid.map_or("-".to_owned(), |pid| pid.to_string()),
            process.parent_pid,
            process.user_id,
            process.state,
            process.threads,
            bytes(process.resident_bytes),
            count(process.open_files),
            process.started_at.strftime("%Y-%m-%d %H:%M:%S"),
            printable(&command(process)),
        );
    }
}

/// As `ps` has it: the name in brackets where there are no arguments.
fn command(process: &Process) -> String {
    if process.arguments.is_empty() { format!("[{}]", process.name) } else { process.arguments.join(" ") }
}

fn data(text: &mut String, filesystems: &Filesystems) {
    let Filesystems { writable_layer, logs, volumes } = filesystems;
    for (name, tree) in [("writable layer", writable_layer), ("logs", logs)] {
        line(text, name, &tree.as_ref().map_or("-".to_owned(), taken));
    }
    for Volume { destination, name, is_of_host, tree } in volumes.iter().flatten() {
        let what = match (is_of_host, name) {
            (true, _) => format!("the host's {}", tree.path),
            (false, Some(name)) => format!("{}, volume {name}", taken(tree)),
            (false, None) => taken(tree),
        };
        line(text, destination, &what);
    }
}

fn taken(tree: &DataTree) -> String {
    let DataTree { path, used_bytes, used_inodes, limit_bytes } = tree;
    let (Some(_), Some(inodes)) = (used_bytes, used_inodes) else {
        return format!("takes longer to measure: {path}");
    };
    let limit = limit_bytes.filter(|limit| *limit >= 0);
    let limit = limit.map_or(String::new(), |limit| format!(" of {}", byte_limit(Some(limit))));
    format!("{}{limit} in {inodes} inodes", bytes(*used_bytes))
}

fn mounts(text: &mut String, mounts: &[Mount]) {
    section(text, &format!("MOUNTS  {}", mounts.len()));
    let rows: Vec<[String; 4]> = mounts.iter().map(mount_row).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (target_width, type_width, options_width) = (width(0), width(1), width(2));
    for [target, fs_type, options, source] in &rows {
        let _ = writeln!(
            text,
            "  {target:<target_width$}  {fs_type:<type_width$}  {options:<options_width$}  {source}"
        );
    }
}

/// The source, with the part of it that a bind mount shows, is the longest and comes last.
fn mount_row(mount: &Mount) -> [String; 4] {
    let part = if mount.root == "/" { String::new() } else { format!("[{}]", mount.root) };
    let source = format!("{}{part}", mount.source);
    [&mount.target, &mount.fs_type, &mount.options.join(","), &source].map(|cell| printable(cell))
}
