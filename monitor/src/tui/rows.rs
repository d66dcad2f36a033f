//! The lines of the table: which containers are shown, in which order, in which groups.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    columns::{Column, Grouping, Row, Sortable, together},
    filter::Filter,
};
use crate::model::{Container, Snapshot, latest_runs};

/// How rows are chosen and put in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    pub(super) filter: &'a Filter,
    pub(super) sort: &'static Column,
    pub(super) is_descending: bool,
    pub(super) grouping: Option<Grouping>,
    /// Names of groups whose rows are not shown.
    pub(super) folded: &'a BTreeSet<String>,
}

/// A line of the table. Containers are named by their place in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Container(usize),
    Group { name: String, members: Vec<usize>, is_folded: bool },
}

/// What identifies a line from one snapshot to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Container(String),
    Group(String),
}

/// The lines, and how many containers they are of.
#[derive(Clone, Debug, Default)]
pub(super) struct Arranged {
    pub(super) items: Vec<Item>,
    pub(super) count: usize,
}

impl Item {
    /// What identifies it.
    pub(super) fn key(&self, snapshot: &Snapshot) -> Option<Key> {
        match self {
            Self::Container(place) => Some(Key::Container(snapshot.containers.get(*place)?.id.clone())),
            Self::Group { name, .. } => Some(Key::Group(name.clone())),
        }
    }
}

/// The containers of a snapshot with what they were in the one before, by their place.
pub(super) struct Joined<'a> {
    containers: &'a [Container],
    before: HashMap<(&'a str, u64), &'a Container>,
}

impl<'a> Joined<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, before: Option<&'a Snapshot>) -> Self {
        let before = before.into_iter().flat_map(|before| &before.containers);
        Self {
            containers: &snapshot.containers,
            before: before.map(|container| (run(container), container)).collect(),
        }
    }

    pub(super) fn row(&self, place: usize) -> Option<Row<'a>> {
        let container = self.containers.get(place)?;
        Some(Row { container, before: self.before.get(&run(container)).copied() })
    }
}

/// What is counted begins anew with each.
fn run(container: &Container) -> (&str, u64) {
    (&container.id, container.cgroup.id)
}

/// The rows that are shown, in their order, groups before their rows.
pub(super) fn arrange(joined: &Joined<'_>, order: &Order<'_>) -> Arranged {
    let mut shown: Vec<(usize, Sortable)> = latest_runs(joined.containers)
        .filter(|(_, container)| order.filter.matches(container))
        .filter_map(|(place, _)| Some((place, (order.sort.value)(&joined.row(place)?))))
        .collect();
    let name = |place: usize| joined.containers.get(place).map(|one| (one.name.as_deref(), one.id.as_str()));
    shown.sort_by(|(one, value), (other, another)| {
        compare(value, another, order.is_descending).then_with(|| name(*one).cmp(&name(*other)))
    });
    let count = shown.len();
    let places = shown.into_iter().map(|(place, _)| place);
    let items = match order.grouping {
        None => places.map(Item::Container).collect(),
        Some(grouping) => grouped(joined, order, grouping, places),
    };
    Arranged { items, count }
}

fn grouped(
    joined: &Joined<'_>,
    order: &Order<'_>,
    grouping: Grouping,
    places: impl Iterator<Item = usize>,
) -> Vec<Item> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for place in places {
        let group = joined.containers.get(place).and_then(|container| grouping.of(container));
        groups.entry(group.unwrap_or_else(|| format!("no {}", grouping.name()))).or_default().push(place);
    }
    let value = |members: &[usize]| {
        let rows = members.iter().filter_map(|place| joined.row(*place));
        together(order.sort, rows).map_or(Sortable::Unknown, Sortable::Number)
    };
    let mut groups: Vec<(String, Vec<usize>, Sortable)> = groups
        .into_iter()
        .map(|(name, members)| {
            let value = value(&members);
            (name, members, value)
        })
        .collect();
    groups.sort_by(|(_, _, one), (_, _, other)| compare(one, other, order.is_descending));
    let mut items = Vec::new();
    for (name, members, _) in groups {
        let is_folded = order.folded.contains(&name);
        let shown = if is_folded { Vec::new() } else { members.clone() };
        items.push(Item::Group { name, members, is_folded });
        items.extend(shown.into_iter().map(Item::Container));
    }
    items
}

/// What was not measured comes last, whichever way it is sorted.
fn compare(one: &Sortable, other: &Sortable, is_descending: bool) -> Ordering {
    let order = match (one, other) {
        (Sortable::Unknown, Sortable::Unknown) => return Ordering::Equal,
        (Sortable::Unknown, _) => return Ordering::Greater,
        (_, Sortable::Unknown) => return Ordering::Less,
        (Sortable::Number(one), Sortable::Number(other)) => one.total_cmp(other),
        (Sortable::Text(one), Sortable::Text(other)) => by_words(one, other),
        // A column has values of one kind.
        (Sortable::Number(_), Sortable::Text(_)) => Ordering::Less,
        (Sortable::Text(_), Sortable::Number(_)) => Ordering::Greater,
    };
    if is_descending { order.reverse() } else { order }
}

/// As people order names: `web-2` before `web-10`.
fn by_words(one: &str, other: &str) -> Ordering {
    let (mut rest, mut other_rest) = (one, other);
    loop {
        let ((part, after), (other_part, other_after)) = (split_part(rest), split_part(other_rest));
        if part.is_empty() || other_part.is_empty() {
            return part.len().cmp(&other_part.len()).then_with(|| one.cmp(other));
        }
        let order = match (part.parse::<u64>(), other_part.parse::<u64>()) {
            (Ok(number), Ok(other)) => number.cmp(&other),
            _ => part.to_lowercase().cmp(&other_part.to_lowercase()),
        };
        if order != Ordering::Equal {
            return order;
        }
        (rest, other_rest) = (after, other_after);
    }
}

/// The digits that a text begins with, or what is no digit.
fn split_part(text: &str) -> (&str, &str) {
    let begins_with_digit = text.starts_with(|first: char| first.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != begins_with_digit).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ContainerState,
        tui::{
            columns::find,
            testing::{container, snapshot},
        },
    };

    fn with_cpu(name: &str, cores: Option<f64>) -> Container {
        let mut container = container(name);
        container.measurements.cpu.usage_cores = cores;
        container
    }

    fn names(snapshot: &Snapshot, order: &Order<'_>) -> Vec<String> {
        let arranged = arrange(&Joined::new(snapshot, None), order);
        let name = |item: &Item| match item {
            Item::Container(place) => snapshot.containers[*place].name.clone().unwrap(),
            Item::Group { name, members, .. } => format!("[{name} {}]", members.len()),
        };
        arranged.items.iter().map(name).collect()
    }

    fn order<'a>(filter: &'a Filter, folded: &'a BTreeSet<String>) -> Order<'a> {
        Order { filter, sort: find("cpu").unwrap(), is_descending: true, grouping: None, folded }
    }

    #[test]
    fn the_most_come_first_and_the_unknown_last_either_way() {
        let containers = vec![
            with_cpu("a", Some(0.1)),
            with_cpu("b", None),
            with_cpu("c", Some(2.0)),
            with_cpu("d", None),
        ];
        let snapshot = snapshot(0, containers);
        let (filter, folded) = (Filter::default(), BTreeSet::new());
        let order = order(&filter, &folded);
        assert_eq!(names(&snapshot, &order), ["c", "a", "b", "d"]);
        assert_eq!(names(&snapshot, &Order { is_descending: false, ..order }), ["a", "c", "b", "d"]);
    }

    #[test]
    fn names_are_ordered_as_people_do() {
        let containers = ["web-10", "web-2", "api", "Web-1"].map(|name| with_cpu(name, None)).to_vec();
        let snapshot = snapshot(0, containers);
        let (filter, folded) = (Filter::parse("-api"), BTreeSet::new());
        let by_name = Order { sort: find("name").unwrap(), is_descending: false, ..order(&filter, &folded) };
        assert_eq!(names(&snapshot, &by_name), ["Web-1", "web-2", "web-10"]);
    }

    #[test]
    fn groups_are_sorted_by_their_sums_and_can_be_folded() {
        let mut containers =
            vec![with_cpu("a1", Some(0.5)), with_cpu("b1", Some(0.6)), with_cpu("a2", Some(0.4))];
        for container in &mut containers {
            container.cgroup.path = Some(format!("/{}/x", &container.id[..1]));
        }
        let snapshot = snapshot(0, containers);
        let (filter, mut folded) = (Filter::default(), BTreeSet::new());
        let grouping = Some(Grouping::Slice);
        let tree = Order { grouping, ..order(&filter, &folded) };
        assert_eq!(names(&snapshot, &tree), ["[/a 2]", "a1", "a2", "[/b 1]", "b1"]);
        folded.insert("/a".to_owned());
        let tree = Order { grouping, ..order(&filter, &folded) };
        assert_eq!(names(&snapshot, &tree), ["[/a 2]", "[/b 1]", "b1"]);
    }

    #[test]
    fn of_a_container_that_was_started_again_one_run_is_shown() {
        let mut ended = with_cpu("web", Some(9.0));
        ended.state = ContainerState::Exited;
        let mut gone = with_cpu("job", None);
        gone.state = ContainerState::Exited;
        let snapshot = snapshot(0, vec![ended, with_cpu("web", Some(1.0)), gone]);
        let (filter, folded) = (Filter::default(), BTreeSet::new());
        let arranged = arrange(&Joined::new(&snapshot, None), &order(&filter, &folded));
        assert_eq!(arranged.items, [Item::Container(1), Item::Container(2)]);
    }
}
