//! Who is measured when: the thread that does nothing else.
//!
//! Three bounds keep it cheap. While a tree is walked, a tenth of the time is spent on it and at most so many entries a
//! second are looked at. After a walk, ninety-nine times what it took is rested before the next one, of whatever tree, so
//! that walks take a hundredth of one CPU's or disk's time in the long run, however many trees there are. And no tree is
//! measured more often than was asked for. A tree whose containers do not run keeps what it takes: it is measured at every
//! tenth turn only. What costs next to nothing, logs and finding out where a container's data are,
//! does not wait for that rest, but takes no more than a tenth of the time either.

mod measure;

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap, HashSet},
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    ContainerUsage, Measured, Method, TreeUsage, VolumeUsage,
    layout::{Layout, Subject, Target},
    mounts::{self, Mount},
    quota,
    space::{Filesystem, Mounted},
    sys,
    walk::{Pace, WalkError},
};
use crate::{
    confine::{self, Part},
    error::chain,
    newtypes::CgroupId,
    runtime::storage::VolumeMount,
};

/// While a tree is walked, one part of the time in so many is spent on it.
const WALK_PARTS: u32 = 10;
/// Entries looked at in a second, at most.
const ENTRIES_PER_SECOND: u32 = 20_000;
/// Entries after which a pause is taken.
const BATCH: u32 = 128;
/// How many times what it took is rested after a walk.
const REST: u32 = 99;
/// How often is measured what costs next to nothing, unless less often was asked for.
const CHEAP_EVERY: Duration = Duration::from_secs(15);
/// Of the time that all trees like it would take together, so many times is let pass before a cheap one is measured again.
const CHEAP_PARTS: u32 = 1000;
/// A tree whose containers have not run since it was measured is measured at one in so many turns, for what others do to it.
const QUIET_TURNS: u32 = 10;
/// How long what is mounted on the host is taken to be as it was: with many containers it is a long list.
const MOUNTS_EVERY: Duration = Duration::from_secs(5);
/// How long a container that was only just made is left alone: many end at once.
const NEW: Duration = Duration::from_secs(1);
/// How often a writable layer is looked for, each time twice as long after the last.
const TRIES: u32 = 4;

/// What was found since it was asked last.
#[derive(Debug, Default)]
pub struct Told {
    /// Containers of which something was measured.
    pub containers: HashMap<CgroupId, Arc<ContainerUsage>>,
    /// The mounted file systems, where they were looked at again.
    pub filesystems: Option<Arc<[Filesystem]>>,
    /// How measuring fares.
    pub health: Health,
}

/// How measuring fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Entries that were there and were not counted, over all walks.
    pub skipped_total: u64,
    /// Running containers whose writable layer is not to be seen.
    pub without_layer: usize,
    /// Trees that could not be measured the last time.
    pub failing: usize,
    /// Why not, of one of them.
    pub reason: Option<String>,
}

/// The thread that measures. It ends soon after this is dropped.
#[derive(Debug)]
pub struct Surveyor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    mail: Mutex<Mail>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Mail {
    orders: Vec<Order>,
    told: Told,
    is_ended: bool,
}

#[derive(Debug)]
enum Order {
    Watch(Subject),
    Forget(CgroupId),
}

impl Surveyor {
    /// Starts it; no tree is measured more often than `interval`.
    pub fn start(interval: Duration) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let worker = Worker::new(Arc::clone(&shared), interval);
        thread::Builder::new().name("file-systems".to_owned()).spawn(move || {
            step_back();
            confine::enter(Part::FileSystems { has_quotas: quota::are_kept() });
            worker.run();
        })?;
        Ok(Self(shared))
    }

    /// From now on measures a container, or what is told otherwise of it.
    pub fn watch(&self, subject: Subject) {
        self.order(Order::Watch(subject));
    }

    /// Measures a container no more.
    pub fn forget(&self, container: CgroupId) {
        self.order(Order::Forget(container));
    }

    fn order(&self, order: Order) {
        self.0.mail().orders.push(order);
        self.0.changed.notify_all();
    }

    /// What was found since this was called last.
    #[must_use]
    pub fn take(&self) -> Told {
        let mut mail = self.0.mail();
        let health = mail.told.health.clone();
        std::mem::replace(&mut mail.told, Told { health, ..Told::default() })
    }
}

impl Drop for Surveyor {
    fn drop(&mut self) {
        self.0.mail().is_ended = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    /// A panic elsewhere leaves nothing half done in it.
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for orders until then; `None` at the end.
    fn wait(&self, until: Option<Instant>) -> Option<Vec<Order>> {
        let mut mail = self.mail();
        loop {
            if mail.is_ended {
                return None;
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if !mail.orders.is_empty() || left.is_zero() {
                return Some(std::mem::take(&mut mail.orders));
            }
            (mail, _) = self.changed.wait_timeout(mail, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the end did not come meanwhile.
    fn rest(&self, pause: Duration) -> bool {
        let is_going_on = |mail: &mut Mail| !mail.is_ended;
        let waited = self.changed.wait_timeout_while(self.mail(), pause, is_going_on);
        let (mail, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !mail.is_ended
    }
}

/// Whatever else wants the CPU or the disk goes first.
fn step_back() {
    if let Err(error) = sys::use_cpus_when_idle() {
        log::debug!("lower the priority of measuring file systems: {error}");
    }
    if let Err(error) = sys::use_disks_when_idle() {
        log::debug!("lower the disk priority of measuring file systems: {error}");
    }
}

/// How long to pause after so much time spent on so many entries.
fn pause_after(work: Duration, entries: u32) -> Duration {
    let least = Duration::from_secs(1) * entries / ENTRIES_PER_SECOND;
    (work * (WALK_PARTS - 1)).max(least.saturating_sub(work))
}

/// Keeps a walk within its bounds.
struct Budget<'s> {
    shared: &'s Shared,
    began: Instant,
    entries: u32,
    busy: Duration,
}

impl<'s> Budget<'s> {
    fn new(shared: &'s Shared) -> Self {
        Self { shared, began: Instant::now(), entries: 0, busy: Duration::ZERO }
    }

    fn total(&self) -> Duration {
        self.busy + self.began.elapsed()
    }
}

impl Pace for Budget<'_> {
    fn step(&mut self) -> bool {
        self.entries += 1;
        if self.entries < BATCH {
            return true;
        }
        let work = self.began.elapsed();
        self.busy += work;
        let goes_on = self.shared.rest(pause_after(work, self.entries));
        self.entries = 0;
        self.began = Instant::now();
        goes_on
    }
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Look(CgroupId),
    Measure(Arc<Target>),
    AskSpace,
}

/// A container, and where its data are once that was looked for.
struct Known {
    subject: Subject,
    layout: Layout,
    tries: u32,
}

/// A tree that someone wants.
struct Tree {
    users: BTreeSet<CgroupId>,
    due: Instant,
    /// Between the last turn and the one before.
    pause: Duration,
    last: Option<Arc<Measured>>,
    /// How much its users had run at the last turn, and for how many turns they had not run more.
    ran: Option<u64>,
    quiet_turns: u32,
}

impl Tree {
    /// Whether measuring it would find what was found last. At the first turn since its users stopped it might not: logs are
    /// written by others, and a little later.
    fn is_quiet(&mut self, ran: u64) -> bool {
        if self.ran.replace(ran) != Some(ran) {
            self.quiet_turns = 0;
            return false;
        }
        self.quiet_turns += 1;
        self.last.is_some() && self.quiet_turns % QUIET_TURNS != 1
    }
}

type Queue = BinaryHeap<Reverse<(Instant, Task)>>;

struct Worker {
    shared: Arc<Shared>,
    interval: Duration,
    containers: HashMap<CgroupId, Known>,
    trees: HashMap<Arc<Target>, Tree>,
    /// What costs next to nothing.
    queue: Queue,
    rest_until: Instant,
    /// What may have to be walked.
    walks: Queue,
    walk_rest_until: Instant,
    /// The host's mounts, and when they were read.
    mounts: Option<(Instant, Vec<Mount>)>,
    /// The host's file systems.
    mounted: Mounted,
    without_layer: HashSet<CgroupId>,
    /// Why trees could not be measured the last time.
    failing: HashMap<Arc<Target>, String>,
}

impl Worker {
    fn new(shared: Arc<Shared>, interval: Duration) -> Self {
        let now = Instant::now();
        Self {
            shared,
            interval,
            containers: HashMap::new(),
            trees: HashMap::new(),
            queue: Queue::from([Reverse((now, Task::AskSpace))]),
            rest_until: now,
            walks: Queue::new(),
            walk_rest_until: now,
            mounts: None,
            mounted: Mounted::default(),
            without_layer: HashSet::new(),
            failing: HashMap::new(),
        }
    }

    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while let Some(orders) = shared.wait(self.next_due()) {
            for order in orders {
                match order {
                    Order::Watch(subject) => self.watch(subject),
                    Order::Forget(container) => self.forget(container),
                }
            }
            if let Some(task) = self.take_due(Instant::now()) {
                self.carry_out(task);
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let due =
            |queue: &Queue, rest_until: Instant| queue.peek().map(|Reverse((due, _))| rest_until.max(*due));
        let walk = due(&self.walks, self.walk_rest_until);
        due(&self.queue, self.rest_until).into_iter().chain(walk).min()
    }

    fn take_due(&mut self, now: Instant) -> Option<Task> {
        let is_due = |queue: &Queue, rest_until: Instant| {
            rest_until <= now && queue.peek().is_some_and(|Reverse((due, _))| *due <= now)
        };
        let queue = if is_due(&self.queue, self.rest_until) {
            &mut self.queue
        } else if is_due(&self.walks, self.walk_rest_until) {
            &mut self.walks
        } else {
            return None;
        };
        let Reverse((due, task)) = queue.pop()?;
        Some(task).filter(|task| self.is_current(task, due))
    }

    /// Whether a tree is still wanted, and has not been measured since it was queued.
    fn is_current(&self, task: &Task, due: Instant) -> bool {
        match task {
            Task::Measure(target) => self.trees.get(target).is_some_and(|tree| tree.due == due),
            Task::Look(_) | Task::AskSpace => true,
        }
    }

    fn carry_out(&mut self, task: Task) {
        let began = Instant::now();
        let is_cheap = !matches!(&task, Task::Measure(target) if target.may_be_walked());
        match task {
            Task::Look(container) => self.look(container),
            Task::Measure(target) => self.measure_in_turn(&target),
            Task::AskSpace => {
                self.shared.mail().told.filesystems = Some(self.mounted.ask().into());
                // It takes memory, and is wanted where containers come in numbers.
                self.mounts.take_if(|(read_at, _)| read_at.elapsed() >= MOUNTS_EVERY);
                self.queue.push(Reverse((began + CHEAP_EVERY, Task::AskSpace)));
            }
        }
        if is_cheap {
            let now = Instant::now();
            self.rest_until = now + (now - began) * (WALK_PARTS - 1);
        }
    }

    fn watch(&mut self, subject: Subject) {
        let container = subject.container;
        let delay = if subject.is_new { NEW } else { Duration::ZERO };
        self.queue.push(Reverse((Instant::now() + delay, Task::Look(container))));
        match self.containers.get_mut(&container) {
            Some(known) => (known.subject, known.tries) = (subject, 0),
            None => {
                self.containers.insert(container, Known { subject, layout: Layout::default(), tries: 0 });
            }
        }
    }

    fn forget(&mut self, container: CgroupId) {
        if let Some(known) = self.containers.remove(&container) {
            self.leave(container, known.layout.targets());
        }
        self.without_layer.remove(&container);
        self.tell_health();
    }

    /// Takes a container off trees that it had.
    fn leave<'t>(&mut self, container: CgroupId, targets: impl IntoIterator<Item = &'t Arc<Target>>) {
        for target in targets {
            if let Some(tree) = self.trees.get_mut(target) {
                tree.users.remove(&container);
                if tree.users.is_empty() {
                    self.trees.remove(target);
                    self.failing.remove(target);
                }
            }
        }
    }

    /// Finds a container's trees, and queues those that nobody else has.
    fn look(&mut self, container: CgroupId) {
        let Some(known) = self.containers.get_mut(&container) else { return };
        let is_fresh = |(read_at, _): &(Instant, _)| read_at.elapsed() < MOUNTS_EVERY;
        let (_, mounts) = match self.mounts.take().filter(is_fresh) {
            Some(known) => self.mounts.insert(known),
            None => self.mounts.insert((Instant::now(), mounts::of_host())),
        };
        let layout = Layout::find(&known.subject, mounts);
        let has_layer = layout.layer.is_some();
        if !has_layer && known.tries < TRIES {
            // It may not have changed its root yet.
            let pause = NEW * 2_u32.pow(known.tries);
            known.tries += 1;
            self.queue.push(Reverse((Instant::now() + pause, Task::Look(container))));
        }
        let before = std::mem::replace(&mut known.layout, layout.clone());
        let is_given_up = !has_layer && known.tries >= TRIES;
        for target in layout.targets() {
            self.join(container, target);
        }
        let kept: HashSet<&Arc<Target>> = layout.targets().collect();
        self.leave(container, before.targets().filter(|target| !kept.contains(target)));
        if is_given_up {
            self.without_layer.insert(container);
        } else {
            self.without_layer.remove(&container);
        }
        self.tell(container);
    }

    /// Puts a container on a tree, which is queued where nobody else has it.
    fn join(&mut self, container: CgroupId, target: &Arc<Target>) {
        let now = Instant::now();
        let tree = self.trees.entry(Arc::clone(target)).or_insert_with(|| {
            let queue = if target.may_be_walked() { &mut self.walks } else { &mut self.queue };
            queue.push(Reverse((now, Task::Measure(Arc::clone(target)))));
            Tree {
                users: BTreeSet::new(),
                due: now,
                pause: Duration::ZERO,
                last: None,
                ran: None,
                quiet_turns: 0,
            }
        });
        if tree.users.insert(container) {
            tree.ran = None;
        }
    }

    /// Measures a tree, unless nothing can have changed.
    fn measure_in_turn(&mut self, target: &Arc<Target>) {
        let Some(tree) = self.trees.get_mut(target) else { return };
        let users = tree.users.iter().filter_map(|user| self.containers.get(user));
        let ran = users.map(|known| known.subject.ran.load(Ordering::Relaxed)).fold(0, u64::wrapping_add);
        if tree.is_quiet(ran) && !self.failing.contains_key(target) {
            self.put_off(target, Instant::now());
        } else {
            self.measure(target);
        }
    }

    /// Gives a tree its next turn.
    fn put_off(&mut self, target: &Arc<Target>, now: Instant) {
        let Some(tree) = self.trees.get_mut(target) else { return };
        tree.due = now + tree.pause;
        let queue = if target.may_be_walked() { &mut self.walks } else { &mut self.queue };
        queue.push(Reverse((tree.due, Task::Measure(Arc::clone(target)))));
    }

    fn measure(&mut self, target: &Arc<Target>) {
        let shared = Arc::clone(&self.shared);
        let mut budget = Budget::new(&shared);
        let measured = measure::measure(target, &mut budget);
        let busy = budget.total();
        let now = Instant::now();
        let is_walk =
            target.may_be_walked() && !matches!(&measured, Ok(measured) if measured.method == Method::Quota);
        if is_walk {
            self.walk_rest_until = now + busy * REST;
        }
        let least = if is_walk { self.interval } else { self.cheap_interval(busy) };
        let Some(tree) = self.trees.get_mut(target) else { return };
        tree.pause = least.max(busy * (REST + 1));
        self.put_off(target, now);
        let Some(tree) = self.trees.get_mut(target) else { return };
        match measured {
            Ok(measured) => {
                shared.mail().told.health.skipped_total += measured.skipped;
                self.failing.remove(target);
                tree.last = Some(Arc::new(measured));
            }
            Err(WalkError::Stopped) => return,
            Err(error) => {
                log::debug!("{}", chain(&error));
                self.failing.insert(Arc::clone(target), chain(&error));
            }
        }
        for container in tree.users.clone() {
            self.tell(container);
        }
    }

    /// How often what is cheap is measured: less often where there is much of it.
    fn cheap_interval(&self, busy: Duration) -> Duration {
        let trees = u32::try_from(self.trees.len()).unwrap_or(u32::MAX);
        busy.saturating_mul(trees).saturating_mul(CHEAP_PARTS).max(CHEAP_EVERY).min(self.interval)
    }

    /// Tells all that is known of a container.
    fn tell(&self, container: CgroupId) {
        let Some(known) = self.containers.get(&container) else { return };
        let tree = |target: &Arc<Target>| TreeUsage {
            path: text(target.path()),
            measured: self.trees.get(target).and_then(|tree| tree.last.clone()),
        };
        let Layout { layer, logs, volumes } = &known.layout;
        let usage = ContainerUsage {
            layer: layer.as_ref().map(tree),
            logs: logs.as_ref().map(tree),
            volumes: volumes.as_ref().map(|volumes| {
                let usage = |(volume, target): &(VolumeMount, Option<Arc<Target>>)| {
                    volume_usage(volume, target.as_ref().map(tree))
                };
                volumes.iter().map(usage).collect()
            }),
        };
        self.shared.mail().told.containers.insert(container, Arc::new(usage));
        self.tell_health();
    }

    fn tell_health(&self) {
        let mut mail = self.shared.mail();
        let health = &mut mail.told.health;
        health.without_layer = self.without_layer.len();
        health.failing = self.failing.len();
        health.reason = self.failing.values().next().cloned();
    }
}

fn volume_usage(volume: &VolumeMount, tree: Option<TreeUsage>) -> VolumeUsage {
    VolumeUsage {
        kind: volume.kind,
        name: volume.name.clone(),
        destination: volume.destination.clone(),
        tree: tree.unwrap_or_else(|| TreeUsage { path: text(&volume.source), measured: None }),
    }
}

fn text(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

#[cfg(test)]
mod tests;
