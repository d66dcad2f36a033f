//! Containers that live too shortly for anyone to look are reported, each once and with its own end.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU8, Ordering},
    thread,
};

use integration_tests::{
    container::{Image, docker, unique},
    monitor::Monitor,
    snapshot::{Container, Faults, Scheduler, Snapshot},
    wait,
};

const CONTAINERS: u8 = 100;

/// Docker clients at a time: more only queue up in the daemon.
const CLIENTS: usize = 6;

/// What was said of one container in all the snapshots it was in.
#[derive(Default)]
struct Told {
    name: Option<String>,
    image: Option<String>,
    exit_code: Option<i64>,
    /// The totals when it was first said to have ended.
    last: Option<(Scheduler, Faults)>,
    has_left: bool,
}

impl Told {
    fn hear(&mut self, container: &Container) {
        assert!(!self.has_left, "{} came back after it had left", container.id);
        if let Some(name) = &container.name {
            self.name = Some(name.clone());
        }
        if let Some(image) = &container.image {
            self.image = Some(image.clone());
        }
        if !container.is_exited() {
            assert!(self.last.is_none(), "{} runs again", container.id);
            return;
        }
        self.exit_code = container.exit_code.or(self.exit_code);
        let totals = totals(container);
        let last = self.last.get_or_insert_with(|| totals.clone());
        assert_eq!(*last, totals, "the final totals of {} changed", container.id);
    }

    fn is_over(&self) -> bool {
        self.has_left
    }
}

/// Without what is told of a window: that is over at the next.
fn totals(container: &Container) -> (Scheduler, Faults) {
    let scheduler =
        Scheduler { runq_latency: None, timeslices: None, ..container.measured.scheduler.clone() };
    (scheduler, container.measured.faults.clone())
}

#[test]
fn a_hundred_containers_of_fifty_milliseconds() {
    let image = Image::import();
    let mut monitor = Monitor::start_with(&["--keep-ended", "2s"]);
    let prefix = unique("monitor-test-short");
    let mut told = BTreeMap::<String, Told>::new();
    let last = thread::scope(|scope| {
        let started = scope.spawn(|| run_all(&image, &prefix));
        let mut last;
        loop {
            last = monitor.any_snapshot();
            hear(&last, &image, &mut told);
            if started.is_finished() {
                started.join().expect("the containers");
                break;
            }
        }
        wait::until("all containers to be shown and to leave", || {
            last = monitor.next_snapshot();
            hear(&last, &image, &mut told);
            (told.len() >= usize::from(CONTAINERS) && told.values().all(Told::is_over)).then_some(())
        });
        last
    });
    assert_eq!(told.len(), usize::from(CONTAINERS));
    let mut codes = BTreeMap::new();
    for (id, told) in &told {
        let name = told.name.as_ref().unwrap_or_else(|| panic!("{id} has no name"));
        assert_eq!(told.image.as_deref(), Some(image.name()), "the image of {name}");
        let (scheduler, _) =
            told.last.as_ref().unwrap_or_else(|| panic!("{name} was never shown to have ended"));
        assert!(scheduler.voluntary_switches_total.expect("switches") > 0, "{name} never blocked");
        assert!(codes.insert(name.clone(), told.exit_code).is_none(), "two containers are {name}");
    }
    let expected: BTreeMap<_, _> =
        (1..=CONTAINERS).map(|code| (format!("{prefix}-{code}"), Some(i64::from(code)))).collect();
    assert_eq!(codes, expected, "names and exit codes");
    assert_eq!(last.coverage.losses().collect::<Vec<_>>(), [], "what was lost");
}

/// Takes in what a snapshot says of our containers. Others' are known by their image, ours before it is known by
/// nothing: so all those are taken whose image is not somebody else's.
fn hear(snapshot: &Snapshot, image: &Image, told: &mut BTreeMap<String, Told>) {
    let ours = |container: &&Container| container.image.as_deref().is_none_or(|name| name == image.name());
    for container in snapshot.containers.iter().filter(ours) {
        told.entry(container.id.clone()).or_default().hear(container);
    }
    for (id, told) in told {
        told.has_left |= told.last.is_some() && snapshot.find(id).is_none();
    }
}

/// As fast as Docker can, each with a name and an exit code of its own.
fn run_all(image: &Image, prefix: &str) {
    let next = AtomicU8::new(1);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let code = next.fetch_add(1, Ordering::Relaxed);
                    if code > CONTAINERS {
                        return;
                    }
                    run_one(image, &format!("{prefix}-{code}"), code);
                }
            });
        }
    });
}

fn run_one(image: &Image, name: &str, code: u8) {
    let code = code.to_string();
    let run = ["run", "--rm", "--network", "none", "--name", name, image.name()];
    let workload = ["/workload", "sleep", "--ms", "50", "--unattended", &code];
    let output = docker(&[&run[..], &workload].concat()).output().expect("run docker");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code().map(|code| code.to_string()), Some(code), "{name}: {said}");
}
