//! Promises of the readers of the machine's /proc and /sys: [`crate::fuzzing`].

use super::{machine, parse, parse_cpu_list, parse_namespace, parse_users};
use crate::{
    fuzzing::{self, made},
    host::interfaces::parse_interfaces,
};

/// Files of a machine, under their own names; those of one figure under its name.
pub(crate) fn files(input: &[u8]) {
    for (name, bytes) in fuzzing::files(input) {
        let text = String::from_utf8_lossy(bytes);
        match name {
            "stat" => {
                if let Some((cpu, _)) = parse::stat(bytes) {
                    assert!(cpu.all.busy_ns() >= cpu.all.user_ns && cpu.each.len() <= bytes.len());
                }
            }
            "vmstat" => made(parse::vmstat(bytes)),
            "meminfo" => made(parse::meminfo(bytes)),
            "loadavg" => made(parse::loadavg(bytes)),
            "diskstats" => made(parse::disks(bytes)),
            "net/dev" => {
                let sorted = parse::interfaces(bytes);
                assert!(sorted.is_none_or(|all| all.is_sorted_by(|one, other| one.name <= other.name)));
                made(parse_interfaces(&text));
            }
            "pressure" => made(parse::pressure(bytes)),
            "passwd" => made(parse_users(&text)),
            "cpuinfo" => made(machine::field(&text, "cpu MHz").and_then(machine::parse_mhz)),
            "os-release" => made(machine::pretty_name(&text)),
            "node/meminfo" => made(machine::node_memory(&text)),
            "list" => {
                let (count, numbers) = (parse_cpu_list(text.trim()), machine::parse_list(text.trim()));
                assert!(numbers.is_none_or(|numbers| numbers.len() <= machine::MOST_LISTED));
                assert!(count.is_none_or(|count| count > 0));
            }
            "size" => made((machine::parse_size(&text), machine::parse_device(&text))),
            "scheduler" => assert!(text.contains(&machine::chosen(&text))),
            "namespace" => made(parse_namespace(&text)),
            _ => {}
        }
    }
}
