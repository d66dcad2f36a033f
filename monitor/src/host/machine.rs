//! What the machine is made of: processors, memory, disks and interfaces, from `/proc`, `/sys` and `/etc`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

/// What hardly changes while the machine runs. `None` and empty is what it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `/etc/machine-id`.
    pub machine_id: Option<String>,
    /// By the firmware.
    pub system_uuid: Option<String>,
    /// `PRETTY_NAME` of `/etc/os-release`.
    pub os: Option<String>,
    /// `vendor_id` of `/proc/cpuinfo`.
    pub cpu_vendor: Option<String>,
    /// The highest clock rate.
    pub frequency_khz: Option<u64>,
    /// `sys_vendor` of the firmware.
    pub system_vendor: Option<String>,
    /// `product_name` of the firmware.
    pub product: Option<String>,
    /// When it was booted.
    pub booted_at: Option<Timestamp>,
    /// CPUs online, by their number.
    pub cpus: Vec<Processor>,
    /// NUMA nodes, by their number.
    pub nodes: Vec<Node>,
    /// Pools of huge pages.
    pub huge_pages: Vec<HugePagePool>,
    /// Block devices, without partitions.
    pub disks: Vec<DiskDevice>,
    /// Network interfaces, without those that no device stands behind.
    pub interfaces: Vec<InterfaceDevice>,
}

/// A CPU as the scheduler knows them: a hardware thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processor {
    /// Its number.
    pub number: u32,
    /// Its core's number within the package.
    pub core: Option<u32>,
    /// Its package's number.
    pub package: Option<u32>,
    /// Its book's number, where the architecture has books.
    pub book: Option<u32>,
    /// Its drawer's number, where the architecture has drawers.
    pub drawer: Option<u32>,
    /// The caches that it uses.
    pub caches: Vec<Cache>,
}

/// A processor cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cache {
    /// 1 is the closest to the processor.
    pub level: u32,
    /// `Data`, `Instruction` or `Unified`.
    pub kind: String,
    /// Unique among caches of its level and kind; `None` on kernels that do not tell.
    pub id: Option<u32>,
    /// Its size.
    pub size_bytes: u64,
    /// The CPUs that share it, such as `0-1`.
    pub shared_by: String,
}

/// A NUMA node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: u32,
    /// Its memory.
    pub memory_bytes: Option<u64>,
    /// The numbers of its CPUs.
    pub cpus: Vec<u32>,
    /// Its pools of huge pages.
    pub huge_pages: Vec<HugePagePool>,
    /// How far each node is, in their order; 10 is itself.
    pub distances: Vec<u64>,
}

/// A pool of huge pages of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HugePagePool {
    /// The size of each.
    pub page_kib: u64,
    /// How many there are.
    pub pages: u64,
}

/// A block device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskDevice {
    /// Its name in `/dev`.
    pub name: String,
    /// Its number.
    pub major: u32,
    /// The second part of it.
    pub minor: u32,
    /// Its size.
    pub size_bytes: u64,
    /// Who orders its requests; `none` where nobody does.
    pub scheduler: Option<String>,
}

/// A network interface with a device behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceDevice {
    /// Its name.
    pub name: String,
    /// Its address.
    pub mac: Option<String>,
    /// Megabits a second; `None` where there is no link, or a virtual one.
    pub speed_mbit: Option<i64>,
    /// The largest packet.
    pub mtu: Option<i64>,
}

/// The unit of `size` in `/sys/block`, whatever the device's own block size.
const SECTOR_BYTES: u64 = 512;

/// Reads what there is below this root, which is `/` but in tests.
#[must_use]
pub fn read_machine(root: &Path) -> Machine {
    let sys = root.join("sys");
    let dmi = |name: &str| text(&sys.join("class/dmi/id").join(name));
    let cpuinfo = text(&root.join("proc/cpuinfo")).unwrap_or_default();
    let cpu_dir = sys.join("devices/system/cpu");
    let online = text(&cpu_dir.join("online")).and_then(|list| parse_list(&list)).unwrap_or_default();
    Machine {
        machine_id: text(&root.join("etc/machine-id"))
            .or_else(|| text(&root.join("var/lib/dbus/machine-id")))
            .filter(|id| !id.is_empty()),
        system_uuid: dmi("product_uuid"),
        os: text(&root.join("etc/os-release")).and_then(|release| pretty_name(&release)),
        cpu_vendor: field(&cpuinfo, "vendor_id").map(str::to_owned),
        frequency_khz: number(&cpu_dir.join("cpu0/cpufreq/cpuinfo_max_freq"))
            .or_else(|| parse_mhz(field(&cpuinfo, "cpu MHz")?)),
        system_vendor: dmi("sys_vendor"),
        product: dmi("product_name"),
        booted_at: booted_at(&root.join("proc/stat")),
        cpus: online.iter().map(|number| processor(&cpu_dir, *number)).collect(),
        nodes: nodes(&sys.join("devices/system/node")),
        huge_pages: huge_pages(&sys.join("kernel/mm/hugepages")),
        disks: disks(&sys.join("block")),
        interfaces: interfaces(&sys.join("class/net")),
    }
}

fn processor(cpu_dir: &Path, number: u32) -> Processor {
    let dir = cpu_dir.join(format!("cpu{number}"));
    let topology = |name: &str| text(&dir.join("topology").join(name))?.parse().ok();
    let mut caches: Vec<Cache> =
        entries(&dir.join("cache"), "index").iter().filter_map(|(path, _)| cache(path)).collect();
    caches.sort();
    Processor {
        number,
        core: topology("core_id"),
        package: topology("physical_package_id"),
        book: topology("book_id"),
        drawer: topology("drawer_id"),
        caches,
    }
}

fn cache(dir: &Path) -> Option<Cache> {
    Some(Cache {
        level: text(&dir.join("level"))?.parse().ok()?,
        kind: text(&dir.join("type"))?,
        id: text(&dir.join("id")).and_then(|id| id.parse().ok()),
        size_bytes: parse_size(&text(&dir.join("size"))?)?,
        shared_by: text(&dir.join("shared_cpu_list"))?,
    })
}

fn nodes(dir: &Path) -> Vec<Node> {
    let mut nodes: Vec<Node> = entries(dir, "node")
        .into_iter()
        .filter_map(|(path, suffix)| {
            let meminfo = text(&path.join("meminfo")).unwrap_or_default();
            let distances = text(&path.join("distance")).unwrap_or_default();
            Some(Node {
                number: suffix.parse().ok()?,
                memory_bytes: node_memory(&meminfo),
                cpus: text(&path.join("cpulist")).and_then(|list| parse_list(&list)).unwrap_or_default(),
                huge_pages: huge_pages(&path.join("hugepages")),
                distances: distances.split_whitespace().filter_map(|number| number.parse().ok()).collect(),
            })
        })
        .collect();
    nodes.sort_by_key(|node| node.number);
    nodes
}

/// `Node 0 MemTotal:       8123456 kB`.
pub(super) fn node_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.contains("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Directories such as `hugepages-2048kB`.
fn huge_pages(dir: &Path) -> Vec<HugePagePool> {
    let mut pools: Vec<HugePagePool> = entries(dir, "hugepages-")
        .into_iter()
        .filter_map(|(path, suffix)| {
            let page_kib = suffix.strip_suffix("kB")?.parse().ok()?;
            Some(HugePagePool { page_kib, pages: number(&path.join("nr_hugepages"))? })
        })
        .collect();
    pools.sort();
    pools
}

fn disks(dir: &Path) -> Vec<DiskDevice> {
    /// Devices in memory, and such as nothing was put into.
    const NO_DISKS: [&str; 4] = ["loop", "ram", "zram", "sr"];
    let mut disks: Vec<DiskDevice> = entries(dir, "")
        .into_iter()
        .filter(|(_, name)| !NO_DISKS.iter().any(|beginning| name.starts_with(beginning)))
        .filter_map(|(path, name)| {
            let (major, minor) = parse_device(&text(&path.join("dev"))?)?;
            let sectors = number(&path.join("size"))?;
            let scheduler = text(&path.join("queue/scheduler")).map(|choices| chosen(&choices));
            // sysfs has `!` where a device's name has a slash.
            let name = name.replace('!', "/");
            Some(DiskDevice { name, major, minor, size_bytes: sectors.checked_mul(SECTOR_BYTES)?, scheduler })
        })
        .collect();
    disks.sort_by(|one, other| one.name.cmp(&other.name));
    disks
}

fn interfaces(dir: &Path) -> Vec<InterfaceDevice> {
    /// Ends of tunnels into containers, and bridges that they hang on.
    const NO_DEVICES: [&str; 4] = ["lo", "veth", "docker", "nerdctl"];
    let mut interfaces: Vec<InterfaceDevice> = entries(dir, "")
        .into_iter()
        .filter(|(_, name)| !NO_DEVICES.iter().any(|beginning| name.starts_with(beginning)))
        .map(|(path, name)| {
            let number = |file: &str| text(&path.join(file))?.parse::<i64>().ok();
            InterfaceDevice {
                name,
                mac: text(&path.join("address")).filter(|address| !address.is_empty()),
                // -1 is no link.
                speed_mbit: number("speed").filter(|speed| *speed > 0),
                mtu: number("mtu"),
            }
        })
        .collect();
    interfaces.sort_by(|one, other| one.name.cmp(&other.name));
    interfaces
}

/// What in a directory begins so, each with the rest of its name.
fn entries(dir: &Path, beginning: &str) -> Vec<(PathBuf, String)> {
    let Ok(found) = fs::read_dir(dir) else { return Vec::new() };
    found
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            Some((entry.path(), name.strip_prefix(beginning)?.to_owned()))
        })
        .collect()
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

/// The value in the first line `name : value`.
pub(super) fn field<'t>(cpuinfo: &'t str, name: &str) -> Option<&'t str> {
    cpuinfo.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

pub(super) fn pretty_name(release: &str) -> Option<String> {
    let fields: BTreeMap<&str, &str> = release.lines().filter_map(|line| line.split_once('=')).collect();
    fields.get("PRETTY_NAME").map(|name| name.trim_matches(['"', '\'']).to_owned())
}

/// `2494.140` in kHz, to the digit.
pub(super) fn parse_mhz(text: &str) -> Option<u64> {
    let (mhz, khz) = text.split_once('.').unwrap_or((text, "0"));
    let khz: u64 = format!("{khz:0<3}").get(..3)?.parse().ok()?;
    mhz.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(khz)
}

/// `btime` of `/proc/stat`.
fn booted_at(stat: &Path) -> Option<Timestamp> {
    let text = fs::read_to_string(stat).ok()?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// `32K`, `1M`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// `259:0`.
pub(super) fn parse_device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The one in brackets in `[mq-deadline] none`; the whole where there is no choice.
pub(super) fn chosen(choices: &str) -> String {
    let in_brackets = choices.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    in_brackets.map_or(choices, |(chosen, _)| chosen).to_owned()
}

/// More than any machine has CPUs: no kernel can be configured for as many.
pub(super) const MOST_LISTED: usize = 1 << 16;

/// The numbers of a list such as `0-3,8`; `None` of one that is none, or has more than [`MOST_LISTED`].
pub(super) fn parse_list(list: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let part = first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?;
        numbers.extend(part.take(MOST_LISTED + 1));
        if numbers.len() > MOST_LISTED {
            return None;
        }
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    #[test]
    fn a_machine_that_tells_nothing_is_empty() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(read_machine(root.path()), Machine::default());
    }

    #[test]
    fn identity_is_read() {
        let root = tempfile::tempdir().unwrap();
        write(
            root.path(),
            &[
                ("etc/machine-id", "0123\n"),
                ("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
                ("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 2494.14\n"),
                ("proc/stat", "cpu 1\nbtime 1795374811\n"),
                ("sys/class/dmi/id/product_uuid", "ec2f\n"),
            ],
        );
        let machine = read_machine(root.path());
        assert_eq!(machine.machine_id.as_deref(), Some("0123"));
        assert_eq!(machine.os.as_deref(), Some("Debian GNU/Linux 12"));
        assert_eq!(machine.cpu_vendor.as_deref(), Some("GenuineIntel"));
        assert_eq!(machine.frequency_khz, Some(2_494_140));
        assert_eq!(machine.booted_at.unwrap().as_second(), 1_795_374_811);
        assert_eq!(machine.system_uuid.as_deref(), Some("ec2f"));
    }

    #[test]
    fn topology_is_read() {
        let root = tempfile::tempdir().unwrap();
        let cpu = "sys/devices/system/cpu";
        let node = "sys/devices/system/node/node0";
        write(
            root.path(),
            &[
                (&format!("{cpu}/online"), "0,2-3\n"),
                (&format!("{cpu}/cpu2/topology/core_id"), "1\n"),
                (&format!("{cpu}/cpu2/topology/physical_package_id"), "0\n"),
                (&format!("{cpu}/cpu2/cache/index0/level"), "1\n"),
                (&format!("{cpu}/cpu2/cache/index0/type"), "Data\n"),
                (&format!("{cpu}/cpu2/cache/index0/size"), "32K\n"),
                (&format!("{cpu}/cpu2/cache/index0/shared_cpu_list"), "2-3\n"),
                (&format!("{node}/meminfo"), "Node 0 MemTotal:       2048 kB\nNode 0 MemFree: 1 kB\n"),
                (&format!("{node}/cpulist"), "0,2-3\n"),
                (&format!("{node}/distance"), "10 20\n"),
                (&format!("{node}/hugepages/hugepages-2048kB/nr_hugepages"), "4\n"),
            ],
        );
        let machine = read_machine(root.path());
        assert_eq!(machine.cpus.iter().map(|cpu| cpu.number).collect::<Vec<_>>(), [0, 2, 3]);
        let second = machine.cpus.get(1).unwrap();
        assert_eq!((second.core, second.package, second.book), (Some(1), Some(0), None));
        let expected = Cache {
            level: 1,
            kind: "Data".to_owned(),
            id: None,
            size_bytes: 32 << 10,
            shared_by: "2-3".to_owned(),
        };
        assert_eq!(second.caches, [expected]);
        let expected = Node {
            number: 0,
            memory_bytes: Some(2 << 20),
            cpus: vec![0, 2, 3],
            huge_pages: vec![HugePagePool { page_kib: 2048, pages: 4 }],
            distances: vec![10, 20],
        };
        assert_eq!(machine.nodes, [expected]);
    }

    #[test]
    fn devices_are_read_but_those_that_are_none() {
        let root = tempfile::tempdir().unwrap();
        write(
            root.path(),
            &[
                ("sys/block/loop0/dev", "7:0\n"),
                ("sys/block/loop0/size", "8\n"),
                ("sys/block/vda/dev", "254:16\n"),
                ("sys/block/vda/size", "8\n"),
                ("sys/block/vda/queue/scheduler", "mq-deadline [none]\n"),
                ("sys/class/net/lo/mtu", "65536\n"),
                ("sys/class/net/eth0/address", "02:42\n"),
                ("sys/class/net/eth0/speed", "-1\n"),
                ("sys/class/net/eth0/mtu", "1500\n"),
            ],
        );
        let machine = read_machine(root.path());
        let expected = DiskDevice {
            name: "vda".to_owned(),
            major: 254,
            minor: 16,
            size_bytes: 4096,
            scheduler: Some("none".to_owned()),
        };
        assert_eq!(machine.disks, [expected]);
        let expected = InterfaceDevice {
            name: "eth0".to_owned(),
            mac: Some("02:42".to_owned()),
            speed_mbit: None,
            mtu: Some(1500),
        };
        assert_eq!(machine.interfaces, [expected]);
    }

    #[test]
    fn sizes_and_rates_have_units() {
        assert_eq!(parse_size("1M"), Some(1 << 20));
        assert_eq!(parse_size("12Q"), None);
        assert_eq!(parse_mhz("2400"), Some(2_400_000));
        assert_eq!(chosen("none"), "none");
        assert_eq!(parse_list("3-x"), None);
        assert_eq!(parse_list("0-4294967295"), None, "more than there are");
    }
}
