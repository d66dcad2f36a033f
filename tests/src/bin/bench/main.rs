//! What monitor costs, each figure beside its control from the same run. `cargo xtask bench` runs it.
//!
//! Like the harness it is made of, it panics where a test would, and undoes what it did while it unwinds.

#[path = "../shared/agent.rs"]
mod agent;
mod containers;
mod cost;
mod disk;
mod events;
mod helpers;
#[path = "../shared/interrupt.rs"]
mod interrupt;
mod load;
mod maps;
mod options;
mod packets;
mod pages;
mod programs;
mod recording;
mod report;
mod rights;
mod scrapes;
mod serving;
mod shortage;
mod slowdown;
mod sockets;
mod statistics;
mod tasks;
mod tick;
mod transfer;
mod triples;

use std::{env, fs, path::Path, process::ExitCode};

use crate::{
    helpers::Role,
    options::{Options, Section},
    report::{Part, Report},
};

fn main() -> ExitCode {
    if let Some(role) = Role::of_this_process() {
        role.play();
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::from(2);
        }
    };
    interrupt::arm().expect("listen to signals");
    let parts = options.sections().flat_map(|section| measure(section, options)).collect();
    let report = Report { document: options.document(), parts, is_quick: options.is_quick };
    print!("{report}");
    if options.is_written {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(report.document.path);
        let text = if options.is_partial() {
            let before =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
            report.put_into(&before).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        } else {
            report.to_string()
        };
        fs::write(&path, text).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
    }
    match report.missed() {
        0 => ExitCode::SUCCESS,
        missed => {
            eprintln!("bench: {missed} of the promises missed");
            ExitCode::FAILURE
        }
    }
}

fn measure(section: Section, options: Options) -> Vec<Part> {
    eprintln!("bench: {}", section.name());
    let part = match section {
        Section::Events => events::measure(options),
        Section::Packets => packets::measure(options),
        Section::Slowdown => slowdown::measure(options),
        Section::Transfer => transfer::measure(options),
        Section::Agent => containers::measure(options),
        Section::Tick => tick::measure(options, &tick::LOADS),
        Section::Large => tick::measure(options, &tick::LARGE_LOADS),
        Section::Tasks => tasks::measure(options),
        Section::Maps => maps::measure(),
        Section::Recording => recording::measure(options),
        Section::Serving => return serving::measure(options),
        Section::Rights => return rights::measure(options),
    };
    vec![part]
}
