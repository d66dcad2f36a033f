//! `monitor report`: what a recording says, statistically; and how two of them differ.
//!
//! `source` reads one signal at a time, so that memory goes with the length of the recording and not with the number of
//! metrics; `analysis` says what there is to say of a series; the rest is layout.

mod analysis;
mod diff;
mod document;
mod html;
mod layout;
mod signals;
mod source;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;

use self::{
    analysis::{Findings, analyse, correlated},
    document::Document,
    signals::{Signal, select},
    source::{Index, Series, Window},
};
use crate::{
    cli::StatisticsFormat,
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

/// All that is said of one recording.
#[derive(Debug, Serialize)]
struct Statistics {
    file: PathBuf,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// How many times was measured in that time.
    ticks: usize,
    containers: Vec<ContainerStatistics>,
    /// The greatest of each metric.
    top: Vec<Top>,
    /// Containers whose metrics go together.
    correlations: Vec<Correlation>,
}

#[derive(Debug, Serialize)]
struct ContainerStatistics {
    id: String,
    name: Option<String>,
    image: Option<String>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    metrics: Vec<MetricStatistics>,
    #[serde(skip)]
    label: String,
}

#[derive(Debug, Serialize)]
struct MetricStatistics {
    /// The column; where `per_second`, its growth.
    metric: String,
    per_second: bool,
    #[serde(flatten)]
    findings: Findings,
    #[serde(skip)]
    signal: Signal,
}

#[derive(Debug, Serialize)]
struct Top {
    metric: String,
    per_second: bool,
    containers: Vec<Talker>,
    #[serde(skip)]
    signal: Signal,
}

/// A container and its part of what all together have.
#[derive(Debug, Serialize)]
struct Talker {
    id: String,
    #[serde(rename = "name")]
    label: String,
    /// Its sum over the ticks by their number, so that one that was there for a short while counts for it.
    mean: f64,
    share: f64,
}

#[derive(Debug, Serialize)]
struct Correlation {
    metric: String,
    first: String,
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
        StatisticsFormat::Json => serde_json::to_string_pretty(report).map_err(ReportError::Json)? + "\n",
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
    let progress = progress(path, signals.len());
    let table = Table::open(path)?;
    let index = index(&table, path, window)?;
    let mut statistics = Statistics {
        file: path.into(),
        from: index.ticks.first().copied(),
        to: index.ticks.last().copied(),
        ticks: index.ticks.len(),
        containers: containers(&index),
        top: Vec::new(),
        correlations: Vec::new(),
    };
    for signal in signals {
        let series = index.series(signal)?;
        statistics.take(&index, signal, &series);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(statistics)
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
fn containers(index: &Index<'_>) -> Vec<ContainerStatistics> {
    let label = |number: usize, run: &source::Run| {
        let before = index.runs.iter().take(number).filter(|other| other.label() == run.label()).count();
        if before == 0 { run.label().to_owned() } else { format!("{} #{}", run.label(), before + 1) }
    };
    let runs = index.runs.iter().enumerate();
    runs.map(|(number, run)| ContainerStatistics {
        id: run.id.clone(),
        name: run.name.clone(),
        image: run.image.clone(),
        first_seen_at: run.first,
        last_seen_at: run.last,
        metrics: Vec::new(),
        label: label(number, run),
    })
    .collect()
}

impl Statistics {
    /// Takes what one signal says. What is 0 throughout says nothing.
    fn take(&mut self, index: &Index<'_>, signal: &Signal, series: &Series) {
        let mut talkers = Vec::new();
        for (container, values) in self.containers.iter_mut().zip(series) {
            let Some(findings) = analyse(&index.ticks, values) else { continue };
            if findings.summary.max <= 0.0 && findings.summary.min >= 0.0 {
                continue;
            }
            let sum: f64 = values.iter().flatten().sum();
            talkers.push(Talker {
                id: container.id.clone(),
                label: container.label.clone(),
                mean: sum / index.ticks.len().max(1) as f64,
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
        self.correlations.extend(correlated(series).into_iter().take(CORRELATIONS).filter_map(
            |(first, second, rho)| {
                let label = |number: usize| Some(self.containers.get(number)?.label.clone());
                let (first, second) = (label(first)?, label(second)?);
                Some(Correlation { metric: signal.column.clone(), first, second, rho })
            },
        ));
    }
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

/// A bar on a terminal, for recordings that take a while.
fn progress(path: &Path, steps: usize) -> ProgressBar {
    let is_large = fs::metadata(path).is_ok_and(|metadata| metadata.len() >= LARGE_BYTES);
    if !is_large || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} metrics");
    let bar = style.map_or_else(|_error| ProgressBar::hidden(), |style| bar.with_style(style));
    bar.tick();
    bar
}

#[cfg(test)]
mod tests;
