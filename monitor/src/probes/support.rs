//! Facts about this kernel, asked once, each kept with its reason.

use std::{fs, io};

use monitor_common::fields::{FIELDS, Offsets};

use super::{
    btf::{Btf, BtfError},
    plan::{Hook, PROGRAMS},
};

/// What this kernel offers to the programs.
#[derive(Debug)]
pub struct KernelFacts {
    /// Why there are no kernel types, where there are none: then nothing can be loaded.
    pub no_btf: Option<String>,
    /// Offsets of the members that were found.
    pub offsets: Offsets,
    /// Members that were not, by their name in [`Offsets`], each with its reason.
    pub missing_fields: Vec<(&'static str, String)>,
    /// The tracepoints among those wanted that this kernel has.
    pub tracepoints: Vec<&'static str>,
    /// CPUs that can ever come online; the maps have room for each.
    pub possible_cpus: u32,
}

/// Asks the kernel.
pub fn probe_kernel(btf: &Result<Btf, BtfError>) -> io::Result<KernelFacts> {
    let possible_cpus = read_possible_cpus()?;
    let btf = match btf {
        Ok(btf) => btf,
        Err(error) => {
            return Ok(KernelFacts {
                no_btf: Some(crate::error::chain(error)),
                offsets: Offsets::default(),
                missing_fields: Vec::new(),
                tracepoints: Vec::new(),
                possible_cpus,
            });
        }
    };
    let mut offsets = Offsets::default();
    let mut missing_fields = Vec::new();
    for (field, found) in FIELDS.iter().zip(btf.member_offsets(FIELDS)) {
        match found {
            Ok(offset) => (field.set)(&mut offsets, offset),
            Err(error) => missing_fields.push((field.name, error.to_string())),
        }
    }
    let tracepoints = PROGRAMS
        .iter()
        .filter_map(|program| match program.hook {
            Hook::Tracepoint(name) => btf.tracepoint_arguments(name).map(|_| name),
            Hook::OnDemand | Hook::EveryTask => None,
        })
        .collect();
    Ok(KernelFacts { no_btf: None, offsets, missing_fields, tracepoints, possible_cpus })
}

fn read_possible_cpus() -> io::Result<u32> {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    parse_cpu_count(text.trim()).ok_or_else(|| io::Error::other("unknown form of CPU list"))
}

/// One more than the highest CPU of a list such as `0-3,8`.
fn parse_cpu_count(list: &str) -> Option<u32> {
    let last = list.rsplit([',', '-']).next()?;
    last.parse::<u32>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_count_to_the_highest() {
        assert_eq!(parse_cpu_count("0"), Some(1));
        assert_eq!(parse_cpu_count("0-63"), Some(64));
        assert_eq!(parse_cpu_count("0-3,8-11"), Some(12));
        assert_eq!(parse_cpu_count(""), None);
    }
}
