//! What a recording of an hour takes on the disk, and how long it takes to report on it.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Stdio,
    time::Instant,
};

use integration_tests::{container::succeeded, monitor::command};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use zstd::Encoder;

use crate::{
    containers::{Fleet, Life},
    options::Options,
    report::Part,
};

const CONTAINERS: usize = 50;
const HOUR: u64 = 3600;
/// How much of the hour is real, in seconds; the rest is that again and again, with the counters counting on.
const REAL: u64 = 120;
const QUICK: u64 = 10;

pub(crate) fn measure(options: Options) -> Part {
    let real = if options.is_quick { QUICK } else { REAL };
    let folder = tempfile::tempdir_in("/var/tmp").expect("make a folder");
    let lines = record(folder.path(), real);
    let hour = folder.path().join("hour.ndjson.zst");
    write_hour(&lines, &hour);
    let columns = folder.path().join("hour.parquet");
    let converted = seconds(&["replay", path(&hour), "--record", path(&columns)]);
    let report = |file: &Path, more: &[&str]| seconds(&[&["report", path(file)], more].concat());
    let size = |file: &Path| fs::metadata(file).expect("the file").len() as f64 / 1e6;
    let row = |name: &str, file: &Path| {
        vec![
            name.to_owned(),
            format!("**{:.1}**", size(file)),
            format!("**{:.1}**", report(file, &[])),
            format!("{:.1}", report(file, &["--metric", "all", "--format", "json"])),
            format!("{:.1}", report(file, &["--format", "html"])),
            format!("{:.1}", seconds(&["replay", path(file), "--format", "ndjson"])),
        ]
    };
    Part {
        title: "A recording of an hour",
        method: format!(
            "{CONTAINERS} containers that each wake once a second, at 1 s: {real} s of them were recorded, and their lines repeated \
             until they were an hour, with counters that count on. To write the one format as the other took {converted:.1} s.",
        ),
        columns: &["", "MB", "report, s", "all metrics, JSON, s", "HTML, s", "replay, s"],
        rows: vec![row("Parquet", &columns), row("NDJSON in zstd", &hour)],
        bars: Vec::new(),
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// How long `monitor` takes; what it prints is thrown away.
fn seconds(args: &[&str]) -> f64 {
    let began = Instant::now();
    let output = command(args).stdout(Stdio::null()).output().expect("run monitor");
    let _nothing = succeeded("monitor", output);
    began.elapsed().as_secs_f64()
}

/// Records real containers and returns the snapshots.
fn record(folder: &Path, real: u64) -> Vec<Value> {
    let mut fleet = Fleet::new(Life::Waking);
    fleet.grow_to(CONTAINERS);
    let file = folder.join("real.ndjson.zst");
    let _took = seconds(&["record", path(&file), "--interval", "1s", "--duration", &format!("{real}s")]);
    let output = command(&["replay", path(&file), "--format", "ndjson"]).output().expect("run monitor");
    let text = String::from_utf8(succeeded("monitor replay", output)).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Repeats the lines until they are an hour.
fn write_hour(lines: &[Value], file: &Path) {
    let [first, .., last] = lines else { panic!("{} snapshots", lines.len()) };
    let span = SignedDuration::from_secs(i64::try_from(lines.len()).expect("a few"));
    let mut encoder = Encoder::new(File::create(file).expect("make a file"), 0).expect("zstd");
    for round in 0..HOUR / lines.len() as u64 {
        for line in lines {
            let mut line = line.clone();
            count_on(&mut line, first, last, round);
            let at: Timestamp = line["taken_at"].as_str().expect("a time").parse().expect("a time");
            line["taken_at"] = (at + span * i32::try_from(round).expect("a few")).to_string().into();
            writeln!(encoder, "{line}").expect("write");
        }
    }
    encoder.finish().expect("write");
}

/// Adds to each counter what it grew by from the first to the last line, so many times. Who is where in a list does not change,
/// since no container comes or goes.
fn count_on(value: &mut Value, first: &Value, last: &Value, times: u64) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let grown = last[name].as_u64().zip(first[name].as_u64());
                match (member.as_u64(), grown) {
                    (Some(count), Some((last, first))) if name.ends_with("_total") => {
                        *member = (count + last.saturating_sub(first) * times).into();
                    }
                    _ => count_on(member, &first[name], &last[name], times),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                count_on(item, &first[index], &last[index], times);
            }
        }
        _ => {}
    }
}
