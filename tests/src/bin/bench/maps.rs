//! What the maps take in the kernel.

use crate::{
    agent::Agent,
    cost,
    programs::{map_memory, maps},
    report::Part,
};

pub(crate) fn measure() -> Part {
    let agent = Agent::start(&["--interval", "1s"]);
    let said = cost::next(&agent).coverage.map_bytes;
    let maps = maps(agent.pid());
    let entries = |name| {
        let map = maps.iter().find(|map| map.name_as_str() == Some(name));
        map.unwrap_or_else(|| panic!("no map {name}")).max_entries()
    };
    // One entry a CPU.
    let slots = entries("SLOTS") / entries("CPUS");
    let mut rows = Vec::new();
    let (mut payload, mut charged) = (0, 0);
    for map in &maps {
        let name = map.name_as_str().unwrap_or_default().to_owned();
        // A ring buffer's entries are its bytes.
        let bytes = u64::from(map.max_entries()) * u64::from(map.value_size().max(1));
        let memory = map_memory(map);
        payload += bytes;
        charged += memory;
        rows.push(vec![
            format!("`{name}`"),
            map.max_entries().to_string(),
            map.value_size().to_string(),
            bytes.to_string(),
            memory.to_string(),
        ]);
    }
    rows.sort();
    let total = ["all".to_owned(), String::new(), String::new(), payload.to_string(), charged.to_string()];
    rows.push(total.to_vec());
    Part {
        title: "Maps",
        method: format!(
            "What the kernel says of the maps that `monitor`'s programs use; memory is what it charges for them \
             (`memlock` in `/proc/PID/fdinfo`). `coverage.map_bytes` says {said} bytes. Each CPU has {slots} slots, \
             that is entries of `SLOTS`.",
        ),
        columns: &["map", "entries", "bytes an entry", "bytes", "memory, bytes"],
        rows,
        bars: Vec::new(),
    }
}
