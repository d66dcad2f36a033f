//! Documentation that is generated from code, so that it cannot contradict it.

use std::{fs, io, path::Path};

use clap::ValueEnum;
use clap_complete::Shell;

use crate::{
    cadvisor, cli, inspect,
    model::catalog,
    output::{events, json, prometheus},
    recording,
    serve::openapi,
};

/// Writes the schemas, the metrics, the columns of recordings, the man pages and the completions below a directory.
pub fn write_all(directory: &Path) -> io::Result<()> {
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
