//! Who may ask: whoever is on this machine, or has a token or a certificate, and no page of another site.
//!
//! A browser asks for whatever page it shows, so being reached from this machine alone is not enough: [`Access`] answers only to
//! names that are this machine's own (DNS rebinding makes another site's name lead here) and never where another site's page
//! asks. Everything is read only, so that is all that there is to protect.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, header, uri::Authority},
    middleware::{self, Next},
    response::IntoResponse as _,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio_rustls::rustls::ServerConfig;

use super::{
    hub::Hub,
    problem::{self, Problem},
};
use crate::credentials::{CredentialsError, Identity, Secret};

/// A token that can be guessed is none.
pub const SHORTEST_TOKEN: usize = 16;
/// May be asked for by everybody: whether all is well, which those ask that start this program again.
const OPEN: &str = "/healthz";

/// Who may ask, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A file with the token that everybody must have who does not come through a Unix socket.
    pub token: Option<PathBuf>,
    /// TLS, with this certificate.
    pub identity: Option<Identity>,
    /// Certificates of those who vouch for clients, who must have one then.
    pub clients: Option<PathBuf>,
    /// Names of this machine besides those that it knows itself: a name, or `*.` and a domain.
    pub hosts: Vec<String>,
}

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file cannot be used.
    #[error("{flag}")]
    File {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        source: CredentialsError,
    },
    /// The token has blanks at an end.
    #[error("the token in {} begins or ends with a blank, which is lost on the way: write it without", path.display())]
    BlankToken {
        /// Its file.
        path: PathBuf,
    },
    /// The token is too short.
    #[error("the token in {} has fewer than {SHORTEST_TOKEN} characters: `openssl rand -hex 32` makes one", path.display())]
    ShortToken {
        /// Its file.
        path: PathBuf,
    },
}

/// What files say now.
#[derive(Clone, Debug, Default)]
struct Keys {
    token: Option<Arc<Secret>>,
    tls: Option<Arc<ServerConfig>>,
}

/// Who may ask.
#[derive(Debug)]
pub struct Access {
    rules: Rules,
    keys: RwLock<Keys>,
    /// What this machine calls itself.
    own_name: String,
}

/// Where a request came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entrance {
    /// A port.
    #[default]
    Port,
    /// A Unix socket, whose mode says who may open it.
    Socket,
}

impl Access {
    /// Reads what the rules name.
    pub fn open(rules: Rules) -> Result<Self, AccessError> {
        let keys = RwLock::new(read(&rules)?);
        let own_name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        Ok(Self { rules, keys, own_name })
    }

    /// The files that it was made of.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let Rules { token, identity, clients, hosts: _ } = &self.rules;
        let identity = identity.iter().flat_map(|identity| [&identity.certificates, &identity.key]);
        token.iter().chain(identity).chain(clients).map(PathBuf::as_path)
    }

    /// Reads them again, and goes on with what it has where that fails.
    pub fn renew(&self) -> Result<(), AccessError> {
        let keys = read(&self.rules)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// How TLS is spoken from now on; `None` where it is not.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.keys().tls
    }

    fn keys(&self) -> Keys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why a request is not answered; `None` where it is.
    fn refusal(&self, request: &Request) -> Option<Problem> {
        let headers = request.headers();
        let host = request.uri().authority().map(Authority::as_str).or_else(|| {
            // A client that names no host is no browser.
            headers.get(header::HOST)?.to_str().ok()
        });
        if is_of_another_site(request.method(), headers, host, |name| self.is_own(name)) {
            let detail = "another site's page asks, and what is here is nobody's to show elsewhere";
            return Some(Problem::new(problem::FOREIGN_PAGE, detail));
        }
        if request.extensions().get() == Some(&Entrance::Socket) {
            return None;
        }
        if let Some(token) = self.keys().token {
            if is_authorized(headers, &token) {
                return None;
            }
            if request.uri().path() != OPEN {
                let detail =
                    "say who asks: the token as `Authorization: Bearer`, or as the password of any user";
                return Some(Problem::new(problem::NO_TOKEN, detail));
            }
        }
        // Nobody has come this far without a certificate then.
        if self.rules.clients.is_some() || host.is_none_or(|host| self.is_own(name_of(host))) {
            return None;
        }
        let detail = format!(
            "{} is no name of this machine that is known here: --allowed-host adds one",
            host.map_or("", name_of)
        );
        Some(Problem::new(problem::UNKNOWN_HOST, detail))
    }

    /// Whether a name, in lower case or not, is this machine's. An address is: what a browser takes for another site has a name.
    fn is_own(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_allowed = |allowed: &String| {
            let allowed = allowed.to_ascii_lowercase();
            match allowed.strip_prefix('*') {
                Some(domain) => name.strip_suffix(domain).is_some_and(|host| !host.is_empty()),
                None => allowed == name,
            }
        };
        name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || name == self.own_name
            || self.rules.hosts.iter().any(is_allowed)
    }
}

fn read(rules: &Rules) -> Result<Keys, AccessError> {
    let Rules { token, identity, clients, hosts: _ } = rules;
    let of = |flag| move |source| AccessError::File { flag, source };
    let read_token = |path: &PathBuf| {
        let token = Secret::read(path).map_err(of("--auth-token-file"))?;
        if token.reveal().len() < SHORTEST_TOKEN {
            return Err(AccessError::ShortToken { path: path.clone() });
        }
        if token.reveal().trim() != token.reveal() {
            return Err(AccessError::BlankToken { path: path.clone() });
        }
        Ok(Arc::new(token))
    };
    let read_identity = |identity: &Identity| {
        identity.server(clients.as_deref()).map(Arc::new).map_err(of("--tls-cert-file, --tls-key-file"))
    };
    Ok(Keys {
        token: token.as_ref().map(read_token).transpose()?,
        tls: identity.as_ref().map(read_identity).transpose()?,
    })
}

/// The name in `NAME:PORT`.
fn name_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // Not a part of an address such as `[::1]`.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

/// Whether a browser says that another site's page asks. A link that leads here is no such page: who follows it sees what is
/// here, and the page that it stood on does not.
fn is_of_another_site(
    method: &Method,
    headers: &HeaderMap,
    host: Option<&str>,
    is_own: impl Fn(&str) -> bool,
) -> bool {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = word("sec-fetch-site") {
        let is_link = word("sec-fetch-mode") == Some("navigate")
            && word("sec-fetch-dest") == Some("document")
            && method == Method::GET;
        return !matches!(site, "same-origin" | "none") && !is_link;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let authority = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    // Behind a proxy a page has a name that the request has not.
    !authority.is_some_and(|authority| Some(authority) == host || is_named(name_of(authority), &is_own))
}

/// Whether a page of this name is ours. One that has an address may be anybody's.
fn is_named(name: &str, is_own: impl Fn(&str) -> bool) -> bool {
    let is_local = name == "localhost" || name.ends_with(".localhost");
    !is_local && name.trim_matches(['[', ']']).parse::<IpAddr>().is_err() && is_own(name)
}

fn is_authorized(headers: &HeaderMap, token: &Secret) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes) else { return false };
    let Some(space) = value.iter().position(|byte| *byte == b' ') else { return false };
    let (scheme, rest) = value.split_at(space);
    let given = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return token.is(given);
    }
    // Browsers ask for a user and a password; whatever the user is called.
    scheme.eq_ignore_ascii_case(b"basic")
        && STANDARD.decode(given).is_ok_and(|pair| {
            let colon = pair.iter().position(|byte| *byte == b':');
            colon.is_some_and(|colon| token.is(&pair[colon + 1..]))
        })
}

/// Has a router answer those alone that may ask, and tells browsers to keep the answers from other sites.
pub fn guarded(router: Router, access: Arc<Access>, hub: Hub) -> Router {
    router.layer(middleware::from_fn_with_state((access, hub), guard))
}

async fn guard(
    State((access, hub)): State<(Arc<Access>, Hub)>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let mut response = match access.refusal(&request) {
        None => next.run(request).await,
        Some(refusal) => {
            hub.figures().count(refusal.status());
            refusal.into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests;
