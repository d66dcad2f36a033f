//! Arguments of `monitor serve` about who may ask.

use std::path::PathBuf;

use clap::Args;

/// Who may ask, and how it is kept from others. Secrets are read from files, so that nobody sees them among the processes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Who may ask")]
pub struct AccessArgs {
    /// A file with a token that clients must have, as `Authorization: Bearer TOKEN` or, in browsers, as the password of any
    /// user. /healthz is answered without, and so is who comes through a Unix socket. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub auth_token_file: Option<PathBuf>,
    /// Speak TLS with the certificate in this file (PEM, its own first), read again when it changes and on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// Answer clients alone that have a certificate of those in this file (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_client_ca_file: Option<PathBuf>,
    /// Another name of this machine that clients may ask for it by, or `*.DOMAIN`; may be given more than once, or several with
    /// commas between them. Its addresses, `localhost` and its host name are known.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub allowed_host: Vec<String>,
    /// Let whoever reaches the address read everything, where that is not this machine alone.
    #[arg(long)]
    pub insecure: bool,
}
