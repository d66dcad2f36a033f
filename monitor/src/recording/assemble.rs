//! Rows of a recording back to snapshots. Pure.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use serde_json::{Map, Value, from_value, json};

use super::columns::{CGROUP, CONTAINER, Cell, Column, HOST, HOSTNAME, ROW, TAKEN_AT, Type, WINDOW_NS};
use crate::model::{CgroupEntry, Container, Measurements, Snapshot};

/// The values of one row that are not null.
pub(super) type RowCells = Vec<(&'static Column, Cell<'static>)>;

/// The snapshots that rows in any order make up, in the order of time.
pub(super) fn snapshots(rows: Vec<RowCells>) -> Result<Vec<Snapshot>, serde_json::Error> {
    let mut ticks: BTreeMap<Timestamp, Tick> = BTreeMap::new();
    for row in rows {
        let taken_at = row.iter().find_map(|(column, cell)| match cell {
            Cell::Time(time) if column.name == TAKEN_AT => Some(*time),
            _ => None,
        });
        if let Some(taken_at) = taken_at {
            ticks.entry(taken_at).or_default().take(row)?;
        }
    }
    ticks.into_values().filter_map(Tick::finish).collect()
}

/// The rows of one snapshot.
#[derive(Default)]
struct Tick {
    snapshot: Option<Map<String, Value>>,
    containers: Vec<Container>,
    cgroups: Vec<CgroupEntry>,
}

impl Tick {
    fn take(&mut self, row: RowCells) -> Result<(), serde_json::Error> {
        let kind = row.iter().find_map(|(column, cell)| match cell {
            Cell::Text(text) if column.name == ROW => Some(text.clone().into_owned()),
            _ => None,
        });
        match kind.as_deref() {
            Some(HOST) => self.snapshot = Some(object(Map::new(), row, &[ROW])?),
            Some(CONTAINER) => self.containers.push(from_value(measured(row)?.into())?),
            Some(CGROUP) => self.cgroups.push(from_value(measured(row)?.into())?),
            // Of a later version.
            _ => {}
        }
        Ok(())
    }

    /// `None` where the machine's row is missing.
    fn finish(self) -> Option<Result<Snapshot, serde_json::Error>> {
        let mut snapshot = self.snapshot?;
        if let Some(name) = snapshot.remove(HOSTNAME) {
            set(&mut snapshot, "host.hostname", name);
        }
        snapshot.insert("containers".to_owned(), json!([]));
        snapshot.insert("cgroups".to_owned(), json!([]));
        // The groups are there even where nothing in them was measured.
        if let Some(host) = snapshot.get_mut("host").and_then(Value::as_object_mut) {
            for group in ["cpu", "scheduler", "memory", "faults", "reclaim"] {
                host.entry(group).or_insert_with(|| json!({}));
            }
        }
        let snapshot = from_value::<Snapshot>(snapshot.into());
        Some(snapshot.map(|snapshot| Snapshot {
            containers: self.containers,
            cgroups: self.cgroups,
            ..snapshot
        }))
    }
}

/// A container or a cgroup.
fn measured(row: RowCells) -> Result<Map<String, Value>, serde_json::Error> {
    /// All groups with nothing in them.
    static GROUPS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let empty = serde_json::to_value(Measurements::default()).unwrap_or_default();
        let members = empty.as_object().into_iter().flatten();
        members.filter(|(_, group)| group.is_object()).map(|(name, _)| (name.clone(), json!({}))).collect()
    });
    object(GROUPS.clone(), row, &[ROW, TAKEN_AT, WINDOW_NS, HOSTNAME])
}

fn object(
    mut object: Map<String, Value>,
    row: RowCells,
    without: &[&str],
) -> Result<Map<String, Value>, serde_json::Error> {
    for (column, cell) in row {
        if !without.contains(&column.name.as_str()) {
            set(&mut object, &column.name, value(column.type_, cell)?);
        }
    }
    Ok(object)
}

fn value(type_: Type, cell: Cell<'static>) -> Result<Value, serde_json::Error> {
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Time(time) => time.to_string().into(),
        Cell::Unsigned(value) => value.into(),
        Cell::Signed(value) => value.into(),
        Cell::Real(value) => value.into(),
        Cell::Text(text) if type_ == Type::Json => serde_json::from_str(&text)?,
        Cell::Text(text) => text.into(),
        Cell::Numbers(numbers) => numbers.into_owned().into(),
        Cell::Buckets(buckets) => serde_json::to_value(buckets)?,
    })
}

/// Sets what a path with dots names, with the objects on the way.
fn set(object: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), value);
        return;
    };
    if let Value::Object(inner) = object.entry(first).or_insert_with(|| json!({})) {
        set(inner, rest, value);
    }
}
