//! What a guest reported, and what of it is not as it should be.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::Row;

/// The lines of `tests/src/guest.rs` and `tests/src/bin/vm/main.rs`, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Its kernel's release.
    pub(crate) kernel: Option<String>,
    /// Each program, with the reason why it is not attached.
    pub(crate) programs: BTreeMap<String, Option<String>>,
    /// Each check's name and finding, and whether it passed.
    pub(crate) checks: Vec<(String, bool, String)>,
    /// Whether it came to its end.
    pub(crate) is_whole: bool,
}

/// Reads what came over the serial port; what is no line of a report is passed over.
pub(crate) fn parse(text: &str) -> Report {
    let mut report = Report::default();
    for line in text.lines() {
        let mut words = line.trim_end().splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        match word() {
            "kernel" => report.kernel = Some(word().to_owned()),
            "program" => {
                let name = word().to_owned();
                let is_attached = word() == "attached";
                report.programs.insert(name, (!is_attached).then(|| word().to_owned()));
            }
            "check" => {
                let name = word().to_owned();
                let has_passed = word() == "ok";
                report.checks.push((name, has_passed, word().to_owned()));
            }
            "end" => report.is_whole = true,
            _ => {}
        }
    }
    report
}

impl Report {
    pub(crate) fn attached(&self) -> usize {
        self.programs.values().filter(|reason| reason.is_none()).count()
    }

    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        self.programs.iter().filter(|(_, reason)| reason.is_some()).map(|(name, _)| name.as_str())
    }

    pub(crate) fn passed(&self) -> usize {
        self.checks.iter().filter(|(_, has_passed, _)| *has_passed).count()
    }

    /// What is not as the row says, and every check that failed.
    pub(crate) fn faults(&self, row: &Row) -> Vec<String> {
        let Some(kernel) = &self.kernel else { return vec!["it did not come up".to_owned()] };
        let mut faults = Vec::new();
        if !is_of_series(kernel, &row.version) {
            faults.push(format!("its kernel is {kernel}, not {}", row.version));
        }
        for (name, reason) in &self.programs {
            match reason {
                Some(reason) if !row.missing.contains(name) => {
                    faults.push(format!("{name} is not attached: {reason}"));
                }
                None if row.missing.contains(name) => {
                    faults.push(format!("{name} is attached, and the table says it is not there"));
                }
                _ => {}
            }
        }
        let known: BTreeSet<&String> = self.programs.keys().collect();
        let strangers = row.missing.iter().filter(|name| !known.contains(name));
        faults.extend(strangers.map(|name| format!("there is no program {name}")));
        let seen = (self.attached(), self.programs.len());
        if seen != row.programs {
            let (attached, all) = row.programs;
            faults.push(format!("{} of {} programs, not {attached} of {all}", seen.0, seen.1));
        }
        faults.extend(self.failures());
        faults
    }

    /// Every check that failed, and an end that was not reached.
    pub(crate) fn failures(&self) -> Vec<String> {
        let failed = self.checks.iter().filter(|(_, has_passed, _)| !has_passed);
        let mut failures: Vec<String> =
            failed.map(|(name, _, finding)| format!("{name}: {finding}")).collect();
        if !self.is_whole {
            failures.push("it did not come to its end".to_owned());
        }
        failures
    }
}

/// `6.1` for `6.1.0-56-cloud-amd64` and not for `6.12.0`.
fn is_of_series(release: &str, version: &str) -> bool {
    release.strip_prefix(version).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "kernel 6.1.0-56-cloud-amd64\r\ncheck doctor ok 30 of 31 things\r\n\
                        program a attached\r\nprogram b absent no such member\r\n\
                        noise\r\ncheck waits ok fine\r\nend\r\n";

    fn row() -> Row {
        Row {
            version: "6.1".to_owned(),
            suite: "bookworm".to_owned(),
            mode: "v2".to_owned(),
            programs: (1, 2),
            missing: BTreeSet::from(["b".to_owned()]),
        }
    }

    #[test]
    fn a_report_as_expected_has_no_faults() {
        let report = parse(TEXT);
        assert_eq!(report.faults(&row()), [""; 0]);
        assert_eq!((report.attached(), report.passed(), report.checks.len()), (1, 2, 2));
        assert_eq!(report.missing().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn each_thing_that_differs_is_a_fault() {
        for (from, to, expected) in [
            ("6.1.0", "6.12.0", "its kernel is 6.12.0-56-cloud-amd64, not 6.1"),
            ("waits ok fine", "waits failed 1, not 2", "waits: 1, not 2"),
            ("end", "", "it did not come to its end"),
        ] {
            assert_eq!(parse(&TEXT.replacen(from, to, 1)).faults(&row()), [expected]);
        }
        let faults = parse(&TEXT.replace("a attached", "a absent refused: bad")).faults(&row());
        assert_eq!(faults, ["a is not attached: refused: bad", "0 of 2 programs, not 1 of 2"]);
        let faults = parse(&TEXT.replace("b absent no such member", "b attached")).faults(&row());
        assert_eq!(faults.len(), 2, "{faults:?}");
        let row = Row { missing: BTreeSet::from(["b".to_owned(), "c".to_owned()]), ..row() };
        assert_eq!(parse(TEXT).faults(&row), ["there is no program c"]);
    }

    #[test]
    fn a_guest_that_says_nothing_did_not_come_up() {
        assert_eq!(parse("garbage").faults(&row()), ["it did not come up"]);
    }
}
