//! Promises of the readers of a process's files: [`crate::fuzzing`].

use jiff::Timestamp;
use procfs::{FromRead as _, process::Status};

use super::{mounts, namespaces, process, security};
use crate::{
    fuzzing::{self, made},
    host::parse_stat,
};

/// Files of a process, under their own names.
pub(crate) fn files(input: &[u8]) {
    for (name, bytes) in fuzzing::files(input) {
        // As they are read: with replacement characters for what is not UTF-8.
        let text = String::from_utf8_lossy(bytes);
        match name {
            "status" => {
                if let Ok(status) = Status::from_read(text.as_bytes()) {
                    let names = security::capabilities(&status).effective;
                    assert_eq!(names.len(), status.capeff.count_ones() as usize);
                    made(process::resident_bytes(&status));
                }
                made(security::seccomp_filters(&text));
            }
            "stat" => {
                if let Ok(stat) = parse_stat(text.as_bytes()) {
                    assert!(
                        process::after_boot(Timestamp::UNIX_EPOCH, stat.starttime) >= Timestamp::UNIX_EPOCH
                    );
                }
            }
            "cmdline" => assert!(process::parse_arguments(&text.replace('\n', "\0")).len() <= bytes.len()),
            "attr/current" => made(security::label(&text)),
            "mountinfo" => assert!(mounts::parse(&text).len() <= text.lines().count()),
            "ns/net" => made(namespaces::parse_link("net", &text)),
            _ => {}
        }
    }
}
