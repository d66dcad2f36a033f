//! `cargo xtask layers`: who may know whom in `monitor`, checked, so that a new edge is a decision.
//!
//! Reads source text and not syntax trees: it sees `crate::module` and `monitor_common::` wherever they stand
//! outside comments and test modules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::no_args;

/// The crate of shared kernel types, listed like a module.
const COMMON: &str = "monitor_common";

/// Each top-level module of `monitor` and the modules that it may name besides [`OPEN_TO_ALL`].
const MAY_KNOW: [(&str, &[&str]); 35] = [
    // The multiplier by which slots are spread, which spreads work over ticks too.
    ("newtypes", &[]),
    ("error", &[]),
    ("confine", &[]),
    ("credentials", &[]),
    ("url", &[]),
    ("cli", &[]),
    ("config", &["cli"]),
    // The settings of what it configures are its fields, and which events are wanted is told by the event.
    (
        "settings",
        &[
            COMMON,
            "cadvisor",
            "cli",
            "credentials",
            "history",
            "model",
            "output",
            "plugin",
            "probes",
            "recording",
            "runtime",
            "serve",
            "sinks",
            "tui",
        ],
    ),
    // Who draws on the terminal, and where lines of the log go meanwhile.
    ("console", &[]),
    ("privileges", &[]),
    ("stats", &[COMMON]),
    ("probes", &[COMMON]),
    ("cgroup", &[]),
    ("host", &[]),
    ("runtime", &[]),
    // A container's processes are found by its cgroup, and what it has mounted is told by its runtime.
    ("filesystem", &["cgroup", "runtime"]),
    ("registry", &["cgroup", "runtime"]),
    ("model", &["stats"]),
    // The bucket bounds are the kernel side's; what a runtime tells passes through to the registry.
    (
        "collector",
        &[COMMON, "probes", "cgroup", "filesystem", "host", "registry", "runtime", "stats", "model"],
    ),
    // Its columns are the catalogue's, and the buckets that it keeps the kernel side's.
    ("history", &[COMMON, "model"]),
    ("recording", &["model"]),
    ("output", &["model", "stats"]),
    // Numbers, names and blame are said in the words of `stream` and `blame`.
    ("tui", &["console", "model", "output"]),
    // Asks no source: what it serves was published. Statistics are those of a report.
    ("serve", &[COMMON, "credentials", "history", "model", "output", "report", "stats"]),
    // Asks no source either: it is one more client of what was published.
    ("sinks", &["credentials", "model", "output", "serve"]),
    // What hardly changes of the machine and the processes of a container are read when asked for, as cAdvisor does.
    ("cadvisor", &["cgroup", "host", "model", "output", "serve"]),
    // Its own readers and model: a look at one container takes no part in the tick. A process's stat is read in one way.
    ("inspect", &["cli", "settings", "privileges", "cgroup", "filesystem", "host", "runtime", "output"]),
    // Asks over HTTP; a snapshot of its own is searched as the server searches its own.
    ("plugin", &["credentials", "model", "serve"]),
    ("report", &["cli", "console", "settings", "model", "output", "recording", "stats"]),
    ("dashboards", &["model", "output"]),
    ("generate", &["cadvisor", "cli", "dashboards", "inspect", "model", "output", "recording", "serve"]),
    // What it says is made harmless, and who may ask is checked with the rest of the settings.
    (
        "main",
        &[
            "cli", "config", "console", "settings", "app", "doctor", "generate", "inspect", "output",
            "plugin", "report", "serve",
        ],
    ),
    // Put together from all of them, which is their job.
    ("app", &[ANY]),
    ("doctor", &[ANY]),
    // Leads to what is in all of them for it alone.
    ("fuzzing", &[ANY]),
];

const ANY: &str = "*";
/// What a thread gives up stands where the thread begins.
const OPEN_TO_ALL: [&str; 4] = ["newtypes", "error", "url", "confine"];

pub(crate) fn layers_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    no_args("layers", args)?;
    check(checkout)
}

/// Fails with one line for each edge that the table does not have.
pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    let source = checkout.root().join("monitor/src");
    let mut violations = Vec::new();
    for file in rust_files(&source)? {
        let name = file.strip_prefix(&source).with_context(|| format!("place {}", file.display()))?;
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let shown = Path::new("monitor/src").join(name);
        violations.extend(
            file_violations(name, &text)
                .into_iter()
                .map(|(line, what)| format!("{}:{line}: {what}", shown.display())),
        );
    }
    if violations.is_empty() {
        return Ok(());
    }
    bail!("modules know more than they may (the table is in xtask/src/layers.rs):\n{}", violations.join("\n"))
}

fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Line numbers and what is wrong there, for a file named from `monitor/src`.
fn file_violations(name: &Path, text: &str) -> Vec<(usize, String)> {
    let Some(module) = top_module(name) else {
        return Vec::new();
    };
    if name.file_stem().is_some_and(|stem| stem == "tests" || stem == "fuzz") {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(listed, _)| *listed == module) else {
        return vec![(1, format!("`{module}` is not in the table of who may know whom"))];
    };
    // The binary's own root is `main`; it names the library by its name.
    let root = if module == "main" { "monitor::" } else { "crate::" };
    let is_allowed = |known: &str| {
        known == module || OPEN_TO_ALL.contains(&known) || allowed.contains(&known) || allowed.contains(&ANY)
    };
    names_in(&without_tests(text), root)
        .into_iter()
        .filter(|(_, known)| !is_allowed(known))
        .map(|(line, known)| (line, format!("`{module}` may not know `{known}`")))
        .collect()
}

/// `cgroup` for `cgroup/v1.rs` and `cgroup.rs`; the library's root declares modules and is in none.
fn top_module(name: &Path) -> Option<String> {
    let first = Path::new(name.components().next()?.as_os_str());
    let module = first.file_stem()?.to_str()?;
    (module != "lib").then(|| module.to_owned())
}

/// The text with comments, and test modules in the form that rustfmt gives them, made blank.
fn without_tests(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_test = false;
    let mut end = None;
    for line in text.lines() {
        let code = line.split_once("//").map_or(line, |(code, _)| code);
        let trimmed = code.trim();
        if end.is_some() {
            if end.as_deref() == Some(code.trim_end()) {
                end = None;
            }
        } else if is_test && trimmed.starts_with("mod ") && trimmed.ends_with('{') {
            let indent = code.len() - code.trim_start().len();
            end = Some(format!("{}}}", " ".repeat(indent)));
        } else {
            kept.push_str(code);
        }
        is_test = trimmed == "#[cfg(test)]" || (is_test && trimmed.starts_with("#["));
        kept.push('\n');
    }
    kept
}

/// Every module named directly below `root`, and [`COMMON`], with its line.
fn names_in(text: &str, root: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let line_at = |offset: usize| text[..offset].matches('\n').count() + 1;
    for (offset, _) in text.match_indices(root).filter(|(offset, _)| starts_word(text, *offset)) {
        let start = offset + root.len();
        names.extend(names_after(&text[start..]).into_iter().map(|(at, name)| (line_at(start + at), name)));
    }
    for (offset, _) in text.match_indices("monitor_common::").filter(|(offset, _)| starts_word(text, *offset))
    {
        names.push((line_at(offset), COMMON.to_owned()));
    }
    names.sort();
    names.dedup();
    names
}

/// Whether what starts here is a path's first part, and not the end of another name.
fn starts_word(text: &str, offset: usize) -> bool {
    !text[..offset].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
}

/// The first part of one path, or of each path in a braced group, with its offset.
fn names_after(text: &str) -> Vec<(usize, String)> {
    let Some(group) = text.strip_prefix('{') else {
        return leading_name(text).map(|name| (0, name)).into_iter().collect();
    };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut expects_name = true;
    for (at, character) in group.char_indices() {
        match character {
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '{' => depth += 1,
            ',' if depth == 0 => expects_name = true,
            _ if expects_name && !character.is_whitespace() => {
                names.extend(leading_name(&group[at..]).map(|name| (at + 1, name)));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

/// A module's name: an item of the crate's root, such as a re-exported type, starts with a capital.
fn leading_name(text: &str) -> Option<String> {
    let end =
        text.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(text.len());
    let name = &text[..end];
    name.starts_with(|first: char| first.is_ascii_lowercase()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(name: &str, text: &str) -> Vec<(usize, String)> {
        file_violations(Path::new(name), text)
    }

    #[test]
    fn allowed_edges_pass() {
        let text =
            "use crate::cgroup::CgroupStats;\nuse crate::newtypes::CgroupId;\nuse crate::registry::X;\n";
        assert!(violations("registry.rs", text).is_empty());
        assert!(violations("app.rs", "use crate::{api, tui};\n").is_empty());
        assert!(violations("lib.rs", "pub use crate::model::Snapshot;\n").is_empty());
    }

    #[test]
    fn a_forbidden_edge_is_named_with_its_line() {
        let found = violations("cgroup/v1.rs", "//! v1\n\nuse crate::probes::read;\n");
        assert_eq!(found, [(3, "`cgroup` may not know `probes`".to_owned())]);
    }

    #[test]
    fn groups_are_looked_into_line_by_line() {
        let text = "use crate::{\n    model::{Host, cgroup},\n    registry,\n    stats,\n};\n";
        assert_eq!(violations("output/json.rs", text), [(3, "`output` may not know `registry`".to_owned())]);
    }

    #[test]
    fn a_path_in_the_code_counts_like_a_use() {
        let text = "fn f() -> crate::registry::Registry {\n    todo\n}\n";
        assert_eq!(violations("tui/app.rs", text), [(1, "`tui` may not know `registry`".to_owned())]);
    }

    #[test]
    fn comments_and_test_modules_do_not_count() {
        let text = "// see crate::api\n/// [`crate::api`]\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    \
                    use crate::api;\n    fn g() {\n    }\n}\nuse crate::tui;\n";
        assert_eq!(violations("model/host.rs", text), [(11, "`model` may not know `tui`".to_owned())]);
        assert!(violations("model/host/tests.rs", "use crate::api;\n").is_empty());
    }

    #[test]
    fn a_test_module_in_its_own_file_ends_nothing() {
        let text = "#[cfg(test)]\nmod tests;\nuse crate::api;\n";
        assert_eq!(violations("model/host.rs", text), [(3, "`model` may not know `api`".to_owned())]);
    }

    #[test]
    fn shared_kernel_types_are_for_probes_and_stats() {
        assert!(violations("probes/read.rs", "use monitor_common::sched::SchedCounters;\n").is_empty());
        assert_eq!(violations("output/table.rs", "use monitor_common::limits;\n").len(), 1);
    }

    #[test]
    fn main_names_the_library_by_its_name() {
        assert!(violations("main.rs", "use monitor::{app, cli};\n").is_empty());
        assert_eq!(violations("main.rs", "use monitor::probes::load;\n").len(), 1);
    }

    #[test]
    fn other_words_that_end_alike_do_not_count() {
        assert!(violations("cgroup/v2.rs", "use other_crate::probes;\nuse self::crate_::api;\n").is_empty());
    }

    #[test]
    fn a_module_that_nobody_has_placed_is_reported() {
        assert_eq!(violations("shiny.rs", "").len(), 1);
    }
}
