//! The form of what is written, and what is left of it when the disk is full.

use std::{fs, path::Path};

use integration_tests::{
    container::Container,
    disk::SmallDisk,
    monitor::{Monitor, command},
    schema,
    snapshot::Snapshot,
};
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn every_snapshot_fits_the_committed_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/snapshot.schema.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("a schema");
    let assert_fits = |snapshot: &Snapshot| {
        let value: Value = serde_json::from_str(&snapshot.line).expect("JSON");
        let faults = schema::faults(&schema, &value);
        assert!(faults.is_empty(), "{faults:#?}");
    };
    let mut container = Container::start(&["switch", "--blocks", "1000"]);
    let mut monitor = Monitor::start();
    assert_fits(&monitor.next_snapshot());
    container.workload().go();
    let _done = container.workload().wait_done();
    assert!(container.exit(5).code() == Some(5));
    monitor.wait_for("an ended container", |snapshot| {
        assert_fits(snapshot);
        snapshot.find(container.id())?.exit_code
    });
    for snapshot in monitor.end(Signal::TERM).rest {
        assert_fits(&snapshot);
    }
}

#[test]
fn a_full_disk_is_an_error_that_leaves_the_file_readable() {
    let disk = SmallDisk::mount();
    let path = disk.path().join("stream.ndjson");
    let output = command(&["stream", "--format", "ndjson", "--interval", "10ms", "--output"])
        .arg(&path)
        .output()
        .expect("run monitor");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "not one line: {said}");
    assert!(said.contains("stream.ndjson") && said.contains("No space left"), "{said}");
    let text = fs::read_to_string(&path).expect("the file");
    let (complete, _torn) = text.rsplit_once('\n').expect("at least one complete line");
    for line in complete.lines() {
        let _snapshot = Snapshot::parse(line);
    }
}
