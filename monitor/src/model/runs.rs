//! Several runs of one container in a snapshot: what was started again is there with the run that goes on, and for a while with
//! the one that has ended. Both have its id and its name.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Container, ContainerState};

impl Container {
    /// Of several runs, the one with the highest stands for the container: the one that goes on, else the last.
    #[must_use]
    pub fn precedence(&self) -> (bool, Timestamp) {
        (self.state != ContainerState::Exited, self.counting_since)
    }

    /// Whether it is meant by a name, an id, or the beginning of one.
    #[must_use]
    pub fn is_called(&self, wanted: &str) -> bool {
        is_called(wanted, &self.id, self.name.as_deref())
    }

    /// Whether it is the same run of the same container.
    #[must_use]
    pub fn is_same_run(&self, other: &Self) -> bool {
        self.cgroup.id == other.cgroup.id && self.id == other.id
    }
}

/// Fewer characters may be a name that happens to begin somebody's id.
const SHORTEST_BEGINNING: usize = 6;

/// Whether a container is meant by a name, an id, or the beginning of one.
#[must_use]
pub fn is_called(wanted: &str, id: &str, name: Option<&str>) -> bool {
    name == Some(wanted) || id == wanted || (wanted.len() >= SHORTEST_BEGINNING && id.starts_with(wanted))
}

/// Each container once, with its place, in the order in which they are.
pub fn latest_runs(containers: &[Container]) -> impl Iterator<Item = (usize, &Container)> {
    let mut latest: HashMap<&str, usize> = HashMap::with_capacity(containers.len());
    for (place, container) in containers.iter().enumerate() {
        let known = latest.entry(&container.id).or_insert(place);
        if containers.get(*known).is_some_and(|known| known.precedence() < container.precedence()) {
            *known = place;
        }
    }
    containers.iter().enumerate().filter(move |(place, container)| latest.get(&*container.id) == Some(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::container;

    #[test]
    fn a_name_is_no_beginning_of_another_s_id() {
        assert!(is_called("db", "4f2c00112233", Some("db")) && is_called("4f2c00", "4f2c00112233", None));
        assert!(!is_called("db", "db2c00112233", Some("web")) && is_called("db", "db", None));
    }

    #[test]
    fn of_several_runs_the_one_that_goes_on_stands_for_the_container() {
        let run = |id: &str, cgroup, state, second| {
            let mut run = container(id);
            (run.cgroup.id, run.state) = (cgroup, state);
            run.counting_since = Timestamp::from_second(second).unwrap();
            run
        };
        let (exited, running) = (ContainerState::Exited, ContainerState::Running);
        let containers = [
            run("a", 1, exited, 1),
            run("b", 2, running, 1),
            run("a", 3, running, 5),
            run("c", 4, exited, 7),
            run("c", 5, exited, 6),
            run("b", 6, exited, 0),
        ];
        let latest: Vec<(usize, u64)> =
            latest_runs(&containers).map(|(place, one)| (place, one.cgroup.id)).collect();
        assert_eq!(latest, [(1, 2), (2, 3), (3, 4)]);
        assert!(!containers[0].is_same_run(&containers[2]) && containers[0].is_same_run(&containers[0]));
    }
}
