//! The machine's files, kept open and re-read in place once a tick.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::parse::{self, HostStats};

/// Enough for every file of a small machine; `stat` grows with CPUs and interrupts.
const INITIAL_BUFFER_BYTES: usize = 16 * 1024;

/// The machine's files.
#[derive(Debug)]
pub struct HostFiles {
    sys: PathBuf,
    stat: KeptFile,
    vmstat: KeptFile,
    meminfo: KeptFile,
    loadavg: KeptFile,
    diskstats: KeptFile,
    interfaces: KeptFile,
    pressure: [KeptFile; 3],
    /// Whether a device is a partition, by name.
    partitions: HashMap<String, bool>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct KeptFile {
    name: &'static str,
    file: io::Result<File>,
}

impl HostFiles {
    /// Opens what there is below these two, which are `/proc` and `/sys` but in tests.
    #[must_use]
    pub fn open(proc: &Path, sys: &Path) -> Self {
        let open = |name| KeptFile { name, file: File::open(proc.join(name)) };
        Self {
            sys: sys.to_owned(),
            stat: open("stat"),
            vmstat: open("vmstat"),
            meminfo: open("meminfo"),
            loadavg: open("loadavg"),
            diskstats: open("diskstats"),
            // `/proc/net` is of our own network namespace, which need not be the machine's.
            interfaces: open("1/net/dev"),
            pressure: ["pressure/cpu", "pressure/memory", "pressure/io"].map(open),
            partitions: HashMap::new(),
            buffer: vec![0; INITIAL_BUFFER_BYTES],
        }
    }

    /// Reads every file once; what cannot be read or understood is `None`.
    pub fn read(&mut self) -> HostStats {
        let buffer = &mut self.buffer;
        // First what the audit compares with what was counted, so that the two are of the same moment.
        let (cpu, processes) = self.stat.read(buffer).and_then(parse::stat).unzip();
        let vm = self.vmstat.read(buffer).map(parse::vmstat);
        let memory = self.meminfo.read(buffer).and_then(parse::meminfo);
        let load = self.loadavg.read(buffer).and_then(parse::loadavg);
        let interfaces = self.interfaces.read(buffer).and_then(parse::interfaces);
        let [cpu_pressure, memory_pressure, io_pressure] =
            self.pressure.each_ref().map(|file| file.read(buffer).and_then(parse::pressure));
        let mut disks = self.diskstats.read(buffer).and_then(parse::disks);
        if let Some(disks) = &mut disks {
            disks.retain(|disk| {
                let is_used = disk.reads + disk.writes + disk.discards.unwrap_or(0) + disk.in_progress > 0;
                is_used && !self.is_partition(&disk.name)
            });
        }
        HostStats {
            cpu,
            processes,
            vm,
            memory,
            load,
            disks,
            interfaces,
            cpu_pressure,
            memory_pressure,
            io_pressure,
        }
    }

    /// The files that this machine lacks, or hides from us.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        let single =
            [&self.stat, &self.vmstat, &self.meminfo, &self.loadavg, &self.diskstats, &self.interfaces];
        single.into_iter().chain(&self.pressure).filter(|kept| kept.file.is_err()).map(|kept| kept.name)
    }

    fn is_partition(&mut self, name: &str) -> bool {
        if let Some(&known) = self.partitions.get(name) {
            return known;
        }
        // sysfs has `!` where a device's name has a slash.
        let marker = self.sys.join("class/block").join(name.replace('/', "!")).join("partition");
        let is_partition = marker.exists();
        self.partitions.insert(name.to_owned(), is_partition);
        is_partition
    }
}

impl KeptFile {
    /// The whole file. The kernel hands out some of these a page at a time.
    fn read<'b>(&self, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let file = self.file.as_ref().ok()?;
        let mut length = 0;
        loop {
            if length == buffer.len() {
                buffer.resize(buffer.len() * 2, 0);
            }
            match file.read_at(buffer.get_mut(length..)?, u64::try_from(length).ok()?) {
                Ok(0) => return buffer.get(..length),
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Pressure stall information that was switched off at boot says so only here.
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_machine_without_files_has_no_figures() {
        let empty = tempfile::tempdir().unwrap();
        let mut files = HostFiles::open(empty.path(), empty.path());
        assert_eq!(files.missing().count(), 9);
        let stats = files.read();
        assert!(stats.cpu.is_none() && stats.vm.is_none() && stats.disks.is_none());
    }

    #[test]
    fn partitions_and_unused_devices_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let partition = root.path().join("class/block/sda1");
        fs::create_dir_all(&partition).unwrap();
        fs::write(partition.join("partition"), "1\n").unwrap();
        let text = "   8 0 sda 10 0 80 5 3 0 24 2 0 6 7\n   8 1 sda1 10 0 80 5 3 0 24 2 0 6 7\n\
                    \x20  7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n";
        fs::write(root.path().join("diskstats"), text).unwrap();
        let disks = HostFiles::open(root.path(), root.path()).read().disks.unwrap();
        assert_eq!(disks.iter().map(|disk| disk.name.as_str()).collect::<Vec<_>>(), ["sda"]);
    }

    #[test]
    fn a_file_longer_than_the_buffer_is_read_to_its_end() {
        let root = tempfile::tempdir().unwrap();
        let text = format!("{}pgfault 7\n", "nr_something 1\n".repeat(INITIAL_BUFFER_BYTES));
        fs::write(root.path().join("vmstat"), text).unwrap();
        let vm = HostFiles::open(root.path(), root.path()).read().vm.unwrap();
        assert_eq!(vm.faults, Some(7));
    }
}
