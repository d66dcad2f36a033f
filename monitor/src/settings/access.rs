//! Who may ask a `monitor serve`, and with what one is asked.

use std::net::ToSocketAddrs as _;

use super::SettingsError;
use crate::{
    cli::{AccessArgs, AskArgs},
    credentials::{Identity, Secret, Trust},
    plugin::client::{Address, Server},
    serve::{access::Rules, listener},
};

/// Who may ask at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openness {
    /// What is demanded of them.
    pub rules: Rules,
    /// Whether others than this machine reach the address, and nothing is demanded.
    pub is_open: bool,
    /// Whether they do, and what they send and get can be read on the way.
    pub is_overheard: bool,
}

impl Openness {
    /// Fails where others than this machine reach the address and nothing says who of them may ask.
    pub(super) fn new(listen: &listener::Address, args: &AccessArgs) -> Result<Self, SettingsError> {
        let AccessArgs {
            auth_token_file,
            tls_cert_file,
            tls_key_file,
            tls_client_ca_file,
            allowed_host,
            insecure,
        } = args;
        let identity = tls_cert_file.clone().zip(tls_key_file.clone());
        let identity = identity.map(|(certificates, key)| Identity { certificates, key });
        if matches!(listen, listener::Address::Unix(_)) && identity.is_some() {
            return Err(SettingsError::TlsOnSocket);
        }
        let demands = auth_token_file.is_some() || tls_client_ca_file.is_some();
        let is_reached = is_reached_by_others(listen);
        if is_reached && !demands && !insecure {
            return Err(SettingsError::Open { listen: listen.clone() });
        }
        Ok(Self {
            is_open: is_reached && !demands,
            is_overheard: is_reached && auth_token_file.is_some() && identity.is_none(),
            rules: Rules {
                token: auth_token_file.clone(),
                identity,
                clients: tls_client_ca_file.clone(),
                hosts: allowed_host.iter().filter(|host| !host.is_empty()).cloned().collect(),
            },
        })
    }
}

/// Whether an address may be reached from elsewhere. One that cannot be found is nobody's: listening says so.
fn is_reached_by_others(listen: &listener::Address) -> bool {
    let listener::Address::Tcp(listen) = listen else { return false };
    let found = listen.to_socket_addrs();
    found.is_ok_and(|mut found| found.any(|address| !address.ip().to_canonical().is_loopback()))
}

/// Who is asked, and what is shown there.
pub(super) fn asked(args: &AskArgs) -> Result<Server, SettingsError> {
    let AskArgs { url, timeout: _, auth_token_file, ca_file, client_cert_file, client_key_file } = args;
    let failed = |flag| move |source| SettingsError::Credentials { flag, source };
    let address: Address = url.parse()?;
    let token = auth_token_file.as_deref().map(Secret::read).transpose();
    let trust = ca_file.as_deref().map(Trust::read).transpose().map_err(failed("--ca-file"))?;
    let identity = client_cert_file.clone().zip(client_key_file.clone());
    let identity = identity.map(|(certificates, key)| Identity { certificates, key });
    let server = Server::new(address, token.map_err(failed("--auth-token-file"))?);
    server
        .with_tls(&trust.unwrap_or_default(), identity.as_ref())
        .map_err(failed("--client-cert-file, --client-key-file"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{
        cli::{Cli, Command},
        error::chain,
    };

    fn openness(args: &[&str]) -> Result<Openness, SettingsError> {
        let typed = ["monitor", "serve"].into_iter().chain(args.iter().copied());
        let Command::Serve(args) = Cli::try_parse_from(typed).unwrap().command else { panic!("not serve") };
        Openness::new(&args.listen.parse()?, &args.access)
    }

    #[test]
    fn this_machine_alone_is_asked_for_nothing() {
        for listen in ["127.0.0.1:8080", "127.8.0.1:0", "[::1]:8080", "[::ffff:127.0.0.1]:1", "unix:/run/m"] {
            assert_eq!(openness(&["--listen", listen]).unwrap(), Openness::default(), "{listen}");
        }
    }

    #[test]
    fn where_others_come_in_somebody_has_to_say_who_may() {
        for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
            let said = chain(&openness(&["--listen", listen]).unwrap_err());
            assert!(said.contains(listen) && said.contains("--auth-token-file"), "{said}");
            assert!(!said.contains('\n'), "{said}");
            let open = openness(&["--listen", listen, "--insecure"]).unwrap();
            assert!(open.is_open && !open.is_overheard);
            let overheard = openness(&["--listen", listen, "--auth-token-file", "t"]).unwrap();
            assert!(!overheard.is_open && overheard.is_overheard);
            let tls = ["--listen", listen, "--tls-cert-file", "c", "--tls-key-file", "k"];
            assert!(openness(&tls).is_err(), "who the server is says nothing about clients");
            let mutual = openness(&[&tls[..], &["--tls-client-ca-file", "a"]].concat()).unwrap();
            assert!(!mutual.is_open && !mutual.is_overheard && mutual.rules.clients.is_some());
        }
    }

    #[test]
    fn tls_needs_a_port_and_both_files() {
        let tls = ["--tls-cert-file", "c", "--tls-key-file", "k"];
        assert!(openness(&tls).unwrap().rules.identity.is_some());
        let on_socket = openness(&[&tls[..], &["--listen", "unix:/run/m"]].concat());
        assert!(matches!(on_socket, Err(SettingsError::TlsOnSocket)));
        for half in [&tls[..2], &tls[2..], &["--tls-client-ca-file", "a"]] {
            let typed = ["monitor", "serve"].iter().chain(half);
            assert!(Cli::try_parse_from(typed).is_err(), "{half:?}");
        }
    }
}
