//! The last minutes of the CPU time of each container, in steps, for lines as high as a row; as the dashboard's are
//! (web/src/model/spark.ts).

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use super::tape::Tape;
use crate::model::Snapshot;

/// Seconds of a step.
const STEP_S: i64 = 5;
/// How many there are.
const STEPS: usize = 60;

/// What they span.
pub(super) const SPAN: SignedDuration = SignedDuration::from_mins(5);

/// A step's mean, and of how many values.
type Step = Option<(f64, u32)>;

/// Of each container its steps, by its id.
#[derive(Debug, Default)]
pub(super) struct Sparks {
    /// Of each id as many steps as there are, the last one at the end.
    lines: HashMap<String, Vec<Step>>,
    /// The number of the last step, counted from 1970.
    last: i64,
}

impl Sparks {
    /// Those up to the snapshot that is shown.
    pub(super) fn of(tape: &Tape) -> Self {
        let mut sparks = Self::default();
        tape.lately(SPAN).for_each(|snapshot| sparks.push(snapshot));
        sparks
    }

    /// Takes the next snapshot. Containers that are gone are forgotten.
    pub(super) fn push(&mut self, snapshot: &Snapshot) {
        let step = snapshot.taken_at.as_second().div_euclid(STEP_S);
        let passed = usize::try_from(step - self.last).unwrap_or(0).min(STEPS);
        self.last = step;
        if passed > 0 {
            let there: HashSet<&str> = snapshot.containers.iter().map(|one| one.id.as_str()).collect();
            self.lines.retain(|id, _| there.contains(id.as_str()));
            for line in self.lines.values_mut() {
                line.drain(..passed);
                line.resize(STEPS, None);
            }
        }
        for container in &snapshot.containers {
            let Some(value) = container.measurements.cpu.usage_cores else { continue };
            let line = match self.lines.get_mut(&container.id) {
                Some(line) => line,
                None => self.lines.entry(container.id.clone()).or_insert_with(|| vec![None; STEPS]),
            };
            if let Some(last) = line.last_mut() {
                let (mean, count) = last.unwrap_or((0.0, 0));
                *last = Some((mean + (value - mean) / f64::from(count + 1), count + 1));
            }
        }
    }

    /// A container's values, the oldest first, as many as there are columns.
    pub(super) fn values(&self, id: &str, width: usize) -> Vec<Option<f64>> {
        let Some(line) = self.lines.get(id) else { return vec![None; width] };
        let means: Vec<Option<f64>> = line.iter().map(|step| step.map(|(mean, _)| mean)).collect();
        resampled(&means, width)
    }
}

/// Values in as many columns as are asked for: means of those that fall into one, or the same one repeated.
pub(super) fn resampled(values: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    let count = values.len();
    (0..width)
        .map(|column| {
            let from = column * count / width;
            let to = ((column + 1) * count / width).max(from + 1);
            let within = values.get(from..to.min(count)).unwrap_or_default();
            let known: Vec<f64> = within.iter().copied().flatten().collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        })
        .collect()
}

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A line of blocks, the highest of which is the greatest value; a blank where nothing was measured.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
pub(super) fn blocks(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let block = |value: &Option<f64>| match *value {
        None => ' ',
        Some(value) if most <= 0.0 || value <= 0.0 => HEIGHTS[0],
        Some(value) => {
            let height = (value / most * 8.0).ceil().clamp(1.0, 8.0) as usize;
            HEIGHTS.get(height - 1).copied().unwrap_or(' ')
        }
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{container, snapshot};

    fn used(second: i64, cores: f64) -> Snapshot {
        let mut web = container("web");
        web.measurements.cpu.usage_cores = Some(cores);
        snapshot(second, vec![web])
    }

    #[test]
    fn values_of_a_step_are_its_mean_and_gaps_are_gaps() {
        let mut sparks = Sparks::default();
        sparks.push(&used(100, 1.0));
        sparks.push(&used(104, 3.0));
        sparks.push(&used(110, 4.0));
        let values = sparks.values("web", STEPS);
        assert_eq!(values[57..], [Some(2.0), None, Some(4.0)]);
        assert!(values[..57].iter().all(Option::is_none));
        sparks.push(&snapshot(115, vec![container("other")]));
        assert!(sparks.values("web", 3).iter().all(Option::is_none), "it is gone");
    }

    #[test]
    fn lines_are_as_wide_as_asked_for_and_scaled_to_their_own() {
        let values = [Some(0.0), Some(1.0), None, Some(8.0)];
        assert_eq!(blocks(&values), "▁▁ █");
        assert_eq!(resampled(&values, 2), [Some(0.5), Some(8.0)]);
        assert_eq!(resampled(&values[..2], 4), [Some(0.0), Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(blocks(&[None, None]), "  ");
    }
}
