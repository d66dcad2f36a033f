//! The command line.

use crate::report::{Document, OVERHEAD, SERVING};

/// The sections, in the order of the report; the last ones are measured only when they are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Events,
    Packets,
    Slowdown,
    Transfer,
    Agent,
    Tick,
    Tasks,
    Maps,
    /// Of no cost while measuring, and so in docs/recording.md.
    Recording,
    /// Of what is decided and does not change, and so in docs/adr/0026-rights.md.
    Rights,
    /// Takes a quarter of an hour, and has a report of its own.
    Serving,
    /// Takes longer to set up than all the others take: thousands of cgroups in each hierarchy.
    Large,
}

impl Section {
    pub(crate) const ALL: [Self; 12] = [
        Self::Events,
        Self::Packets,
        Self::Slowdown,
        Self::Transfer,
        Self::Agent,
        Self::Tick,
        Self::Tasks,
        Self::Maps,
        Self::Recording,
        Self::Rights,
        Self::Serving,
        Self::Large,
    ];

    /// Whether it is in the report of what measuring costs.
    fn is_usual(self) -> bool {
        !matches!(self, Self::Recording | Self::Rights | Self::Serving | Self::Large)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Packets => "packets",
            Self::Slowdown => "slowdown",
            Self::Transfer => "transfer",
            Self::Agent => "agent",
            Self::Tick => "tick",
            Self::Tasks => "tasks",
            Self::Maps => "maps",
            Self::Recording => "recording",
            Self::Rights => "rights",
            Self::Serving => "serving",
            Self::Large => "large",
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Fewer rounds: shows that everything works, not what it costs.
    pub(crate) is_quick: bool,
    /// Writes the report to its file in docs too.
    pub(crate) is_written: bool,
    /// One section instead of all.
    pub(crate) only: Option<Section>,
}

impl Options {
    /// `[--quick] [--only SECTION] [--write]`
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.is_quick = true,
                "--write" => options.is_written = true,
                "--only" => options.only = Some(section(args.next().as_deref())?),
                _ => return Err(format!("there is no option {arg:?}")),
            }
        }
        let has_place = options.only.is_none_or(|only| only == Section::Serving || only.is_usual());
        if options.is_written && (options.is_quick || !has_place) {
            return Err("no --write with --quick, or with a section that is in no report".to_owned());
        }
        Ok(options)
    }

    /// The number of rounds of a section that takes `rounds` when it is not quick.
    pub(crate) fn rounds(self, rounds: usize) -> usize {
        if self.is_quick { 2 } else { rounds }
    }

    /// Whether one section is to be put into the report that is there.
    pub(crate) fn is_partial(self) -> bool {
        self.only.is_some_and(Section::is_usual)
    }

    /// The report that the sections make.
    pub(crate) fn document(self) -> Document {
        if self.only == Some(Section::Serving) { SERVING } else { OVERHEAD }
    }

    pub(crate) fn sections(self) -> impl Iterator<Item = Section> {
        Section::ALL.into_iter().filter(move |section| match self.only {
            Some(only) => only == *section,
            None => section.is_usual(),
        })
    }
}

fn section(name: Option<&str>) -> Result<Section, String> {
    let names = || Section::ALL.map(Section::name).join(", ");
    let name = name.ok_or_else(|| format!("--only needs one of {}", names()))?;
    let found = Section::ALL.into_iter().find(|section| section.name() == name);
    found.ok_or_else(|| format!("there is no section {name:?}, only {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(ToString::to_string))
    }

    #[test]
    fn only_what_is_in_a_report_is_written() {
        assert!(parse(&["--write"]).unwrap().is_written);
        assert!(parse(&["--write", "--quick"]).is_err());
        assert!(parse(&["--only", "large", "--write"]).is_err());
        assert!(parse(&["--only", "tick", "--write"]).unwrap().is_partial());
        assert_eq!(parse(&["--only", "serving", "--write"]).unwrap().document(), SERVING);
    }

    #[test]
    fn sections_go_by_their_names() {
        let options = parse(&["--only", "tick", "--quick"]).unwrap();
        assert_eq!(options.sections().collect::<Vec<_>>(), [Section::Tick]);
        assert_eq!(parse(&[]).unwrap().sections().count(), 8);
        assert_eq!(parse(&["--only", "large"]).unwrap().sections().count(), 1);
        assert!(parse(&["--only", "tock"]).is_err());
        assert!(parse(&["--only"]).is_err());
    }
}
