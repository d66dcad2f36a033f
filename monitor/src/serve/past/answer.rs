//! What history answers: arrays beside each other, one value a step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use monitor_common::histogram::{COARSE, COARSE_BUCKETS, FINE, Scale};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Past,
    ask::{self, Names, bad, shown, words},
};
use crate::{
    history::{
        Column, Fold, Kind, Subject, SubjectKind,
        query::{Found, View},
    },
    model::{InterferenceSource, SCHEMA_VERSION},
    serve::{problem::Problem, query::Query},
    stats::{quantile, upper_end},
};

/// Values of one answer at most.
pub(super) const MOST_VALUES: usize = 1_000_000;
/// What a distribution counts as there, each step: its buckets that are in use, about.
pub(super) const VALUES_OF_DISTRIBUTION: usize = 40;
const FIGURES: [&str; 4] = ["mean", "min", "max", "growth"];

/// What was measured, step by step.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HistoryAnswer {
    /// The version of the schema, as in a snapshot.
    schema_version: u32,
    /// When the first step begins.
    from: Timestamp,
    /// When the last one ends.
    to: Timestamp,
    /// The length of a step in seconds; longer than asked for where no more is kept as far back.
    step_s: i64,
    /// When each step begins, in seconds since 1970.
    times: Vec<f64>,
    /// Who was asked for.
    subjects: Vec<SubjectHistory>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
struct SubjectHistory {
    #[serde(flatten)]
    subject: Subject,
    /// By group and name as in docs/metrics.md, without what was never measured in this time.
    metrics: BTreeMap<String, MetricHistory>,
    /// The same of distributions.
    distributions: BTreeMap<String, DistributionHistory>,
}

type Values = Option<Vec<Option<f64>>>;

/// A metric, a value a step; `null` where it was not measured.
#[derive(Debug, Serialize, JsonSchema)]
struct MetricHistory {
    /// How it behaves over time.
    kind: &'static str,
    /// Its unit, of a counter that of what grows; empty without one.
    unit: &'static str,
    /// The mean; of a counter its growth a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Values,
    /// The least value seen; of a counter the least growth a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Values,
    /// The greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Values,
    /// Of a counter its growth in the step, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    growth: Option<Vec<Option<u64>>>,
}

/// How often each duration was seen, step by step; `null` where it was not measured.
#[derive(Debug, Serialize, JsonSchema)]
struct DistributionHistory {
    /// Durations seen.
    count: Vec<Option<u64>>,
    /// Half were no longer, in nanoseconds.
    p50_ns: Vec<Option<u64>>,
    /// Nine tenths were no longer.
    p90_ns: Vec<Option<u64>>,
    /// Ninety-nine hundredths were no longer.
    p99_ns: Vec<Option<u64>>,
    /// None was longer.
    max_ns: Vec<Option<u64>>,
    /// The shortest duration of each bucket that is in use.
    from_ns: Vec<u64>,
    /// The first that is too long for it; `null` of the last bucket there can be.
    to_ns: Vec<Option<u64>>,
    /// Of each bucket how often, step by step.
    counts: Vec<Vec<Option<u64>>>,
}

/// Which arrays are wanted of a metric.
struct Wanted([bool; 4]);

/// Answers what was measured.
pub(super) fn history(past: &Past, query: &Query) -> Result<HistoryAnswer, Problem> {
    let range = past.range(query)?;
    let wanted = Wanted::of(query)?;
    let (view, names, numbers, subjects, columns) = {
        let history = past.lock();
        let names = ask::names(query, &history)?;
        let numbers = ask::subjects(query, &history, range)?;
        let grid = history.grid(range.from, range.to, range.step);
        require_bearable(&names, numbers.len(), grid.steps, &wanted)?;
        let last = history.last_at().unwrap_or_default();
        let subjects: Vec<Subject> = numbers
            .iter()
            .filter_map(|number| history.subject(*number))
            .map(|subject| shown(subject, last))
            .collect();
        let layouts = history.layouts().clone();
        (history.view(&numbers, grid), names, numbers, subjects, layouts)
    };
    let found = view.read(&numbers, &names.numbers, &names.distributions);
    let subjects = subjects.into_iter().zip(found).map(|(subject, found)| {
        let layout = if subject.kind == SubjectKind::Host { &columns.host } else { &columns.measured };
        let column = |name: &str| layout.columns().get(layout.place(name)?);
        SubjectHistory::of(subject, found, &names, column, &wanted)
    });
    Ok(HistoryAnswer {
        schema_version: SCHEMA_VERSION,
        from: timestamp(view.grid.begins_at)?,
        to: timestamp(view.grid.times().last().unwrap_or(view.grid.begins_at) + view.grid.step_ms)?,
        step_s: view.grid.step_ms / 1000,
        times: times(&view),
        subjects: subjects.collect(),
    })
}

fn times(view: &View) -> Vec<f64> {
    view.grid.times().map(|at| at as f64 / 1000.0).collect()
}

fn timestamp(ms: i64) -> Result<Timestamp, Problem> {
    Timestamp::from_millisecond(ms).map_err(|error| bad(format!("from or to: {error}")))
}

impl Wanted {
    fn of(query: &Query) -> Result<Self, Problem> {
        let asked: Vec<&str> = words(query, "figure").collect();
        if let Some(unknown) = asked.iter().find(|word| !FIGURES.contains(word)) {
            return Err(bad(format!("figure {unknown} is none of {}", FIGURES.join(", "))));
        }
        Ok(Self(FIGURES.map(|figure| asked.is_empty() || asked.contains(&figure))))
    }
}

fn require_bearable(names: &Names, subjects: usize, steps: usize, wanted: &Wanted) -> Result<(), Problem> {
    let figures = wanted.0.iter().filter(|is_wanted| **is_wanted).count();
    let each = names.numbers.len() * figures + names.distributions.len() * VALUES_OF_DISTRIBUTION;
    let values = each.saturating_mul(subjects).saturating_mul(steps);
    if values <= MOST_VALUES {
        return Ok(());
    }
    Err(bad(format!(
        "{subjects} subjects with {each} values each in {steps} steps are {values} values, more than {MOST_VALUES}: name fewer \
         containers, metrics or figures, or a longer step"
    )))
}

impl SubjectHistory {
    fn of<'c>(
        subject: Subject,
        found: Found,
        names: &Names,
        column: impl Fn(&str) -> Option<&'c Column>,
        wanted: &Wanted,
    ) -> Self {
        let Found { folds, counts } = found;
        let metrics = names.numbers.iter().zip(folds).filter(|(_, folds)| !folds.is_empty());
        let distributions = names.distributions.iter().zip(counts).filter(|(_, counts)| !counts.is_empty());
        Self {
            subject,
            metrics: metrics
                .filter_map(|(name, folds)| {
                    Some((name.clone(), MetricHistory::of(column(name)?, &folds, wanted)))
                })
                .collect(),
            distributions: distributions
                .map(|(name, counts)| {
                    let has_wide = counts.iter().flatten().any(|counts| counts.has_wide);
                    let steps = counts.into_iter().map(|counts| {
                        counts.map(
                            |counts| if has_wide { coarse(&counts.counts) } else { counts.counts.to_vec() },
                        )
                    });
                    let scale = if has_wide { COARSE } else { FINE };
                    (name.clone(), DistributionHistory::of(&steps.collect::<Vec<_>>(), scale))
                })
                .collect(),
        }
    }
}

/// The counts in buckets twice as wide.
pub(super) fn coarse(fine: &[u64]) -> Vec<u64> {
    let mut coarse = vec![0; COARSE_BUCKETS];
    for (bucket, count) in fine.iter().enumerate() {
        let place = bucket.div_ceil(2).min(COARSE_BUCKETS - 1);
        coarse.get_mut(place).into_iter().for_each(|sum| *sum += count);
    }
    coarse
}

impl MetricHistory {
    fn of(column: &Column, folds: &[Fold], wanted: &Wanted) -> Self {
        let [mean, min, max, growth] = wanted.0;
        let values = |is_wanted: bool, get: fn(&Fold) -> Option<f64>| {
            is_wanted.then(|| folds.iter().map(|fold| get(fold).map(short)).collect())
        };
        let growth = growth && column.kind == Kind::Counter;
        Self {
            kind: match column.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Limit => "limit",
                Kind::Ratio | Kind::Distribution => "ratio",
            },
            unit: column.unit,
            mean: values(mean, Fold::mean),
            min: values(min, Fold::min),
            max: values(max, Fold::max),
            growth: growth.then(|| folds.iter().map(Fold::growth).collect()),
        }
    }
}

/// With nine digits: more were not kept, and they would make the answer longer. Whole numbers as they are.
fn short(value: f64) -> f64 {
    if value.fract().abs() < f64::EPSILON * value.abs() {
        return value;
    }
    let scale = 10_f64.powf(8.0 - value.abs().log10().floor());
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}

impl DistributionHistory {
    fn of(steps: &[Option<Vec<u64>>], scale: Scale) -> Self {
        let buckets = steps.iter().flatten().map(Vec::len).max().unwrap_or_default();
        let count = |counts: &Option<Vec<u64>>, bucket: usize| {
            counts.as_ref().map(|counts| counts.get(bucket).copied().unwrap_or_default())
        };
        let is_used =
            |bucket: &usize| steps.iter().any(|counts| count(counts, *bucket).is_some_and(|count| count > 0));
        let used: Vec<usize> = (0..buckets).filter(is_used).collect();
        let of_each = |read: &dyn Fn(&[u64]) -> Option<u64>| {
            steps.iter().map(|counts| read(counts.as_ref()?)).collect::<Vec<_>>()
        };
        Self {
            count: of_each(&|counts| Some(counts.iter().sum())),
            p50_ns: of_each(&|counts| quantile(counts, scale, 0.5)),
            p90_ns: of_each(&|counts| quantile(counts, scale, 0.9)),
            p99_ns: of_each(&|counts| quantile(counts, scale, 0.99)),
            max_ns: of_each(&|counts| upper_end(counts, scale)),
            from_ns: used.iter().map(|bucket| scale.lower_bound(*bucket)).collect(),
            to_ns: used.iter().map(|bucket| scale.upper_bound(*bucket)).collect(),
            counts: used
                .iter()
                .map(|bucket| steps.iter().map(|step| count(step, *bucket)).collect())
                .collect(),
        }
    }
}

/// Who there is anything of.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SubjectList {
    /// The version of the schema, as in a snapshot.
    schema_version: u32,
    /// What is kept, from the finest resolution to the coarsest.
    resolutions: Vec<KeptResolution>,
    /// Memory that history takes.
    bytes: u64,
    /// The most that it may take.
    limit_bytes: u64,
    /// Rows that were forgotten before their time for want of room.
    dropped_rows_total: u64,
    /// Containers, cgroups and the machine, those included that have ended.
    subjects: Vec<Subject>,
}

/// A resolution.
#[derive(Debug, Serialize, JsonSchema)]
struct KeptResolution {
    /// Time from row to row in seconds.
    step_s: i64,
    /// How long rows are kept, in seconds.
    span_s: i64,
    /// When the first row was.
    oldest_at: Option<Timestamp>,
    /// When the last row was.
    newest_at: Option<Timestamp>,
}

/// Answers who there is anything of.
pub(super) fn subjects(past: &Past, query: &Query) -> SubjectList {
    let history = past.lock();
    let last = history.last_at().unwrap_or_default();
    let is_wanted = |subject: &Subject| {
        let is = |name: &str, shown: Option<String>| {
            query.one(name).is_none_or(|one| shown.as_deref() == Some(one))
        };
        is("kind", word(&subject.kind))
            && is("state", subject.state.as_ref().and_then(word))
            && query.names(subject.name.as_deref())
    };
    let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let figures = history.figures();
    SubjectList {
        schema_version: SCHEMA_VERSION,
        resolutions: history
            .kept()
            .map(|kept| KeptResolution {
                step_s: kept.step_ms / 1000,
                span_s: kept.span_ms / 1000,
                oldest_at: time(kept.first_at),
                newest_at: time(kept.last_at),
            })
            .collect(),
        bytes: figures.bytes,
        limit_bytes: figures.limit_bytes,
        dropped_rows_total: figures.dropped_rows_total,
        subjects: history.subjects().map(|(_, subject)| shown(subject, last)).filter(is_wanted).collect(),
    }
}

/// A word of an enumeration as in the JSON.
fn word<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

/// Who waited for whom in a stretch of time.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Waits {
    /// The version of the schema, as in a snapshot.
    schema_version: u32,
    /// When it begins.
    from: Timestamp,
    /// When it ends.
    to: Timestamp,
    /// Those that waited, the longest first.
    containers: Vec<Waiting>,
}

/// One that waited.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    /// The container's id.
    id: String,
    /// Its name.
    name: Option<String>,
    /// How long it waited for a CPU, in nanoseconds.
    wait_ns: u64,
    /// For whom.
    interference: Vec<WaitPart>,
    /// Whom its requests to block devices waited for.
    block_interference: Vec<WaitPart>,
}

/// Part of the waiting.
#[derive(Debug, Serialize, JsonSchema)]
struct WaitPart {
    /// Whom or what was waited for.
    source: InterferenceSource,
    /// The other container's id.
    id: Option<String>,
    /// Its name.
    name: Option<String>,
    /// How long.
    wait_ns: u64,
    /// Its part of the whole.
    share: f64,
}

/// Answers who waited for whom.
pub(super) fn waits(past: &Past, query: &Query) -> Result<Waits, Problem> {
    let range = past.range(query)?;
    let (view, numbers, subjects) = {
        let history = past.lock();
        let numbers = ask::subjects(query, &history, range)?;
        let grid = history.grid(range.from, range.to, range.step);
        let subjects: BTreeMap<_, _> =
            history.subjects().map(|(number, one)| (number, one.clone())).collect();
        (history.view(&numbers, grid), numbers, subjects)
    };
    let name_of = |number| subjects.get(&number).map(|one: &Subject| (one.id.clone(), one.name.clone()));
    let mut containers: Vec<Waiting> = Vec::new();
    for (number, waits) in numbers.iter().zip(view.waits(&numbers)) {
        let Some((id, name)) = name_of(*number).filter(|_| !waits.is_empty()) else { continue };
        let parts = |is_block: bool| {
            let of_it = waits.iter().filter(|(culprit, _)| culprit.is_block == is_block);
            let all = of_it.clone().map(|(_, waited)| *waited).sum::<u64>();
            let mut parts: Vec<WaitPart> = of_it
                .map(|(culprit, waited)| {
                    let (id, name) =
                        culprit.subject.and_then(name_of).map_or((None, None), |(id, name)| (Some(id), name));
                    let share = *waited as f64 / all as f64;
                    WaitPart { source: culprit.source(), id, name, wait_ns: *waited, share: short(share) }
                })
                .collect();
            parts.sort_by_key(|part| std::cmp::Reverse(part.wait_ns));
            (all, parts)
        };
        let ((wait_ns, interference), (_, block_interference)) = (parts(false), parts(true));
        containers.push(Waiting { id, name, wait_ns, interference, block_interference });
    }
    containers.sort_by_key(|waiting| std::cmp::Reverse(waiting.wait_ns));
    let (from, to) = (timestamp(view.grid.begins_at)?, timestamp(range.to)?);
    Ok(Waits { schema_version: SCHEMA_VERSION, from, to, containers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.300_003_051_757_812_5).to_string(), "0.300003052");
        assert_eq!(short(-1.0 / 3.0).to_string(), "-0.333333333");
        for whole in [0.0, -1.0, 12_345_678_901.0, 1e300] {
            assert_eq!(short(whole).to_string(), whole.to_string());
        }
        assert!(short(f64::MIN_POSITIVE) >= 0.0);
    }

    #[test]
    fn a_distribution_has_the_buckets_in_use() {
        let mut step = vec![0; 96];
        step[1] = 3;
        step[95] = 1;
        let of = DistributionHistory::of(&[Some(step), None, Some(vec![0; 96])], FINE);
        assert_eq!((of.from_ns.len(), of.to_ns[1]), (2, None));
        assert_eq!(of.counts[0], [Some(3), None, Some(0)]);
        assert_eq!(of.count, [Some(4), None, Some(0)]);
        assert_eq!((of.p50_ns[1], of.p50_ns[2]), (None, None));
        assert_eq!(coarse(&[1, 2, 3])[..2], [1, 5]);
    }
}
