use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::*;

/// A snapshot that has a value wherever its schema allows one, no two numbers alike.
fn full_snapshot() -> Snapshot {
    let schema = serde_json::to_value(schemars::schema_for!(Snapshot)).unwrap();
    let mut filler = Filler { root: &schema, next: 1 };
    let mut snapshot = filler.value(&schema);
    snapshot["schema_version"] = SCHEMA_VERSION.into();
    serde_json::from_value(snapshot).unwrap()
}

struct Filler<'a> {
    root: &'a Value,
    next: i64,
}

impl Filler<'_> {
    fn value(&mut self, schema: &Value) -> Value {
        if let Some(target) = schema["$ref"].as_str() {
            return self.value(self.root.pointer(target.trim_start_matches('#')).unwrap());
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        for several in ["anyOf", "oneOf"] {
            if let Some(schemas) = schema[several].as_array() {
                return self.value(&schemas[0]);
            }
        }
        let type_ = schema["type"].as_array().map_or(&schema["type"], |types| &types[0]);
        self.next += 1;
        match type_.as_str().unwrap() {
            "integer" => self.next.into(),
            "number" => json!(self.next as f64 + 0.5),
            "string" if schema["format"] == "date-time" => {
                Timestamp::from_nanosecond(i128::from(self.next) * 1_000_000_007).unwrap().to_string().into()
            }
            "string" => format!("text {}", self.next).into(),
            "array" => json!([self.value(&schema["items"]), self.value(&schema["items"])]),
            "object" => self.object(schema),
            other => panic!("a schema of type {other}"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let mut object = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            object.insert(name.clone(), self.value(member));
        }
        if schema["additionalProperties"].is_object() {
            object.insert("some.key".to_owned(), self.value(&schema["additionalProperties"]));
        }
        object.into()
    }
}

/// So many snapshots a second apart, of machines on which nothing else changes.
fn snapshots(count: i64) -> Vec<Arc<Snapshot>> {
    let first = full_snapshot();
    (0..count)
        .map(|second| {
            let mut snapshot = first.clone();
            snapshot.taken_at = first.taken_at + SignedDuration::from_secs(second);
            snapshot.containers[0].measurements.scheduler.migrations_total = u64::try_from(second).ok();
            Arc::new(snapshot)
        })
        .collect()
}

fn manner(format: Format, flush_every: Duration) -> Manner {
    Manner { format, flush_every, rotate_every: None }
}

fn record(path: &Path, format: Format, flush_every: Duration, snapshots: &[Arc<Snapshot>]) {
    let mut recorder = Recorder::create(path, manner(format, flush_every)).unwrap();
    for snapshot in snapshots {
        recorder.write(snapshot).unwrap();
    }
    recorder.finish().unwrap();
}

fn read(path: &Path) -> Vec<Snapshot> {
    Recording::open(path).unwrap().collect::<Result<_, _>>().unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

const FORMATS: [Format; 2] = [Format::Parquet, Format::Ndjson];
const AT_ONCE: Duration = Duration::ZERO;
const LATE: Duration = Duration::from_hours(1);

#[test]
fn every_value_of_a_snapshot_is_read_back() {
    let folder = folder();
    for format in FORMATS {
        let path = folder.path().join(format!("{format:?}"));
        let written = snapshots(3);
        record(&path, format, LATE, &written);
        let read = read(&path);
        assert_eq!(read.len(), 3);
        for (read, written) in read.iter().zip(&written) {
            let json = |snapshot: &Snapshot| serde_json::to_value(snapshot).unwrap();
            assert_eq!(json(read), json(written), "{format:?}");
        }
    }
}

#[test]
fn what_was_not_measured_stays_null() {
    let folder = folder();
    let path = folder.path().join("x.parquet");
    let mut snapshot = full_snapshot();
    for container in &mut snapshot.containers {
        container.measurements = crate::model::Measurements::default();
        (container.name, container.pod, container.exit_code) = (None, None, None);
    }
    snapshot.containers[1].measurements.scheduler.runq_latency = Some(crate::model::Latency::default());
    snapshot.containers[1].measurements.scheduler.on_cpu_ns_by_cpu = Some(Vec::new());
    snapshot.host.totals = crate::model::HostTotals::default();
    snapshot.cgroups.clear();
    record(&path, Format::Parquet, LATE, &[Arc::new(snapshot.clone())]);
    assert_eq!(read(&path), [snapshot]);
}

#[test]
fn a_file_without_snapshots_is_a_recording_too() {
    let folder = folder();
    let path = folder.path().join("x.parquet");
    record(&path, Format::Parquet, LATE, &[]);
    assert!(read(&path).is_empty());
}

#[test]
fn a_recording_that_goes_on_is_readable_after_each_row_group() {
    let folder = folder();
    let path = folder.path().join("x.parquet");
    let mut recorder = Recorder::create(&path, manner(Format::Parquet, AT_ONCE)).unwrap();
    for (index, snapshot) in snapshots(40).iter().enumerate() {
        recorder.write(snapshot).unwrap();
        let recording = Recording::open(&path).unwrap();
        assert!(!recording.is_cut());
        assert_eq!(recording.count(), index + 1);
    }
    let open = fs::metadata(&path).unwrap().len();
    recorder.finish().unwrap();
    assert_eq!(read(&path).len(), 40);
    assert!(fs::metadata(&path).unwrap().len() < open, "the room is not given back");
}

#[test]
fn a_file_cut_anywhere_is_readable_to_the_last_whole_piece() {
    let folder = folder();
    let written = snapshots(4);
    for format in FORMATS {
        let path = folder.path().join(format!("{format:?}"));
        let mut recorder = Recorder::create(&path, manner(format, AT_ONCE)).unwrap();
        // Where each piece ends: what is cut off after it costs nothing of it.
        let mut ends = Vec::new();
        for snapshot in &written {
            recorder.write(snapshot).unwrap();
            ends.push(whole(&recorder));
        }
        recorder.finish().unwrap();
        let bytes = fs::read(&path).unwrap();
        let anywhere = (4..bytes.len()).step_by(bytes.len() / 40);
        let at_ends = ends.iter().map(|end| usize::try_from(*end).unwrap());
        for cut in anywhere.chain(at_ends.flat_map(|end| [end - 1, end])) {
            fs::write(&path, &bytes[..cut]).unwrap();
            let expected = ends.iter().filter(|end| **end <= cut as u64).count();
            let found: Vec<Snapshot> =
                Recording::open(&path).into_iter().flatten().collect::<Result<_, _>>().unwrap();
            assert!(found.iter().zip(&written).all(|(found, written)| *found == **written));
            assert_eq!(
                found.len(),
                expected,
                "{format:?} cut at {cut} of {}, pieces end at {ends:?}",
                bytes.len()
            );
        }
    }
}

/// How much of the file holds whole pieces.
fn whole(recorder: &Recorder) -> u64 {
    match &recorder.file {
        Writer::Parquet(writer) => writer.data_end(),
        Writer::Ndjson(writer) => writer.whole(),
    }
}

#[test]
fn another_file_is_begun_after_the_time_asked_for() {
    let folder = folder();
    for (format, names) in [
        (Format::Parquet, ["day.parquet", "day-0002.parquet", "day-0003.parquet"]),
        (Format::Ndjson, ["day.ndjson.zst", "day-0002.ndjson.zst", "day-0003.ndjson.zst"]),
        (Format::Parquet, ["today", "today-0002", "today-0003"]),
    ] {
        let rotate_every = Some(Duration::from_secs(2));
        let manner = Manner { rotate_every, ..manner(format, LATE) };
        let mut recorder = Recorder::create(&folder.path().join(names[0]), manner).unwrap();
        for snapshot in snapshots(5) {
            recorder.write(&snapshot).unwrap();
        }
        recorder.finish().unwrap();
        assert_eq!(names.map(|name| read(&folder.path().join(name)).len()), [2, 2, 1]);
    }
}

#[test]
fn what_is_no_recording_is_told() {
    let folder = folder();
    let path = folder.path().join("x");
    for text in ["", "no", "{\"schema_version\":1}\n", "PAR1 and nothing else"] {
        fs::write(&path, text).unwrap();
        let error = Recording::open(&path).err().unwrap();
        let said = crate::error::chain(&error);
        assert!(said.contains(path.to_str().unwrap()) && !said.contains('\n'), "{said}");
    }
}

#[test]
fn a_recording_is_not_written_over_itself() {
    let folder = folder();
    let [path, link, other] =
        ["x.parquet", "link.parquet", "other.parquet"].map(|name| folder.path().join(name));
    record(&path, Format::Parquet, LATE, &[]);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(require_another(&path, &path).is_err() && require_another(&path, &link).is_err());
    assert!(require_another(&path, &other).is_ok());
}

#[test]
fn a_later_schema_is_refused() {
    let folder = folder();
    let path = folder.path().join("x.ndjson.zst");
    let mut snapshot = full_snapshot();
    snapshot.schema_version = SCHEMA_VERSION + 1;
    record(&path, Format::Ndjson, LATE, &[Arc::new(snapshot)]);
    let first = Recording::open(&path).unwrap().next().unwrap();
    assert!(matches!(first, Err(RecordingError::TooNew { .. })));
}

#[test]
fn columns_are_named_once() {
    let names: std::collections::BTreeSet<&str> =
        columns::columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names.len(), columns::columns().len());
    assert!(names.contains("scheduler.runq_latency.buckets") && names.contains("host.cpu.busy_cores"));
}
