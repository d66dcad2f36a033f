//! The table of kernels in docs/kernel-support.md: what is booted and what must be there.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, bail};

use super::report::Report;

/// The table's first line.
const HEAD: &str = "| kernel | cgroups | programs | not there |";

/// One row: a kernel with one way to mount cgroups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// What the kernel's release begins with, such as `5.10`.
    pub(crate) version: String,
    /// Debian's suite that has the kernel.
    pub(crate) suite: String,
    /// `v1`, `hybrid` or `v2`.
    pub(crate) mode: String,
    /// Programs that must be attached, and all that there are.
    pub(crate) programs: (usize, usize),
    /// The others, by name.
    pub(crate) missing: BTreeSet<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.suite, self.mode)
    }
}

/// The rows that can be booted: those of a kernel such as `Debian 5.10 (bullseye)`.
pub(crate) fn rows(text: &str) -> Result<Vec<Row>> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(HEAD));
    lines.next().with_context(|| format!("no table with `{HEAD}`"))?;
    let table = lines.skip(1).take_while(|line| line.starts_with('|'));
    let rows: Vec<Row> = table.filter_map(|line| parse(line).transpose()).collect::<Result<_>>()?;
    if rows.is_empty() {
        bail!("the table has no row of a Debian kernel");
    }
    Ok(rows)
}

/// A row's cells without their padding.
fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// `None` for a kernel that cannot be fetched.
fn parse(line: &str) -> Result<Option<Row>> {
    let [kernel, mode, programs, missing, ..] = cells(line)[..] else { bail!("too few cells in {line}") };
    let Some((version, suite)) = kernel.strip_prefix("Debian ").and_then(|rest| rest.split_once(" (")) else {
        return Ok(None);
    };
    let (attached, all) = programs.split_once(" of ").with_context(|| format!("no `N of M` in {line}"))?;
    let number = |text: &str| text.parse::<usize>().with_context(|| format!("{text:?} in {line}"));
    Ok(Some(Row {
        version: version.to_owned(),
        suite: suite.trim_end_matches(')').to_owned(),
        mode: mode.to_owned(),
        programs: (number(attached)?, number(all)?),
        // Names stand between backticks, so every second piece is one.
        missing: missing.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
    }))
}

/// The text with the row's programs as a guest reported them.
pub(crate) fn blessed(text: &str, row: &Row, report: &Report) -> Result<String> {
    let mut has_met = false;
    let lines = text.lines().map(|line| {
        let is_it = line.starts_with("| Debian ")
            && parse(line).is_ok_and(|found| found.is_some_and(|found| found.to_string() == row.to_string()));
        if !is_it || has_met || report.programs.is_empty() {
            return line.to_owned();
        }
        has_met = true;
        let missing: Vec<String> = report.missing().map(|name| format!("`{name}`")).collect();
        let mut cells: Vec<String> = cells(line).into_iter().map(str::to_owned).collect();
        if let [_, _, programs, names, ..] = &mut cells[..] {
            *programs = format!("{} of {}", report.attached(), report.programs.len());
            *names = missing.join(", ");
        }
        format!("| {} |", cells.join(" | ")).replace("|  |", "| |")
    });
    let text: String = lines.map(|line| line + "\n").collect();
    if !has_met && !report.programs.is_empty() {
        bail!("find the row of {row} again");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;

    const TEXT: &str = "# Kernels\n\n| other | table |\n|---|---|\n| Debian 1.0 (x) | v2 |\n\n\
                        | kernel | cgroups | programs | not there | notes |\n|---|---|---|---|---|\n\
                        | Debian 5.10 (bullseye) | v1 | 1 of 3 | `a`, `b_c` | slow |\n\
                        | 6.18 | hybrid | 3 of 3 | | a host |\n\
                        | Debian 7.2 (sid) | v2 | 3 of 3 | | |\n\nEnd.\n";

    #[test]
    fn rows_of_debian_s_kernels_are_read() {
        let rows = rows(TEXT).unwrap();
        assert_eq!(rows.iter().map(ToString::to_string).collect::<Vec<_>>(), ["bullseye v1", "sid v2"]);
        assert_eq!((rows[0].version.as_str(), rows[0].programs), ("5.10", (1, 3)));
        assert_eq!(rows[0].missing, BTreeSet::from(["a".to_owned(), "b_c".to_owned()]));
        assert!(rows[1].missing.is_empty());
    }

    #[test]
    fn a_text_without_the_table_is_an_error() {
        assert!(rows("# Kernels\n").is_err());
        assert!(rows(&TEXT.replace("1 of 3", "some")).is_err());
    }

    #[test]
    fn blessing_changes_the_row_s_programs_and_nothing_else() {
        let row = &rows(TEXT).unwrap()[0];
        let seen = report::parse("program a attached\nprogram b_c absent too old\nprogram d attached\nend\n");
        let blessed = blessed(TEXT, row, &seen).unwrap();
        assert_eq!(blessed, TEXT.replace("1 of 3 | `a`, `b_c`", "2 of 3 | `b_c`"));
        let all = report::parse("program a attached\nend\n");
        let blessed = super::blessed(TEXT, row, &all).unwrap();
        assert!(blessed.contains("| Debian 5.10 (bullseye) | v1 | 1 of 1 | | slow |"), "{blessed}");
    }

    #[test]
    fn a_guest_that_said_nothing_blesses_nothing() {
        let row = &rows(TEXT).unwrap()[0];
        assert_eq!(blessed(TEXT, row, &report::parse("")).unwrap(), TEXT);
    }
}
