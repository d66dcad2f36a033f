//! The columns of a recording, derived from the metric catalogue, and how each is read off a row. Pure.
//!
//! A column's name is the path of its value in the JSON, so that rows are put together again without another table.

use std::{borrow::Cow, fmt::Write, sync::LazyLock};

use jiff::Timestamp;

use crate::model::{
    Cgroup, CgroupEntry, Container, HostTotals, Kind, Latency, LatencyBucket, Measurements, Metric, Pressure,
    Snapshot, Stall, StallShare, Value, catalog,
    member::{Form, Member, Shaped, ToJson},
};

/// What a row tells of, at the tick of its snapshot.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) subject: Subject<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    /// The machine, and what is said of the snapshot as a whole: one row a tick.
    Host,
    Container(&'a Container),
    Cgroup(&'a CgroupEntry),
}

/// The words of the column `row`.
pub(super) const HOST: &str = "host";
pub(super) const CONTAINER: &str = "container";
pub(super) const CGROUP: &str = "cgroup";

/// Columns that other modules ask for by name.
pub(super) const ROW: &str = "row";
pub(super) const TAKEN_AT: &str = "taken_at";
pub(super) const WINDOW_NS: &str = "window_ns";
pub(super) const HOSTNAME: &str = "hostname";

impl<'a> Row<'a> {
    /// All rows of a snapshot, the machine's first.
    pub(super) fn all(snapshot: &'a Snapshot) -> impl Iterator<Item = Self> {
        let containers = snapshot.containers.iter().map(Subject::Container);
        let cgroups = snapshot.cgroups.iter().map(Subject::Cgroup);
        std::iter::once(Subject::Host)
            .chain(containers)
            .chain(cgroups)
            .map(move |subject| Self { snapshot, subject })
    }

    /// Rows of one subject get equal keys: beside each other they compress well.
    pub(super) fn key(&self) -> (u8, u64) {
        match self.subject {
            Subject::Host => (0, 0),
            Subject::Container(container) => (1, container.cgroup.id),
            Subject::Cgroup(entry) => (2, entry.cgroup.id),
        }
    }

    fn container(&self) -> Option<&'a Container> {
        if let Subject::Container(container) = self.subject { Some(container) } else { None }
    }

    fn entry(&self) -> Option<&'a CgroupEntry> {
        if let Subject::Cgroup(entry) = self.subject { Some(entry) } else { None }
    }

    fn host(&self) -> Option<&'a Snapshot> {
        matches!(self.subject, Subject::Host).then_some(self.snapshot)
    }

    fn cgroup(&self) -> Option<&'a Cgroup> {
        self.container().map(|container| &container.cgroup).or(self.entry().map(|entry| &entry.cgroup))
    }

    fn measurements(&self) -> Option<&'a Measurements> {
        self.container()
            .map(|container| &container.measurements)
            .or(self.entry().map(|entry| &entry.measurements))
    }
}

/// What a column holds. Any value may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Time,
    Unsigned,
    Signed,
    Real,
    Text,
    /// JSON as text.
    Json,
    /// A list of unsigned numbers.
    Numbers,
    /// A list of the buckets of a histogram.
    Buckets,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Time(Timestamp),
    Unsigned(u64),
    Signed(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Numbers(Cow<'a, [u64]>),
    Buckets(Cow<'a, [LatencyBucket]>),
}

impl<'a> Cell<'a> {
    fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.into()))
    }

    fn json(value: Option<&(impl ToJson + ?Sized)>) -> Self {
        value.map_or(Self::Null, |value| Self::Text(value.to_json().into()))
    }

    /// What is one word in JSON, without its quotes.
    fn word(value: Option<&impl ToJson>) -> Self {
        value.map_or(Self::Null, |value| Self::Text(value.to_json().trim_matches('"').to_owned().into()))
    }

    fn unsigned(value: Option<u64>) -> Self {
        value.map_or(Self::Null, Self::Unsigned)
    }

    fn time(value: Option<Timestamp>) -> Self {
        value.map_or(Self::Null, Self::Time)
    }

    /// An integer out of its type's range cannot be: the catalogue reads it off a field of that type.
    fn metric(type_: Type, value: Option<Value<'a>>) -> Self {
        match (type_, value) {
            (Type::Unsigned, Some(Value::Integer(value))) => {
                u64::try_from(value).map_or(Self::Null, Self::Unsigned)
            }
            (_, Some(Value::Integer(value))) => i64::try_from(value).map_or(Self::Null, Self::Signed),
            (_, Some(Value::Real(value))) => Self::Real(value),
            (_, Some(Value::Text(value))) => Self::Text(value.into()),
            (_, None) => Self::Null,
        }
    }
}

type Read = Box<dyn for<'r> Fn(&'r Row<'r>) -> Cell<'r> + Send + Sync>;

/// One column.
pub(super) struct Column {
    /// The path of its value in the JSON, with dots.
    pub(super) name: String,
    pub(super) type_: Type,
    help: String,
    pub(super) read: Read,
}

/// Every column, in the order of the file.
pub(super) fn columns() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let mut columns = identity();
        columns.extend(catalog::metrics().map(metric));
        columns.extend(catalog::members().flat_map(member));
        columns.extend(pressure());
        columns.extend(interference());
        columns.extend(host());
        columns
    });
    &COLUMNS
}

fn column(
    name: impl Into<String>,
    type_: Type,
    help: impl Into<String>,
    read: impl for<'r> Fn(&'r Row<'r>) -> Cell<'r> + Send + Sync + 'static,
) -> Column {
    Column { name: name.into(), type_, help: help.into(), read: Box::new(read) }
}

/// Whose row it is and when.
fn identity() -> Vec<Column> {
    use Type::{Json, Signed, Text, Time, Unsigned};
    vec![
        column(ROW, Text, "Whose row it is: `host`, `container` or `cgroup`.", |row| {
            Cell::text(Some(match row.subject {
                Subject::Host => HOST,
                Subject::Container(_) => CONTAINER,
                Subject::Cgroup(_) => CGROUP,
            }))
        }),
        column(TAKEN_AT, Time, "The window's end.", |row| Cell::Time(row.snapshot.taken_at)),
        column(WINDOW_NS, Unsigned, "The window's length.", |row| Cell::Unsigned(row.snapshot.window_ns)),
        column(HOSTNAME, Text, "The machine's name.", |row| Cell::text(Some(&row.snapshot.host.hostname))),
        column("id", Text, "The runtime's full id.", |row| {
            Cell::text(row.container().map(|c| c.id.as_str()))
        }),
        column("short_id", Text, "Its first twelve characters.", |row| {
            Cell::text(row.container().map(|c| c.short_id.as_str()))
        }),
        column("name", Text, "The container's name, or the cgroup's.", |row| {
            let entry = row.entry().and_then(|entry| entry.name.as_deref());
            Cell::text(row.container().and_then(|c| c.name.as_deref()).or(entry))
        }),
        column("image", Text, "The image that it was made from.", |row| {
            Cell::text(row.container().and_then(|c| c.image.as_deref()))
        }),
        column("runtime", Text, "Who runs it.", |row| {
            Cell::text(row.container().map(|c| c.runtime.as_str()))
        }),
        column("state", Text, "`running`, `paused` or `exited`.", |row| {
            Cell::word(row.container().map(|c| &c.state))
        }),
        column("exit_code", Signed, "The exit status, once ended.", |row| {
            row.container().and_then(|c| c.exit_code).map_or(Cell::Null, Cell::Signed)
        }),
        column("created_at", Time, "When the runtime made it.", |row| {
            Cell::time(row.container().and_then(|c| c.created_at))
        }),
        column("started_at", Time, "When it was last started.", |row| {
            Cell::time(row.container().and_then(|c| c.started_at))
        }),
        column("finished_at", Time, "When it ended.", |row| {
            Cell::time(row.container().and_then(|c| c.finished_at))
        }),
        column("labels", Json, "The runtime's labels, an object.", |row| {
            Cell::json(row.container().map(|c| &c.labels))
        }),
        column("pod", Json, "The Kubernetes pod that it is part of.", |row| {
            Cell::json(row.container().and_then(|c| c.pod.as_ref()))
        }),
        column("counting_since", Time, "Since when the eBPF counters count.", |row| {
            let entry = row.entry().map(|entry| entry.counting_since);
            Cell::time(row.container().map(|c| c.counting_since).or(entry))
        }),
        column("cgroup.id", Unsigned, "The kernfs id of its cgroup.", |row| {
            Cell::unsigned(row.cgroup().map(|cgroup| cgroup.id))
        }),
        column("cgroup.path", Text, "Its path below the hierarchy's root.", |row| {
            Cell::text(row.cgroup().and_then(|cgroup| cgroup.path.as_deref()))
        }),
        column("kind", Text, "What a cgroup is that is no container's.", |row| {
            Cell::word(row.entry().and_then(|entry| entry.kind.as_ref()))
        }),
        column("namespaces", Json, "Inode numbers of its first process's namespaces.", |row| {
            Cell::json(row.container().map(|c| &c.namespaces))
        }),
    ]
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Counter | Kind::Gauge => Type::Unsigned,
        Kind::Limit => Type::Signed,
        Kind::Rate | Kind::Ratio => Type::Real,
        Kind::Text => Type::Text,
    }
}

fn metric(metric: &'static Metric) -> Column {
    let type_ = type_of(metric.kind);
    column(format!("{}.{}", metric.group, metric.name), type_, metric.help, move |row| {
        Cell::metric(type_, row.measurements().and_then(metric.get))
    })
}

fn host_metric(metric: &'static Metric<HostTotals>) -> Column {
    let type_ = type_of(metric.kind);
    column(format!("host.{}.{}", metric.group, metric.name), type_, metric.help, move |row| {
        Cell::metric(type_, row.host().and_then(|snapshot| (metric.get)(&snapshot.host.totals)))
    })
}

/// A field that is no scalar: one column, but for a distribution.
fn member(member: &'static Member) -> Vec<Column> {
    let name = format!("{}.{}", member.group, member.name);
    let type_ = match member.form {
        Form::Latency => return latency(member, &name),
        Form::Numbers => Type::Numbers,
        Form::Difference => Type::Signed,
        Form::Object => Type::Json,
    };
    vec![column(name, type_, member.help, move |row| match read_member(row, member) {
        Some(Shaped::Numbers(numbers)) => Cell::Numbers(numbers.into()),
        Some(Shaped::Difference(value)) => Cell::Signed(value),
        Some(Shaped::Object(object)) => Cell::json(Some(object)),
        Some(Shaped::Latency(_)) | None => Cell::Null,
    })]
}

fn read_member<'r>(row: &'r Row<'r>, member: &'static Member) -> Option<Shaped<'r>> {
    row.measurements().and_then(member.get)
}

fn latency(member: &'static Member, name: &str) -> Vec<Column> {
    type Part = (&'static str, &'static str, fn(&Latency) -> Option<u64>);
    const PARTS: [Part; 5] = [
        ("count", "Durations seen.", |latency| Some(latency.count)),
        ("p50_ns", "Half were no longer.", |latency| latency.p50_ns),
        ("p90_ns", "Nine tenths were no longer.", |latency| latency.p90_ns),
        ("p99_ns", "Ninety-nine hundredths were no longer.", |latency| latency.p99_ns),
        ("max_ns", "None was longer.", |latency| latency.max_ns),
    ];
    fn read<'r>(row: &'r Row<'r>, member: &'static Member) -> Option<&'r Latency> {
        match read_member(row, member) {
            Some(Shaped::Latency(latency)) => Some(latency),
            _ => None,
        }
    }
    let scalars = PARTS.map(|(part, help, get)| {
        let help = format!("{} {help}", member.help.trim());
        column(format!("{name}.{part}"), Type::Unsigned, help, move |row| {
            Cell::unsigned(read(row, member).and_then(get))
        })
    });
    let buckets = column(
        format!("{name}.buckets"),
        Type::Buckets,
        format!("{} The buckets in use, in order.", member.help.trim()),
        move |row| {
            let latency = read(row, member);
            latency.map_or(Cell::Null, |latency| Cell::Buckets(latency.buckets.as_slice().into()))
        },
    );
    scalars.into_iter().chain([buckets]).collect()
}

/// Each part of pressure stall information.
fn pressure() -> Vec<Column> {
    type Resource = (&'static str, fn(&Pressure) -> Option<&Stall>);
    type Extent = (&'static str, fn(&Stall) -> Option<&StallShare>);
    type Part = (&'static str, Type, &'static str, fn(&StallShare) -> Cell<'static>);
    const RESOURCES: [Resource; 3] = [
        ("cpu", |pressure| pressure.cpu.as_ref()),
        ("memory", |pressure| pressure.memory.as_ref()),
        ("io", |pressure| pressure.io.as_ref()),
    ];
    const EXTENTS: [Extent; 2] =
        [("some", |stall| stall.some.as_ref()), ("full", |stall| stall.full.as_ref())];
    const PARTS: [Part; 4] = [
        ("avg10", Type::Real, "percent of the last 10 seconds", |share| Cell::Real(share.avg10)),
        ("avg60", Type::Real, "percent of the last minute", |share| Cell::Real(share.avg60)),
        ("avg300", Type::Real, "percent of the last five minutes", |share| Cell::Real(share.avg300)),
        ("stall_us_total", Type::Unsigned, "microseconds since the cgroup was made", |share| {
            Cell::Unsigned(share.stall_us_total)
        }),
    ];
    let mut columns = Vec::new();
    for (resource, stall_of) in RESOURCES {
        for (extent, share_of) in EXTENTS {
            for (part, type_, help, value) in PARTS {
                let name = format!("pressure.{resource}.{extent}.{part}");
                let who = if extent == "some" { "at least one task" } else { "all that were not idle" };
                let help = format!("Stalls on {resource} of {who}: {help}.");
                columns.push(column(name, type_, help, move |row| {
                    let pressure = row.measurements().map(|measured| &*measured.pressure);
                    pressure.and_then(stall_of).and_then(share_of).map_or(Cell::Null, value)
                }));
            }
        }
    }
    columns
}

/// Who was waited for.
fn interference() -> [Column; 2] {
    [
        column("interference", Type::Json, "What its waiting for a CPU was spent on.", |row| {
            Cell::json(row.measurements().and_then(|measured| measured.interference.as_ref()))
        }),
        column("block_interference", Type::Json, "What its requests to block devices waited for.", |row| {
            Cell::json(row.measurements().and_then(|measured| measured.block_interference.as_ref()))
        }),
    ]
}

/// The machine, and what is said of the snapshot as a whole.
fn host() -> Vec<Column> {
    use Type::{Json, Text, Unsigned};
    let mut columns = vec![
        column("schema_version", Unsigned, "The version of the snapshot's schema.", |row| {
            Cell::unsigned(row.host().map(|snapshot| snapshot.schema_version.into()))
        }),
        column("host.kernel_release", Text, "`uname -r`.", |row| {
            Cell::text(row.host().map(|snapshot| snapshot.host.kernel_release.as_str()))
        }),
        column("host.boot_id", Text, "New at each boot.", |row| {
            Cell::text(row.host().and_then(|snapshot| snapshot.host.boot_id.as_deref()))
        }),
        column("host.cpus", Unsigned, "CPUs online.", |row| {
            Cell::unsigned(row.host().map(|snapshot| snapshot.host.cpus.into()))
        }),
        column("host.memory_bytes", Unsigned, "Memory that the kernel manages.", |row| {
            Cell::unsigned(row.host().and_then(|snapshot| snapshot.host.memory_bytes))
        }),
        column("host.cgroup_mode", Text, "`v1`, `hybrid` or `v2`.", |row| {
            Cell::word(row.host().and_then(|snapshot| snapshot.host.cgroup_mode.as_ref()))
        }),
    ];
    columns.extend(catalog::host_metrics().map(host_metric));
    columns.extend([
        column("host.per_cpu", Json, "CPU time of each CPU that is online.", |row| {
            Cell::json(row.host().and_then(|snapshot| snapshot.host.totals.per_cpu.as_ref()))
        }),
        column("host.disks", Json, "Block devices.", |row| {
            Cell::json(row.host().and_then(|snapshot| snapshot.host.totals.disks.as_ref()))
        }),
        column("host.filesystems", Json, "File systems on devices of the machine.", |row| {
            Cell::json(row.host().and_then(|snapshot| snapshot.host.totals.filesystems.as_ref()))
        }),
        column("host.interfaces", Json, "Interfaces of the machine.", |row| {
            Cell::json(row.host().and_then(|snapshot| snapshot.host.totals.interfaces.as_ref()))
        }),
        column("host.ownerless_drops", Json, "Packets thrown away that were nobody's.", |row| {
            Cell::json(row.host().and_then(|snapshot| snapshot.host.totals.ownerless_drops.as_ref()))
        }),
        column("host.pressure", Json, "Pressure stall information of all tasks.", |row| {
            Cell::json(row.host().map(|snapshot| &snapshot.host.totals.pressure))
        }),
        column("audit", Json, "How what was counted compares with the machine's figures.", |row| {
            Cell::json(row.host().map(|snapshot| &snapshot.audit))
        }),
        column("coverage", Json, "What was measured and what was lost.", |row| {
            Cell::json(row.host().map(|snapshot| &snapshot.coverage))
        }),
    ]);
    columns
}

/// The table of columns, as committed in docs/recording-columns.md.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Columns of a recording\n\nGenerated by `cargo xtask codegen` from the columns that `monitor record` writes, which are \
         derived from the metric catalogue; do not edit. [recording.md](recording.md) says how to use them. Any value may be \
         null; a value that was not measured is.\n\n| column | type | meaning |\n|---|---|---|\n",
    );
    for column in columns() {
        let type_ = match column.type_ {
            Type::Time => "timestamp, ns, UTC",
            Type::Unsigned => "uint64",
            Type::Signed => "int64",
            Type::Real => "double",
            Type::Text => "text",
            Type::Json => "text: JSON",
            Type::Numbers => "list of uint64",
            Type::Buckets => "list of {from_ns, to_ns, count}",
        };
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "| `{}` | {type_} | {} |", column.name, column.help.trim().replace('|', "\\|"));
    }
    text
}
