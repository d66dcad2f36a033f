//! The second generation of the REST API.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::Serialize;

use super::{Answer, Request, Shape, Version, json, several, with_nested};
use crate::{
    cadvisor::{
        convert,
        frame::{Frame, MACHINE, Subject},
        lookup::Question,
        machine::{VERSION, attributes},
        request::{Range, Refusal, by_name, by_path, of_runtime},
        summary::summary,
        v2,
    },
    model::HostFilesystem,
};

/// `storage`: a file system of the machine.
#[derive(Debug, Serialize)]
struct Storage {
    timestamp: Timestamp,
    device: String,
    mountpoint: String,
    capacity: Option<u64>,
    available: Option<u64>,
    usage: Option<u64>,
    labels: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inodes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inodes_free: Option<u64>,
}

/// What a container's own metrics are that nobody asked it for.
#[derive(Debug, Serialize)]
struct NoMetrics {}

pub(super) fn answer(wanted: &str, request: &Request) -> Answer {
    match wanted {
        "version" => json(&VERSION),
        "attributes" => json(&attributes(&request.cadvisor.machine(), &request.history.latest.snapshot)),
        "storage" => storage(request),
        "machinestats" => {
            let range = request.parameters.range()?;
            let machine = by_path(&request.history.latest, MACHINE)?;
            json(&v2::machine_stats(request.history.stats(&machine, &range)))
        }
        "spec" => Ok(several(request, &subjects(request)?, Shape::Map, |_, subject| {
            v2::container_spec(convert::reference(subject), convert::spec(subject))
        })),
        "summary" => Ok(several(request, &subjects(request)?, Shape::Map, |history, subject| {
            summary(&history.stats(subject, &Range::all()))
        })),
        "appmetrics" => {
            // Containers whose labels name a file with metrics of their own are not asked for them.
            Ok(several(request, &subjects(request)?, Shape::Map, |_, _| NoMetrics {}))
        }
        "stats" => stats(request),
        other => Err(Refusal::UnknownType(other.to_owned())),
    }
}

fn stats(request: &Request) -> Answer {
    let range = request.parameters.range()?;
    let mut subjects = subjects(request)?;
    if request.version < Version::V2_1 {
        return Ok(several(request, &subjects, Shape::Map, move |history, subject| {
            v2::deprecated_stats(history.stats(subject, &range))
        }));
    }
    // The machine has `machinestats`.
    subjects.retain(|subject| !subject.is_machine());
    Ok(several(request, &subjects, Shape::Map, move |history, subject| v2::ContainerInfo {
        spec: v2::container_spec(convert::reference(subject), convert::spec(subject)),
        stats: v2::container_stats(history.stats(subject, &range)),
    }))
}

/// The containers that a request names in the way of its `type`.
fn subjects(request: &Request) -> Result<Vec<Subject<'_>>, Refusal> {
    let frame = &request.history.latest;
    let is_recursive = request.parameters.flag("recursive")?;
    match request.parameters.kinds()?.runtime() {
        None => with_nested(request, is_recursive),
        Some(runtime) if request.name.is_empty() && is_recursive => Ok(of_runtime(frame, runtime).collect()),
        Some(runtime) => Ok(vec![by_name(frame, runtime, &request.name)?]),
    }
}

/// `ps`, which is looked up on another thread.
pub(super) async fn processes(request: &Request) -> Answer {
    let lookup = &request.cadvisor.lookup;
    let listed = lookup.processes(whose_processes(request)?).await.ok_or(Refusal::Busy)?;
    json(&listed.map_err(Refusal::Processes)?)
}

fn whose_processes(request: &Request) -> Result<Question, Refusal> {
    let subjects = subjects(request)?;
    let [subject] = subjects.as_slice() else { return Err(Refusal::SeveralContainers) };
    Ok(Question {
        path: subject.path.to_owned(),
        booted_at: request.cadvisor.machine().booted_at.unwrap_or(Timestamp::UNIX_EPOCH),
        memory_bytes: request.history.latest.snapshot.host.memory_bytes,
    })
}

fn storage(request: &Request) -> Answer {
    let frame = &request.history.latest;
    let mounted = frame.snapshot.host.totals.filesystems.as_deref().unwrap_or_default();
    let all = mounted.iter().map(|found| storage_of(frame, found));
    if let Some(uuid) = request.parameters.text("uuid") {
        let unknown = || Refusal::UnknownFilesystem { name: "uuid", value: uuid.chars().take(100).collect() };
        let device = device_of(uuid).ok_or_else(unknown)?;
        let found =
            all.into_iter().find(|found| fs::canonicalize(&found.device).ok() == Some(device.clone()));
        return json(&found.ok_or_else(unknown)?);
    }
    match request.parameters.text("label") {
        None => json(&all.collect::<Vec<_>>()),
        Some(label) => {
            let found: Vec<Storage> = all.filter(|found| found.labels.contains(&label)).collect();
            if found.is_empty() {
                let value = label.chars().take(100).collect();
                return Err(Refusal::UnknownFilesystem { name: "label", value });
            }
            json(&found)
        }
    }
}

/// The device with a file system of this id.
fn device_of(uuid: &str) -> Option<std::path::PathBuf> {
    let is_one_name = uuid.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    is_one_name.then(|| fs::canonicalize(Path::new("/dev/disk/by-uuid").join(uuid)).ok()).flatten()
}

fn storage_of(frame: &Frame, found: &HostFilesystem) -> Storage {
    let mut labels = Vec::new();
    if found.mount_point == "/" {
        labels.push("root");
    }
    let holds_images = of_runtime(frame, "docker").any(|subject| {
        let layer = subject.measurements().and_then(|measured| measured.filesystems.writable_layer.as_ref());
        layer.and_then(|layer| frame.filesystem_of(&layer.path)) == Some(found)
    });
    if holds_images {
        labels.push("docker-images");
    }
    Storage {
        timestamp: frame.snapshot.taken_at,
        device: found.source.clone(),
        mountpoint: found.mount_point.clone(),
        capacity: found.space.capacity_bytes,
        available: found.space.available_bytes,
        usage: found.space.used_bytes,
        labels,
        inodes: found.space.inodes,
        inodes_free: found.space.free_inodes,
    }
}
