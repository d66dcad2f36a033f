//! Settings of databases and collectors.

use std::path::Path;

use crate::{
    cli::{OtlpProtocol, SinkArgs, StatsdFormat},
    credentials::{Secret, Trust},
    sinks::settings::{
        Address, Credentials, Dialect, HttpError, InfluxDb, Otlp, Place, Protocol, RemoteWrite, SFlow,
        SecretHeaders, Settings, SinkError, Socket, StatsD,
    },
};

impl TryFrom<&SinkArgs> for Settings {
    type Error = SinkError;

    fn try_from(args: &SinkArgs) -> Result<Self, SinkError> {
        let labels = args.export_label.iter().map(|label| parse_label(label)).collect::<Result<_, _>>()?;
        let trust =
            args.export_ca_file.as_deref().map(|path| Trust::read(path).map_err(file("--export-ca-file")));
        let sflow = args.sflow.as_deref().map(|given| {
            SFlow::parse(given).map_err(|wrong| SinkError::Text {
                flag: "--sflow",
                given: given.to_owned(),
                wrong,
            })
        });
        Ok(Self {
            interval: args.export_interval,
            queue_bytes: usize::try_from(args.export_queue).unwrap_or(usize::MAX).saturating_mul(1 << 20),
            labels,
            trust: trust.transpose()?.unwrap_or_default(),
            influxdb: influxdb(args)?,
            remote_write: remote_write(args)?,
            otlp: otlp(args)?,
            statsd: statsd(args)?,
            sflow: sflow.transpose()?,
        })
    }
}

fn influxdb(args: &SinkArgs) -> Result<Option<InfluxDb>, SinkError> {
    let SinkArgs {
        influxdb_url,
        influxdb_database,
        influxdb_user,
        influxdb_password_file,
        influxdb_org,
        influxdb_bucket,
        influxdb_token_file,
        ..
    } = args;
    let Some(url) = influxdb_url else {
        let others = [influxdb_database, influxdb_user, influxdb_org, influxdb_bucket];
        let is_alone = others.iter().all(|one| one.is_none())
            && influxdb_password_file.is_none()
            && influxdb_token_file.is_none();
        return if is_alone {
            Ok(None)
        } else {
            Err(SinkError::Together("say where InfluxDB is with --influxdb-url"))
        };
    };
    let place = match (influxdb_database, influxdb_bucket) {
        (Some(database), _) => {
            let (name, policy) = database
                .split_once('/')
                .map_or((database.as_str(), None), |(name, policy)| (name, Some(policy.to_owned())));
            Place::Database { name: name.to_owned(), policy }
        }
        (None, Some(bucket)) => Place::Bucket { name: bucket.clone(), organization: influxdb_org.clone() },
        (None, None) => {
            let wrong = "say where in InfluxDB to write: --influxdb-database in InfluxDB 1, --influxdb-bucket in 2 and 3";
            return Err(SinkError::Together(wrong));
        }
    };
    let user = User { name: influxdb_user.as_deref(), password: influxdb_password_file.as_deref() };
    let token = influxdb_token_file.as_deref();
    let flags =
        Flags { password: "--influxdb-password-file", token: "--influxdb-token-file", scheme: "Token" };
    let credentials = credentials(&user, token, &flags)?;
    Ok(Some(InfluxDb { address: address("--influxdb-url", url)?, place, credentials }))
}

fn remote_write(args: &SinkArgs) -> Result<Option<RemoteWrite>, SinkError> {
    let SinkArgs {
        remote_write_url,
        remote_write_user,
        remote_write_password_file,
        remote_write_token_file,
        ..
    } = args;
    let Some(url) = remote_write_url else {
        let is_alone = remote_write_user.is_none()
            && remote_write_password_file.is_none()
            && remote_write_token_file.is_none();
        return if is_alone {
            Ok(None)
        } else {
            Err(SinkError::Together("say where to write with --remote-write-url"))
        };
    };
    let user = User { name: remote_write_user.as_deref(), password: remote_write_password_file.as_deref() };
    let token = remote_write_token_file.as_deref();
    let flags = Flags {
        password: "--remote-write-password-file",
        token: "--remote-write-token-file",
        scheme: "Bearer",
    };
    let credentials = credentials(&user, token, &flags)?;
    Ok(Some(RemoteWrite { address: address("--remote-write-url", url)?, credentials }))
}

fn otlp(args: &SinkArgs) -> Result<Option<Otlp>, SinkError> {
    let SinkArgs { otlp_url, otlp_protocol, otlp_headers_file, .. } = args;
    let Some(url) = otlp_url else {
        let is_alone = otlp_headers_file.is_none();
        return if is_alone {
            Ok(None)
        } else {
            Err(SinkError::Together("say where to write with --otlp-url"))
        };
    };
    let headers = otlp_headers_file.as_deref().map(SecretHeaders::read).transpose();
    Ok(Some(Otlp {
        address: address("--otlp-url", url)?,
        protocol: match otlp_protocol {
            OtlpProtocol::Grpc => Protocol::Grpc,
            OtlpProtocol::Http => Protocol::Http,
        },
        headers: headers.map_err(file("--otlp-headers-file"))?.unwrap_or_default(),
    }))
}

fn statsd(args: &SinkArgs) -> Result<Option<StatsD>, SinkError> {
    let SinkArgs { statsd, statsd_format, .. } = args;
    let Some(given) = statsd else { return Ok(None) };
    let wrong = |wrong| SinkError::Text { flag: "--statsd", given: given.clone(), wrong };
    Ok(Some(StatsD {
        socket: Socket::parse(given).map_err(wrong)?,
        dialect: match statsd_format {
            StatsdFormat::Statsd => Dialect::StatsD,
            StatsdFormat::Dogstatsd => Dialect::DogStatsD,
        },
    }))
}

struct User<'a> {
    name: Option<&'a str>,
    password: Option<&'a Path>,
}

struct Flags {
    password: &'static str,
    token: &'static str,
    scheme: &'static str,
}

fn credentials(user: &User<'_>, token: Option<&Path>, flags: &Flags) -> Result<Credentials, SinkError> {
    if let Some(path) = token {
        let token = Secret::read(path).map_err(file(flags.token))?;
        return Ok(Credentials::Token { scheme: flags.scheme, token });
    }
    match (user.name, user.password) {
        (None, None) => Ok(Credentials::None),
        (Some(name), Some(path)) => {
            let password = Secret::read(path).map_err(file(flags.password))?;
            Ok(Credentials::Basic { user: name.to_owned(), password })
        }
        _ => {
            Err(SinkError::Together("a user has a password and a password has a user: give both, or neither"))
        }
    }
}

fn address(flag: &'static str, url: &str) -> Result<Address, SinkError> {
    Address::parse(url).map_err(|wrong| SinkError::Address { flag, wrong })
}

fn file<E: Into<HttpError>>(flag: &'static str) -> impl Fn(E) -> SinkError {
    move |source| SinkError::File { flag, source: source.into() }
}

/// `NAME=VALUE`, with a name that every database takes.
fn parse_label(label: &str) -> Result<(String, String), SinkError> {
    let is_name = |name: &str| {
        let mut characters = name.chars();
        characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && characters.all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    match label.split_once('=') {
        Some((name, value)) if is_name(name) && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(SinkError::Text {
            flag: "--export-label",
            given: label.to_owned(),
            wrong: "is no NAME=VALUE with a name of letters, digits and _",
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        cli::{Cli, Command},
        config,
        error::chain,
    };

    fn settings(args: &[&str]) -> Result<Settings, SinkError> {
        let typed = ["monitor", "serve"].iter().chain(args).map(Into::into);
        let Cli { command: Command::Serve(args), .. } = config::read(typed).unwrap() else { panic!() };
        Settings::try_from(args.sinks.as_ref())
    }

    #[test]
    fn nothing_is_written_to_by_default() {
        let settings = settings(&[]).unwrap();
        assert!(settings.is_empty());
        assert_eq!((settings.interval.as_secs(), settings.queue_bytes), (10, 32 << 20));
    }

    #[test]
    fn each_version_of_influxdb_has_its_place() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "xyzzy\n").unwrap();
        let path = file.path().to_str().unwrap();
        let url = ["--influxdb-url", "http://db:8086"];
        let influxdb = |args: &[&str]| settings(&[&url, args].concat()).map(|all| all.influxdb.unwrap());
        let one = influxdb(&[
            "--influxdb-database",
            "d/week",
            "--influxdb-user",
            "me",
            "--influxdb-password-file",
            path,
        ]);
        let one = one.unwrap();
        assert_eq!(one.place, Place::Database { name: "d".to_owned(), policy: Some("week".to_owned()) });
        assert!(matches!(&one.credentials, Credentials::Basic { user, .. } if user == "me"));
        assert!(!format!("{one:?}").contains("xyzzy"));
        let two = influxdb(&["--influxdb-bucket", "b", "--influxdb-org", "o", "--influxdb-token-file", path])
            .unwrap();
        assert_eq!(two.place, Place::Bucket { name: "b".to_owned(), organization: Some("o".to_owned()) });
        assert!(matches!(two.credentials, Credentials::Token { scheme: "Token", .. }));
        for (args, word) in [
            (&[][..], "--influxdb-database"),
            (&["--influxdb-database", "d", "--influxdb-user", "me"], "password"),
            (&["--influxdb-bucket", "d", "--influxdb-token-file", "/nonexistent"], "/nonexistent"),
        ] {
            let said = chain(&influxdb(args).unwrap_err());
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_without_secrets() {
        for (args, word) in [
            (&["--influxdb-database", "d"][..], "--influxdb-url"),
            (&["--remote-write-url", "http://me:xyzzy@db/"], "--remote-write-url"),
            (&["--remote-write-user", "me"], "--remote-write-url"),
            (&["--otlp-url", "collector:4317"], "--otlp-url"),
            (&["--statsd", "localhost"], "localhost"),
            (&["--sflow", "a:b"], "--sflow"),
            (&["--export-label", "a-b=c"], "a-b=c"),
            (&["--export-ca-file", "/nonexistent"], "/nonexistent"),
        ] {
            let said = chain(&settings(args).unwrap_err());
            assert!(said.contains(word) && !said.contains("xyzzy"), "{args:?}: {said}");
        }
    }
}
