//! The Prometheus text format, as far as cAdvisor's metrics need it.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
};

use super::frame::Subject;
use crate::output::prometheus::{Form, Number, put_label, put_number, put_pair};

/// Whether a metric only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        })
    }
}

/// A sample's value; times become seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    Count(u64),
    Nanoseconds(u64),
    Microseconds(u64),
}

impl Value {
    fn number(self) -> Number {
        match self {
            Self::Integer(value) => Number::Integer(value.into()),
            Self::Count(value) => Number::Integer(value.into()),
            Self::Nanoseconds(value) => Number::Shifted(value.into(), 9),
            Self::Microseconds(value) => Number::Shifted(value.into(), 6),
        }
    }
}

/// Which of the runtime's labels become labels of every series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContainerLabels {
    /// All of them, as cAdvisor has it.
    #[default]
    All,
    /// Those named.
    Only(BTreeSet<String>),
}

impl ContainerLabels {
    fn has(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(key),
        }
    }
}

/// Where the series of one metric and one cgroup are written.
pub(super) struct Series<'w> {
    pub(super) out: &'w mut String,
    pub(super) name: &'static str,
    /// The labels that every series of the cgroup has.
    pub(super) base: &'w str,
    /// Milliseconds since 1970, where samples carry their time.
    pub(super) timestamp: Option<i64>,
}

impl Series<'_> {
    /// One series without labels of its own, if there is a value.
    pub(super) fn put(&mut self, value: Option<Value>) {
        self.put_with(&[], value);
    }

    /// One series with labels of its own.
    pub(super) fn put_with(&mut self, labels: &[(&str, &str)], value: Option<Value>) {
        let Some(value) = value else { return };
        self.out.push_str(self.name);
        self.out.push('{');
        self.out.push_str(self.base);
        for (index, (name, value)) in labels.iter().enumerate() {
            if index > 0 || !self.base.is_empty() {
                self.out.push(',');
            }
            put_pair(self.out, name, value);
        }
        self.out.push_str("} ");
        put_number(self.out, value.number());
        if let Some(timestamp) = self.timestamp {
            self.out.push(' ');
            put_number(self.out, Number::Integer(timestamp.into()));
        }
        self.out.push('\n');
    }
}

/// The lines above a metric's first series. `OpenMetrics` calls a counter by its name without `_total`, and takes what has
/// none for no counter.
pub(super) fn put_heading(out: &mut String, form: Form, name: &str, kind: Kind, help: &str) {
    let (name, kind) = match (form, kind) {
        (Form::OpenMetrics, Kind::Counter) => {
            name.strip_suffix("_total").map_or((name, "unknown"), |family| (family, "counter"))
        }
        (Form::Text | Form::Protobuf, Kind::Counter) => (name, "counter"),
        (_, Kind::Gauge) => (name, "gauge"),
    };
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// The labels of all series of a cgroup: its path, its name and its image, which are empty but for containers', the pod's
/// as the kubelet adds them, and the runtime's labels.
pub(super) fn base_labels(subject: &Subject<'_>, wanted: &ContainerLabels) -> String {
    let mut out = String::with_capacity(256);
    let mut put = |name: &str, value: &str| put_label(&mut out, name, value);
    put("id", subject.path);
    let Some(container) = subject.container() else {
        put("image", "");
        put("name", "");
        return out;
    };
    put("image", container.image.as_deref().unwrap_or_default());
    put("name", container.name.as_deref().unwrap_or(&container.id));
    if let Some(pod) = &container.pod {
        put("container", container.name.as_deref().unwrap_or_default());
        put("namespace", pod.namespace.as_deref().unwrap_or_default());
        put("pod", pod.name.as_deref().unwrap_or_default());
    }
    let mut names = BTreeSet::new();
    for (key, value) in container.labels.iter().filter(|(key, _)| wanted.has(key)) {
        let name = format!("container_label_{}", sanitized(key));
        // Two keys that differ in such characters only would make the same label twice, which is none.
        if !names.contains(&name) {
            put(&name, value);
            names.insert(name);
        }
    }
    out
}

/// A key with `_` for each character that a label's name may not have.
fn sanitized(key: &str) -> String {
    key.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        cadvisor::{
            frame::Frame,
            testing::{cgroup, container, snapshot},
        },
        model::{Container, Pod},
    };

    fn labels_of(container: Container, wanted: &ContainerLabels) -> String {
        let frame = Frame::new(Arc::new(snapshot(1, vec![container], vec![])), None);
        base_labels(&frame.find("/docker/aa").unwrap(), wanted)
    }

    #[test]
    fn seconds_keep_their_digits() {
        let shown = |value: Value| {
            let mut text = String::new();
            put_number(&mut text, value.number());
            text
        };
        assert_eq!(shown(Value::Nanoseconds(1_000_000_001)), "1.000000001");
        assert_eq!(shown(Value::Microseconds(2_500_000)), "2.5");
        assert_eq!(shown(Value::Count(u64::MAX)), "18446744073709551615");
        assert_eq!(shown(Value::Integer(-1)), "-1");
    }

    #[test]
    fn containers_have_name_image_and_their_labels() {
        let labels = labels_of(container("aa"), &ContainerLabels::All);
        let expected = "id=\"/docker/aa\",image=\"image:1\",name=\"name-aa\",\
                        container_label_com_docker_compose_project=\"shop\"";
        assert_eq!(labels, expected);
        let labels = labels_of(container("aa"), &ContainerLabels::Only(BTreeSet::new()));
        assert_eq!(labels, "id=\"/docker/aa\",image=\"image:1\",name=\"name-aa\"");
    }

    #[test]
    fn a_label_stands_once_whatever_its_key_was() {
        let mut made = container("aa");
        made.labels = [("a.b".to_owned(), "1".to_owned()), ("a/b".to_owned(), "2".to_owned())].into();
        let labels = labels_of(made, &ContainerLabels::All);
        assert!(labels.ends_with("name=\"name-aa\",container_label_a_b=\"1\""), "{labels}");
    }

    #[test]
    fn a_container_of_a_pod_has_the_labels_that_a_kubelet_adds() {
        let mut made = container("aa");
        made.labels.clear();
        made.pod = Some(Pod {
            name: Some("web-0".to_owned()),
            namespace: Some("shop".to_owned()),
            uid: "u".to_owned(),
        });
        let labels = labels_of(made, &ContainerLabels::All);
        assert!(labels.ends_with("container=\"name-aa\",namespace=\"shop\",pod=\"web-0\""), "{labels}");
    }

    #[test]
    fn others_have_an_empty_name_and_image() {
        let frame = Frame::new(Arc::new(snapshot(1, vec![], vec![cgroup("/a\\x2d\"b")])), None);
        let labels = base_labels(&frame.find("/a\\x2d\"b").unwrap(), &ContainerLabels::All);
        assert_eq!(labels, "id=\"/a\\\\x2d\\\"b\",image=\"\",name=\"\"");
    }

    #[test]
    fn open_metrics_has_names_of_its_own_for_counters() {
        let heading = |form, name, kind| {
            let mut out = String::new();
            put_heading(&mut out, form, name, kind, "H.");
            out
        };
        let text = heading(Form::Text, "a_total", Kind::Counter);
        assert_eq!(text, "# HELP a_total H.\n# TYPE a_total counter\n");
        let open = heading(Form::OpenMetrics, "a_total", Kind::Counter);
        assert_eq!(open, "# HELP a H.\n# TYPE a counter\n");
        let open = heading(Form::OpenMetrics, "container_memory_failcnt", Kind::Counter);
        assert!(open.ends_with("# TYPE container_memory_failcnt unknown\n"), "{open}");
    }

    #[test]
    fn a_series_has_its_labels_and_maybe_its_time() {
        let mut out = String::new();
        let mut series = Series { out: &mut out, name: "a", base: "id=\"/\"", timestamp: Some(5) };
        series.put_with(&[("cpu", "total")], Some(Value::Count(1)));
        series.put(None);
        assert_eq!(out, "a{id=\"/\",cpu=\"total\"} 1 5\n");
        out.clear();
        Series { out: &mut out, name: "b", base: "", timestamp: None }
            .put_with(&[("x", "y")], Some(Value::Integer(-1)));
        assert_eq!(out, "b{x=\"y\"} -1\n");
    }
}
