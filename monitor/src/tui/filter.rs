//! Which containers are shown: words, and `key:value` of what a container has. The grammar is the dashboard's
//! (web/src/model/filter.ts).

use crate::model::Container;

/// What can stand before a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Image,
    Label,
    Runtime,
    Pod,
    Project,
    State,
}

const KEYS: [(&str, Key); 7] = [
    ("name", Key::Name),
    ("image", Key::Image),
    ("label", Key::Label),
    ("runtime", Key::Runtime),
    ("pod", Key::Pod),
    ("project", Key::Project),
    ("state", Key::State),
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// `None`: anything that names the container.
    key: Option<Key>,
    /// In lower case.
    value: String,
    /// Written with a minus before it.
    not: bool,
}

/// Terms, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Reads terms divided by blanks; one in quotes may have blanks in it.
    pub(super) fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (term, after) = term(rest);
            terms.extend(term);
            rest = after.trim_start();
        }
        Self { terms }
    }

    /// Whether a container is shown.
    pub(super) fn matches(&self, container: &Container) -> bool {
        self.terms.iter().all(|term| term.holds(container) != term.not)
    }
}

/// The first term of a text that begins with one, and what is after it.
fn term(text: &str) -> (Option<Term>, &str) {
    let (not, unsigned) = match text.strip_prefix('-') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(char::is_whitespace) => (true, rest),
        _ => (false, text),
    };
    let (key, value) = split_key(unsigned);
    let (value, rest) = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
    };
    let known = key.and_then(|key| KEYS.iter().find(|(name, _)| *name == key)).map(|(_, key)| *key);
    // What looks like a key and is none is a word with a colon, such as an image with its tag.
    let word = match (key, known) {
        (Some(key), None) => format!("{key}:{}", value.to_lowercase()),
        _ => value.to_lowercase(),
    };
    let is_term = !word.is_empty() || known.is_some();
    (is_term.then_some(Term { key: known, value: word, not }), rest)
}

/// Letters before a colon that something comes after.
fn split_key(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((key, value))
            if !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_lowercase())
                && !value.is_empty()
                && !value.starts_with(char::is_whitespace) =>
        {
            (Some(key), value)
        }
        _ => (None, text),
    }
}

impl Term {
    fn holds(&self, container: &Container) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.value);
        let may_have = |text: Option<&str>| text.is_some_and(has);
        match self.key {
            Some(Key::Name) => has(container.name.as_deref().unwrap_or(&container.short_id)),
            Some(Key::Image) => may_have(container.image.as_deref()),
            Some(Key::Runtime) => has(&container.runtime),
            Some(Key::Pod) => may_have(pod(container).as_deref()),
            Some(Key::Project) => may_have(container.project()),
            Some(Key::State) => state(container).starts_with(&self.value),
            Some(Key::Label) => has_label(container, &self.value),
            None => {
                may_have(container.name.as_deref())
                    || may_have(container.image.as_deref())
                    || container.id.starts_with(&self.value)
                    || may_have(pod(container).as_deref())
            }
        }
    }
}

/// `KEY` or `KEY=VALUE`; as long as it is typed, a part of the value will do.
fn has_label(container: &Container, wanted: &str) -> bool {
    let (key, value) = match wanted.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (wanted, None),
    };
    container.labels.iter().any(|(name, told)| {
        name.to_lowercase() == key && value.is_none_or(|value| told.to_lowercase().starts_with(value))
    })
}

/// The state as the JSON has it.
pub(super) fn state(container: &Container) -> &'static str {
    use crate::model::ContainerState;
    match container.state {
        ContainerState::Running => "running",
        ContainerState::Paused => "paused",
        ContainerState::Exited => "exited",
    }
}

/// The pod as it is written: its namespace and its name, or its uid where the runtime tells neither.
pub(super) fn pod(container: &Container) -> Option<String> {
    let pod = container.pod.as_ref()?;
    Some(match (&pod.namespace, &pod.name) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (None, Some(name)) => name.clone(),
        (_, None) => pod.uid.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Pod, tui::testing::container};

    /// The cases of web/src/model/filter.test.ts.
    #[test]
    fn filters_match_as_in_the_dashboard() {
        let mut web = container("shop-web-1");
        web.id = "4f2c00112233".to_owned();
        web.image = Some("nginx:1.29".to_owned());
        web.labels = [("com.docker.compose.project", "shop"), ("tier", "front end")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        web.pod =
            Some(Pod { name: Some("web-0".into()), namespace: Some("prod".into()), uid: "u1".to_owned() });
        let cases = [
            ("", true),
            ("WEB", true),
            ("nginx:1.29", true),
            ("4f2c", true),
            ("prod/web", true),
            ("batch", false),
            ("web batch", false),
            ("-batch", true),
            ("-web", false),
            ("runtime:docker state:run", true),
            ("state:exited", false),
            ("pod:web-0", true),
            ("project:shop", true),
            ("label:tier", true),
            ("label:\"tier=front end\"", true),
            ("label:tier=front", true),
            ("label:tier=back", false),
            ("label:ti", false),
            ("-label:tier", false),
            ("\"shop-web", true),
        ];
        for (text, is_shown) in cases {
            assert_eq!(Filter::parse(text).matches(&web), is_shown, "{text}");
        }
    }

    #[test]
    fn what_is_typed_by_halves_is_a_word() {
        let web = container("web");
        for text in ["-", "state:", "- web", "name:\""] {
            let filter = Filter::parse(text);
            assert!(!filter.terms.is_empty(), "{text}");
            let _ = filter.matches(&web);
        }
    }
}
