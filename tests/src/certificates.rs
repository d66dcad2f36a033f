//! Certificates, by openssl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::container::succeeded;

/// One who vouches for others. What it has made goes with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one.
    #[must_use]
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let own = pair(folder.path(), "authority");
        let (key, certificate) = (shown(&own.key), shown(&own.certificate));
        let subject = format!("/CN={}", folder.path().display().to_string().replace('/', "-"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &subject,
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        Self { folder }
    }

    /// Its own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        pair(self.folder.path(), "authority").certificate
    }

    /// A certificate for 127.0.0.1 and localhost, as a server's and a client's, in files of this name.
    #[must_use]
    pub fn certify(&self, name: &str) -> Certificate {
        let made = pair(self.folder.path(), name);
        let request = self.folder.path().join(format!("{name}.csr"));
        let extensions = self.folder.path().join("extensions");
        let lines = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n";
        fs::write(&extensions, lines).expect("write extensions");
        let subject = format!("/CN={name}");
        openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            &shown(&made.key),
            "-out",
            &shown(&request),
        ]);
        let own = pair(self.folder.path(), "authority");
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &shown(&request),
            "-CA",
            &shown(&own.certificate),
            "-CAkey",
            &shown(&own.key),
            "-CAcreateserial",
            "-extfile",
            &shown(&extensions),
            "-out",
            &shown(&made.certificate),
        ]);
        made
    }
}

fn pair(folder: &Path, name: &str) -> Certificate {
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    Certificate { certificate: file("pem"), key: file("key") }
}

fn shown(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

fn openssl(args: &[&str]) {
    let output = Command::new("openssl").args(args).output().expect("run openssl");
    let _printed = succeeded("openssl", output);
}
