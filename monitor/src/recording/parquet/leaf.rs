//! Cells to the values and levels of Parquet's leaves, and back.
//!
//! A definition level says how much of a path is there, a repetition level whether an element begins a list or goes on with
//! it (parquet.apache.org/docs/file-format/nestedencoding).

use jiff::Timestamp;
use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType, DoubleType, Int64Type},
    errors::{ParquetError, Result},
    file::{reader::RowGroupReader, writer::SerializedColumnWriter},
};

use crate::{
    model::LatencyBucket,
    recording::columns::{Cell, Type},
};

/// The definition level of a scalar that is there, and of a list that is.
const PRESENT: i16 = 1;
/// That of an element of a list.
const ELEMENT: i16 = 2;
/// That of an optional member of an element.
const MEMBER: i16 = 3;

/// The values of one leaf of a row group.
#[derive(Default)]
pub(super) struct Leaf {
    pub(super) integers: Vec<i64>,
    pub(super) reals: Vec<f64>,
    pub(super) texts: Vec<ByteArray>,
    pub(super) definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

/// How many leaves a column has.
pub(super) fn leaf_count(type_: Type) -> usize {
    if type_ == Type::Buckets { 3 } else { 1 }
}

impl Leaf {
    fn integer(&mut self, value: u64) {
        self.integers.push(value.cast_signed());
    }

    fn level(&mut self, definition: i16, repetition: i16) {
        self.definitions.push(definition);
        self.repetitions.push(repetition);
    }

    /// Hands everything to the file.
    pub(super) fn write(&self, column: &mut SerializedColumnWriter<'_>, type_: Type) -> Result<()> {
        let definitions = Some(self.definitions.as_slice());
        let repetitions = Some(self.repetitions.as_slice()).filter(|_| is_list(type_));
        match type_ {
            Type::Real => column.typed::<DoubleType>().write_batch(&self.reals, definitions, repetitions)?,
            Type::Text | Type::Json => column.typed::<parquet::data_type::ByteArrayType>().write_batch(
                &self.texts,
                definitions,
                repetitions,
            )?,
            Type::Time | Type::Unsigned | Type::Signed | Type::Numbers | Type::Buckets => {
                column.typed::<Int64Type>().write_batch(&self.integers, definitions, repetitions)?
            }
        };
        Ok(())
    }
}

fn is_list(type_: Type) -> bool {
    matches!(type_, Type::Numbers | Type::Buckets)
}

/// The leaves of a column with these cells. A cell of another type than the column's is null.
pub(super) fn encode<'c>(type_: Type, cells: impl Iterator<Item = Cell<'c>>) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = (0..leaf_count(type_)).map(|_| Leaf::default()).collect();
    for cell in cells {
        match leaves.as_mut_slice() {
            [leaf] => push(leaf, cell),
            [from, to, count] => push_buckets([from, to, count], &cell),
            _ => {}
        }
    }
    leaves
}

fn push(leaf: &mut Leaf, cell: Cell<'_>) {
    match cell {
        Cell::Numbers(numbers) => {
            if numbers.is_empty() {
                leaf.level(PRESENT, 0);
            }
            for (index, number) in numbers.iter().enumerate() {
                leaf.integer(*number);
                leaf.level(ELEMENT, i16::from(index > 0));
            }
            return;
        }
        Cell::Time(time) => match i64::try_from(time.as_nanosecond()) {
            Ok(nanoseconds) => leaf.integers.push(nanoseconds),
            Err(_beyond_year_2262) => return leaf.level(0, 0),
        },
        Cell::Unsigned(value) => leaf.integer(value),
        Cell::Signed(value) => leaf.integers.push(value),
        Cell::Real(value) => leaf.reals.push(value),
        Cell::Text(text) => leaf.texts.push(ByteArray::from(text.into_owned().into_bytes())),
        Cell::Null | Cell::Buckets(_) => return leaf.level(0, 0),
    }
    leaf.level(PRESENT, 0);
}

fn push_buckets([from, to, count]: [&mut Leaf; 3], cell: &Cell<'_>) {
    let (buckets, definition) = match cell {
        Cell::Buckets(buckets) => (buckets.as_ref(), PRESENT),
        _ => (&[][..], 0),
    };
    if buckets.is_empty() {
        for leaf in [from, to, count] {
            leaf.level(definition, 0);
        }
        return;
    }
    for (index, bucket) in buckets.iter().enumerate() {
        let repetition = i16::from(index > 0);
        from.integer(bucket.from_ns);
        from.level(ELEMENT, repetition);
        count.integer(bucket.count);
        count.level(ELEMENT, repetition);
        if let Some(to_ns) = bucket.to_ns {
            to.integer(to_ns);
        }
        to.level(if bucket.to_ns.is_some() { MEMBER } else { ELEMENT }, repetition);
    }
}

/// Reads one leaf of a row group whole.
pub(super) fn read(group: &dyn RowGroupReader, index: usize) -> Result<Leaf> {
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
    let mut leaf = Leaf::default();
    let Leaf { integers, reals, texts, definitions, repetitions } = &mut leaf;
    match group.get_column_reader(index)? {
        ColumnReader::Int64ColumnReader(reader) => read_all(reader, rows, integers, definitions, repetitions),
        ColumnReader::DoubleColumnReader(reader) => read_all(reader, rows, reals, definitions, repetitions),
        ColumnReader::ByteArrayColumnReader(reader) => {
            read_all(reader, rows, texts, definitions, repetitions)
        }
        _ => Err(ParquetError::General("a type that monitor does not write".to_owned())),
    }?;
    Ok(leaf)
}

fn read_all<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    values: &mut Vec<T::T>,
    definitions: &mut Vec<i16>,
    repetitions: &mut Vec<i16>,
) -> Result<()> {
    let mut left = rows;
    while left > 0 {
        let (records, _, _) = reader.read_records(left, Some(definitions), Some(repetitions), values)?;
        if records == 0 {
            return Err(ParquetError::EOF(
                "a column has fewer values than its row group has rows".to_owned(),
            ));
        }
        left -= records;
    }
    Ok(())
}

/// The cells of a column that was read into these leaves; `None` where they are not of its type.
pub(super) fn decode(type_: Type, leaves: Vec<Leaf>) -> Option<Vec<Cell<'static>>> {
    if type_ == Type::Buckets {
        let [from, to, count] = <[Leaf; 3]>::try_from(leaves).ok()?;
        return decode_buckets(&from, &to, &count);
    }
    let [leaf] = <[Leaf; 1]>::try_from(leaves).ok()?;
    let Leaf { integers, reals, texts, definitions, repetitions } = leaf;
    let mut integers = integers.into_iter();
    if type_ == Type::Numbers {
        return decode_numbers(&definitions, &repetitions, integers);
    }
    let (mut reals, mut texts) = (reals.into_iter(), texts.into_iter());
    let mut cell = |definition: i16| {
        if definition < PRESENT {
            return Some(Cell::Null);
        }
        Some(match type_ {
            Type::Time => Cell::Time(Timestamp::from_nanosecond(integers.next()?.into()).ok()?),
            Type::Unsigned => Cell::Unsigned(integers.next()?.cast_unsigned()),
            Type::Signed => Cell::Signed(integers.next()?),
            Type::Real => Cell::Real(reals.next()?),
            Type::Text | Type::Json => Cell::Text(text(&texts.next()?)?.into()),
            Type::Numbers | Type::Buckets => return None,
        })
    };
    definitions.into_iter().map(&mut cell).collect()
}

pub(super) fn text(bytes: &ByteArray) -> Option<String> {
    bytes.as_utf8().ok().map(str::to_owned)
}

fn decode_numbers(
    definitions: &[i16],
    repetitions: &[i16],
    mut values: impl Iterator<Item = i64>,
) -> Option<Vec<Cell<'static>>> {
    let mut cells = Vec::new();
    for (definition, repetition) in definitions.iter().zip(repetitions) {
        if *repetition == 0 {
            cells.push(if *definition < PRESENT { Cell::Null } else { Cell::Numbers(Vec::new().into()) });
        }
        if *definition >= ELEMENT {
            let Some(Cell::Numbers(numbers)) = cells.last_mut() else { return None };
            numbers.to_mut().push(values.next()?.cast_unsigned());
        }
    }
    Some(cells)
}

fn decode_buckets(from: &Leaf, to: &Leaf, count: &Leaf) -> Option<Vec<Cell<'static>>> {
    let mut cells = Vec::new();
    let mut froms = from.integers.iter();
    let mut tos = to.integers.iter();
    let mut counts = count.integers.iter();
    for (definition, repetition) in to.definitions.iter().zip(&to.repetitions) {
        if *repetition == 0 {
            cells.push(if *definition < PRESENT { Cell::Null } else { Cell::Buckets(Vec::new().into()) });
        }
        if *definition >= ELEMENT {
            let Some(Cell::Buckets(buckets)) = cells.last_mut() else { return None };
            let to_ns = if *definition >= MEMBER { Some(tos.next()?.cast_unsigned()) } else { None };
            buckets.to_mut().push(LatencyBucket {
                from_ns: froms.next()?.cast_unsigned(),
                to_ns,
                count: counts.next()?.cast_unsigned(),
            });
        }
    }
    Some(cells)
}
