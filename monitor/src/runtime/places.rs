//! Where which runtime is asked: where one was named, and in the usual places where something is there.
//!
//! Every place is asked by a client of its own, which tells under the place's name. A socket in a usual place that is not
//! there is looked for again every few seconds, so that a runtime installed or started later is found.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
    pin::pin,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
    time::{sleep, timeout},
};

use crate::{
    newtypes::ContainerId,
    runtime::{
        ConnectionState, Metadata, RuntimeEvent, RuntimeKind, SourceName, Standing,
        containerd::{self, GrpcError},
        cri,
        docker::{self, DockerError, DockerSettings},
        storage::Storage,
    },
};

/// How often sockets that were not there are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Bytes of what a place has told and nobody has taken in, at most. Beyond that it waits in the socket.
const UNHEARD_BYTES: u32 = 8 << 20;

/// What goes wrong between us and a runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Of Docker or Podman.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// Of containerd or a CRI runtime.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// All answers together took too long.
    #[error("list the containers of {place}: no answer within {} ms", limit.as_millis())]
    TimedOut {
        /// Where.
        place: SourceName,
        /// How long it was waited for.
        limit: Duration,
    },
}

/// The language that is spoken at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Podman's copy of Docker's.
    Podman,
    /// Docker's, of a daemon that its user runs.
    Docker,
    /// containerd's own.
    Containerd,
    /// Kubernetes' Container Runtime Interface.
    Cri,
}

/// `NAME=SOCKET`: a runtime's socket that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSocket {
    /// What is spoken there.
    pub api: Api,
    /// Where it is.
    pub socket: PathBuf,
}

impl FromStr for NamedSocket {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, socket) = text.split_once('=').ok_or("is not NAME=SOCKET")?;
        let api = match name {
            "podman" => Api::Podman,
            "containerd" => Api::Containerd,
            "cri" => Api::Cri,
            "docker" => return Err("has a runtime of its own option: --docker-host"),
            _ => return Err("has an unknown runtime: podman, containerd and cri are known"),
        };
        let socket = Path::new(socket.strip_prefix("unix://").unwrap_or(socket));
        if !socket.is_absolute() {
            return Err("has a socket without an absolute path");
        }
        Ok(Self { api, socket: socket.to_owned() })
    }
}

/// One place where a runtime is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What coverage calls it.
    pub name: SourceName,
    client: Client,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Client {
    Docker(DockerSettings),
    Containerd(PathBuf),
    Cri(PathBuf),
}

impl Place {
    /// Docker where it was said to be.
    #[must_use]
    pub fn docker(settings: DockerSettings) -> Self {
        Self { name: SourceName::new("docker"), client: Client::Docker(settings) }
    }

    fn at(name: &str, api: Api, socket: &Path) -> Self {
        let client = match api {
            Api::Podman => Client::Docker(DockerSettings::at_socket(RuntimeKind::Podman, socket)),
            Api::Docker => Client::Docker(DockerSettings::at_socket(RuntimeKind::Docker, socket)),
            Api::Containerd => Client::Containerd(socket.to_owned()),
            Api::Cri => Client::Cri(socket.to_owned()),
        };
        Self { name: SourceName::new(name), client }
    }

    /// A user's own.
    fn of_user(name: &str, api: Api, socket: &Path) -> Self {
        Self { name: SourceName::of_user(name), ..Self::at(name, api, socket) }
    }

    /// Where it is, as a URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        match &self.client {
            Client::Docker(settings) => settings.host().to_owned(),
            Client::Containerd(socket) | Client::Cri(socket) => format!("unix://{}", socket.display()),
        }
    }

    /// Tells `out` about its containers for as long as it is polled.
    pub async fn watch(self, out: impl FnMut(RuntimeEvent) + Send) {
        match self.client {
            Client::Docker(settings) => docker::watch(settings, out).await,
            Client::Containerd(socket) => containerd::watch(socket, out).await,
            Client::Cri(socket) => cri::watch(socket, out).await,
        }
    }

    async fn list(&self, patience: Duration) -> Result<Vec<Metadata>, RuntimeError> {
        let list = async {
            Ok(match &self.client {
                Client::Docker(settings) => docker::list(settings, patience).await?,
                Client::Containerd(socket) => containerd::list(socket, patience).await?,
                Client::Cri(socket) => cri::list(socket, patience).await?,
            })
        };
        let timed_out = || RuntimeError::TimedOut { place: self.name.clone(), limit: patience };
        timeout(patience, list).await.unwrap_or_else(|_elapsed| Err(timed_out()))
    }
}

/// A place where a runtime's socket usually is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualPlace {
    /// What coverage calls it.
    pub name: &'static str,
    api: Api,
    /// The socket.
    pub socket: &'static str,
}

impl UsualPlace {
    /// The place, if there is a socket.
    #[must_use]
    pub fn find(&self) -> Option<Place> {
        let socket = Path::new(self.socket);
        socket.exists().then(|| Place::at(self.name, self.api, socket))
    }
}

const USUAL: [UsualPlace; 4] = [
    UsualPlace { name: "podman", api: Api::Podman, socket: "/run/podman/podman.sock" },
    UsualPlace { name: "containerd", api: Api::Containerd, socket: "/run/containerd/containerd.sock" },
    UsualPlace {
        name: "containerd-k3s",
        api: Api::Containerd,
        socket: "/run/k3s/containerd/containerd.sock",
    },
    UsualPlace { name: "cri-o", api: Api::Cri, socket: "/run/crio/crio.sock" },
];

/// Where users' own daemons have their sockets, below `/run/user/UID`.
const ROOTLESS: [(&str, Api, &str); 2] =
    [("podman", Api::Podman, "podman/podman.sock"), ("docker", Api::Docker, "docker.sock")];

/// Which runtimes are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// Places that were named; what is wrong with them is shown.
    named: Vec<Place>,
    /// Places where something may be.
    usual: Vec<UsualPlace>,
    /// Users' own daemons that are looked for.
    rootless: Vec<(&'static str, Api, &'static str)>,
}

impl RuntimeSettings {
    /// `docker` and `sockets` were named; a named socket takes the place of that runtime's usual ones.
    #[must_use]
    pub fn new(docker: Option<DockerSettings>, sockets: &[NamedSocket]) -> Self {
        let asks_docker = docker.is_some();
        let mut named: Vec<Place> = docker.map(Place::docker).into_iter().collect();
        for NamedSocket { api, socket } in sockets {
            let kind = match api {
                Api::Podman => "podman",
                Api::Docker => "docker",
                Api::Containerd => "containerd",
                Api::Cri => "cri",
            };
            let is_taken = |name: &str| named.iter().any(|place| place.name.as_str() == name);
            let numbered = (2..).map(|number| format!("{kind}-{number}"));
            let name = std::iter::once(kind.to_owned()).chain(numbered).find(|name| !is_taken(name));
            named.push(Place::at(&name.unwrap_or_default(), *api, socket));
        }
        let is_named = |api: &Api| sockets.iter().any(|named| named.api == *api);
        Self {
            named,
            usual: USUAL.into_iter().filter(|place| !is_named(&place.api)).collect(),
            rootless: ROOTLESS
                .into_iter()
                .filter(|(_, api, _)| !is_named(api) && (*api != Api::Docker || asks_docker))
                .collect(),
        }
    }

    /// Whether nobody is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.usual.is_empty() && self.rootless.is_empty()
    }

    /// How many places tell at once that they answer, or why not, or that nothing is there.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.named.len() + self.usual.len()
    }

    /// The usual places that have no socket now.
    #[must_use]
    pub fn absent(&self) -> Vec<UsualPlace> {
        self.usual.iter().copied().filter(|place| place.find().is_none()).collect()
    }

    /// The places that were named, and the others that have a socket now.
    #[must_use]
    pub fn present(&self) -> Vec<Place> {
        let usual = self.usual.iter().filter_map(UsualPlace::find);
        let rootless = find_rootless(Path::new("/run/user"), &self.rootless);
        self.named.iter().cloned().chain(usual).chain(rootless).collect()
    }
}

/// The sockets of users' own daemons.
fn find_rootless(run: &Path, wanted: &[(&str, Api, &str)]) -> Vec<Place> {
    let users = fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut places: Vec<Place> = users
        .flat_map(|user| {
            let uid = user.file_name().map(|uid| uid.to_string_lossy().into_owned()).unwrap_or_default();
            let places = wanted.iter().map(move |(name, api, socket)| {
                let socket = user.join(socket);
                socket.exists().then(|| Place::of_user(&format!("{name}-{uid}"), *api, &socket))
            });
            places.flatten().collect::<Vec<_>>()
        })
        .collect();
    places.sort_by(|a, b| a.name.cmp(&b.name));
    places
}

/// What a place tells. To be dropped when it has been taken in: until then it takes a part of the room for what waits.
#[derive(Debug)]
pub struct Notice {
    /// The place.
    pub source: SourceName,
    /// What it tells.
    pub event: RuntimeEvent,
    _room: Option<OwnedSemaphorePermit>,
}

/// Asks everywhere, for as long as it is polled, and `tell`s what each place says.
pub async fn watch_all<T>(settings: RuntimeSettings, tell: T)
where
    T: Fn(Notice) + Clone + Send + Sync + 'static,
{
    for place in settings.absent() {
        let event = RuntimeEvent::Connection(nothing_at(place));
        tell(Notice { source: SourceName::new(place.name), event, _room: None });
    }
    let mut watched = BTreeSet::new();
    loop {
        for place in settings.present() {
            if watched.insert(place.name.clone()) {
                let (sender, said) = unbounded_channel();
                let name = place.name.clone();
                // It fails only where nobody listens any more.
                let watch = place.watch(move |event| drop(sender.send(event)));
                tokio::spawn(pass_on(name, watch, said, tell.clone()));
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Watches a place no faster than what it says is taken in: while there is no room for more, it is not listened to.
async fn pass_on(
    source: SourceName,
    watch: impl Future<Output = ()>,
    mut said: UnboundedReceiver<RuntimeEvent>,
    tell: impl Fn(Notice),
) {
    let room = Arc::new(Semaphore::new(UNHEARD_BYTES as usize));
    let mut watch = pin!(watch);
    loop {
        tokio::select! {
            // What was said comes first, so that no more of it waits here than comes at a time.
            biased;
            Some(event) = said.recv() => {
                let bytes = u32::try_from(event.bytes()).unwrap_or(u32::MAX).min(UNHEARD_BYTES);
                // It is never closed.
                let room = Arc::clone(&room).acquire_many_owned(bytes).await.ok();
                tell(Notice { source: source.clone(), event, _room: room });
            }
            () = &mut watch => return,
        }
    }
}

fn nothing_at(place: UsualPlace) -> ConnectionState {
    ConnectionState {
        endpoint: format!("unix://{}", place.socket),
        connected: false,
        is_absent: true,
        reason: Some("nothing is there".to_owned()),
        server_version: None,
    }
}

/// Asks everywhere once, for at most `patience`: what was told, and who did not answer and why. What a user's own daemon says of
/// containers that the host's runtimes know is left out.
pub async fn list_all(settings: &RuntimeSettings, patience: Duration) -> (Vec<Metadata>, Vec<RuntimeError>) {
    let places = settings.present();
    let answers = join_all(places.iter().map(|place| place.list(patience))).await;
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for (place, answer) in places.iter().zip(answers) {
        match answer {
            Ok(listed) => told.push((place.name.standing(), listed)),
            Err(error) => failures.push(error),
        }
    }
    (believed(told), failures)
}

fn believed(told: Vec<(Standing, Vec<Metadata>)>) -> Vec<Metadata> {
    let (hosts, users): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(standing, _)| *standing == Standing::Host);
    let mut believed: Vec<Metadata> = hosts.into_iter().flat_map(|(_, listed)| listed).collect();
    let known: HashSet<ContainerId> = believed.iter().map(|one| one.id.clone()).collect();
    believed.extend(users.into_iter().flat_map(|(_, listed)| listed).filter(|one| !known.contains(&one.id)));
    believed
}

/// Asks for where a container's data lie, for at most `patience`; `None` where nobody tells.
pub async fn storage_of(
    settings: &RuntimeSettings,
    id: &ContainerId,
    patience: Duration,
) -> Option<Arc<Storage>> {
    let places = settings.present();
    let asked = join_all(places.iter().map(|place| async move {
        match &place.client {
            Client::Docker(settings) => docker::storage(settings, id, patience).await,
            // Its list tells.
            Client::Containerd(_) => None,
            Client::Cri(socket) => cri::storage(socket, id, patience).await,
        }
    }));
    timeout(patience, asked).await.ok()?.into_iter().flatten().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> NamedSocket {
        text.parse().unwrap()
    }

    fn names(places: &[Place]) -> Vec<&str> {
        places.iter().map(|place| place.name.as_str()).collect()
    }

    #[test]
    fn a_named_socket_takes_the_place_of_its_runtime_s_usual_ones() {
        let all = RuntimeSettings::new(DockerSettings::new(None).ok(), &[]);
        assert_eq!((all.named.len(), all.usual.len(), all.rootless.len()), (1, 4, 2));
        let settings = RuntimeSettings::new(None, &[named("podman=/a.sock"), named("podman=unix:///b.sock")]);
        assert_eq!(names(&settings.named), ["podman", "podman-2"]);
        assert_eq!(settings.named[1].endpoint(), "unix:///b.sock");
        assert!(settings.usual.iter().all(|place| place.name != "podman"));
        assert!(settings.rootless.is_empty(), "neither Podman's nor Docker's");
        assert!(RuntimeSettings::default().is_empty());
    }

    #[test]
    fn what_is_no_runtime_s_socket_is_refused() {
        for text in
            ["", "podman", "docker=/a.sock", "podman=a.sock", "containerd=", "=/a.sock", "rkt=/a.sock"]
        {
            assert!(text.parse::<NamedSocket>().is_err(), "{text}");
        }
    }

    #[test]
    fn users_own_daemons_are_found_and_named_by_their_uid() {
        let run = tempfile::tempdir().unwrap();
        for socket in ["1000/podman/podman.sock", "1000/docker.sock", "1001/podman/podman.sock", "1002/bus"] {
            let socket = run.path().join(socket);
            fs::create_dir_all(socket.parent().unwrap()).unwrap();
            fs::write(socket, "").unwrap();
        }
        let found = find_rootless(run.path(), &ROOTLESS);
        assert_eq!(names(&found), ["docker-1000", "podman-1000", "podman-1001"]);
        assert!(found.iter().all(|place| place.name.standing() == Standing::User));
        assert!(find_rootless(&run.path().join("none"), &ROOTLESS).is_empty());
    }

    #[test]
    fn a_list_of_a_users_own_adds_nothing_to_what_the_hosts_runtimes_know() {
        let called = |id: &str, name: &str| {
            let mut metadata = Metadata::new(ContainerId::new(id), RuntimeKind::Docker);
            metadata.name = Some(name.to_owned());
            metadata
        };
        let users = vec![called("a", "taken over"), called("b", "his own")];
        let told = vec![(Standing::User, users), (Standing::Host, vec![called("a", "web")])];
        assert_eq!(believed(told), [called("a", "web"), called("b", "his own")]);
    }

    #[tokio::test]
    async fn a_place_is_listened_to_no_faster_than_it_is_heard() {
        let mut large = Metadata::new(ContainerId::new("c"), RuntimeKind::Docker);
        large.name = Some("x".repeat(1 << 20));
        let (sender, said) = unbounded_channel();
        let watch = async move {
            loop {
                let _ = sender.send(RuntimeEvent::Updated(Box::new(large.clone())));
                tokio::task::yield_now().await;
            }
        };
        let (heard, mut notices) = unbounded_channel();
        let tell = move |notice| heard.send(notice).unwrap_or_default();
        tokio::spawn(pass_on(SourceName::of_user("docker-1000"), watch, said, tell));
        for _ in 0..2 {
            let mut waiting = Vec::new();
            while let Ok(Some(notice)) = timeout(Duration::from_millis(200), notices.recv()).await {
                waiting.push(notice);
                assert!(waiting.len() < 100, "it has no end");
            }
            // Each takes a little more than 1 MiB. That they are dropped makes room for as many.
            assert_eq!(waiting.len(), 7);
        }
    }

    #[tokio::test]
    async fn every_place_tells_under_its_own_name() {
        let sockets = [named("podman=/nonexistent/p.sock"), named("containerd=/nonexistent/c.sock")];
        let mut settings = RuntimeSettings::new(None, &sockets);
        settings.usual = vec![UsualPlace { name: "cri-o", api: Api::Cri, socket: "/nonexistent/crio.sock" }];
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let tell = move |notice: Notice| sender.send((notice.source, notice.event)).unwrap_or_default();
        let watching = tokio::spawn(watch_all(settings.clone(), tell));
        let mut states = std::collections::BTreeMap::new();
        while states.len() < settings.answers() {
            let told = timeout(Duration::from_secs(10), told.recv()).await.unwrap().unwrap();
            let (name, RuntimeEvent::Connection(state)) = told else { panic!("{told:?}") };
            states.insert(name.as_str().to_owned(), state);
        }
        watching.abort();
        assert!(states["cri-o"].is_absent);
        for (name, socket) in [("podman", "/nonexistent/p.sock"), ("containerd", "/nonexistent/c.sock")] {
            let state = &states[name];
            assert!(!state.is_absent && !state.connected, "{state:?}");
            assert!(state.reason.as_deref().unwrap().contains(socket), "{state:?}");
        }
        let (listed, failures) = list_all(&settings, Duration::from_secs(5)).await;
        assert_eq!((listed.len(), failures.len()), (0, 2));
    }
}
