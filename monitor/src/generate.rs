//! Documentation that is generated from code, so that it cannot contradict it.

use std::{fs, io, path::Path};

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::{
    cli::Cli,
    inspect,
    model::catalog,
    output::{events, json},
    recording,
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
    fs::write(directory.join("metrics.md"), catalog::markdown())?;
    fs::write(directory.join("recording-columns.md"), recording::markdown())?;
    clap_mangen::generate_to(Cli::command(), subdirectory("man")?)?;
    let completions = subdirectory("completions")?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut Cli::command(), "monitor", &completions)?;
    }
    Ok(())
}
