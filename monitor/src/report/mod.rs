//! `monitor report`: what a recording says, statistically; and how two of them differ.
//!
//! `source` reads one signal at a time, so that memory goes with the length of the recording and for how much of it each container
//! was there, and not with the number of metrics; `analysis` says what there is to say of a series; the rest is layout.

mod analysis;
mod diff;
mod document;
mod html;
mod layout;
mod signals;
mod source;

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use self::{
    analysis::{Findings, analyse, correlated},
    document::Document,
    source::{Index, Values, Window},
};
pub use self::{
    signals::{Signal, select},
    source::Run,
};
use crate::{
    cli::StatisticsFormat,
    console::Progress,
    output::escape::safe_json,
    recording::{RecordingError, Table, require_another},
    settings::{Report, Reported},
};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A recording cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// There is no such metric.
    #[error(
        "--metric {0}: no metric that varies is called so, and no group of them; docs/metrics.md lists them, as in \
         cpu.usage_cores, or network for a group"
    )]
    NoSuchMetric(String),
    /// Nothing is left to report on.
    #[error(
        "{} has no container: none was recorded, or --from, --to and --container leave none",
        path.display()
    )]
    Empty {
        /// The recording.
        path: PathBuf,
    },
    /// The report could not be made into JSON.
    #[error("write the report as JSON")]
    Json(#[source] serde_json::Error),
    /// The report could not be written.
    #[error("write to {target}")]
    Write {
        /// Where to.
        target: String,
        /// Why not.
        source: io::Error,
    },
}

/// From this size of a recording on, a terminal shows how far the work is.
const LARGE_BYTES: u64 = 4 << 20;
/// Containers that are named as the greatest of each metric.
const TALKERS: usize = 5;
/// Correlations that are told of each metric.
const CORRELATIONS: usize = 5;

/// Containers whose metrics are compared with each other's: those that have the most. The work goes with their square.
const MOST_CORRELATED: usize = 100;

/// All that is said of one stretch of time.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Statistics {
    /// The recording; `null` where it is none.
    file: Option<PathBuf>,
    /// When the first was measured of what this is about.
    from: Option<Timestamp>,
    /// When the last was.
    to: Option<Timestamp>,
    /// How many times was measured in that time.
    ticks: usize,
    /// What is said of each.
    containers: Vec<ContainerStatistics>,
    /// The greatest of each metric.
    top: Vec<Top>,
    /// Containers whose metrics go together.
    correlations: Vec<Correlation>,
}

/// What is said of one container.
#[derive(Debug, Serialize, JsonSchema)]
struct ContainerStatistics {
    /// Its id.
    id: String,
    /// Its name.
    name: Option<String>,
    /// Its image.
    image: Option<String>,
    /// When it was first measured.
    first_seen_at: Timestamp,
    /// When it was last measured.
    last_seen_at: Timestamp,
    /// What is said of each metric that was not 0 throughout.
    metrics: Vec<MetricStatistics>,
    #[serde(skip)]
    label: String,
}

/// What is said of one metric.
#[derive(Debug, Serialize, JsonSchema)]
struct MetricStatistics {
    /// Its name; where `per_second`, its growth.
    metric: String,
    /// Whether the values are its growth a second.
    per_second: bool,
    #[serde(flatten)]
    findings: Findings,
    #[serde(skip)]
    signal: Signal,
}

/// Who has most of one metric.
#[derive(Debug, Serialize, JsonSchema)]
struct Top {
    /// Its name.
    metric: String,
    /// Whether the values are its growth a second.
    per_second: bool,
    /// The greatest first.
    containers: Vec<Talker>,
    #[serde(skip)]
    signal: Signal,
}

/// A container and its part of what all together have.
#[derive(Debug, Serialize, JsonSchema)]
struct Talker {
    /// Its id.
    id: String,
    /// Its name, or the beginning of its id.
    #[serde(rename = "name")]
    label: String,
    /// Its sum over the ticks by their number, so that one that was there for a short while counts for it.
    mean: f64,
    /// Its part.
    share: f64,
}

/// Two containers that go together.
#[derive(Debug, Serialize, JsonSchema)]
struct Correlation {
    /// In this metric.
    metric: String,
    /// One container's name.
    first: String,
    /// The other's.
    second: String,
    /// Spearman's.
    rho: f64,
}

/// Makes the report and writes it.
pub fn run(settings: &Report) -> Result<(), ReportError> {
    let signals = select(&settings.metrics).map_err(ReportError::NoSuchMetric)?;
    let read: &[&PathBuf] = match &settings.subject {
        Reported::One(path) => &[path],
        Reported::Two(first, second) => &[first, second],
    };
    for (path, output) in read.iter().zip(settings.output.iter().cycle()) {
        require_another(path, output)?;
    }
    let window = Window { from: settings.from, to: settings.to, containers: &settings.containers };
    let text = match &settings.subject {
        Reported::One(path) => {
            let statistics = one(path, &signals, &window)?;
            rendered(settings.form, &statistics, layout::one)?
        }
        Reported::Two(first, second) => {
            let difference = diff::compare(first, second, &signals, &window)?;
            rendered(settings.form, &difference, layout::two)?
        }
    };
    write(settings.output.as_deref(), &text)
}

fn rendered<T: Serialize>(
    form: StatisticsFormat,
    report: &T,
    layout: fn(&T) -> Document,
) -> Result<String, ReportError> {
    Ok(match form {
        StatisticsFormat::Text => layout(report).text(),
        StatisticsFormat::Markdown => layout(report).markdown(),
        StatisticsFormat::Html => html::page(&layout(report)),
        StatisticsFormat::Json => {
            safe_json(serde_json::to_string_pretty(report).map_err(ReportError::Json)?) + "\n"
        }
    })
}

fn write(path: Option<&Path>, text: &str) -> Result<(), ReportError> {
    let (target, written) = if let Some(path) = path {
        (path.display().to_string(), fs::write(path, text))
    } else {
        let mut stdout = io::stdout().lock();
        ("standard output".to_owned(), stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    };
    match written {
        Err(error) if path.is_none() && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|source| ReportError::Write { target, source }),
    }
}

/// What one recording says.
fn one(path: &Path, signals: &[Signal], window: &Window<'_>) -> Result<Statistics, ReportError> {
    let steps = Steps::of(&[path], signals.len());
    let table = steps.open(path, 0)?;
    let index = index(&table, path, window)?;
    let mut statistics = Statistics::new(Some(path.into()), &index.ticks, &index.runs);
    for (number, signal) in signals.iter().enumerate() {
        steps.next(signal);
        let series = index.series(signal)?;
        statistics.take(&index.ticks, signal, &series);
        steps.done(number + 1);
    }
    Ok(statistics)
}

/// What there is to say of series from elsewhere: of each of these runs and signals a value at each tick.
pub fn statistics(
    ticks: &[Timestamp],
    runs: &[Run],
    signals: &[Signal],
    mut series: impl FnMut(&Signal) -> Vec<Vec<Option<f64>>>,
) -> Statistics {
    let mut statistics = Statistics::new(None, ticks, runs);
    for signal in signals {
        let whole = |values| Values { first: 0, values };
        let series: Vec<Values> = series(signal).into_iter().map(whole).collect();
        statistics.take(ticks, signal, &series);
    }
    statistics
}

/// Who was there; an error where nobody was.
fn index<'t>(table: &'t Table, path: &Path, window: &Window<'_>) -> Result<Index<'t>, ReportError> {
    let index = Index::build(table, window)?;
    if index.runs.is_empty() {
        return Err(ReportError::Empty { path: path.into() });
    }
    Ok(index)
}

/// One for each run, in the order of their labels. Runs of one name are numbered.
fn containers(all: &[Run]) -> Vec<ContainerStatistics> {
    let mut met: HashMap<&str, usize> = HashMap::new();
    all.iter()
        .map(|run| {
            let number = met.entry(run.label()).and_modify(|number| *number += 1).or_insert(1);
            let label = match number {
                1 => run.label().to_owned(),
                _ => format!("{} #{number}", run.label()),
            };
            ContainerStatistics {
                id: run.id.clone(),
                name: run.name.clone(),
                image: run.image.clone(),
                first_seen_at: run.first,
                last_seen_at: run.last,
                metrics: Vec::new(),
                label,
            }
        })
        .collect()
}

impl Statistics {
    fn new(file: Option<PathBuf>, ticks: &[Timestamp], runs: &[Run]) -> Self {
        Self {
            file,
            from: ticks.first().copied(),
            to: ticks.last().copied(),
            ticks: ticks.len(),
            containers: containers(runs),
            top: Vec::new(),
            correlations: Vec::new(),
        }
    }

    /// Takes what one signal says. What is 0 throughout says nothing.
    fn take(&mut self, ticks: &[Timestamp], signal: &Signal, series: &[Values]) {
        let mut talkers = Vec::new();
        for (container, values) in self.containers.iter_mut().zip(series) {
            let Some(findings) = analyse(ticks, values) else { continue };
            if findings.summary.max <= 0.0 && findings.summary.min >= 0.0 {
                continue;
            }
            let sum: f64 = values.measured().sum();
            talkers.push(Talker {
                id: container.id.clone(),
                label: container.label.clone(),
                mean: sum / ticks.len().max(1) as f64,
                share: 0.0,
            });
            container.metrics.push(MetricStatistics {
                metric: signal.column.clone(),
                per_second: signal.is_rate,
                findings,
                signal: signal.clone(),
            });
        }
        if signal.adds_up() && !talkers.is_empty() {
            self.top.push(top(signal, talkers));
        }
        let (numbers, greatest) = greatest(ticks.len(), series);
        self.correlations.extend(correlated(&greatest).into_iter().take(CORRELATIONS).filter_map(
            |(first, second, rho)| {
                let label = |place: usize| Some(self.containers.get(*numbers.get(place)?)?.label.clone());
                let (first, second) = (label(first)?, label(second)?);
                Some(Correlation { metric: signal.column.clone(), first, second, rho })
            },
        ));
    }
}

/// The series with the greatest sums at every tick, no more than are compared with each other, and their numbers.
fn greatest(ticks: usize, series: &[Values]) -> (Vec<usize>, Vec<Vec<Option<f64>>>) {
    let sum = |values: &Values| values.measured().map(f64::abs).sum::<f64>();
    let mut numbers: Vec<(usize, f64)> = series.iter().map(sum).enumerate().collect();
    numbers.sort_by(|a, b| b.1.total_cmp(&a.1));
    numbers.truncate(MOST_CORRELATED);
    let mut numbers: Vec<usize> = numbers.into_iter().map(|(number, _)| number).collect();
    numbers.sort_unstable();
    let whole = |values: &Values| (0..ticks).map(|tick| values.at(tick)).collect();
    let greatest = numbers.iter().filter_map(|number| series.get(*number)).map(whole).collect();
    (numbers, greatest)
}

fn top(signal: &Signal, mut talkers: Vec<Talker>) -> Top {
    let all: f64 = talkers.iter().map(|talker| talker.mean).sum();
    talkers.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    talkers.truncate(TALKERS);
    for talker in &mut talkers {
        talker.share = talker.mean / all;
    }
    Top {
        metric: signal.column.clone(),
        per_second: signal.is_rate,
        containers: talkers,
        signal: signal.clone(),
    }
}

/// A bar on a terminal, for recordings that take a while. Its steps are metrics; one of NDJSON is read whole before the first, which
/// takes as long as so many of them.
struct Steps {
    bar: Progress,
    read: u64,
}

/// Steps that reading is shown as.
const READING: u64 = 20;

impl Steps {
    fn of(paths: &[&Path], signals: usize) -> Self {
        let is_large = |path: &&Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() >= LARGE_BYTES);
        let read = READING * paths.len() as u64;
        let bar = if paths.iter().any(is_large) {
            Progress::start(read + signals as u64, "{bar:40} {percent} % {msg}")
        } else {
            Progress::hidden()
        };
        Self { bar, read }
    }

    /// Opens one of the recordings, of which so many were opened before.
    fn open(&self, path: &Path, before: u64) -> Result<Table, RecordingError> {
        self.bar.say("reading".to_owned());
        let table =
            Table::open(path, |done, all| self.bar.set(before * READING + done * READING / all.max(1)))?;
        self.bar.set((before + 1) * READING);
        Ok(table)
    }

    /// So many metrics are done.
    fn done(&self, metrics: usize) {
        self.bar.set(self.read + metrics as u64);
    }

    /// This metric is next.
    fn next(&self, signal: &Signal) {
        self.bar.say(signal.column.clone());
    }
}

#[cfg(test)]
mod tests;
