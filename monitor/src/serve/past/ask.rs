//! What is asked of history: when, of whom and what; each refused with a reason where it cannot be.

use jiff::{SignedDuration, Timestamp};

use super::Past;
use crate::{
    history::{History, Kind, Number, Subject, SubjectKind, query::is_host},
    model::{ContainerState, is_called},
    serve::{
        problem::{self, Problem},
        query::{Form, OF_CONTAINERS, Parameter, Query},
    },
};

/// Steps of one answer at most.
pub(super) const MOST_STEPS: i64 = 11_000;
/// Steps where none are asked for.
const USUAL_STEPS: i64 = 300;
/// How long before `to` where nothing is said.
const USUAL_SPAN_MS: i64 = 600_000;
/// Longer ranges are a mistake.
const LONGEST_MS: i64 = 3660 * 24 * 3_600_000;

const fn parameter(name: &'static str, form: Form, help: &'static str) -> Parameter {
    Parameter { name, form, help }
}

const FROM: Parameter = parameter(
    "from",
    Form::Text,
    "The beginning: a time as in RFC 3339, seconds since 1970, or how long before the latest snapshot, as in 15m; by default \
     ten minutes before the end.",
);
const TO: Parameter =
    parameter("to", Form::Text, "The end, in the same forms; by default the latest snapshot.");
const STEP: Parameter = parameter(
    "step",
    Form::Text,
    "Time from value to value: seconds, or a duration as in 1m. Not less than what is kept as far back; by default such that \
     there are at most 300.",
);
const METRIC: Parameter = parameter(
    "metric",
    Form::Texts,
    "A metric or a distribution as in docs/metrics.md, such as cpu.usage_cores, a group of them, or `all`; more than once, or \
     with commas between them. By default the usual ones.",
);
const CONTAINER: Parameter = parameter(
    "container",
    Form::Texts,
    "This container, by name, id or the beginning of its id (six characters or more), whether it has ended or not; `*` is all; more than once for more.",
);
/// Of history.
pub(super) const OF_HISTORY: &[Parameter] = &[
    FROM,
    TO,
    STEP,
    METRIC,
    parameter(
        "figure",
        Form::Texts,
        "What is told of each metric: mean, min, max, growth; by default all of them.",
    ),
    CONTAINER,
    parameter("cgroup", Form::Texts, "This cgroup, by path or name; `*` is all; more than once for more."),
    parameter("host", Form::Word(&["true", "false"]), "Whether the machine is told of."),
];
/// Of who there is.
pub(super) const OF_SUBJECTS: &[Parameter] = &[
    parameter("kind", Form::Word(&["container", "cgroup", "host"]), "Only those of this kind."),
    OF_CONTAINERS[1],
    OF_CONTAINERS[2],
];
/// Of who waited for whom.
pub(super) const OF_WAITS: &[Parameter] = &[FROM, TO, CONTAINER];
/// Of statistics.
pub(super) const OF_STATISTICS: &[Parameter] = &[FROM, TO, STEP, METRIC, CONTAINER];

/// A stretch of time, in milliseconds since 1970, and the least length of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) step: i64,
}

pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(problem::BAD_PARAMETER, detail)
}

/// The stretch of time that is asked for at `now`.
pub(super) fn range(query: &Query, now: i64) -> Result<Range, Problem> {
    let moment = |name: &str| query.one(name).map(|text| moment(name, text, now)).transpose();
    let to = moment("to")?.unwrap_or(now);
    let from = moment("from")?.unwrap_or(to.saturating_sub(USUAL_SPAN_MS));
    let span = to.saturating_sub(from);
    if span < 0 {
        return Err(bad("from is later than to"));
    }
    if span > LONGEST_MS {
        return Err(bad("from and to are more than ten years apart"));
    }
    let step = match query.one("step") {
        None => usual_step(span),
        Some(text) => {
            let seconds = text.parse::<i64>().ok().or_else(|| {
                let duration: SignedDuration = text.parse().ok()?;
                (duration.subsec_nanos() == 0).then(|| duration.as_secs())
            });
            let seconds = seconds.filter(|seconds| (1..=LONGEST_MS / 1000).contains(seconds));
            seconds.ok_or_else(|| bad("step is no number of whole seconds, nor a duration such as 10s"))?
                * 1000
        }
    };
    if span / step >= MOST_STEPS {
        return Err(bad(format!(
            "step makes {} steps between from and to, more than {MOST_STEPS}: make it longer",
            span / step
        )));
    }
    Ok(Range { from, to, step })
}

/// The step of a stretch of so many milliseconds where none is asked for.
pub(super) fn usual_step(span: i64) -> i64 {
    ((span / USUAL_STEPS + 999) / 1000 * 1000).max(1000)
}

fn moment(name: &str, text: &str, now: i64) -> Result<i64, Problem> {
    let at = |text: &str| Some(text.parse::<Timestamp>().ok()?.as_millisecond());
    let seconds = |text: &str| Timestamp::from_second(text.parse().ok()?).ok().map(Timestamp::as_millisecond);
    let ago = |text: &str| {
        let ago: SignedDuration = text.parse().ok()?;
        let ago = i64::try_from(ago.as_millis()).ok().filter(|ago| *ago >= 0)?;
        Some(now.saturating_sub(ago))
    };
    seconds(text).or_else(|| at(text)).or_else(|| ago(text)).ok_or_else(|| {
        bad(format!(
            "{name} is no time such as 2026-11-23T12:00:00Z, no number of seconds since 1970 and no duration such as 15m"
        ))
    })
}

/// The values of a parameter that takes more than one, also with commas between them.
pub(super) fn words<'q>(query: &'q Query, name: &'q str) -> impl Iterator<Item = &'q str> {
    query.all(name).flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

/// What is asked for, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) numbers: Vec<String>,
    pub(super) distributions: Vec<String>,
}

/// What is told of where nothing is asked for.
const USUAL: [&str; 11] = [
    "cpu.usage_cores",
    "cpu.throttled_ns_total",
    "scheduler.runq_wait_ns_total",
    "memory.current_bytes",
    "network.rx_bytes_total",
    "network.tx_bytes_total",
    "block_io.read_bytes_total",
    "block_io.write_bytes_total",
    "cpu.busy_cores",
    "memory.available_bytes",
    "scheduler.load_1",
];

/// The metrics and distributions that are asked for.
pub(super) fn names(query: &Query, history: &History) -> Result<Names, Problem> {
    let layouts = history.layouts();
    let columns = || {
        layouts.measured.columns().iter().chain(layouts.host.columns()).filter(|one| one.name.contains('.'))
    };
    let mut asked: Vec<&str> = words(query, "metric").collect();
    if asked.is_empty() {
        asked = USUAL.to_vec();
    }
    let is_called = |name: &str, word: &str| {
        let rest = name.strip_prefix(word);
        word == "all" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    for word in &asked {
        if !columns().any(|column| is_called(&column.name, word)) {
            let counter = word.strip_suffix("_per_second").map(|stem| format!("{stem}_total"));
            let hint = counter.filter(|counter| columns().any(|column| column.name == *counter)).map_or_else(
                || "docs/metrics.md lists them".to_owned(),
                |counter| format!("the mean of {counter} is its growth a second"),
            );
            return Err(bad(format!("metric {word} is none that is kept: {hint}")));
        }
    }
    let mut names = Names::default();
    for column in columns().filter(|column| asked.iter().any(|word| is_called(&column.name, word))) {
        let list =
            if column.kind == Kind::Distribution { &mut names.distributions } else { &mut names.numbers };
        if !list.contains(&column.name) {
            list.push(column.name.clone());
        }
    }
    Ok(names)
}

/// Of whom is asked, by number, in their order; those that were there in this time where nobody is named.
pub(super) fn subjects(query: &Query, history: &History, range: Range) -> Result<Vec<Number>, Problem> {
    let is_there = |subject: &Subject| {
        subject.first_seen_at.as_millisecond() <= range.to
            && subject.last_seen_at.as_millisecond() >= range.from
    };
    let wants_host = query.one("host") == Some("true");
    let is_named = ["container", "cgroup"].iter().any(|name| query.one(name).is_some()) || wants_host;
    let mut wanted = Vec::new();
    let kinds = [
        ("container", SubjectKind::Container, problem::NO_SUCH_CONTAINER),
        ("cgroup", SubjectKind::Cgroup, problem::NO_SUCH_CGROUP),
    ];
    for (parameter, kind, unknown) in kinds {
        let of_kind = || history.subjects().filter(move |(_, subject)| subject.kind == kind);
        let mut asked: Vec<&str> = query.all(parameter).collect();
        if !is_named && kind == SubjectKind::Container {
            asked.push("*");
        }
        for name in asked {
            let before = wanted.len();
            let is_meant = |subject: &Subject| match name {
                "*" => is_there(subject),
                _ if kind == SubjectKind::Container => is_called(name, &subject.id, subject.name.as_deref()),
                // The path is meant whole.
                _ => subject.name.as_deref() == Some(name) || subject.id == name,
            };
            wanted.extend(of_kind().filter(|(_, subject)| is_meant(subject)).map(|(number, _)| number));
            if wanted.len() == before && name != "*" {
                let detail =
                    format!("history has no {parameter} called {name}: /api/v1/history/subjects has all");
                return Err(Problem::new(unknown, detail));
            }
        }
    }
    if wants_host {
        wanted.extend(history.subjects().map(|(number, _)| number).filter(|number| is_host(*number)));
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

/// A subject as it is shown: a container that is not there any more has exited, whether or not its end was seen.
pub(super) fn shown(subject: &Subject, past_last: i64) -> Subject {
    let is_gone = subject.last_seen_at.as_millisecond() < past_last;
    let is_container = subject.kind == SubjectKind::Container;
    let state = if is_gone && is_container { Some(ContainerState::Exited) } else { subject.state };
    Subject { state, ..subject.clone() }
}

impl Past {
    /// The stretch of time that is asked for.
    pub(super) fn range(&self, query: &Query) -> Result<Range, Problem> {
        range(query, self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn asked(pairs: &[(&str, &str)]) -> Result<Range, Problem> {
        range(&Query::of(pairs), NOW)
    }

    #[test]
    fn times_have_three_forms() {
        let ten_minutes_ago = NOW - 600_000;
        for from in ["10m", "1799999400", "2027-01-15T07:50:00Z", "600s"] {
            assert_eq!(asked(&[("from", from)]).unwrap().from, ten_minutes_ago, "{from}");
        }
        assert_eq!(asked(&[]).unwrap(), Range { from: ten_minutes_ago, to: NOW, step: 2000 });
        assert_eq!(asked(&[("from", "24h"), ("step", "1m")]).unwrap().step, 60_000);
        assert_eq!(asked(&[("from", "24h")]).unwrap().step, 288_000);
        assert_eq!(asked(&[("from", "0s")]).unwrap().step, 1000);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for pairs in [
            &[("from", "yesterday")][..],
            &[("from", "-5m")],
            &[("from", "")],
            &[("from", "99999999999999999999")],
            &[("to", "1h"), ("from", "5m")],
            &[("from", "1"), ("to", "1800000000")],
            &[("step", "0")],
            &[("step", "-10")],
            &[("step", "100ms")],
            &[("from", "24h"), ("step", "1")],
        ] {
            let problem = asked(pairs).unwrap_err();
            assert_eq!(problem.status(), axum::http::StatusCode::BAD_REQUEST, "{pairs:?}");
        }
    }
}
