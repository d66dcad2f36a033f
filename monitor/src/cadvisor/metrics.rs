//! cAdvisor's metrics of containers by name: those of [`metrics`] are exported, those of [`LEFT_OUT`] are not.

mod cpu;
mod identity;
mod left_out;
mod memory;
mod rest;
mod storage;

pub(super) use self::left_out::LEFT_OUT;
use super::{
    exposition::{Kind, Series, Value},
    info::{ContainerInfo, Stats},
};

/// A metric of a container.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) of: Of,
    pub(super) help: &'static str,
    /// The names of the labels that it has besides those of the container.
    pub(super) labels: &'static [&'static str],
    /// How it differs from cAdvisor's, in Markdown; empty where it does not.
    pub(super) corrected: &'static str,
    pub(super) read: Read,
}

/// What a metric tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Which container it is: known after its end too.
    Identity,
    /// What it may use.
    Spec,
    /// What it does: its series may carry their time, and counters are known after its end.
    Use,
}

/// How a metric is read.
#[derive(Clone, Copy)]
pub(super) enum Read {
    /// One series.
    One(Single),
    /// One for each of something, with labels.
    Each(Several),
}

type Single = fn(&ContainerInfo, &Stats) -> Option<Value>;
type Several = fn(&Stats, &mut Series<'_>);

/// Every metric of a container that is exported, in this order.
pub(super) fn metrics() -> impl Iterator<Item = &'static Metric> {
    [identity::IDENTITY, cpu::CPU, memory::MEMORY, storage::STORAGE, rest::REST].into_iter().flatten()
}

impl Metric {
    /// Whether a container that has ended still has it.
    pub(super) fn outlives_its_container(&self) -> bool {
        match self.of {
            Of::Identity => true,
            Of::Spec => false,
            Of::Use => self.kind == Kind::Counter,
        }
    }

    /// Writes its series of one container.
    pub(super) fn put(&self, info: &ContainerInfo, stats: &Stats, series: &mut Series<'_>) {
        match self.read {
            Read::One(read) => series.put(read(info, stats)),
            Read::Each(read) => read(stats, series),
        }
    }

    /// With these labels.
    const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// Unlike cAdvisor's in this.
    const fn corrected(self, corrected: &'static str) -> Self {
        Self { corrected, ..self }
    }
}

/// A metric that is what cAdvisor's is.
const fn same(name: &'static str, kind: Kind, of: Of, help: &'static str, read: Read) -> Metric {
    Metric { name, kind, of, help, labels: &[], corrected: "", read }
}
