//! What runtimes say of containers, and which of them is believed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    newtypes::ContainerId,
    runtime::{Metadata, SourceName},
};

/// What is known of containers by runtimes' words.
#[derive(Debug, Default)]
pub(super) struct Told {
    words: HashMap<ContainerId, Word>,
    /// Containers that the runtime has deleted; what it said of them stays as long as a run of theirs.
    deleted: HashSet<ContainerId>,
}

/// What was said of one container.
#[derive(Debug)]
struct Word {
    /// Who is believed: of those whose word counts most the first.
    by: SourceName,
    metadata: Arc<Metadata>,
}

/// What became of something that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// Nothing: somebody is believed whose word counts more.
    Refused,
    /// It comes from whoever is believed.
    Believed,
    /// It stands instead of what somebody said whose word counts less.
    InsteadOfLess,
    /// It was added to the words of somebody else who is believed.
    Added,
}

impl Told {
    /// What is known of a container, and who is believed on it.
    pub(super) fn of(&self, id: &ContainerId) -> Option<(&Arc<Metadata>, &SourceName)> {
        self.words.get(id).map(|word| (&word.metadata, &word.by))
    }

    /// Whether nobody whose word counts more has told of the container.
    pub(super) fn believes(&self, source: &SourceName, id: &ContainerId) -> bool {
        self.words.get(id).is_none_or(|word| word.by.standing() <= source.standing())
    }

    /// Two runtimes of the host's may know one container, one of them using the other: the second only adds what the first left
    /// out. A user's own daemon adds nothing to what they say, and nothing of its words stays when they speak later.
    pub(super) fn merge(&mut self, source: &SourceName, one: Metadata) -> Merged {
        if !self.believes(source, &one.id) {
            return Merged::Refused;
        }
        self.deleted.remove(&one.id);
        let Some(known) = self.words.get_mut(&one.id) else {
            self.words.insert(one.id.clone(), Word { by: source.clone(), metadata: Arc::new(one) });
            return Merged::Believed;
        };
        if known.by == *source {
            Arc::make_mut(&mut known.metadata).merge(one);
            return Merged::Believed;
        }
        if known.by.standing() < source.standing() {
            *known = Word { by: source.clone(), metadata: Arc::new(one) };
            return Merged::InsteadOfLess;
        }
        let mut both = one;
        both.merge(known.metadata.as_ref().clone());
        known.metadata = Arc::new(both);
        Merged::Added
    }

    /// The runtime has deleted a container. Not where another one is believed on it: anybody may run a daemon of their own.
    pub(super) fn deleted(&mut self, source: &SourceName, id: ContainerId) {
        if self.words.get(&id).is_some_and(|word| word.by == *source) {
            self.deleted.insert(id);
        }
    }

    /// The runtime has deleted all of its containers but these.
    pub(super) fn deleted_but(&mut self, source: &SourceName, listed: &HashSet<&ContainerId>) {
        let own = self.words.iter().filter(|(_, word)| word.by == *source).map(|(id, _)| id);
        self.deleted.extend(own.filter(|id| !listed.contains(id)).cloned());
    }

    /// Whether some are deleted and not yet forgotten.
    pub(super) fn has_deleted(&self) -> bool {
        !self.deleted.is_empty()
    }

    pub(super) fn is_deleted(&self, id: &ContainerId) -> bool {
        self.deleted.contains(id)
    }

    /// Forgets deleted containers but these, and returns which.
    pub(super) fn forget_deleted_but(&mut self, kept: &HashSet<&ContainerId>) -> Vec<ContainerId> {
        let gone: Vec<ContainerId> = self.deleted.iter().filter(|id| !kept.contains(id)).cloned().collect();
        for id in &gone {
            self.forget(id);
        }
        gone
    }

    /// Forgets a container.
    pub(super) fn forget(&mut self, id: &ContainerId) {
        self.deleted.remove(id);
        self.words.remove(id);
    }
}
