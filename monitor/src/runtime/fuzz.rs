//! Promises of what reads the paths of cgroups: [`crate::fuzzing`].

use super::{
    RuntimeKind,
    path::{self, Claims},
};
use crate::newtypes::ContainerId;

/// A cgroup's path, and, behind a line's end, one that a runtime claims for a container.
pub(crate) fn path(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (path, claimed) = text.split_once('\n').unwrap_or((&text, ""));
    let identity = path::parse(path);
    match identity.container_path(path) {
        Some(own) => {
            assert_eq!(path::parse(own), identity, "the container's own cgroup stands for all below");
            assert_eq!(path::parse(&format!("{own}/child")), identity);
        }
        None => assert_eq!((&identity.container, identity.container_path_len), (&None, 0)),
    }
    let (_, name) = path::kind(path);
    assert_eq!(name.is_none(), path.is_empty() || path.ends_with('/'));
    let mut claims = Claims::default();
    let id = ContainerId::new("claimed");
    let is_news = claims.add(claimed, RuntimeKind::Containerd, &id);
    let with_claim = claims.identify(path);
    assert!(is_news || with_claim == identity);
    assert!(with_claim.container_path_len <= path.len());
    claims.remove(&id);
    assert_eq!(claims.identify(path), identity);
}
