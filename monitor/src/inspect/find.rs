//! Which containers run, by their cgroups, and which of them is meant.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::InspectError;
use crate::{
    cgroup::{CgroupError, Hierarchy, list_cgroups, list_processes},
    newtypes::ContainerId,
    output::table::printable,
    runtime::{Metadata, RuntimeKind, path::Claims},
};

/// How many containers an ambiguous prefix is answered with.
const MOST_CANDIDATES: usize = 5;

/// A container that has a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) runtime: RuntimeKind,
    pub(super) pod_uid: Option<String>,
    /// Its cgroup's directory in each hierarchy that was searched.
    directories: Vec<PathBuf>,
}

impl Found {
    /// Its name, where its id is one.
    pub(super) fn name(&self, id: &ContainerId) -> Option<String> {
        self.runtime.has_names_for_ids().then(|| id.as_str().to_owned())
    }

    /// Its processes, those of nested cgroups included.
    pub(super) fn processes(&self) -> BTreeSet<i32> {
        self.directories.iter().flat_map(|directory| list_processes(directory)).collect()
    }
}

/// The containers of the v2 tree and of the first v1 hierarchy: on a hybrid host either may lack some.
pub(super) fn running(
    hierarchy: &Hierarchy,
    claims: &Claims,
) -> Result<BTreeMap<ContainerId, Found>, CgroupError> {
    let v1 = hierarchy.v1_keys().next().map(|(_, v1)| &v1.mount);
    let mut running = BTreeMap::new();
    for mount in hierarchy.unified_mount().into_iter().chain(v1) {
        for (_, cgroup) in list_cgroups(&mount.point)? {
            let identity = claims.identify(&cgroup);
            let is_own = identity.container_path(&cgroup) == Some(cgroup.as_str());
            let Some((runtime, id)) = identity.container.filter(|_| is_own) else { continue };
            let found = running.entry(id).or_insert_with(|| Found {
                runtime,
                pod_uid: identity.pod.map(|pod| pod.uid),
                directories: Vec::new(),
            });
            found.directories.push(mount.point.join(cgroup.trim_start_matches('/')));
        }
    }
    Ok(running)
}

/// The cgroups that runtimes told to be their containers'.
pub(super) fn claims(told: &[Metadata]) -> Claims {
    let mut claims = Claims::default();
    for metadata in told {
        if let Some(path) = &metadata.cgroup_path {
            claims.add(path, metadata.runtime, &metadata.id);
        }
    }
    claims
}

/// The running container that `wanted` names: by its whole id, its name, or the beginning of its id, in this order.
///
/// `told` is what the runtime knows, which has the names and the containers that have ended. Those count only where
/// no running one fits.
pub(super) fn resolve(
    wanted: &str,
    running: &BTreeMap<ContainerId, Found>,
    told: &[Metadata],
) -> Result<ContainerId, InspectError> {
    if let Some((id, _)) = running.iter().find(|(id, _)| id.as_str() == wanted) {
        return Ok(id.clone());
    }
    let named = told.iter().find(|metadata| metadata.name.as_deref() == Some(wanted));
    if let Some(metadata) = named {
        return if running.contains_key(&metadata.id) {
            Ok(metadata.id.clone())
        } else {
            Err(ended(metadata))
        };
    }
    let begins = |id: &ContainerId| id.as_str().starts_with(wanted);
    let fitting: Vec<&ContainerId> = running.keys().filter(|id| begins(id)).collect();
    match fitting.as_slice() {
        [id] => return Ok((*id).clone()),
        [] => {}
        several => return Err(ambiguous(wanted, several, told)),
    }
    let fitting: Vec<&Metadata> = told.iter().filter(|metadata| begins(&metadata.id)).collect();
    match fitting.as_slice() {
        [] => Err(InspectError::NoSuchContainer { wanted: printable(wanted) }),
        [metadata] => Err(ended(metadata)),
        several => {
            let ids: Vec<&ContainerId> = several.iter().map(|metadata| &metadata.id).collect();
            Err(ambiguous(wanted, &ids, told))
        }
    }
}

/// What the runtime told about a container.
pub(super) fn metadata_of<'m>(id: &ContainerId, told: &'m [Metadata]) -> Option<&'m Metadata> {
    told.iter().find(|metadata| metadata.id == *id)
}

fn ended(metadata: &Metadata) -> InspectError {
    let state = match (metadata.state, metadata.exit_code) {
        (Some(state), Some(code)) => format!("{state}, with exit code {code}"),
        (Some(state), None) => state.to_string(),
        (None, _) => "it has no cgroup".to_owned(),
    };
    InspectError::NotRunning { container: called(&metadata.id, Some(metadata)), state }
}

fn ambiguous(wanted: &str, ids: &[&ContainerId], told: &[Metadata]) -> InspectError {
    // Ids are random, so that four digits more than the common ones tell them apart.
    let length = (wanted.len() + 4).max(12);
    let candidate = |id: &&ContainerId| {
        let shown = id.as_str().get(..length).unwrap_or(id.as_str());
        with_name(shown, metadata_of(id, told))
    };
    let mut candidates: Vec<String> = ids.iter().take(MOST_CANDIDATES).map(candidate).collect();
    if ids.len() > MOST_CANDIDATES {
        candidates.push(format!("{} more", ids.len() - MOST_CANDIDATES));
    }
    InspectError::Ambiguous { wanted: printable(wanted), candidates: candidates.join(", ") }
}

/// `4b1f0c9d2e8a (web)`.
pub(super) fn called(id: &ContainerId, metadata: Option<&Metadata>) -> String {
    with_name(id.short(), metadata)
}

fn with_name(shown_id: &str, metadata: Option<&Metadata>) -> String {
    let name = metadata.and_then(|metadata| metadata.name.as_deref());
    printable(&name.map_or_else(|| shown_id.to_owned(), |name| format!("{shown_id} ({name})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::State;

    fn id(beginning: &str) -> ContainerId {
        ContainerId::new(&format!("{beginning:0<64}"))
    }

    fn running(ids: &[&str]) -> BTreeMap<ContainerId, Found> {
        let found = Found { runtime: RuntimeKind::Docker, pod_uid: None, directories: Vec::new() };
        ids.iter().map(|beginning| (id(beginning), found.clone())).collect()
    }

    fn told(beginning: &str, name: &str, state: State) -> Metadata {
        let mut metadata = Metadata::new(id(beginning), RuntimeKind::Docker);
        metadata.name = Some(name.to_owned());
        metadata.state = Some(state);
        metadata
    }

    fn refusal(wanted: &str, ids: &[&str], told: &[Metadata]) -> String {
        resolve(wanted, &running(ids), told).unwrap_err().to_string()
    }

    #[test]
    fn ids_and_their_beginnings_work_without_a_runtime() {
        let running = running(&["abc1", "abd2"]);
        assert_eq!(resolve(id("abc1").as_str(), &running, &[]).unwrap(), id("abc1"));
        assert_eq!(resolve("abd", &running, &[]).unwrap(), id("abd2"));
        let error = resolve("web", &running, &[]).unwrap_err();
        assert!(matches!(error, InspectError::NoSuchContainer { .. }), "{error}");
    }

    #[test]
    fn a_name_goes_before_the_beginning_of_an_id() {
        let told = [told("abd2", "abc", State::Running)];
        assert_eq!(resolve("abc", &running(&["abc1", "abd2"]), &told).unwrap(), id("abd2"));
    }

    #[test]
    fn an_ambiguous_beginning_is_answered_with_the_candidates() {
        let told = [told("ab1", "web", State::Running)];
        let said = refusal("ab", &["ab1", "ab2"], &told);
        assert_eq!(said, "ab could be any of ab1000000000 (web), ab2000000000");
        let said = refusal("a", &["a1", "a2", "a3", "a4", "a5", "a6", "a7"], &[]);
        assert!(said.ends_with("a50000000000, 2 more"), "{said}");
        let said = refusal("0123456789abc", &["0123456789abcd", "0123456789abce"], &[]);
        assert_eq!(said, "0123456789abc could be any of 0123456789abcd000, 0123456789abce000");
    }

    #[test]
    fn an_ended_container_counts_only_where_no_running_one_fits() {
        let mut exited = told("ab1", "job", State::Exited);
        exited.exit_code = Some(3);
        let told = [exited];
        assert_eq!(resolve("ab", &running(&["ab2"]), &told).unwrap(), id("ab2"));
        for wanted in ["job", "ab1", id("ab1").as_str()] {
            let said = refusal(wanted, &["ab2"], &told);
            assert_eq!(said, "container ab1000000000 (job) is not running: exited, with exit code 3");
        }
    }

    #[test]
    fn what_is_said_cannot_drive_the_terminal() {
        let said = refusal("\u{1b}[2J", &[], &[]);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}
