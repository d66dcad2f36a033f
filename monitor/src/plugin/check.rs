//! `monitor check`: one line and an exit code, as the Monitoring Plugins' guidelines have them.

use std::fmt::Write as _;

use super::{
    figure::{ContainerFigure, HostFigure, Reading, Unit},
    range::Range,
    target::{Found, TargetError},
};
use crate::{
    error::chain,
    model::{Container, ContainerState},
};

/// What a plugin says, in the order of the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Ok = 0,
    /// Something is worth a look.
    Warning = 1,
    /// Something is wrong.
    Critical = 2,
    /// It cannot be told.
    Unknown = 3,
}

/// What is checked.
pub enum Question {
    /// Whether containers run, or the machine is measured.
    State,
    /// A metric of containers.
    OfContainers(String, ContainerFigure),
    /// A metric of the machine.
    OfHost(String, HostFigure),
}

/// When a value is worth an alert; never where `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// When to warn.
    pub warning: Option<Range>,
    /// When it is critical.
    pub critical: Option<Range>,
}

/// What was found about one container, disk and so on.
#[derive(Clone, Debug, PartialEq)]
struct Finding {
    status: Status,
    /// In words.
    text: String,
    /// Performance data; empty without.
    data: String,
}

/// What a plugin ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub status: Status,
    /// The line.
    pub line: String,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// How much worse it is than OK: what cannot be told is less than what is known to be wrong.
    fn gravity(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        }
    }
}

impl Thresholds {
    /// What a value is worth, and the range that says so.
    fn judge(&self, value: f64) -> (Status, Option<Range>) {
        if let Some(range) = self.critical.filter(|range| range.alerts(value)) {
            return (Status::Critical, Some(range));
        }
        match self.warning.filter(|range| range.alerts(value)) {
            Some(range) => (Status::Warning, Some(range)),
            None => (Status::Ok, None),
        }
    }
}

impl Verdict {
    /// That something cannot be told, and why, in one line.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self::new(Status::Unknown, why, "")
    }

    fn new(status: Status, text: &str, data: &str) -> Self {
        // What is behind the bar is performance data, and what is behind the first line is for people who ask for more.
        let text = text.replace('|', "/").replace(['\n', '\r'], " ");
        let bar = if data.is_empty() { "" } else { " | " };
        Self { status, line: format!("MONITOR {}: {text}{bar}{data}", status.name()) }
    }

    fn of(findings: &[Finding]) -> Self {
        let worst = findings.iter().map(|finding| finding.status).max_by_key(|status| status.gravity());
        let Some(status) = worst else { return Self::unknown("there is nothing to check") };
        let of_worst: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.status == status)
            .map(|finding| finding.text.as_str())
            .collect();
        let text = match (status, findings.len()) {
            (Status::Ok, all @ 2..) => format!("{all} looked at, as {}", of_worst.first().unwrap_or(&"")),
            (_, 1) => of_worst.concat(),
            (_, all) => format!("{} of {all}: {}", of_worst.len(), of_worst.join("; ")),
        };
        let data: Vec<&str> =
            findings.iter().map(|finding| finding.data.as_str()).filter(|data| !data.is_empty()).collect();
        Self::new(status, &text, &data.join(" "))
    }
}

/// Judges what was found.
#[must_use]
pub fn judge(question: &Question, thresholds: &Thresholds, found: Result<Found, TargetError>) -> Verdict {
    let found = match (found, question) {
        (Ok(found), _) => found,
        // It is there to run.
        (Err(TargetError::Container(why)), Question::State) => {
            return Verdict::new(Status::Critical, &why, "");
        }
        (Err(error), _) => return Verdict::unknown(&chain(&error)),
    };
    match (question, found) {
        (Question::State, Found::Host(host)) => {
            let text = format!("{} is measured, on {} CPUs", host.hostname, host.cpus);
            Verdict::new(Status::Ok, &text, "")
        }
        (Question::State, Found::Containers(containers)) => {
            Verdict::of(&containers.iter().map(state).collect::<Vec<_>>())
        }
        (Question::OfContainers(name, figure), Found::Containers(containers)) => {
            let is_alone = containers.len() == 1;
            let findings = containers.iter().map(|container| {
                let reading = Reading {
                    part: called(container).to_owned(),
                    value: figure.read(&container.measurements),
                };
                finding(name, figure.unit(), thresholds, &reading, is_alone)
            });
            Verdict::of(&findings.collect::<Vec<_>>())
        }
        (Question::OfHost(name, figure), Found::Host(host)) => {
            let readings = figure.read(&host);
            let findings =
                readings.iter().map(|reading| finding(name, figure.unit(), thresholds, reading, false));
            Verdict::of(&findings.collect::<Vec<_>>())
        }
        (Question::OfContainers(..), Found::Host(_)) | (Question::OfHost(..), Found::Containers(_)) => {
            Verdict::unknown("the answer is of something else than was asked for")
        }
    }
}

fn called(container: &Container) -> &str {
    container.name.as_deref().unwrap_or(&container.short_id)
}

fn state(container: &Container) -> Finding {
    let (status, state) = match (container.state, container.exit_code) {
        (ContainerState::Running, _) => (Status::Ok, "runs".to_owned()),
        (ContainerState::Paused, _) => (Status::Warning, "is paused".to_owned()),
        (ContainerState::Exited, Some(code)) => (Status::Critical, format!("has ended with {code}")),
        (ContainerState::Exited, None) => (Status::Critical, "has ended".to_owned()),
    };
    Finding { status, text: format!("{} {state}", called(container)), data: String::new() }
}

/// Judges one value. `is_alone` leaves the name of what it is of out of the performance data, whose graphs go by it.
fn finding(name: &str, unit: Unit, thresholds: &Thresholds, reading: &Reading, is_alone: bool) -> Finding {
    let Reading { part, value } = reading;
    let of = if part.is_empty() { name.to_owned() } else { format!("{part} {name}") };
    let label = if is_alone { name } else { &of };
    let Some(value) = *value else {
        let text = format!("{of} was not measured");
        return Finding { status: Status::Unknown, text, data: data(label, None, unit, thresholds) };
    };
    let (status, range) = thresholds.judge(value);
    let mut text = if value.is_finite() { format!("{of} is {value}") } else { format!("{of} has no limit") };
    if let Some(range) = range {
        // Writing to a String cannot fail.
        let _ = write!(text, ", which {range} alerts at");
    }
    Finding { status, text, data: data(label, Some(value), unit, thresholds) }
}

/// `'label'=value[UOM];[warn];[crit];[min];[max]`
fn data(label: &str, value: Option<f64>, unit: Unit, thresholds: &Thresholds) -> String {
    let label = label.replace('=', "_").replace('\'', "''");
    let shown = |range: Option<Range>| range.map(|range| range.to_string()).unwrap_or_default();
    let (warning, critical) = (shown(thresholds.warning), shown(thresholds.critical));
    let unit = match unit {
        Unit::None => "",
        Unit::Counter => "c",
        Unit::Seconds => "s",
        Unit::Bytes => "B",
    };
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("'{label}'={value}{unit};{warning};{critical};;"),
        None => format!("'{label}'=U;{warning};{critical};;"),
    }
}

#[cfg(test)]
mod tests;
