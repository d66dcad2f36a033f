//! What sFlow wants to know of the machine besides what is measured.

use std::{fs, path::Path};

use crate::model::leads_outside;

/// Facts that do not change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    /// By which collectors know it again.
    pub(super) uuid: [u8; 16],
    pub(super) kind: u32,
    /// What the CPUs are said to run at.
    pub(super) mhz: u32,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Adapter {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) mac: [u8; 6],
}

impl Machine {
    /// Reads them below these directories; what cannot be read is 0.
    pub(super) fn read(sys: &Path, etc: &Path) -> Self {
        let read = |path: &Path| fs::read_to_string(path).ok();
        let uuid = read(&sys.join("class/dmi/id/product_uuid")).as_deref().and_then(parse_uuid);
        let uuid = uuid.or_else(|| parse_uuid(&read(&etc.join("machine-id"))?));
        let khz = read(&sys.join("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"));
        let khz: Option<u32> = khz.and_then(|text| text.trim().parse().ok());
        Self {
            uuid: uuid.unwrap_or_default(),
            kind: kind(std::env::consts::ARCH),
            mhz: khz.map_or(0, |khz| khz / 1000),
        }
    }
}

/// The interfaces that lead outside, by their numbers.
pub(super) fn adapters(sys: &Path) -> Vec<Adapter> {
    let Ok(entries) = fs::read_dir(sys.join("class/net")) else { return Vec::new() };
    let mut adapters: Vec<Adapter> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            // Of thousands of containers' there is nothing to read.
            let name = entry.file_name().into_string().ok().filter(|name| leads_outside(name))?;
            let read = |file: &str| fs::read_to_string(entry.path().join(file)).ok();
            let mac = parse_mac(read("address")?.trim())?;
            let index = read("ifindex")?.trim().parse().ok()?;
            (mac != [0; 6]).then_some(Adapter { name, index, mac })
        })
        .collect();
    adapters.sort_by_key(|adapter| adapter.index);
    adapters
}

/// Of `machine_type`.
fn kind(architecture: &str) -> u32 {
    match architecture {
        "x86" => 2,
        "x86_64" => 3,
        "powerpc" | "powerpc64" => 7,
        "mips" | "mips64" => 9,
        "arm" | "aarch64" => 10,
        "s390x" => 12,
        _ => 1,
    }
}

/// The first 32 hexadecimal digits of a text as 16 bytes.
pub(in crate::sinks) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.trim().chars().filter(|one| *one != '-').map_while(digit).take(32).collect();
    let mut uuid = [0; 16];
    if digits.len() < 32 {
        return None;
    }
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
    }
    Some(uuid)
}

fn digit(character: char) -> Option<u8> {
    character.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

pub(in crate::sinks) fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut parts = text.split(':').map(|part| u8::from_str_radix(part, 16).ok());
    let mut mac = [0; 6];
    for byte in &mut mac {
        *byte = parts.next()??;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(Machine::read(root.path(), root.path()).uuid, [0; 16]);
        write("machine-id", "000102030405060708090a0b0c0d0e0f\n");
        write("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "2600000\n");
        let machine = Machine::read(root.path(), root.path());
        assert_eq!((machine.uuid[15], machine.mhz), (15, 2600));
        write("class/dmi/id/product_uuid", "ff010203-0405-0607-0809-0a0b0c0d0e0f\n");
        assert_eq!(Machine::read(root.path(), root.path()).uuid[0], 255);
        for (name, mac, index) in [
            ("lo", "00:00:00:00:00:00", "1"),
            ("eth0", "02:00:00:00:00:0a", "2"),
            ("veth1", "02:00:00:00:00:0b", "3"),
        ] {
            write(&format!("class/net/{name}/address"), mac);
            write(&format!("class/net/{name}/ifindex"), index);
        }
        let eth0 = Adapter { name: "eth0".to_owned(), index: 2, mac: [2, 0, 0, 0, 0, 10] };
        assert_eq!(adapters(root.path()), [eth0]);
    }

    #[test]
    fn what_is_no_uuid_is_none() {
        assert_eq!(parse_uuid("web"), None);
        assert_eq!(parse_uuid(&"a".repeat(64)), Some([0xaa; 16]));
    }
}
