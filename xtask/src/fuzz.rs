//! `cargo xtask fuzz`: libFuzzer over monitor's readers of text and bytes that others wrote.
//!
//! The stable compiler will do: what libFuzzer needs is a pass of LLVM's, which flags switch on. What was found goes to
//! `target/fuzz`: inputs that reach new code to `corpus`, those that break a promise to `found`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{cargo, in_checkout, run, say, step};
use crate::test::host_triple;
use crate::{build_ebpf, setup};

/// Seconds for each target unless asked for more.
const SECONDS: u64 = 10;
/// Megabytes that a reader may take at most; the coverage and the inputs that are kept are in them too.
const MEMORY_MB: u64 = 1024;
/// Seconds that one input may take at most.
const PATIENCE: u64 = 10;
/// Bytes of an input at most, unless a seed is longer.
const LONGEST: u64 = 1 << 14;

/// What counts which code was reached, and what compared with what. Overflows and failed assertions count as failures. With more
/// optimisation building would take longer than it saves.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "-Copt-level=1",
];

#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// Only targets with this in their names.
    filter: Option<String>,
    seconds: u64,
}

pub(crate) fn fuzz_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let options = parse(args)?;
    let targets = targets(checkout)?;
    let is_meant = |target: &&String| options.filter.as_ref().is_none_or(|filter| target.contains(filter));
    let meant: Vec<&String> = targets.iter().filter(is_meant).collect();
    if meant.is_empty() {
        let all: Vec<&str> = targets.iter().map(String::as_str).collect();
        bail!("no target's name contains what was asked for; there are: {}", all.join(", "));
    }
    setup::for_fuzzing()?;
    let program = build(checkout)?;
    let mut results = Vec::new();
    for target in meant {
        let result = step(&format!("fuzz {target}"), || fuzz(checkout, &program, target, options.seconds))?;
        results.push((target.as_str(), result));
    }
    let found = results.iter().filter(|(_, result)| result.has_found).count();
    say(&table(&results));
    if found > 0 {
        bail!(
            "{found} of the targets found inputs that break a promise: they are in {}, and belong into fuzz/seeds/TARGET when \
             they do not any more",
            place(checkout).join("found").display()
        );
    }
    Ok(())
}

fn parse(args: &[String]) -> Result<Options> {
    let mut options = Options { filter: None, seconds: SECONDS };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                let number = args.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                options.seconds = number.context("--seconds is to have a number of seconds behind it")?;
            }
            flag if flag.starts_with('-') => bail!("`cargo xtask fuzz` takes no `{flag}`"),
            _ if options.filter.is_some() => {
                bail!("`cargo xtask fuzz` takes one TARGET, `{arg}` is a second")
            }
            target => options.filter = Some(target.to_owned()),
        }
    }
    Ok(options)
}

/// Each has a folder of seeds, called as it is.
fn targets(checkout: &Checkout) -> Result<BTreeSet<String>> {
    let seeds = seeds(checkout);
    let entries = fs::read_dir(&seeds).with_context(|| format!("list {}", seeds.display()))?;
    entries
        .map(|entry| {
            let name = entry.with_context(|| format!("list {}", seeds.display()))?.file_name();
            Ok(name.to_string_lossy().into_owned())
        })
        .collect()
}

fn seeds(checkout: &Checkout) -> PathBuf {
    checkout.root().join("fuzz/seeds")
}

fn place(checkout: &Checkout) -> PathBuf {
    checkout.target().join("fuzz")
}

/// Builds the program, beside what is built for use: with other flags.
fn build(checkout: &Checkout) -> Result<PathBuf> {
    if !checkout.bpf_dir().join("monitor").is_file() {
        let toolchain = setup::for_build(checkout)?;
        step("build the eBPF objects", || build_ebpf::build(checkout, toolchain))?;
    }
    let triple = host_triple(checkout)?;
    step("build what is fuzzed", || {
        run(cargo(checkout, ["build", "--quiet", "--release", "--package", "fuzz", "--target", &triple])
            .env("CARGO_TARGET_DIR", place(checkout))
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
            .env("CARGO_PROFILE_RELEASE_DEBUG", "none"))
    })?;
    Ok(place(checkout).join(triple).join("release/fuzz"))
}

/// What came of a target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    /// Edges between blocks of code that were reached.
    coverage: u64,
    /// Most megabytes that were taken.
    memory_mb: u64,
    has_found: bool,
}

fn fuzz(checkout: &Checkout, program: &Path, target: &str, seconds: u64) -> Result<Outcome> {
    let (corpus, found) = (place(checkout).join("corpus").join(target), place(checkout).join("found"));
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    let mut command = in_checkout(checkout, program);
    command
        .env("MONITOR_FUZZ_TARGET", target)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-timeout={PATIENCE}"))
        .arg(format!("-artifact_prefix={}/{target}-", found.display()))
        .args(["-print_final_stats=1", "-verbosity=1", "-reload=0"])
        .args(longest(&seeds(checkout).join(target))?)
        .arg(corpus)
        .arg(seeds(checkout).join(target))
        .stdin(Stdio::null());
    watch(&mut command, target)
}

/// libFuzzer makes nothing longer than the longest seed unless told to.
fn longest(seeds: &Path) -> Result<Option<String>> {
    let entries = fs::read_dir(seeds).with_context(|| format!("list {}", seeds.display()))?;
    let lengths = entries.map(|entry| Ok(entry?.metadata()?.len()));
    let lengths: std::io::Result<Vec<u64>> = lengths.collect();
    let most = lengths.with_context(|| format!("read the seeds in {}", seeds.display()))?.into_iter().max();
    Ok(most.filter(|most| *most < LONGEST).map(|_| format!("-max_len={LONGEST}")))
}

/// Runs it to its end. What it says is kept for the table, and told where it has found something.
fn watch(command: &mut Command, target: &str) -> Result<Outcome> {
    let output = command.output().with_context(|| format!("start {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let outcome = Outcome { has_found: !output.status.success(), ..outcome(&said) };
    if outcome.has_found {
        say(&format!("{target}:\n{}", reason(&said)));
    }
    Ok(outcome)
}

/// What went wrong, without the backtrace: where a panic was and what it says, libFuzzer's own words, and where the input is.
fn reason(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let panic = lines.iter().position(|line| line.contains("panicked at")).map(|at| &lines[at..]);
    let panic = panic.unwrap_or_default().iter().take_while(|line| !line.starts_with("stack backtrace"));
    let words =
        lines.iter().filter(|line| line.contains("ERROR: libFuzzer") || line.contains("Test unit written"));
    let told: Vec<&str> = panic.take(6).chain(words).copied().collect();
    told.join("\n")
}

/// Reads libFuzzer's lines, such as `#524288 pulse cov: 312 ft: 1201 …` and `stat::number_of_executed_units: 600000`.
fn outcome(said: &str) -> Outcome {
    let figure = |name: &str| {
        said.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default()
    };
    let coverage = said.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once(" cov: ")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    Outcome {
        executions: figure("stat::number_of_executed_units:"),
        coverage: coverage.unwrap_or_default(),
        memory_mb: figure("stat::peak_rss_mb:"),
        has_found: false,
    }
}

fn table(results: &[(&str, Outcome)]) -> String {
    let mut table = format!("{:<20}{:>14}{:>10}{:>8}", "target", "executions", "coverage", "MB");
    for (target, Outcome { executions, coverage, memory_mb, has_found }) in results {
        let mark = if *has_found { "  found something" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(table, "\n{target:<20}{executions:>14}{coverage:>10}{memory_mb:>8}{mark}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options> {
        parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_target_and_its_time_come_in_any_order() {
        let expected = Options { filter: Some("btf".to_owned()), seconds: 60 };
        assert_eq!(parsed(&["btf", "--seconds", "60"]).unwrap(), expected);
        assert_eq!(parsed(&["--seconds", "60", "btf"]).unwrap(), expected);
        assert_eq!(parsed(&[]).unwrap(), Options { filter: None, seconds: SECONDS });
        for wrong in [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "x"], &["a", "b"], &["--x"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_panic_is_told_without_its_backtrace() {
        let said = "INFO: Seed: 5\nthread 'main' panicked at a.rs:1:2:\nno such thing\nstack backtrace:\n   0: x\n\
                    ==7== ERROR: libFuzzer: deadly signal\nartifact_prefix='found/'; Test unit written to found/a";
        let expected = "thread 'main' panicked at a.rs:1:2:\nno such thing\n==7== ERROR: libFuzzer: deadly signal\n\
                        artifact_prefix='found/'; Test unit written to found/a";
        assert_eq!(reason(said), expected);
    }

    #[test]
    fn figures_are_those_of_libfuzzer() {
        let said = "#2\tINITED cov: 30 ft: 31 corp: 1/1b exec/s: 0 rss: 40Mb\n\
                    #600000\tDONE   cov: 312 ft: 1201 corp: 90/2Kb lim: 4096 exec/s: 60000 rss: 60Mb\n\
                    stat::number_of_executed_units: 600000\nstat::average_exec_per_sec:     60000\n\
                    stat::peak_rss_mb:              61\n";
        let expected = Outcome { executions: 600_000, coverage: 312, memory_mb: 61, has_found: false };
        assert_eq!(outcome(said), expected);
        assert_eq!(outcome("killed"), Outcome::default());
        let table = table(&[("btf", expected)]);
        assert!(table.ends_with("600000       312      61"), "{table}");
    }
}
