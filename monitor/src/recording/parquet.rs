//! Recordings as Parquet: one row a machine, container or cgroup and tick, one column a metric.
//!
//! A Parquet file needs its footer, which says where everything is and stands at the end. `tail` keeps a footer at the end of
//! the file at every moment, so that any reader can open a recording that goes on, or that was killed; `journal` lets
//! monitor itself read one whose end is missing (docs/adr/0019).

mod journal;
mod leaf;
mod read;
mod tail;
mod write;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    errors::{ParquetError, Result},
    file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData},
    schema::types::{SchemaDescPtr, SchemaDescriptor, Type as Node, TypePtr},
};

pub(super) use self::{read::ParquetReader, write::ParquetWriter};
use super::columns::{Column, Type, columns};

/// The bytes that every Parquet file begins and ends with.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";

const VERSION: i32 = 2;

/// The schema of all columns.
fn schema() -> Result<TypePtr> {
    let fields = columns().iter().map(node).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Node::group_type_builder("monitor").with_fields(fields).build()?))
}

fn node(column: &Column) -> Result<TypePtr> {
    let optional = Repetition::OPTIONAL;
    match column.type_ {
        Type::Time | Type::Signed | Type::Unsigned | Type::Real | Type::Text | Type::Json => {
            primitive(&column.name, column.type_, optional)
        }
        Type::Numbers => list(&column.name, primitive("element", Type::Unsigned, Repetition::REQUIRED)?),
        Type::Buckets => {
            let element =
                Node::group_type_builder("element").with_repetition(Repetition::REQUIRED).with_fields(vec![
                    primitive("from_ns", Type::Unsigned, Repetition::REQUIRED)?,
                    primitive("to_ns", Type::Unsigned, optional)?,
                    primitive("count", Type::Unsigned, Repetition::REQUIRED)?,
                ]);
            list(&column.name, Arc::new(element.build()?))
        }
    }
}

/// The three-level form that the format asks for.
fn list(name: &str, element: TypePtr) -> Result<TypePtr> {
    let repeated = Node::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![element])
        .build()?;
    let list = Node::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(repeated)]);
    Ok(Arc::new(list.build()?))
}

fn primitive(name: &str, type_: Type, repetition: Repetition) -> Result<TypePtr> {
    let (physical, logical) = match type_ {
        Type::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        Type::Unsigned => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Type::Signed => (Physical::INT64, Some(LogicalType::integer(64, true))),
        Type::Real => (Physical::DOUBLE, None),
        // Not the type for JSON, which some readers show as bytes.
        Type::Text | Type::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Type::Numbers | Type::Buckets => {
            return Err(ParquetError::General(format!("{name} is no primitive")));
        }
    };
    let node =
        Node::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical);
    Ok(Arc::new(node.build()?))
}

/// What reads a file, which is an error where it panics: what the format's crate does with some files that are damaged.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_panic| Err(ParquetError::General("the file is damaged".to_owned())))
}

/// The footer for these row groups, without the length and the magic that close it.
fn footer(schema: &SchemaDescPtr, groups: &[RowGroupMetaData]) -> Result<Vec<u8>> {
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let created_by = format!("monitor version {}", env!("CARGO_PKG_VERSION"));
    let file = FileMetaData::new(VERSION, rows, Some(created_by), None, Arc::clone(schema), None);
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &ParquetMetaData::new(file, groups.to_vec())).finish()?;
    bytes.truncate(bytes.len().saturating_sub(tail::END));
    Ok(bytes)
}

fn descriptor(schema: TypePtr) -> SchemaDescPtr {
    Arc::new(SchemaDescriptor::new(schema))
}
