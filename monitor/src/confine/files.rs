//! Landlock: which files the calling thread may open.
//!
//! A thread that Landlock confines may not look at other processes either (`hook_ptrace_access_check`, security/landlock),
//! which is what `CAP_SYS_PTRACE` is kept for: threads with that are confined by [`super::syscalls`] alone.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, PathFdError, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
};
use rustix::thread::CapabilitySet;

use super::{Files, Rights};

/// The rights that are known here; of a kernel that knows fewer, fewer are taken.
const KNOWN: ABI = ABI::V5;

/// Why files could not be confined.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilesError {
    /// The kernel does not take the rules.
    #[error("confine files by Landlock")]
    Rules(#[from] RulesetError),
    /// The directory that may be written cannot be opened.
    #[error("confine files by Landlock")]
    Directory(#[from] PathFdError),
}

/// Whether the kernel has Landlock, which says what is missing where it has not.
pub fn landlock() -> Result<(), &'static str> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    ruleset.map(drop).map_err(|_unsupported| {
        "this kernel has no Landlock, or does not start it (5.13, CONFIG_SECURITY_LANDLOCK=y, landlock in lsm=)"
    })
}

/// Whether a directory is the calling thread's own.
pub(super) fn is_ours(folder: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::metadata(folder).is_ok_and(|metadata| metadata.uid() == own)
}

/// Confines the calling thread; without Landlock nothing happens.
pub(super) fn confine(rights: &Rights<'_>) -> Result<(), FilesError> {
    if rights.capabilities.contains(CapabilitySet::SYS_PTRACE) {
        return Ok(());
    }
    let write = AccessFs::from_write(KNOWN);
    let all = AccessFs::from_all(KNOWN);
    let ruleset = Ruleset::default();
    let created = match rights.files {
        Files::All => return Ok(()),
        Files::Nothing => ruleset.handle_access(all)?.create()?,
        Files::Read => ruleset.handle_access(write)?.create()?,
        Files::ReadAndRemove => ruleset.handle_access(write & !AccessFs::RemoveFile)?.create()?,
        Files::Below(folder) => {
            let rule = PathBeneath::new(PathFd::new(folder)?, all & !AccessFs::Execute);
            ruleset.handle_access(all)?.create()?.add_rule(rule)?
        }
    };
    created.restrict_self()?;
    Ok(())
}
