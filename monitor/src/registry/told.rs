//! What runtimes say of containers, and which of them is believed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    newtypes::ContainerId,
    runtime::{Metadata, SourceName},
};

/// Bytes that are kept of what one source says. Any user can have a source that tells of containers without end, of which nobody
/// has a cgroup. There is room for ten thousand with four kilobytes of labels each.
const BYTES: usize = 64 << 20;
/// To what containers are forgotten when there is no room, so that this is rare.
const BYTES_AFTER: usize = BYTES / 4 * 3;

/// What is known of containers by runtimes' words.
#[derive(Debug, Default)]
pub(super) struct Told {
    words: HashMap<ContainerId, Word>,
    held: HashMap<SourceName, Held>,
    /// How many containers were ever told of.
    ever: u64,
    /// Containers that the runtime has deleted; what it said of them stays as long as a run of theirs.
    deleted: HashSet<ContainerId>,
}

/// What was said of one container.
#[derive(Debug)]
struct Word {
    /// Who is believed: of those whose word counts most the first.
    by: SourceName,
    metadata: Arc<Metadata>,
    /// What that takes.
    bytes: usize,
    /// How many containers were told of before.
    before: u64,
}

/// What is kept of a source's words.
#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    /// Containers that were forgotten and words that were not taken in, for want of room.
    not_kept: u64,
    /// So many words are refused before room is looked for again: there was none, and to look takes as long as there are containers.
    futile: usize,
}

/// What became of something that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// Nothing: somebody is believed whose word counts more, or there is no room.
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
        let id = one.id.clone();
        let known = self.words.get(&id);
        let (merged, by, metadata) = match known {
            None => (Merged::Believed, source, one),
            Some(known) if known.by == *source => {
                let mut both = known.metadata.as_ref().clone();
                both.merge(one);
                (Merged::Believed, source, both)
            }
            Some(known) if known.by.standing() < source.standing() => (Merged::InsteadOfLess, source, one),
            Some(known) => {
                let mut both = one;
                both.merge(known.metadata.as_ref().clone());
                (Merged::Added, &known.by, both)
            }
        };
        let bytes = metadata.bytes();
        let freed = known.filter(|known| known.by == *by).map_or(0, |known| known.bytes);
        let by = by.clone();
        let held = self.held.entry(by.clone()).or_default();
        if bytes > freed && held.bytes - freed + bytes > BYTES {
            held.not_kept += 1;
            return Merged::Refused;
        }
        self.deleted.remove(&id);
        let before = self.take(&id).map_or(self.ever, |known| known.before);
        self.ever += 1;
        self.held.entry(by.clone()).or_default().bytes += bytes;
        self.words.insert(id, Word { by, metadata: Arc::new(metadata), bytes, before });
        merged
    }

    /// Whether containers are to be forgotten first, for room for this.
    pub(super) fn is_short_of_room(&mut self, source: &SourceName, one: &Metadata) -> bool {
        let Some(held) = self.held.get_mut(source) else { return false };
        let is_short = held.bytes + one.bytes() > BYTES;
        if is_short && held.futile > 0 {
            held.futile -= 1;
            return false;
        }
        is_short
    }

    /// Forgets of a source's containers those that were told of first, but not these. Whether there were any.
    pub(super) fn forget_oldest_but(&mut self, source: &SourceName, kept: &HashSet<&ContainerId>) -> bool {
        let own = self.words.iter().filter(|(id, word)| word.by == *source && !kept.contains(id));
        let mut oldest: Vec<(u64, ContainerId)> = own.map(|(id, word)| (word.before, id.clone())).collect();
        oldest.sort_unstable();
        let all = self.words.len();
        let mut forgotten = 0;
        for (_, id) in oldest {
            if self.held.get(source).is_none_or(|held| held.bytes <= BYTES_AFTER) {
                break;
            }
            self.forget(&id);
            forgotten += 1;
        }
        let held = self.held.entry(source.clone()).or_default();
        held.not_kept += forgotten;
        held.futile = if held.bytes > BYTES_AFTER { all } else { 0 };
        forgotten > 0
    }

    /// How many containers there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Containers that were forgotten and words that were not taken in, for want of room.
    pub(super) fn not_kept(&self, source: &SourceName) -> u64 {
        self.held.get(source).map_or(0, |held| held.not_kept)
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
        self.take(id);
    }

    /// Takes out what was said of a container.
    fn take(&mut self, id: &ContainerId) -> Option<Word> {
        let word = self.words.remove(id)?;
        if let Some(held) = self.held.get_mut(&word.by) {
            held.bytes -= word.bytes;
        }
        Some(word)
    }
}
