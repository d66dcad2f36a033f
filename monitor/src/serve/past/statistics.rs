//! `/api/v1/statistics`: what `monitor report` says of a recording, of the history.

use jiff::Timestamp;
use monitor_common::histogram::{COARSE, FINE};

use super::{
    Past,
    answer::{MOST_VALUES, VALUES_OF_DISTRIBUTION, coarse},
    ask::{self, bad, words},
};
use crate::{
    history::{
        Fold, Number, SubjectKind,
        query::{Found, View},
    },
    report::{self, Run, Signal, Statistics},
    serve::{problem::Problem, query::Query},
    stats::quantile,
};

/// Containers by metrics at most, each of which takes a few milliseconds.
const MOST_SERIES: usize = 1500;

/// Answers with statistics.
pub(super) fn statistics(past: &Past, query: &Query) -> Result<Statistics, Problem> {
    let range = past.range(query)?;
    let asked: Vec<String> = words(query, "metric").map(str::to_owned).collect();
    let signals = report::select(&asked).map_err(|unknown| {
        bad(format!("metric {unknown} is none that varies: docs/metrics.md lists them"))
    })?;
    let (view, numbers, runs) = {
        let history = past.lock();
        let mut numbers = ask::subjects(query, &history, range)?;
        numbers
            .retain(|number| history.subject(*number).is_some_and(|one| one.kind == SubjectKind::Container));
        // Where nothing was measured yet there is nothing to divide by, nor to make steps longer for.
        let first = numbers.iter().filter_map(|number| history.subject(*number)).map(|one| one.first_seen_at);
        let from = first.min().map_or(range.from, |first| range.from.max(first.as_millisecond()));
        let step = if query.one("step").is_some() { range.step } else { ask::usual_step(range.to - from) };
        let grid = history.grid(from, range.to, step);
        require_bearable(numbers.len(), &signals, grid.steps)?;
        let runs = numbers.iter().filter_map(|number| {
            let subject = history.subject(*number)?;
            Some(Run {
                id: subject.id.clone(),
                name: subject.name.clone(),
                image: subject.image.clone(),
                first: subject.first_seen_at,
                last: subject.last_seen_at,
            })
        });
        let runs: Vec<Run> = runs.collect();
        (history.view(&numbers, grid), numbers, runs)
    };
    let ticks: Vec<Timestamp> =
        view.grid.times().filter_map(|at| Timestamp::from_millisecond(at).ok()).collect();
    let statistics = report::statistics(&ticks, &runs, &signals, |signal| series(&view, &numbers, signal));
    Ok(statistics)
}

fn require_bearable(containers: usize, signals: &[Signal], steps: usize) -> Result<(), Problem> {
    let series = containers.saturating_mul(signals.len());
    let each = |signal: &Signal| if quantile_of(signal).is_some() { VALUES_OF_DISTRIBUTION } else { 1 };
    let values = signals.iter().map(each).sum::<usize>().saturating_mul(containers).saturating_mul(steps);
    if series <= MOST_SERIES && values <= MOST_VALUES {
        return Ok(());
    }
    Err(bad(format!(
        "{containers} containers with {} metrics in {steps} steps are {series} series of {values} values, more than {MOST_SERIES} or \
         {MOST_VALUES}: name fewer containers or metrics, or a longer step",
        signals.len()
    )))
}

/// The distribution that a signal is a quantile of, and which share is no longer.
fn quantile_of(signal: &Signal) -> Option<(&str, f64)> {
    let (name, part) = signal.column().rsplit_once('.')?;
    let percent: f64 = part.strip_prefix('p')?.strip_suffix("_ns")?.parse().ok()?;
    Some((name, percent / 100.0))
}

/// One signal of each container, step by step.
fn series(view: &View, numbers: &[Number], signal: &Signal) -> Vec<Vec<Option<f64>>> {
    let of_quantile = quantile_of(signal);
    let found = match of_quantile {
        Some((name, _)) => view.read(numbers, &[], &[name.to_owned()]),
        None => view.read(numbers, &[signal.column().to_owned()], &[]),
    };
    let values = |found: Found| match of_quantile {
        Some((_, share)) => {
            let counts = found.counts.into_iter().next().unwrap_or_default();
            let each = counts.into_iter().map(|counts| {
                let counts = counts?;
                let value = if counts.has_wide {
                    quantile(&coarse(&counts.counts), COARSE, share)
                } else {
                    quantile(&counts.counts, FINE, share)
                };
                value.map(|value| value as f64)
            });
            each.collect::<Vec<_>>()
        }
        None => found.folds.into_iter().next().unwrap_or_default().iter().map(Fold::mean).collect(),
    };
    let padded = |mut values: Vec<Option<f64>>| {
        values.resize(view.grid.steps, None);
        values
    };
    found.into_iter().map(values).map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_bounded() {
        let usual = report::select(&[]).unwrap();
        assert!(require_bearable(50, &usual, 300).is_ok());
        assert!(require_bearable(1000, &usual, 10).is_err());
        assert!(require_bearable(50, &usual, 3600).is_err());
        assert!(require_bearable(usize::MAX, &usual, 3).is_err());
    }
}
