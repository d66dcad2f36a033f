//! Parquet files as another implementation reads them.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{container::succeeded, env};

/// Prints a query's rows as JSON, each a list; numbers beyond 64 bits, which sums have, as numbers too.
const ASK: &str = "import duckdb, json, sys
rows = duckdb.execute(sys.argv[1]).fetchall()
print(json.dumps(rows, default=str))";

/// The rows that a query gives, in which `FILE` stands for the file.
#[must_use]
pub fn query(file: &Path, sql: &str) -> Vec<Vec<Value>> {
    let sql = sql.replace("FILE", &format!("'{}'", file.display()));
    let output = Command::new(env::duckdb_python()).args(["-c", ASK, &sql]).output().expect("run Python");
    let printed = succeeded(&format!("DuckDB: {sql}"), output);
    serde_json::from_slice(&printed).expect("rows")
}

/// The numbers of a query with one row.
#[must_use]
pub fn numbers(file: &Path, sql: &str) -> Vec<u64> {
    let rows = query(file, sql);
    let [row] = rows.as_slice() else { panic!("{} rows: {sql}", rows.len()) };
    row.iter().map(|value| value.as_u64().unwrap_or_else(|| panic!("{value} of {sql}"))).collect()
}
