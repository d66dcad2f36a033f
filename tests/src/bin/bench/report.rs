//! The measured figures as Markdown.

use std::{
    fmt::{self, Display, Write as _},
    fs,
};

/// A promise and what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What is measured, with its unit.
    pub(crate) what: &'static str,
    pub(crate) most: f64,
    pub(crate) measured: f64,
}

impl Bar {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.most
    }
}

/// A table with what must be known to read it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) title: &'static str,
    /// How it was measured, and against what.
    pub(crate) method: String,
    /// The heads of the columns. The first column is text, the others are numbers.
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) bars: Vec<Bar>,
}

/// A file of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// From this package's folder.
    pub(crate) path: &'static str,
    /// What it begins with.
    head: &'static str,
}

/// What measuring costs.
pub(crate) const OVERHEAD: Document = Document {
    path: "../docs/overhead.md",
    head: "# Overhead\n\n\
           What `monitor` costs. This file is written by `cargo xtask bench -- --write`; do not edit.\n\n\
           Machines are noisy and differ, so each figure stands beside its control from the same run: an empty \
           program on the same hook, the same work with nothing attached, or no container at all. Repeat it with \
           `cargo xtask bench`, which needs root; `--quick` tries it out in a few minutes, `--only SECTION` runs \
           one section, and with `--write` puts it into this file in place of the one before. The figures are of the default \
           settings: every program, a tick a second, NDJSON into a pipe.\n\n",
};

/// What serving costs.
pub(crate) const SERVING: Document = Document {
    path: "../docs/serving.md",
    head: "# Serving\n\n\
           What clients of `monitor serve` cost, and what they cannot do to it. This file is written by `cargo xtask bench -- \
           --only serving --write`; do not edit.\n\n",
};

/// All parts of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) document: Document,
    pub(crate) parts: Vec<Part>,
    pub(crate) is_quick: bool,
}

impl Report {
    pub(crate) fn missed(&self) -> usize {
        self.bars().filter(|bar| !bar.is_met()).count()
    }

    /// A whole report from before with these parts in place of its own.
    pub(crate) fn put_into(&self, before: &str) -> Result<String, String> {
        let machine = format!("Machine: {}.", machine());
        if !before.lines().any(|line| line == machine) {
            return Err("what is there was measured on another machine: write a whole report".to_owned());
        }
        let missing = |what: &str| format!("{what} is not in what is there: write a whole report");
        let mut chunks: Vec<String> = before.split_inclusive('\n').fold(Vec::new(), |mut chunks, line| {
            match chunks.last_mut() {
                Some(chunk) if !line.starts_with("## ") => chunk.push_str(line),
                _ => chunks.push(line.to_owned()),
            }
            chunks
        });
        let mut replace = |head: &str, new: String| {
            let chunk =
                chunks.iter_mut().find(|chunk| chunk.starts_with(head)).ok_or_else(|| missing(head))?;
            let tail = if chunk.ends_with("\n\n") { "\n" } else { "" };
            *chunk = new + tail;
            Ok::<_, String>(())
        };
        for part in &self.parts {
            replace(&format!("## {}\n", part.title), part.to_string().trim_start().to_owned())?;
        }
        let mut lines: Vec<String> = chunks.concat().split_inclusive('\n').map(str::to_owned).collect();
        for bar in self.bars() {
            let head = format!("| {} | ", bar.what);
            let line =
                lines.iter_mut().find(|line| line.starts_with(&head)).ok_or_else(|| missing(bar.what))?;
            *line = format!("{bar}\n");
        }
        Ok(lines.concat())
    }

    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.parts.iter().flat_map(|part| &part.bars)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.document.head)?;
        writeln!(f, "Machine: {}.", machine())?;
        if self.is_quick {
            f.write_str("\n**A quick run: too few rounds to judge by.**\n")?;
        }
        if self.bars().next().is_some() {
            write_bars(f, self.bars())?;
        }
        self.parts.iter().try_for_each(|part| part.fmt(f))
    }
}

fn write_bars<'a>(f: &mut fmt::Formatter<'_>, mut bars: impl Iterator<Item = &'a Bar>) -> fmt::Result {
    f.write_str("\n## Promises\n\n| | at most | measured | |\n|---|---:|---:|---|\n")?;
    bars.try_for_each(|bar| writeln!(f, "{bar}"))
}

impl Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_met() { "met" } else { "**missed**" };
        write!(f, "| {} | {} | {:.2} | {verdict} |", self.what, self.most, self.measured)
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n## {}\n\n{}\n\n| {} |\n|---|", self.title, self.method, self.columns.join(" | "))?;
        for _ in self.columns.iter().skip(1) {
            f.write_str("---:|")?;
        }
        f.write_char('\n')?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// Kernel, processors, memory.
fn machine() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let models = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let models: Vec<&str> = models.map(|(_, model)| model.trim()).collect();
    let kib = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix(" kB"));
    let gib = kib.and_then(|kib| kib.trim().parse::<f64>().ok()).unwrap_or_default() / f64::from(1 << 20);
    let is_guest = cpuinfo.lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor"));
    format!(
        "Linux {}, {} CPUs ({}{}), {gib:.0} GiB of memory",
        release.trim(),
        models.len(),
        models.first().copied().unwrap_or("model unknown"),
        if is_guest { ", in a virtual machine" } else { "" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(measured: f64) -> Report {
        let bars = vec![Bar { what: "cost, ns", most: 40.0, measured }];
        let rows = vec![vec!["one".to_owned(), "1".to_owned()], vec!["two".to_owned(), "2".to_owned()]];
        let part =
            Part { title: "Cost", method: "Counted.".to_owned(), columns: &["program", "ns"], rows, bars };
        Report { document: OVERHEAD, parts: vec![part], is_quick: false }
    }

    #[test]
    fn a_part_is_a_table() {
        let text = report(1.0).to_string();
        let table = "## Cost\n\nCounted.\n\n| program | ns |\n|---|---:|\n| one | 1 |\n| two | 2 |\n";
        assert!(text.ends_with(table), "{text}");
    }

    #[test]
    fn a_section_takes_the_place_of_the_one_before() {
        let mut whole = report(41.0);
        whole.parts.push(Part { title: "More", bars: Vec::new(), ..report(0.0).parts.remove(0) });
        let before = whole.to_string();
        let mut now = report(39.0);
        now.parts[0].rows.truncate(1);
        let expected = before.replace("| two | 2 |\n\n", "\n").replace("41.00 | **missed**", "39.00 | met");
        assert_ne!(before, expected);
        assert_eq!(now.put_into(&before).unwrap(), expected);
        assert!(now.put_into(&before.replace("## Cost", "## Costs")).is_err());
        assert!(now.put_into(&before.replace("cost, ns", "time, ns")).is_err());
        assert!(now.put_into(&before.replace("Machine: ", "Machine: a better ")).is_err());
    }

    #[test]
    fn a_missed_bar_is_said() {
        assert_eq!(report(40.0).missed(), 0);
        assert!(report(40.0).to_string().contains("| cost, ns | 40 | 40.00 | met |"));
        assert_eq!(report(40.1).missed(), 1);
        assert!(report(40.1).to_string().contains("**missed**"));
    }
}
