//! Events: a line each, for programs or for reading.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::{
    escape::escape_json,
    table::{duration, printable},
};
use crate::model::{Event, Happening, LossCause};

/// Appends events as NDJSON.
pub fn encode_lines(events: &[Event], out: &mut BytesMut) {
    for event in events {
        let begin = out.len();
        // It cannot fail: every map has string keys and nothing in an event refuses to be serialized.
        if serde_json::to_writer(out.writer(), event).is_ok() {
            escape_json(out, begin);
            out.put_u8(b'\n');
        }
    }
}

/// Appends events as lines for reading: when, what, whose, and the rest in words.
pub fn encode_text(events: &[Event], out: &mut BytesMut) {
    for event in events {
        let mut line = String::new();
        // Writing to a String cannot fail.
        let _ = write!(line, "{:.3}  {:<17}  {:<20}", event.at, event.what.kind(), printable(&whose(event)));
        let details = details(event);
        if !details.is_empty() {
            let _ = write!(line, "  {}", printable(&details));
        }
        out.put_slice(line.trim_end().as_bytes());
        out.put_u8(b'\n');
    }
}

/// The JSON Schema of an event, generated from its types.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Event);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The container's name or short id, else the cgroup's path.
fn whose(event: &Event) -> String {
    if let Some(container) = &event.container {
        let id = container.id.get(..12).unwrap_or(&container.id);
        return container.name.clone().unwrap_or_else(|| id.to_owned());
    }
    let path = event.cgroup.as_ref().and_then(|cgroup| cgroup.path.clone());
    path.unwrap_or_else(|| "-".to_owned())
}

fn details(event: &Event) -> String {
    let path = || event.cgroup.as_ref().and_then(|cgroup| cgroup.path.clone()).unwrap_or_default();
    match &event.what {
        Happening::ContainerCreated | Happening::ContainerStarted => {
            let image = event.container.as_ref().and_then(|container| container.image.clone());
            image.map(|image| format!("image {image}")).unwrap_or_default()
        }
        Happening::ContainerDied { exit_code } => {
            exit_code.map(|code| format!("exit code {code}")).unwrap_or_default()
        }
        Happening::ContainerRemoved => String::new(),
        Happening::CgroupMade | Happening::CgroupRemoved if event.container.is_none() => String::new(),
        Happening::CgroupMade | Happening::CgroupRemoved => path(),
        Happening::TaskMoved { tid, comm } => format!("task {tid} ({comm}) to {}", path()),
        Happening::Exec { pid, comm, path } => {
            format!("pid {pid} ({comm})  {}", path.as_deref().unwrap_or("a path too long to tell"))
        }
        Happening::Exit { pid, comm, exit_code, signal, has_dumped_core } => match signal {
            None => format!("pid {pid} ({comm})  exit code {exit_code}"),
            Some(signal) => {
                let dumped = if *has_dumped_core { ", core dumped" } else { "" };
                format!("pid {pid} ({comm})  signal {signal}{dumped}")
            }
        },
        Happening::OomKill { pid, comm } => format!("pid {pid} ({comm})"),
        Happening::ThrottleBegin { granularity_ns } => {
            format!("within the last {}", duration(*granularity_ns))
        }
        Happening::ThrottleEnd { granularity_ns: _, throttled_periods, throttled_ns } => {
            format!("after {throttled_periods} periods, {} kept waiting", duration(*throttled_ns))
        }
        Happening::Lost { cause, count } => {
            let why = match cause {
                LossCause::FullRing => "they came faster than they were read",
                LossCause::UnknownForm => "of unknown form",
                LossCause::SlowReader => "the reader of the output is too slow",
            };
            format!("{count} events: {why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Cgroup, EVENT_SCHEMA_VERSION, EventContainer};

    fn event(what: Happening) -> Event {
        Event {
            schema_version: EVENT_SCHEMA_VERSION,
            at: Timestamp::from_second(0).unwrap(),
            container: Some(EventContainer {
                id: "0123456789abcdef".to_owned(),
                name: Some("w\u{1b}eb".to_owned()),
                image: None,
            }),
            cgroup: Some(Cgroup { id: 1, path: Some("/docker/0123456789abcdef".to_owned()) }),
            what,
        }
    }

    fn text(events: &[Event]) -> String {
        let mut out = BytesMut::new();
        encode_text(events, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn an_event_is_one_line_without_control_characters() {
        let exec = Happening::Exec { pid: 7, comm: "a\nb".to_owned(), path: Some("/bin/a".to_owned()) };
        let line = text(&[event(exec)]);
        assert_eq!(
            line,
            "1970-01-01T00:00:00.000Z  exec               w\u{fffd}eb                  pid 7 (a\u{fffd}b)  /bin/a\n"
        );
    }

    #[test]
    fn what_is_no_containers_is_named_by_its_cgroup() {
        let mut removed = event(Happening::CgroupRemoved);
        removed.container = None;
        assert!(text(&[removed]).ends_with("cgroup_removed     /docker/0123456789abcdef\n"));
    }

    #[test]
    fn every_event_is_a_line_of_json() {
        let mut out = BytesMut::new();
        encode_lines(&[event(Happening::CgroupMade), event(Happening::ContainerRemoved)], &mut out);
        let text = String::from_utf8(out.to_vec()).unwrap();
        let kinds: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(kinds.len(), 2);
        assert_eq!(kinds[1]["kind"], "container_removed");
    }
}
