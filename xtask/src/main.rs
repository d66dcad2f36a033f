//! `cargo xtask COMMAND`: everything that is done to this checkout, without a shell script.
//!
//! Each command installs what it lacks, says each step, and stops at the first that fails.

mod apt;
mod bench;
mod build_ebpf;
mod cgroups;
mod checkout;
mod codegen;
mod command;
mod databases;
mod deny;
mod docker;
mod fuzz;
mod image;
mod layers;
mod options;
mod package;
mod python;
mod run;
mod setup;
mod test;
mod vm;
mod web;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::checkout::Checkout;

struct Task {
    name: &'static str,
    args: &'static str,
    about: &'static str,
    run: fn(&Checkout, &[String]) -> Result<()>,
}

const TASKS: [Task; 13] = [
    Task {
        name: "build",
        args: "",
        about: "set up, then build the eBPF objects, the dashboard and target/release/monitor",
        run: run::build_command,
    },
    Task {
        name: "run",
        args: "[-- ARGS]",
        about: "build, then run `monitor stream`, or `monitor ARGS`",
        run: run::run_command,
    },
    Task {
        name: "test",
        args: "[--bless] [FILTER]",
        about: "every check there is; with FILTER only the tests whose names contain it",
        run: test::test_command,
    },
    Task {
        name: "bench",
        args: "[-- ARGS]",
        about: "measure what monitoring costs, each figure against its control",
        run: bench::bench_command,
    },
    Task {
        name: "soak",
        args: "[-- ARGS]",
        about: "let containers come and go for half an hour and check that nothing grows or is lost",
        run: bench::soak_command,
    },
    Task {
        name: "fuzz",
        args: "[--seconds N] [TARGET]",
        about: "look for inputs that break a reader, for N seconds each; TARGET is a part of its name",
        run: fuzz::fuzz_command,
    },
    Task {
        name: "vm",
        args: "[--bless] [--all|FILTER]",
        about: "boot another kernel and check monitor there, or several: FILTER as in `bookworm v2`",
        run: vm::vm_command,
    },
    Task {
        name: "image",
        args: "[NAME]",
        about: "build monitor linked statically, and an OCI image of it",
        run: image::image_command,
    },
    Task {
        name: "package",
        args: "[--test]",
        about: "make a Debian package; with --test install it in a guest, use it and remove it",
        run: package::package_command,
    },
    Task {
        name: "codegen",
        args: "[--check]",
        about: "write the generated files under docs/, deploy/ and web/, or compare them",
        run: codegen::codegen_command,
    },
    Task {
        name: "deny",
        args: "",
        about: "check the licences and sources of all dependencies, and whether any is known to be unsafe",
        run: deny::deny_command,
    },
    Task {
        name: "screenshots",
        args: "",
        about: "make the README's pictures of the dashboard, of real containers",
        run: web::screenshots_command,
    },
    Task {
        name: "layers",
        args: "",
        about: "check that monitor's modules know only those they may know",
        run: layers::layers_command,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "xtask: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((name, rest)) = args.split_first() else {
        return print_usage();
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        return print_usage();
    }
    let checkout = Checkout::find()?;
    if name == docker::SUPERVISE {
        return docker::supervise_command(&checkout);
    }
    match TASKS.iter().find(|task| task.name == name) {
        Some(task) => (task.run)(&checkout, rest),
        None => bail!("no command `{name}`; `cargo xtask` lists them"),
    }
}

fn print_usage() -> Result<()> {
    writeln!(io::stdout(), "{}", usage())?;
    Ok(())
}

fn usage() -> String {
    let lines = TASKS.iter().map(|Task { name, args, about, run: _ }| {
        let call = format!("{name} {args}");
        format!("\n  {call:<29}{about}")
    });
    format!("usage: cargo xtask COMMAND\n{}", lines.collect::<String>())
}

/// Arguments meant for another program: cargo's own `--` in front is dropped.
fn passed_on(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    }
}

/// Refuses arguments where a command takes none.
fn no_args(command: &str, args: &[String]) -> Result<()> {
    match args.first() {
        None => Ok(()),
        Some(arg) => bail!("`cargo xtask {command}` takes no `{arg}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<String> {
        args.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn usage_names_every_command() {
        let usage = usage();
        for task in &TASKS {
            assert!(usage.contains(task.name), "{} is missing from:\n{usage}", task.name);
        }
    }

    #[test]
    fn unknown_commands_are_refused_by_name() {
        let error = dispatch(&strings(&["biuld"])).unwrap_err().to_string();
        assert!(error.contains("`biuld`"), "{error}");
    }

    #[test]
    fn only_the_first_separator_is_dropped() {
        assert_eq!(passed_on(&strings(&["--", "snapshot", "--", "x"])), strings(&["snapshot", "--", "x"]));
        assert_eq!(passed_on(&strings(&["snapshot"])), strings(&["snapshot"]));
        assert!(passed_on(&[]).is_empty());
    }
}
