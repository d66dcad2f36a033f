//! Threads of a process, by what the kernel says of their rights.

use std::{collections::BTreeMap, fs};

/// `/proc/PID/task/TID/status` of a thread.
#[derive(Clone, Debug)]
pub struct Status(BTreeMap<String, String>);

impl Status {
    /// A field's text.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).unwrap_or_else(|| panic!("no {field} in {:?}", self.0))
    }

    /// A field of bits, such as `CapEff`.
    #[must_use]
    pub fn bits(&self, field: &str) -> u64 {
        u64::from_str_radix(self.text(field), 16).expect("hexadecimal")
    }

    /// Whether programs that it executes get no rights, and its system calls are filtered.
    #[must_use]
    pub fn is_confined(&self) -> bool {
        self.text("NoNewPrivs") == "1" && self.text("Seccomp") == "2"
    }
}

/// Every thread by its name, those of one name once.
#[must_use]
pub fn threads(pid: u32) -> BTreeMap<String, Status> {
    let folder = fs::read_dir(format!("/proc/{pid}/task")).expect("list threads");
    let texts = folder.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok());
    texts
        .map(|text| {
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            let status =
                Status(lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect());
            (status.text("Name").to_owned(), status)
        })
        .collect()
}
