//! Secrets, keys and certificates, which are read from files: on a command line or in the environment others could see them.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use subtle::ConstantTimeEq as _;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file with a secret is no such file.
    #[error("{} is to have one line of printable characters, a password or a token", path.display())]
    NoSecret {
        /// Which.
        path: PathBuf,
    },
    /// A file with certificates is no such file.
    #[error("{} is to have certificates in PEM: {wrong}", path.display())]
    NoCertificates {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// A file with a key is no such file.
    #[error("{} is to have a private key in PEM: {wrong}", path.display())]
    NoKey {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// A key and its certificate do not go together, or TLS cannot do with them.
    #[error("use the certificate in {} with its key", path.display())]
    Refused {
        /// The certificate's file.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
}

/// Something that nobody is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

impl Secret {
    /// The only line of a file.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let failed = |source| CredentialsError::Read { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(failed)?;
        let text = text.trim_end_matches(['\r', '\n']);
        let is_secret = !text.is_empty() && !text.chars().any(char::is_control);
        if is_secret {
            Ok(Self(text.to_owned()))
        } else {
            Err(CredentialsError::NoSecret { path: path.to_owned() })
        }
    }

    /// As it is sent, and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is it. How long that takes says nothing but whether the length is the same.
    #[must_use]
    pub fn is(&self, guess: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(guess).into()
    }
}

/// A certificate with those that vouch for it, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The file with the certificates, its own first.
    pub certificates: PathBuf,
    /// The file with the key.
    pub key: PathBuf,
}

impl Identity {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CredentialsError> {
        let certificates = read_certificates(&self.certificates)?;
        let bytes = read(&self.key)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| CredentialsError::NoKey {
            path: self.key.clone(),
            // What a parser says of a key might have some of it.
            wrong: if bytes.is_empty() { "it is empty" } else { kind_of(&error) }.to_owned(),
        })?;
        Ok((certificates, key))
    }

    fn refused(&self, source: rustls::Error) -> CredentialsError {
        CredentialsError::Refused { path: self.certificates.clone(), source }
    }

    /// How a server speaks TLS with it, to clients with a certificate of `clients` alone where that is given.
    pub fn server(&self, clients: Option<&Path>) -> Result<ServerConfig, CredentialsError> {
        let (certificates, key) = self.read()?;
        let builder = ServerConfig::builder_with_provider(provider());
        let builder =
            builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| self.refused(error))?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(read_certificates(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                let verifier = verifier.build().map_err(|error| CredentialsError::NoCertificates {
                    path: path.to_owned(),
                    wrong: error.to_string(),
                })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(|error| self.refused(error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Who may vouch for a server.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Whoever the system trusts.
    #[default]
    System,
    /// These.
    Only(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// Those in a file.
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        read_certificates(path).map(Self::Only)
    }

    /// How TLS is spoken to such a server. A certificate that is none is left out: nobody is trusted for it.
    #[must_use]
    pub fn client(&self) -> ClientConfig {
        self.builder().with_no_client_auth()
    }

    /// The same, with a certificate of one's own.
    pub fn client_with(&self, identity: &Identity) -> Result<ClientConfig, CredentialsError> {
        let (certificates, key) = identity.read()?;
        let config = self.builder().with_client_auth_cert(certificates, key);
        config.map_err(|error| identity.refused(error))
    }

    fn builder(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        let (_added, _ignored) = match self {
            Self::System => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
            Self::Only(certificates) => roots.add_parsable_certificates(certificates.iter().cloned()),
        };
        ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("ring has cipher suites of both versions")
            .with_root_certificates(roots)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, CredentialsError> {
    fs::read(path).map_err(|source| CredentialsError::Read { path: path.to_owned(), source })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let wrong = |wrong| CredentialsError::NoCertificates { path: path.to_owned(), wrong };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() { Err(wrong("there is none".to_owned())) } else { Ok(certificates) }
}

fn kind_of(error: &rustls::pki_types::pem::Error) -> &'static str {
    match error {
        rustls::pki_types::pem::Error::NoItemsFound => "there is none",
        _ => "it is damaged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn secrets_are_read_compared_and_never_shown() {
        let secret = Secret::read(file("pass word\n").path()).unwrap();
        assert!(secret.is(b"pass word"));
        assert!(!secret.is(b"pass work") && !secret.is(b"pass") && !secret.is(b""));
        assert!(!format!("{secret:?}").contains("pass"));
        for wrong in ["", "\n", "two\nlines\n", "an \u{1b} escape"] {
            assert!(Secret::read(file(wrong).path()).is_err(), "{wrong:?}");
        }
        assert!(matches!(Secret::read(Path::new("/nonexistent")), Err(CredentialsError::Read { .. })));
    }

    #[test]
    fn certificates_and_keys_are_checked() {
        let nothing = file("nothing");
        assert!(matches!(Trust::read(nothing.path()), Err(CredentialsError::NoCertificates { .. })));
        let _config = Trust::Only(Vec::new()).client();
        let certificates = file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let of = |key: &str| {
            let key = file(key);
            let identity =
                Identity { certificates: certificates.path().to_owned(), key: key.path().to_owned() };
            identity.server(None).unwrap_err()
        };
        assert!(matches!(of("xyzzy"), CredentialsError::NoKey { .. }));
        let damaged = of("-----BEGIN PRIVATE KEY-----\nxyzzy\n-----END PRIVATE KEY-----\n");
        assert!(!crate::error::chain(&damaged).contains("xyzzy"), "{damaged}");
    }
}
