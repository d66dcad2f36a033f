use super::*;

const ID: &str = "5c1f4fd2f4d1e5d7a1a9d7b1c3e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn docker() -> SourceName {
    SourceName::new("docker")
}

/// Any user can have a daemon there, and knows the ids of others' containers from `/proc`.
fn users_own() -> SourceName {
    SourceName::of_user("docker-1000")
}

fn own_path() -> String {
    format!("/docker/{ID}")
}

fn registry_with_container() -> Registry {
    let mut registry = Registry::default();
    registry.cgroup_made(CgroupId(1), "/", None);
    registry.cgroup_made(CgroupId(2), "/docker", None);
    registry.cgroup_made(CgroupId(3), &own_path(), Some(at(100)));
    registry
}

fn told(state: State, exit_code: Option<i64>, finished: Option<i64>) -> RuntimeEvent {
    let mut metadata = Metadata::new(ContainerId::new(ID), RuntimeKind::Docker);
    metadata.name = Some("web".to_owned());
    metadata.state = Some(state);
    metadata.exit_code = exit_code;
    metadata.finished_at = finished.map(at);
    RuntimeEvent::Updated(Box::new(metadata))
}

#[test]
fn a_path_makes_a_run_and_nested_cgroups_join_it() {
    let mut registry = registry_with_container();
    registry.cgroup_made(CgroupId(4), &format!("{}/a/b", own_path()), None);
    let (key, run) = registry.runs().next().unwrap();
    assert_eq!(key, CgroupId(3));
    assert_eq!(run.id.as_str(), ID);
    assert_eq!(run.members, BTreeSet::from([CgroupId(3), CgroupId(4)]));
    assert_eq!(registry.get(CgroupId(2)).unwrap().run, None);
}

#[test]
fn ancestors_reach_the_root() {
    let registry = registry_with_container();
    let chain: Vec<_> = registry.with_ancestors(CgroupId(3)).collect();
    assert_eq!(chain, [CgroupId(3), CgroupId(2), CgroupId(1)]);
}

#[test]
fn a_removed_cgroup_ends_its_run_and_frees_its_path() {
    let mut registry = registry_with_container();
    registry.cgroup_removed(CgroupId(3), 5, at(101));
    assert_eq!(registry.runs().next().unwrap().1.ended_at, Some(at(101)));
    registry.cgroup_made(CgroupId(9), &own_path(), Some(at(102)));
    assert_eq!(registry.runs().count(), 2, "a second run of the same container");
    assert_eq!(registry.live().count(), 3);
}

#[test]
fn a_runtimes_word_may_come_before_and_after() {
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Created, None, None));
    registry.cgroup_made(CgroupId(3), &own_path(), Some(at(100)));
    registry.cgroup_removed(CgroupId(3), 5, at(101));
    registry.runtime_told(&docker(), told(State::Exited, Some(7), Some(101)));
    let run = registry.runs().next().unwrap().1;
    assert_eq!((run.exit_code, run.finished_at), (Some(7), Some(at(101))));
    assert_eq!(registry.metadata(&run.id).unwrap().name.as_deref(), Some("web"));
}

#[test]
fn an_end_told_before_the_beginning_was_seen_is_not_lost() {
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Exited, Some(7), Some(101)));
    registry.cgroup_made(CgroupId(3), &own_path(), Some(at(100)));
    registry.cgroup_made(CgroupId(8), &own_path(), Some(at(102)));
    let codes: HashMap<CgroupId, Option<i64>> =
        registry.runs().map(|(id, run)| (id, run.exit_code)).collect();
    assert_eq!(codes, HashMap::from([(CgroupId(3), Some(7)), (CgroupId(8), None)]));
}

#[test]
fn an_exit_belongs_to_the_run_before_it() {
    let mut registry = registry_with_container();
    registry.cgroup_removed(CgroupId(3), 5, at(110));
    registry.cgroup_made(CgroupId(9), &own_path(), Some(at(120)));
    registry.runtime_told(&docker(), told(State::Exited, Some(7), Some(110)));
    let codes: HashMap<CgroupId, Option<i64>> =
        registry.runs().map(|(id, run)| (id, run.exit_code)).collect();
    assert_eq!(codes, HashMap::from([(CgroupId(3), Some(7)), (CgroupId(9), None)]));
}

#[test]
fn the_kernel_tells_the_exit_code_where_no_runtime_does() {
    let mut registry = registry_with_container();
    // A namespace that the container made, then its own, then one that died with it.
    registry.init_exited(CgroupId(3), 1 << 8, 2);
    registry.init_exited(CgroupId(3), 3 << 8, 1);
    registry.init_exited(CgroupId(3), 9, 2);
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(3));
    registry.runtime_told(&docker(), told(State::Exited, Some(7), Some(101)));
    registry.init_exited(CgroupId(3), 3 << 8, 1);
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(7));
    assert_eq!(exit_code(9), 137);
}

#[test]
fn a_walk_makes_up_for_lost_records() {
    let mut registry = registry_with_container();
    let found = [(CgroupId(1), "/".to_owned()), (CgroupId(7), "/new".to_owned())];
    registry.walked(&found, None);
    assert_eq!(registry.get(CgroupId(3)).unwrap().removed_boot_ns, None, "it may be out of sight");
    registry.walked(&found, Some((50, at(130))));
    assert_eq!(registry.get(CgroupId(3)).unwrap().removed_boot_ns, Some(50));
    assert_eq!(registry.get(CgroupId(7)).unwrap().parent, Some(CgroupId(1)));
}

#[test]
fn a_place_that_only_knows_a_container_too_cannot_remove_it() {
    let mut registry = registry_with_container();
    registry.runtime_told(&docker(), told(State::Running, None, None));
    registry.cgroup_removed(CgroupId(3), 5, at(101));
    registry.runtime_told(&users_own(), RuntimeEvent::Removed { id: ContainerId::new(ID) });
    registry.forget(CgroupId(3));
    assert!(registry.metadata(&ContainerId::new(ID)).is_some());
    registry.runtime_told(&docker(), RuntimeEvent::Removed { id: ContainerId::new(ID) });
    registry.forget_deleted();
    assert!(registry.metadata(&ContainerId::new(ID)).is_none());
}

#[test]
fn metadata_of_a_deleted_container_lives_as_long_as_its_runs() {
    let mut registry = registry_with_container();
    registry.runtime_told(&docker(), told(State::Running, None, None));
    registry.runtime_told(&docker(), RuntimeEvent::Removed { id: ContainerId::new(ID) });
    registry.forget_deleted();
    assert!(registry.metadata(&ContainerId::new(ID)).is_some());
    registry.cgroup_removed(CgroupId(3), 5, at(101));
    registry.forget(CgroupId(3));
    assert!(registry.metadata(&ContainerId::new(ID)).is_none());
}

fn claim(name: &str, path: &str) -> RuntimeEvent {
    let mut metadata = Metadata::new(ContainerId::new(name), RuntimeKind::Containerd);
    metadata.cgroup_path = Some(path.to_owned());
    RuntimeEvent::Updated(Box::new(metadata))
}

#[test]
fn a_cgroup_whose_path_does_not_tell_is_joined_when_a_runtime_does() {
    let containerd = SourceName::new("containerd");
    let mut registry = Registry::default();
    for (id, path) in
        [(1, "/"), (2, "/default"), (3, "/default/web"), (4, "/default/web/a"), (5, "/default/webx")]
    {
        registry.cgroup_made(CgroupId(id), path, Some(at(100)));
    }
    assert_eq!(registry.runs().count(), 0);
    registry.runtime_told(&containerd, claim("default/web", "/default/web"));
    let (key, run) = registry.runs().next().unwrap();
    assert_eq!((key, run.id.as_str(), run.made_at), (CgroupId(3), "default/web", Some(at(100))));
    assert_eq!(run.members, BTreeSet::from([CgroupId(3), CgroupId(4)]));
    assert_eq!(registry.get(CgroupId(4)).unwrap().run, Some(CgroupId(3)));
    assert_eq!(registry.get(CgroupId(5)).unwrap().run, None);
    // The word may also come first, and is forgotten with the container.
    registry.runtime_told(&containerd, claim("default/db", "/default/db"));
    registry.cgroup_made(CgroupId(6), "/default/db", Some(at(101)));
    assert_eq!(registry.run(CgroupId(6)).unwrap().id.as_str(), "default/db");
    registry.runtime_told(&containerd, RuntimeEvent::Removed { id: ContainerId::new("default/db") });
    registry.cgroup_removed(CgroupId(6), 5, at(102));
    registry.forget(CgroupId(6));
    registry.cgroup_made(CgroupId(7), "/default/db", Some(at(103)));
    assert_eq!(registry.run(CgroupId(7)), None);
}

#[test]
fn a_runtime_s_word_on_a_cgroup_that_is_gone_makes_an_ended_run() {
    let mut registry = Registry::default();
    registry.cgroup_made(CgroupId(3), "/default/short", Some(at(100)));
    registry.cgroup_removed(CgroupId(3), 5, at(101));
    registry.runtime_told(&SourceName::new("containerd"), claim("default/short", "/default/short"));
    let run = registry.run(CgroupId(3)).unwrap();
    assert_eq!((run.ended_at, run.members.len()), (Some(at(101)), 0));
}

#[test]
fn one_runtime_s_list_says_nothing_of_another_s_containers() {
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Running, None, None));
    registry.runtime_told(&SourceName::new("podman"), RuntimeEvent::Listed(Vec::new()));
    registry.forget_deleted();
    assert!(registry.metadata(&ContainerId::new(ID)).is_some());
    registry.runtime_told(&docker(), RuntimeEvent::Listed(Vec::new()));
    registry.forget_deleted();
    assert_eq!(registry.metadata(&ContainerId::new(ID)), None);
}

#[test]
fn of_two_runtimes_that_know_a_container_the_first_is_believed() {
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Running, None, None));
    let mut other = Metadata::new(ContainerId::new(ID), RuntimeKind::Unknown);
    other.name = Some("k8s_web".to_owned());
    other.image = Some("nginx".to_owned());
    registry.runtime_told(&SourceName::new("cri"), RuntimeEvent::Updated(Box::new(other)));
    let known = registry.metadata(&ContainerId::new(ID)).unwrap();
    assert_eq!((known.name.as_deref(), known.image.as_deref()), (Some("web"), Some("nginx")));
    assert_eq!(known.runtime, RuntimeKind::Docker);
}

/// What a user's own daemon makes up of somebody else's container.
fn made_up(state: State) -> Metadata {
    let mut metadata = Metadata::new(ContainerId::new(ID), RuntimeKind::Podman);
    metadata.name = Some("made up".to_owned());
    metadata.image = Some("made up too".to_owned());
    metadata.labels = [("pay".to_owned(), "somebody".to_owned())].into();
    metadata.state = Some(state);
    metadata.exit_code = (state == State::Exited).then_some(99);
    metadata.finished_at = (state == State::Exited).then_some(at(150));
    metadata
}

#[test]
fn a_users_own_daemon_that_answers_first_is_believed_until_the_hosts_speaks() {
    let mut registry = registry_with_container();
    let id = ContainerId::new(ID);
    registry.runtime_told(&users_own(), RuntimeEvent::Listed(vec![made_up(State::Exited)]));
    assert_eq!(registry.metadata(&id).unwrap().name.as_deref(), Some("made up"));
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(99));

    registry.runtime_told(&docker(), told(State::Running, None, None));
    let mut expected = Metadata::new(id.clone(), RuntimeKind::Docker);
    expected.name = Some("web".to_owned());
    expected.state = Some(State::Running);
    assert_eq!(**registry.metadata(&id).unwrap(), expected, "no word of the other stays");
    let run = registry.runs().next().unwrap().1;
    assert_eq!((run.exit_code, run.exit_level, run.finished_at), (None, None, None));

    registry.runtime_told(&users_own(), RuntimeEvent::Updated(Box::new(made_up(State::Exited))));
    assert!(!registry.believes(&users_own(), &id));
    assert_eq!(**registry.metadata(&id).unwrap(), expected);
    assert_eq!(registry.runs().next().unwrap().1.exit_code, None);
    for event in [RuntimeEvent::Listed(Vec::new()), RuntimeEvent::Removed { id: id.clone() }] {
        registry.runtime_told(&users_own(), event);
        registry.cgroup_removed(CgroupId(3), 5, at(200));
        registry.forget(CgroupId(3));
        assert!(registry.metadata(&id).is_some(), "only whoever is believed can delete it");
    }
    // Nor is what its own runtime has deleted brought back.
    registry.runtime_told(&docker(), RuntimeEvent::Removed { id: id.clone() });
    registry.runtime_told(&users_own(), RuntimeEvent::Updated(Box::new(made_up(State::Running))));
    registry.forget_deleted();
    assert_eq!(registry.metadata(&id), None);
}

#[test]
fn the_kernels_word_on_an_exit_counts_more_than_a_users_own_daemons() {
    let mut registry = registry_with_container();
    registry.init_exited(CgroupId(3), 3 << 8, 1);
    registry.runtime_told(&users_own(), RuntimeEvent::Updated(Box::new(made_up(State::Exited))));
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(3));
    let mut registry = registry_with_container();
    registry.runtime_told(&users_own(), RuntimeEvent::Updated(Box::new(made_up(State::Exited))));
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(99), "where nobody else tells");
    registry.init_exited(CgroupId(3), 3 << 8, 1);
    assert_eq!(registry.runs().next().unwrap().1.exit_code, Some(3));
}

/// A container with as many bytes of labels as are kept of one.
fn laden(number: usize) -> Metadata {
    let mut metadata = Metadata::new(ContainerId::new(&format!("{number:064x}")), RuntimeKind::Docker);
    metadata.labels = [("l".to_owned(), "x".repeat(64 << 10))].into();
    metadata
}

fn updated(metadata: Metadata) -> RuntimeEvent {
    RuntimeEvent::Updated(Box::new(metadata))
}

#[test]
fn what_one_source_tells_without_end_takes_so_much_memory_and_nobody_elses_room() {
    const MOST: usize = (64 << 20) / (64 << 10);
    let mut registry = Registry::default();
    // Two of them run; the second is told of again and again.
    registry.cgroup_made(CgroupId(1), &format!("/docker/{:064x}", 0), None);
    registry.cgroup_made(CgroupId(2), &format!("/docker/{:064x}", 1), None);
    registry.runtime_told(&SourceName::new("containerd"), claim("default/web", "/default/web"));
    for number in 0..5 * MOST {
        registry.runtime_told(&users_own(), updated(laden(number)));
        registry.runtime_told(&users_own(), updated(laden(1)));
        assert!(registry.told_count() <= MOST + 1, "{number}");
    }
    assert!(registry.told_count() > MOST / 2, "it is used");
    let knows = |number: usize| registry.metadata(&ContainerId::new(&format!("{number:064x}"))).is_some();
    assert!(knows(0) && knows(1) && knows(5 * MOST - 1) && !knows(2), "the oldest go that do not run");
    assert!(registry.not_kept(&users_own()) > MOST as u64);
    // Others' words have their own room.
    registry.runtime_told(&docker(), updated(laden(2)));
    assert!(registry.metadata(&laden(2).id).is_some() && registry.not_kept(&docker()) == 0);
    assert!(registry.metadata(&ContainerId::new("default/web")).is_some());
}

#[test]
fn where_all_run_more_is_refused_and_comes_in_when_one_has_gone() {
    const MOST: usize = (64 << 20) / (65 << 10);
    let mut registry = Registry::default();
    for number in 0..=MOST {
        let path = format!("/docker/{number:064x}");
        registry.cgroup_made(CgroupId(number as u64 + 1), &path, None);
        registry.runtime_told(&docker(), updated(laden(number)));
    }
    let told = registry.told_count();
    let more = |registry: &mut Registry| registry.runtime_told(&docker(), updated(laden(usize::MAX)));
    for _ in 0..10 {
        more(&mut registry);
    }
    assert_eq!(registry.told_count(), told);
    assert!(registry.not_kept(&docker()) >= 10);
    // What takes no more room is heard all the same.
    let mut ended = laden(0);
    ended.labels.clear();
    ended.state = Some(State::Exited);
    registry.runtime_told(&docker(), updated(ended));
    assert_eq!(registry.metadata(&laden(0).id).unwrap().state, Some(State::Exited));
    registry.cgroup_removed(CgroupId(1), 5, at(101));
    registry.runtime_told(&docker(), RuntimeEvent::Removed { id: laden(0).id });
    registry.forget(CgroupId(1));
    more(&mut registry);
    assert!(registry.metadata(&laden(usize::MAX).id).is_some());
}
