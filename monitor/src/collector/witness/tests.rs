use super::*;
use crate::{
    cgroup::CgroupStats,
    collector::{
        audit::{AgentUsage, AuditPoint},
        sample::Counted,
    },
    host::{HostFacts, HostStats},
    model::Coverage,
    runtime::RuntimeKind,
};

const SECOND_NS: u64 = 1_000_000_000;
const PATH: &str = "/docker/1111111111111111111111111111111111111111111111111111111111111111";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn docker() -> SourceName {
    SourceName::new("docker")
}

fn kinds(witness: &mut Witness) -> Vec<&'static str> {
    witness.take().iter().map(|one| one.what.kind()).collect()
}

fn told(state: State) -> RuntimeEvent {
    let mut metadata = Metadata::new(ContainerId::new("a"), RuntimeKind::Docker);
    metadata.state = Some(state);
    metadata.exit_code = (state == State::Exited).then_some(3);
    RuntimeEvent::Updated(Box::new(metadata))
}

#[test]
fn each_stage_of_a_life_is_told_once() {
    let mut witness = Witness::default();
    witness.heard(&docker(), &RuntimeEvent::Listed(Vec::new()), at(0), &Registry::default());
    for state in [State::Created, State::Running, State::Running, State::Paused, State::Running] {
        witness.heard(&docker(), &told(state), at(1), &Registry::default());
    }
    assert_eq!(kinds(&mut witness), ["container_created", "container_started"]);
    witness.heard(&docker(), &told(State::Exited), at(2), &Registry::default());
    witness.heard(&docker(), &told(State::Exited), at(3), &Registry::default());
    let happened = witness.take();
    assert_eq!(happened.len(), 1);
    assert_eq!(happened[0].what, Happening::ContainerDied { exit_code: Some(3) });
    witness.heard(&docker(), &told(State::Running), at(4), &Registry::default());
    witness.heard(&docker(), &told(State::Exited), at(5), &Registry::default());
    witness.heard(
        &docker(),
        &RuntimeEvent::Removed { id: ContainerId::new("a") },
        at(6),
        &Registry::default(),
    );
    witness.heard(
        &docker(),
        &RuntimeEvent::Removed { id: ContainerId::new("a") },
        at(6),
        &Registry::default(),
    );
    assert_eq!(kinds(&mut witness), ["container_started", "container_died", "container_removed"]);
}

#[test]
fn what_there_was_before_is_no_news_and_what_a_reconnection_shows_is() {
    let mut witness = Witness::default();
    let listed = |state| match told(state) {
        RuntimeEvent::Updated(one) => RuntimeEvent::Listed(vec![*one]),
        other => other,
    };
    witness.heard(&docker(), &listed(State::Running), at(0), &Registry::default());
    assert!(witness.take().is_empty());
    witness.heard(&docker(), &listed(State::Exited), at(1), &Registry::default());
    assert_eq!(kinds(&mut witness), ["container_died"]);
}

#[test]
fn a_users_own_daemon_tells_nothing_of_a_container_that_the_hosts_knows() {
    let mut witness = Witness::default();
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Running));
    witness.heard(&docker(), &RuntimeEvent::Listed(Vec::new()), at(0), &registry);
    witness.heard(&docker(), &told(State::Running), at(0), &registry);
    assert_eq!(kinds(&mut witness), ["container_started"]);
    let users_own = SourceName::of_user("docker-1000");
    let RuntimeEvent::Updated(exited) = told(State::Exited) else { panic!("an update") };
    for event in [
        RuntimeEvent::Listed(Vec::new()),
        RuntimeEvent::Listed(vec![*exited]),
        told(State::Exited),
        RuntimeEvent::Removed { id: ContainerId::new("a") },
    ] {
        witness.heard(&users_own, &event, at(1), &registry);
    }
    assert!(witness.take().is_empty());
    witness.heard(&docker(), &told(State::Exited), at(2), &registry);
    assert_eq!(kinds(&mut witness), ["container_died"]);
}

#[test]
fn lives_of_containers_that_the_registry_does_not_know_are_forgotten() {
    let mut witness = Witness::default();
    let mut registry = Registry::default();
    registry.runtime_told(&docker(), told(State::Running));
    witness.heard(&docker(), &told(State::Running), at(0), &registry);
    for number in 0..5 * SPARE {
        let mut made_up = Metadata::new(ContainerId::new(&number.to_string()), RuntimeKind::Docker);
        made_up.state = Some(State::Created);
        let made_up = RuntimeEvent::Updated(Box::new(made_up));
        witness.heard(&SourceName::of_user("docker-1000"), &made_up, at(1), &registry);
    }
    assert!(witness.lives.stages.len() <= SPARE + 3);
    witness.take();
    witness.heard(&docker(), &told(State::Exited), at(2), &registry);
    assert_eq!(kinds(&mut witness), ["container_died"]);
}

#[test]
fn a_record_is_its_containers_even_in_a_nested_cgroup() {
    let mut registry = Registry::default();
    registry.cgroup_made(CgroupId(1), PATH, None);
    registry.cgroup_made(CgroupId(2), &format!("{PATH}/inner"), None);
    let mut witness = Witness::default();
    let what = What::Exit { tgid: 7, comm: "a".to_owned(), wait_status: 0x8b };
    witness.saw(&events::Event { cgroup: CgroupId(2), boot_ns: 0, what }, at(1));
    let event = witness.take()[0].describe(&registry);
    assert_eq!(event.container.unwrap().id, "1".repeat(64));
    assert_eq!(event.cgroup.unwrap().id, 2);
    let dumped = Happening::Exit {
        pid: 7,
        comm: "a".to_owned(),
        exit_code: 139,
        signal: Some(11),
        has_dumped_core: true,
    };
    assert_eq!(event.what, dumped);
}

#[test]
fn a_cgroup_that_nothing_told_of_has_its_id_only() {
    let mut witness = Witness::default();
    let what = What::OomKill { tgid: 7, comm: "a".to_owned() };
    witness.saw(&events::Event { cgroup: CgroupId(9), boot_ns: 0, what }, at(1));
    let event = witness.take()[0].describe(&Registry::default());
    assert_eq!((event.container, event.cgroup), (None, Some(Cgroup { id: 9, path: None })));
}

/// A sample of one cgroup with these counters of `cpu.stat`.
fn sample(tenths: u64, periods: u64, throttled: u64) -> Sample {
    let mut files = CgroupStats::default();
    files.cpu.periods = Some(periods);
    files.cpu.throttled_periods = Some(throttled);
    files.cpu.throttled_ns = Some(throttled * 10);
    Sample {
        taken_at: at(1000),
        monotonic_ns: tenths * SECOND_NS / 10,
        host: HostFacts::default(),
        host_stats: HostStats::default(),
        filesystems: None,
        mode: None,
        ownerless_drops: None,
        series: vec![Series {
            cgroup: CgroupId(1),
            path: Some("/a".into()),
            container: None,
            counting_since: at(0),
            is_whole: true,
            is_new: false,
            counters: None,
            counted: Counted::default(),
            waited: None,
            block: None,
            queued: None,
            activity: None,
            throttled: None,
            files: files.into(),
            files_read_ns: None,
            interfaces: None,
            filesystems: None,
        }],
        audit: AuditPoint::default(),
        audit_since: AuditPoint::default(),
        agent: AgentUsage::default(),
        coverage: Coverage::default(),
    }
}

#[test]
fn throttling_begins_with_growth_and_ends_with_a_period_without() {
    let mut witness = Witness::default();
    for sample in [sample(0, 10, 4), sample(10, 20, 4), sample(20, 30, 9), sample(30, 40, 15)] {
        witness.compared(&sample);
    }
    let happened = witness.take();
    assert_eq!(happened.len(), 1);
    assert_eq!(happened[0].what, Happening::ThrottleBegin { granularity_ns: SECOND_NS });
    witness.compared(&sample(40, 50, 15));
    let over = Happening::ThrottleEnd { granularity_ns: SECOND_NS, throttled_periods: 11, throttled_ns: 110 };
    assert_eq!(witness.take()[0].what, over);
    witness.compared(&sample(50, 60, 15));
    assert!(witness.take().is_empty());
}

#[test]
fn a_cgroup_made_since_the_last_sample_was_not_throttled_before() {
    let mut witness = Witness::default();
    let mut empty = sample(0, 0, 0);
    empty.series.clear();
    witness.compared(&empty);
    let mut new = sample(10, 5, 2);
    new.series[0].is_new = true;
    witness.compared(&new);
    assert_eq!(witness.take()[0].what, Happening::ThrottleBegin { granularity_ns: SECOND_NS });
    let mut old = Witness::default();
    old.compared(&empty);
    old.compared(&sample(10, 5, 2));
    assert!(old.take().is_empty(), "it may have been long ago");
}

#[test]
fn throttling_does_not_end_between_two_periods_but_with_the_work() {
    let mut witness = Witness::default();
    for sample in [sample(0, 10, 4), sample(1, 11, 5), sample(2, 11, 5)] {
        witness.compared(&sample);
    }
    assert_eq!(kinds(&mut witness), ["throttle_begin"]);
    witness.compared(&sample(4, 11, 5));
    assert_eq!(kinds(&mut witness), ["throttle_end"]);
}

#[test]
fn lost_records_are_told_as_they_grow() {
    let mut witness = Witness::default();
    let mut lossy = sample(0, 0, 0);
    lossy.coverage.lost.lifecycle_records_total = 5;
    witness.compared(&lossy);
    witness.compared(&lossy);
    lossy.coverage.lost.lifecycle_records_total = 7;
    witness.compared(&lossy);
    let counts: Vec<_> = witness.take().into_iter().map(|one| one.what).collect();
    let lost = |count| Happening::Lost { cause: LossCause::FullRing, count };
    assert_eq!(counts, [lost(5), lost(2)]);
}
