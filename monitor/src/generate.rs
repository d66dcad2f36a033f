//! Documentation that is generated from code, so that it cannot contradict it.

use std::{fmt::Write as _, fs, io, path::Path};

use clap::ValueEnum;
use clap_complete::Shell;

use crate::{
    cadvisor, cli, dashboards, inspect,
    model::{catalog, typescript::typescript},
    output::{blame, events, json, prometheus},
    recording,
    serve::openapi,
};

/// Writes what is documentation, what is to be deployed and what the dashboard knows of the metrics below a directory, as the
/// tree of the sources has it.
pub fn write_all(directory: &Path) -> io::Result<()> {
    write_docs(&directory.join("docs"))?;
    write_deploy(&directory.join("deploy"))?;
    write_web(&directory.join("web/src/generated"))
}

/// What the dashboard knows of the metrics.
fn write_web(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("catalogue.ts"), typescript())?;
    fs::write(directory.join("sources.ts"), sources()?)
}

/// The dashboards and the settings that they need.
fn write_deploy(directory: &Path) -> io::Result<()> {
    let files = dashboards::files().map_err(io::Error::other)?;
    let grafana = directory.join("grafana");
    fs::create_dir_all(&grafana)?;
    for (name, text) in files.dashboards {
        fs::write(grafana.join(name), text)?;
    }
    fs::write(directory.join("config.toml"), files.config)
}

/// The schemas, the metrics, the columns of recordings, the man pages and the completions.
fn write_docs(directory: &Path) -> io::Result<()> {
    let subdirectory = |name: &str| {
        let path = directory.join(name);
        fs::create_dir_all(&path).map(|()| path)
    };
    let schemas = subdirectory("schema")?;
    fs::write(schemas.join("snapshot.schema.json"), json::schema())?;
    fs::write(schemas.join("event.schema.json"), events::schema())?;
    fs::write(schemas.join("inspect.schema.json"), inspect::schema())?;
    fs::write(directory.join("openapi.json"), openapi::document())?;
    fs::write(directory.join("metrics.md"), catalog::markdown())?;
    fs::write(directory.join("prometheus.md"), prometheus::markdown())?;
    fs::write(directory.join("recording-columns.md"), recording::markdown())?;
    fs::write(directory.join("cadvisor-metrics.md"), cadvisor::markdown())?;
    clap_mangen::generate_to(cli::command(), subdirectory("man")?)?;
    let completions = subdirectory("completions")?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut cli::command(), "monitor", &completions)?;
    }
    Ok(())
}

/// What `monitor blame` says of each source of waiting, for the dashboard to say the same.
fn sources() -> io::Result<String> {
    let mut text = String::from(
        "// Generated from monitor/src/output/blame.rs by `cargo xtask codegen`; do not edit.\n\n\
         /** What is said of each source of waiting, and what would shorten a wait for a CPU for its sake. */\n\
         export const SOURCES = {\n",
    );
    for source in blame::SOURCES {
        let name = serde_json::to_value(source)?;
        let words = serde_json::to_string(blame::words(source))?;
        let advice = serde_json::to_string(&blame::advice(source))?;
        let name = name.as_str().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name}: {{ words: {words}, advice: {advice} }},");
    }
    text.push_str("} as const;\n");
    Ok(text)
}
