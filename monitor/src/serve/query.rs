//! What is asked for behind the `?`: parameters by name, each declared once for the handler and the documentation.

use axum::{
    extract::{FromRequestParts, Query as Pairs},
    http::request::Parts,
};

use super::problem::{self, Problem};
use crate::model::{CgroupEntry, Container, ContainerState, is_called};

/// A parameter that an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub form: Form,
    /// What it asks for.
    pub help: &'static str,
}

/// What the values of a parameter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// Any text, more than once.
    Texts,
    /// A number between these.
    Number(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
}

const fn parameter(name: &'static str, form: Form, help: &'static str) -> Parameter {
    Parameter { name, form, help }
}

/// Most entries that can be asked for at once.
const MOST: u64 = 10_000;
const NAME: Parameter =
    parameter("name", Form::Text, "Only those of this name, or, with `*` at the end, whose name begins so.");
const LIMIT: Parameter = parameter("limit", Form::Number(1, MOST), "At most so many, the first by id.");

/// Of lists of containers.
pub const OF_CONTAINERS: &[Parameter] = &[
    parameter("runtime", Form::Text, "Only those of this runtime."),
    parameter("state", Form::Word(&["running", "paused", "exited"]), "Only those in this state."),
    NAME,
    parameter(
        "label",
        Form::Texts,
        "Only those with this label of the runtime's: KEY or KEY=VALUE. With more than one, those that have all.",
    ),
    LIMIT,
    parameter("after", Form::Text, "Only those with an id behind this one: `next` of the answer before."),
];
/// Of lists of cgroups.
pub const OF_CGROUPS: &[Parameter] = &[
    NAME,
    LIMIT,
    parameter(
        "after",
        Form::Number(0, u64::MAX),
        "Only those with an id behind this one: `next` of the answer before.",
    ),
];
/// Of what tells of some containers.
pub const CONTAINERS: &[Parameter] = &[parameter(
    "container",
    Form::Texts,
    "Only this container, by name, id or the beginning of its id (six characters or more); with more than one, these.",
)];
/// Of a stream of snapshots.
pub const OF_STREAM: &[Parameter] = &[
    CONTAINERS[0],
    parameter(
        "fields",
        Form::Text,
        "Of each container only these: names of metrics and distributions such as `cpu.usage_cores`, divided by commas, \
         `pressure`, `interference`, `block_interference`. Distributions come without buckets, and other cgroups not at all.",
    ),
];
/// Of lists of events.
pub const OF_EVENTS: &[Parameter] = &[
    CONTAINERS[0],
    parameter("kind", Form::Texts, "Only events of this kind; with more than one, of these."),
    LIMIT,
    parameter(
        "after",
        Form::Number(0, u64::MAX),
        "Only events with a higher number: `next` of the answer before.",
    ),
];
/// Of a stream of events.
pub const OF_EVENT_STREAM: &[Parameter] = &[OF_EVENTS[0], OF_EVENTS[1]];

/// The parameters of a request.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Pairs::try_from_uri(&parts.uri) {
            Ok(Pairs(pairs)) => Ok(Self(pairs)),
            Err(rejection) => Err(Problem::new(problem::BAD_PARAMETER, rejection.body_text())),
        }
    }
}

impl Query {
    /// One of these parameters.
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// Fails where a parameter is not among these, or its value none that it can have.
    pub fn check(&self, known: &[Parameter]) -> Result<(), Problem> {
        let wrong = |detail: String| Err(Problem::new(problem::BAD_PARAMETER, detail));
        for (position, (name, value)) in self.0.iter().enumerate() {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let takes = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return wrong(format!("{name} is no parameter here; there are: {takes}"));
            };
            let is_again = self.0.iter().take(position).any(|(earlier, _)| earlier == name);
            match parameter.form {
                Form::Text | Form::Number(..) | Form::Word(_) if is_again => {
                    return wrong(format!("{name} is there more than once"));
                }
                Form::Number(least, most)
                    if !value.parse().is_ok_and(|number| (least..=most).contains(&number)) =>
                {
                    return wrong(format!("{name} is no number between {least} and {most}"));
                }
                Form::Word(words) if !words.contains(&value.as_str()) => {
                    return wrong(format!("{name} is none of {}", words.join(", ")));
                }
                Form::Text | Form::Texts | Form::Number(..) | Form::Word(_) => {}
            }
        }
        Ok(())
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a parameter.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that there is once at most.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that was checked to be a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.one(name)?.parse().ok()
    }

    /// Whether a container is one of a list that is asked for by [`OF_CONTAINERS`].
    #[must_use]
    pub fn lists(&self, container: &Container) -> bool {
        self.one("runtime").is_none_or(|runtime| container.runtime == runtime)
            && self.one("state").is_none_or(|state| state_name(container.state) == state)
            && self.names(container.name.as_deref())
            && self.all("label").all(|label| container.has_label(label))
    }

    /// The same of a cgroup and [`OF_CGROUPS`].
    #[must_use]
    pub fn lists_cgroup(&self, entry: &CgroupEntry) -> bool {
        self.names(entry.name.as_deref())
    }

    /// Whether a container is asked for by [`CONTAINERS`].
    #[must_use]
    pub fn wants(&self, id: &str, name: Option<&str>) -> bool {
        let mut wanted = self.all("container").peekable();
        wanted.peek().is_none() || wanted.any(|one| is_called(one, id, name))
    }

    /// Whether a name is asked for by `name` of [`OF_CONTAINERS`].
    pub(super) fn names(&self, name: Option<&str>) -> bool {
        self.one("name").is_none_or(|wanted| {
            name.is_some_and(|name| match wanted.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == wanted,
            })
        })
    }
}

/// As in the JSON.
fn state_name(state: ContainerState) -> &'static str {
    match state {
        ContainerState::Running => "running",
        ContainerState::Paused => "paused",
        ContainerState::Exited => "exited",
    }
}

/// The first `limit` of a sorted list, and the key of the last one where there are more.
pub fn page<T, K>(mut list: Vec<T>, limit: Option<u64>, key: impl Fn(&T) -> K) -> (Vec<T>, Option<K>) {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let has_more = list.len() > limit;
    list.truncate(limit);
    let next = list.last().filter(|_| has_more).map(key);
    (list, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::container;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query::of(pairs)
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (pairs, is_good) in [
            (&[][..], true),
            (&[("limit", "5"), ("state", "running")], true),
            (&[("label", "a"), ("label", "b")], true),
            (&[("limit", "0")], false),
            (&[("limit", "-1")], false),
            (&[("limit", "99999999999999999999999999")], false),
            (&[("limit", "1"), ("limit", "2")], false),
            (&[("state", "asleep")], false),
            (&[("colour", "red")], false),
        ] {
            assert_eq!(query(pairs).check(OF_CONTAINERS).is_ok(), is_good, "{pairs:?}");
        }
    }

    #[test]
    fn lists_are_filtered() {
        let mut web = container("abc");
        web.labels.insert("tier".to_owned(), "front".to_owned());
        for (pairs, is_listed) in [
            (&[("name", "c-abc")][..], true),
            (&[("name", "c-*")], true),
            (&[("name", "abc")], false),
            (&[("label", "tier")], true),
            (&[("label", "tier=front"), ("state", "running")], true),
            (&[("label", "tier"), ("label", "other")], false),
            (&[("runtime", "podman")], false),
            (&[("state", "exited")], false),
        ] {
            assert_eq!(query(pairs).lists(&web), is_listed, "{pairs:?}");
        }
        assert!(query(&[("container", "x"), ("container", "abcdef")]).wants("abcdef0", None));
        assert!(!query(&[("container", "x")]).wants("abc", Some("web")));
        assert!(query(&[]).wants("abc", None));
    }

    #[test]
    fn pages_end_where_nothing_is_left() {
        assert_eq!(page(vec![1, 2, 3], Some(2), |one| *one), (vec![1, 2], Some(2)));
        assert_eq!(page(vec![1, 2], Some(2), |one| *one), (vec![1, 2], None));
        assert_eq!(page(vec![1, 2], None, |one| *one), (vec![1, 2], None));
    }
}
