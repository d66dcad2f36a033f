//! Pure: text of the kernel's cgroup files into values, for the few formats there are.
//!
//! The parsers of files that are read at every tick do not allocate. What is malformed is `None` or left out; a kernel
//! may add keys and columns at any time.

use std::path::PathBuf;

use super::{
    limits::{IoLimit, Membership},
    stats::{IoDevice, Limit, NumaNode, Pressure, PressureAverages},
};

/// "No limit" of v1's memory files is `LONG_MAX` rounded down to whole pages (`PAGE_COUNTER_MAX`,
/// `include/linux/page_counter.h`). This is its value for 64 KiB pages, the largest; no machine has this much memory.
const V1_MEMORY_UNLIMITED: u64 = i64::MAX.cast_unsigned() - 0xffff;

/// A decimal number, as in `memory.current`. The whole text but for white space around it.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| {
        digit.is_ascii_digit().then_some(())?;
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// `max` or a number, as in v2's `*.max` and both versions' `pids.max`.
pub(super) fn limit(text: &[u8]) -> Option<Limit> {
    match text.trim_ascii() {
        b"max" => Some(Limit::Max),
        value => number(value).map(Limit::Value),
    }
}

/// A limit of v1's memory controller, which has no word for "none".
pub(super) fn v1_memory_limit(text: &[u8]) -> Option<Limit> {
    number(text).map(|bytes| if bytes >= V1_MEMORY_UNLIMITED { Limit::Max } else { Limit::Value(bytes) })
}

/// A limit of v1's hugetlb controller, whose "none" is rounded down to whole huge pages, up to 16 GiB each.
pub(super) fn v1_hugetlb_limit(text: &[u8]) -> Option<Limit> {
    const UNLIMITED: u64 = 1 << 62;
    number(text).map(|bytes| if bytes >= UNLIMITED { Limit::Max } else { Limit::Value(bytes) })
}

/// v1's `cpu.cfs_quota_us`: a negative number is no quota.
pub(super) fn v1_quota(text: &[u8]) -> Option<Limit> {
    match text.trim_ascii().strip_prefix(b"-") {
        Some(negative) => number(negative).map(|_| Limit::Max),
        None => number(text).map(Limit::Value),
    }
}

/// v2's `cpu.max`: quota (`max` or microseconds) and period in microseconds.
pub(super) fn cpu_max(text: &[u8]) -> Option<(Limit, u64)> {
    let (quota, period) = split_at_byte(text.trim_ascii(), b' ')?;
    Some((limit(quota)?, number(period)?))
}

/// The `key value` lines of a flat keyed file such as `memory.stat`; others are left out.
pub(super) fn flat_keyed(text: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let (key, value) = split_at_byte(line, b' ')?;
        Some((key, number(value)?))
    })
}

/// A `*.pressure` file. `None` if it has neither line.
pub(super) fn pressure(text: &[u8]) -> Option<Pressure> {
    let mut pressure = Pressure::default();
    for line in text.split(|&byte| byte == b'\n') {
        match split_at_byte(line, b' ') {
            Some((b"some", averages)) => pressure.some = pressure_averages(averages),
            Some((b"full", averages)) => pressure.full = pressure_averages(averages),
            _ => {}
        }
    }
    (pressure != Pressure::default()).then_some(pressure)
}

fn pressure_averages(text: &[u8]) -> Option<PressureAverages> {
    let (mut avg10, mut avg60, mut avg300, mut total_us) = (None, None, None, None);
    for field in text.split(|&byte| byte == b' ') {
        match split_at_byte(field, b'=') {
            Some((b"avg10", value)) => avg10 = percent(value),
            Some((b"avg60", value)) => avg60 = percent(value),
            Some((b"avg300", value)) => avg300 = percent(value),
            Some((b"total", value)) => total_us = number(value),
            _ => {}
        }
    }
    Some(PressureAverages { avg10: avg10?, avg60: avg60?, avg300: avg300?, total_us: total_us? })
}

/// A number with a fraction, as `str::parse` takes it, but no sign, exponent or name.
fn percent(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let is_plain = text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    is_plain.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}

/// A list of CPUs such as `0-3,8`; empty if there are none.
pub(super) fn cpu_list(text: &[u8]) -> String {
    String::from_utf8_lossy(text.trim_ascii()).into_owned()
}

/// The lines of v2's `io.max`, such as `8:0 rbps=1048576 wbps=max riops=max wiops=max`.
pub(super) fn io_max(text: &[u8]) -> Vec<(String, IoLimit)> {
    let device = |line: &[u8]| {
        let (device, keys) = split_at_byte(line, b' ')?;
        let mut io = IoLimit::default();
        for field in keys.split(|&byte| byte == b' ') {
            let Some((key, value)) = split_at_byte(field, b'=') else { continue };
            let Some(value) = limit(value) else { continue };
            match key {
                b"rbps" => io.read_bytes = value,
                b"wbps" => io.write_bytes = value,
                b"riops" => io.read_operations = value,
                b"wiops" => io.write_operations = value,
                _ => {}
            }
        }
        Some((String::from_utf8_lossy(device).into_owned(), io))
    };
    text.split(|&byte| byte == b'\n').filter_map(device).collect()
}

/// The lines of v2's `io.stat`, such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`; a device may have none.
pub(super) fn io_stat(text: &[u8]) -> Vec<IoDevice> {
    let device = |line: &[u8]| {
        let (device, keys) = split_at_byte(line, b' ')?;
        let (major, minor) = device_number(device)?;
        let mut io = IoDevice { major, minor, ..IoDevice::default() };
        let mut has_any = false;
        for field in keys.split(|&byte| byte == b' ') {
            let Some((key, value)) = split_at_byte(field, b'=') else { continue };
            let place = match key {
                b"rbytes" => &mut io.read_bytes,
                b"wbytes" => &mut io.write_bytes,
                b"dbytes" => &mut io.discard_bytes,
                b"rios" => &mut io.reads,
                b"wios" => &mut io.writes,
                b"dios" => &mut io.discards,
                _ => continue,
            };
            *place = number(value)?;
            has_any = true;
        }
        has_any.then_some(io)
    };
    text.split(|&byte| byte == b'\n').filter_map(device).collect()
}

/// The lines of v2's `memory.numa_stat`, such as `anon N0=4096 N1=0`, in bytes.
pub(super) fn numa_stat(text: &[u8]) -> Option<Vec<NumaNode>> {
    numa_nodes(text, 1, |key| match key {
        b"anon" => Some(|node| &mut node.anon_bytes),
        b"file" => Some(|node| &mut node.file_bytes),
        b"unevictable" => Some(|node| &mut node.unevictable_bytes),
        _ => None,
    })
}

/// The lines of v1's, such as `hierarchical_anon=1 N0=1 N1=0`, in pages; those that do not begin so leave out nested cgroups.
pub(super) fn v1_numa_stat(text: &[u8], page_bytes: u64) -> Option<Vec<NumaNode>> {
    let key = |column: &[u8]| column.iter().position(|&byte| byte == b'=').unwrap_or(column.len());
    numa_nodes(text, page_bytes, |column| match column.get(..key(column))? {
        b"hierarchical_anon" => Some(|node| &mut node.anon_bytes),
        b"hierarchical_file" => Some(|node| &mut node.file_bytes),
        b"hierarchical_unevictable" => Some(|node| &mut node.unevictable_bytes),
        _ => None,
    })
}

/// Where a line's numbers go.
type NumaPlace = fn(&mut NumaNode) -> &mut Option<u64>;

/// Lines of a key and a column for each node; `None` where there is none that is known.
fn numa_nodes(
    text: &[u8],
    unit_bytes: u64,
    place_of: impl Fn(&[u8]) -> Option<NumaPlace>,
) -> Option<Vec<NumaNode>> {
    let mut nodes: Vec<NumaNode> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut columns = line.split(|&byte| byte == b' ');
        let Some(place) = columns.next().and_then(&place_of) else { continue };
        for column in columns {
            let Some((name, value)) = split_at_byte(column, b'=') else { continue };
            let number = name.strip_prefix(b"N").and_then(number).and_then(|node| u32::try_from(node).ok());
            let Some(number) = number else { continue };
            let bytes = self::number(value).and_then(|value| value.checked_mul(unit_bytes));
            if !nodes.iter().any(|node| node.node == number) {
                nodes.push(NumaNode { node: number, ..NumaNode::default() });
            }
            if let Some(node) = nodes.iter_mut().find(|node| node.node == number) {
                *place(node) = bytes;
            }
        }
    }
    (!nodes.is_empty()).then_some(nodes)
}

/// The lines of v1's `blkio.throttle.io_serviced` and its like, such as `8:0 Read 4096`: device, operation, value.
pub(super) fn v1_io(text: &[u8]) -> impl Iterator<Item = ((u32, u32), &[u8], u64)> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let (device, rest) = split_at_byte(line, b' ')?;
        let (operation, value) = split_at_byte(rest, b' ')?;
        Some((device_number(device)?, operation, number(value)?))
    })
}

/// A device's place among others, which it gets where it has none.
pub(super) fn io_device(devices: &mut Vec<IoDevice>, (major, minor): (u32, u32)) -> Option<&mut IoDevice> {
    let is_it = |device: &IoDevice| (device.major, device.minor) == (major, minor);
    if !devices.iter().any(is_it) {
        devices.push(IoDevice { major, minor, ..IoDevice::default() });
    }
    devices.iter_mut().find(|device| is_it(device))
}

/// A device's major and minor number: `8:0`.
fn device_number(text: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = split_at_byte(text, b':')?;
    Some((u32::try_from(number(major)?).ok()?, u32::try_from(number(minor)?).ok()?))
}

/// The lines of v1's `blkio.throttle.*_device`, such as `8:0 1048576`.
pub(super) fn device_limits(text: &[u8]) -> impl Iterator<Item = (String, u64)> {
    flat_keyed(text).map(|(device, value)| (String::from_utf8_lossy(device).into_owned(), value))
}

/// The weight for devices without one of their own: `default 100` or, in files that know no devices, `100`.
pub(super) fn default_weight(text: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').next()?;
    number(line.strip_prefix(b"default ").unwrap_or(line))
}

/// Every process in a `cgroup.procs` that our pid namespace can name.
pub(super) fn pids(text: &[u8]) -> Vec<i32> {
    text.split(|&byte| byte == b'\n').filter_map(first_pid).collect()
}

/// One line of `cgroup.procs`: the first, if there is any.
pub(super) fn first_pid(text: &[u8]) -> Option<i32> {
    let line = text.split(|&byte| byte == b'\n').next()?;
    // A process of another pid namespace, which ours cannot name, shows as 0.
    i32::try_from(number(line)?).ok().filter(|&pid| pid > 0)
}

/// A cgroup file system in a mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CgroupMount {
    pub(super) is_v2: bool,
    pub(super) root: String,
    pub(super) point: PathBuf,
    /// Options of the file system itself; on v1 its controllers are among them.
    pub(super) options: Vec<String>,
}

/// The cgroup mounts in a `mountinfo` (`proc_pid_mountinfo(5)`), in its order.
pub(super) fn cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    mountinfo.lines().filter_map(cgroup_mount).collect()
}

fn cgroup_mount(line: &str) -> Option<CgroupMount> {
    let MountLine { root, point, fs_type, fs_options, .. } = MountLine::parse(line)?;
    let is_v2 = match fs_type {
        "cgroup" => false,
        "cgroup2" => true,
        _ => return None,
    };
    let options = fs_options.split(',').map(str::to_owned).collect();
    Some(CgroupMount { is_v2, root: unescape(root), point: PathBuf::from(unescape(point)), options })
}

/// A line of a `mountinfo`, its fields still escaped.
#[derive(Clone, Copy, Debug)]
pub struct MountLine<'a> {
    /// The file system's number, as in `254:0`.
    pub device: &'a str,
    /// The part of it that is mounted.
    pub root: &'a str,
    /// Where.
    pub point: &'a str,
    /// Options of this mount.
    pub options: &'a str,
    /// The file system's kind.
    pub fs_type: &'a str,
    /// What it is on, for those that are on something.
    pub source: &'a str,
    /// Options of the file system itself.
    pub fs_options: &'a str,
}

impl<'a> MountLine<'a> {
    /// Takes a line apart; `None` where it is torn.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        // A number of optional fields ends in a lone hyphen.
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(2);
        let mut kind = kind.split(' ');
        Some(Self {
            device: place.next()?,
            root: place.next()?,
            point: place.next()?,
            options: place.next()?,
            fs_type: kind.next()?,
            source: kind.next()?,
            fs_options: kind.next().unwrap_or_default(),
        })
    }
}

/// Undoes the kernel's `\040` for white space and backslashes in the fields of a mount table.
#[must_use]
pub fn unescape(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'\\')
            .then(|| tail.split_at_checked(3))
            .flatten()
            .and_then(|(octal, after)| Some((octal_byte(octal)?, after)));
        let (byte, after) = escaped.unwrap_or((byte, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal_byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// The v1 hierarchies that have controllers, from `/proc/self/cgroup`: id and controllers.
pub(super) fn v1_hierarchies(membership: &str) -> Vec<(u32, Vec<String>)> {
    let hierarchy = |line: &str| {
        let (id, rest) = line.split_once(':')?;
        let (controllers, _path) = rest.split_once(':')?;
        // v2 has no controllers here, and a named hierarchy only its name.
        let has_controllers = !controllers.is_empty() && !controllers.starts_with("name=");
        let named = controllers.split(',').filter(|name| !name.starts_with("name="));
        has_controllers.then_some((id.parse().ok()?, named.map(str::to_owned).collect()))
    };
    membership.lines().filter_map(hierarchy).collect()
}

/// The lines of a `/proc/PID/cgroup`.
pub(super) fn memberships(text: &str) -> Vec<Membership> {
    let membership = |line: &str| {
        let (hierarchy, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let controllers = controllers.split(',').filter(|name| !name.is_empty());
        Some(Membership {
            hierarchy: hierarchy.parse().ok()?,
            controllers: controllers.map(str::to_owned).collect(),
            path: path.to_owned(),
        })
    };
    text.lines().filter_map(membership).collect()
}

/// The controllers of `/proc/cgroups` that are switched off.
pub(super) fn disabled_controllers(cgroups: &str) -> Vec<String> {
    let disabled = |line: &str| {
        let mut columns = line.split_ascii_whitespace();
        let name = columns.next().filter(|name| !name.starts_with('#'))?;
        (columns.nth(2)? == "0").then(|| name.to_owned())
    };
    cgroups.lines().filter_map(disabled).collect()
}

fn split_at_byte(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    let (before, after) = text.split_at_checked(at)?;
    Some((before, after.get(1..)?))
}

#[cfg(test)]
mod tests;
