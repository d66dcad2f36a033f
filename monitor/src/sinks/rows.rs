//! A snapshot as rows: what each container, disk and so on is, and its numbers by the names that the catalogue has.
//!
//! Exported is what `/metrics` exports, with the catalogue's units, but for rates, which are left to queries.

use std::{borrow::Cow, collections::BTreeMap};

use super::Export;
use crate::{
    model::{
        Agent, CgroupEntry, Container, DiskActivity, FilesystemSpace, Host, InterfaceTraffic,
        InterferenceSource, Kind, Latency, Measurements, Metric, Pressure, Stall, Value,
        catalog::{Distribution, distributions, host_metrics, metrics},
        latest_runs,
    },
    output::prometheus::{Selection, is_exported, shown_id, source},
};

/// One thing that was measured.
pub(super) struct Row<'a> {
    pub(super) subject: Subject<'a>,
    /// What tells it from others of its kind; values may be empty, names are `[a-zA-Z0-9_]`.
    pub(super) tags: Vec<(Cow<'static, str>, &'a str)>,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) spreads: Vec<Spread<'a>>,
}

/// What it is.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Container(&'a Container),
    Cgroup(&'a CgroupEntry),
    Host,
    Disk,
    Filesystem,
    Interface,
    Agent,
}

/// One number of it.
pub(super) struct Field<'a> {
    /// Its group; empty without one.
    pub(super) group: &'static str,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    /// No text, and no limit that is not set.
    pub(super) value: Value<'a>,
}

/// One distribution of it.
pub(super) struct Spread<'a> {
    /// Its place among all of them.
    pub(super) place: usize,
    pub(super) of: &'static Distribution,
    /// Over the last window.
    pub(super) latency: &'a Latency,
}

impl Subject<'_> {
    /// What it is called outside, in words with this between them.
    pub(super) fn kind(self, between: &str) -> String {
        let words: &[&str] = match self {
            Self::Container(_) => &["monitor", "container"],
            Self::Cgroup(_) => &["monitor", "cgroup"],
            Self::Host => &["monitor", "host"],
            Self::Disk => &["monitor", "host", "disk"],
            Self::Filesystem => &["monitor", "host", "filesystem"],
            Self::Interface => &["monitor", "host", "interface"],
            Self::Agent => &["monitor", "agent"],
        };
        words.join(between)
    }
}

impl Field<'_> {
    /// Its group and name with this between them.
    pub(super) fn full_name(&self, between: &str) -> String {
        if self.group.is_empty() {
            self.name.clone().into_owned()
        } else {
            format!("{}{between}{}", self.group, self.name)
        }
    }
}

/// All rows of an export.
pub(super) fn rows<'a>(export: &Export<'a>) -> Vec<Row<'a>> {
    let Export { snapshot, selection, totals: _ } = export;
    let wanted = Wanted::new(selection);
    let mut rows: Vec<Row<'a>> =
        latest_runs(&snapshot.containers).map(|(_, one)| container(one, selection, &wanted)).collect();
    if selection.has_cgroups() {
        rows.extend(snapshot.cgroups.iter().map(|one| cgroup(one, &wanted)));
    }
    put_host(&snapshot.host, &mut rows);
    rows.push(plain(Subject::Agent, vec![], Agent::METRICS, &snapshot.audit));
    rows
}

/// What of each container and cgroup is exported.
struct Wanted {
    metrics: Vec<&'static Metric>,
    distributions: Vec<(usize, &'static Distribution)>,
    has_pressure: bool,
}

impl Wanted {
    fn new(selection: &Selection) -> Self {
        let has = |metric: &&Metric| selection.has(metric.group, metric.name) && is_exported(metric);
        let every = distributions().enumerate();
        Self {
            metrics: metrics().filter(has).collect(),
            distributions: every.filter(|(_, spread)| selection.has(spread.group, spread.name)).collect(),
            has_pressure: selection.has_group("pressure"),
        }
    }

    fn fields<'a>(&self, measurements: &'a Measurements) -> Vec<Field<'a>> {
        let mut fields: Vec<Field<'a>> =
            self.metrics.iter().filter_map(|metric| field(metric, metric.group, measurements)).collect();
        put_interference(measurements, &mut fields);
        if self.has_pressure {
            put_pressure(&measurements.pressure, &mut fields);
        }
        fields
    }

    fn spreads<'a>(&self, measurements: &'a Measurements) -> Vec<Spread<'a>> {
        let spread = |&(place, of): &(usize, &'static Distribution)| {
            Some(Spread { place, of, latency: (of.get)(measurements)? })
        };
        self.distributions.iter().filter_map(spread).collect()
    }
}

fn container<'a>(one: &'a Container, selection: &Selection, wanted: &Wanted) -> Row<'a> {
    let pod = one.pod.as_ref();
    let told = [
        ("id", Some(shown_id(one))),
        ("name", one.name.as_deref()),
        ("image", one.image.as_deref()),
        ("pod", pod.and_then(|pod| pod.name.as_deref())),
        ("namespace", pod.and_then(|pod| pod.namespace.as_deref())),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?)));
    let labels = selection.labels_of(one).map(|(name, value)| (Cow::Owned(name.to_owned()), value));
    let mut fields = wanted.fields(&one.measurements);
    if let Some(code) = one.exit_code {
        fields.push(Field {
            group: "",
            name: Cow::Borrowed("exit_code"),
            kind: Kind::Gauge,
            help: "The exit status of a container that has ended.",
            value: Value::Integer(code.into()),
        });
    }
    Row {
        subject: Subject::Container(one),
        tags: told.chain(labels).collect(),
        fields,
        spreads: wanted.spreads(&one.measurements),
    }
}

fn cgroup<'a>(one: &'a CgroupEntry, wanted: &Wanted) -> Row<'a> {
    Row {
        subject: Subject::Cgroup(one),
        tags: vec![(Cow::Borrowed("path"), one.cgroup.path.as_deref().unwrap_or_default())],
        fields: wanted.fields(&one.measurements),
        spreads: wanted.spreads(&one.measurements),
    }
}

fn put_host<'a>(host: &'a Host, rows: &mut Vec<Row<'a>>) {
    let totals = &host.totals;
    let mut fields: Vec<Field<'a>> = host_metrics()
        .filter(|metric| is_exported(metric))
        .filter_map(|metric| field(metric, metric.group, totals))
        .collect();
    put_pressure(&totals.pressure, &mut fields);
    rows.push(Row { subject: Subject::Host, tags: vec![], fields, spreads: vec![] });
    for disk in totals.disks.iter().flatten() {
        let tags = vec![("device", disk.name.as_str())];
        rows.push(plain(Subject::Disk, tags, DiskActivity::METRICS, disk));
    }
    for one in totals.filesystems.iter().flatten() {
        let tags = vec![
            ("mount_point", one.mount_point.as_str()),
            ("device", one.source.as_str()),
            ("fs_type", one.fs_type.as_str()),
        ];
        rows.push(plain(Subject::Filesystem, tags, FilesystemSpace::METRICS, one));
    }
    for interface in totals.interfaces.iter().flatten() {
        let tags = vec![("interface", interface.name.as_str())];
        rows.push(plain(Subject::Interface, tags, InterfaceTraffic::METRICS, interface));
    }
}

/// A row of metrics whose group is the row itself.
fn plain<'a, T>(
    subject: Subject<'a>,
    tags: Vec<(&'static str, &'a str)>,
    metrics: &'static [Metric<T>],
    of: &'a T,
) -> Row<'a> {
    let exported = metrics.iter().filter(|metric| is_exported(metric));
    Row {
        subject,
        tags: tags.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect(),
        fields: exported.filter_map(|metric| field(metric, "", of)).collect(),
        spreads: vec![],
    }
}

/// A metric's value, where it has one that says something as a number.
fn field<'a, T>(metric: &'static Metric<T>, group: &'static str, of: &'a T) -> Option<Field<'a>> {
    let value = (metric.get)(of)?;
    let is_none = metric.kind == Kind::Limit && value == Value::Integer(-1);
    let field =
        Field { group, name: Cow::Borrowed(metric.name), kind: metric.kind, help: metric.help, value };
    (!is_none).then_some(field)
}

/// Waits by the kind of whom they are blamed on.
fn put_interference(measurements: &Measurements, fields: &mut Vec<Field<'_>>) {
    let mut by_source: BTreeMap<&'static str, u64> = BTreeMap::new();
    for part in measurements.interference.iter().flatten() {
        let source: InterferenceSource = part.source;
        *by_source.entry(self::source(source)).or_default() += part.wait_ns_total;
    }
    fields.extend(by_source.into_iter().map(|(source, wait_ns)| Field {
        group: "interference",
        name: Cow::Owned(format!("{source}_wait_ns_total")),
        kind: Kind::Counter,
        help: "Time that its tasks waited for a CPU, by what had it meanwhile.",
        value: Value::Integer(wait_ns.into()),
    }));
}

fn put_pressure(pressure: &Pressure, fields: &mut Vec<Field<'_>>) {
    let Pressure { cpu, memory, io } = pressure;
    for (resource, stall) in [("cpu", cpu), ("memory", memory), ("io", io)] {
        let Some(Stall { some, full }) = stall else { continue };
        for (kind, share) in [("some", some), ("full", full)] {
            let Some(share) = share else { continue };
            fields.push(Field {
                group: "pressure",
                name: Cow::Owned(format!("{resource}_{kind}_us_total")),
                kind: Kind::Counter,
                help: "Time in which some task, or all that were not idle (full), waited for a resource.",
                value: Value::Integer(share.stall_us_total.into()),
            });
        }
    }
}
