//! One column of a block, packed value by value.
//!
//! Each value is told by how it differs from what was to be expected: of a counter that it goes on as it did, of others that
//! they stay. What differs in nothing, and what was not measured, is a run of so many. All numbers are LEB128, so what stands
//! still takes no bytes, and what grows steadily hardly any.

/// How a column behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; a step's value is its last. Whole numbers, exact up to 2^53.
    Counter,
    /// Goes up and down; a step's value is the mean. Kept with the 24 bits of a single float.
    Level,
}

/// Codes of runs; a difference is its number and this many more.
const EXPECTED: u128 = 0;
const UNKNOWN: u128 = 1;
const FIRST_DIFFERENCE: u128 = 2;

/// What is to be expected next. The same for packing and unpacking.
#[derive(Clone, Copy, Debug, Default)]
struct Expectation {
    last: u64,
    /// Of a counter: what it last grew by.
    growth: u64,
}

impl Expectation {
    fn next(self, kind: Kind) -> u64 {
        match kind {
            Kind::Counter => self.last.wrapping_add(self.growth),
            Kind::Level => self.last,
        }
    }

    fn was(&mut self, word: u64) {
        *self = Self { last: word, growth: word.wrapping_sub(self.last) };
    }

    /// How a word differs, as a number that is small where the difference is.
    fn difference(self, kind: Kind, word: u64) -> u64 {
        match kind {
            Kind::Counter => zigzag(word.wrapping_sub(self.next(kind)).cast_signed()),
            // Neighbouring floats differ in their last bits, round ones in their first: those come first here.
            Kind::Level => (word ^ self.last).reverse_bits() >> 32,
        }
    }

    fn word(self, kind: Kind, difference: u64) -> u64 {
        match kind {
            Kind::Counter => self.next(kind).wrapping_add(unzigzag(difference).cast_unsigned()),
            Kind::Level => (difference << 32).reverse_bits() ^ self.last,
        }
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a counter is a whole number from 0; a level is kept with fewer digits"
)]
fn to_word(kind: Kind, value: f64) -> u64 {
    match kind {
        Kind::Counter => value as u64,
        Kind::Level => u64::from((value as f32).to_bits()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the upper half of a level's word is 0")]
fn from_word(kind: Kind, word: u64) -> f64 {
    match kind {
        Kind::Counter => word as f64,
        Kind::Level => f64::from(f32::from_bits(word as u32)),
    }
}

/// A run that has not ended yet.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    code: u128,
    count: u128,
}

/// A column that is being packed.
#[derive(Clone, Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    expectation: Expectation,
    run: Run,
}

impl Packer {
    pub(super) fn push(&mut self, kind: Kind, value: Option<f64>) {
        let Some(value) = value else { return self.lengthen(UNKNOWN) };
        let word = to_word(kind, value);
        let difference = self.expectation.difference(kind, word);
        self.expectation.was(word);
        if difference == 0 {
            return self.lengthen(EXPECTED);
        }
        self.end_run();
        put(&mut self.bytes, u128::from(difference) - 1 + FIRST_DIFFERENCE);
    }

    /// The packed column.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.end_run();
        self.bytes
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity() + size_of::<Self>()
    }

    fn lengthen(&mut self, code: u128) {
        if self.run.code != code {
            self.end_run();
        }
        self.run = Run { code, count: self.run.count + 1 };
    }

    fn end_run(&mut self) {
        if self.run.count > 0 {
            put(&mut self.bytes, self.run.code);
            put(&mut self.bytes, self.run.count);
        }
        self.run = Run::default();
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u128) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}

fn take(bytes: &mut &[u8]) -> Option<u128> {
    let mut number = 0;
    for shift in (0..128).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The values of a packed column.
pub(super) fn unpack(kind: Kind, mut bytes: &[u8]) -> Vec<Option<f64>> {
    let mut values = Vec::new();
    let mut expectation = Expectation::default();
    while let Some(code) = take(&mut bytes) {
        match code {
            EXPECTED | UNKNOWN => {
                for _ in 0..take(&mut bytes).unwrap_or_default() {
                    let word = expectation.next(kind);
                    let is_known = code == EXPECTED;
                    if is_known {
                        expectation.was(word);
                    }
                    values.push(is_known.then(|| from_word(kind, word)));
                }
            }
            difference => {
                let difference = u64::try_from(difference + 1 - FIRST_DIFFERENCE).unwrap_or_default();
                let word = expectation.word(kind, difference);
                expectation.was(word);
                values.push(Some(from_word(kind, word)));
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(kind: Kind, values: &[Option<f64>]) -> Vec<u8> {
        let mut packer = Packer::default();
        for value in values {
            packer.push(kind, *value);
        }
        packer.finish()
    }

    #[test]
    fn what_is_expected_takes_hardly_any_bytes() {
        let steady: Vec<Option<f64>> = (0..60).map(|step| Some(f64::from(step) * 1e9)).collect();
        assert!(packed(Kind::Counter, &steady).len() < 12);
        assert_eq!(packed(Kind::Level, &[Some(0.0); 60]).len(), 2);
        assert_eq!(packed(Kind::Level, &[None; 60]).len(), 2);
    }

    proptest! {
        #[test]
        fn counters_come_back_exactly(
            values in proptest::collection::vec(proptest::option::of(0_u64..1 << 53), 0..80),
        ) {
            let values: Vec<Option<f64>> = values.into_iter().map(|v| v.map(|v| v as f64)).collect();
            prop_assert_eq!(unpack(Kind::Counter, &packed(Kind::Counter, &values)), values);
        }

        #[test]
        fn levels_come_back_with_seven_digits(
            values in proptest::collection::vec(proptest::option::of(-1e12_f64..1e12), 0..80),
        ) {
            let back = unpack(Kind::Level, &packed(Kind::Level, &values));
            prop_assert_eq!(back.len(), values.len());
            for (back, value) in back.iter().zip(&values) {
                prop_assert_eq!(back.is_some(), value.is_some());
                let (back, value) = (back.unwrap_or_default(), value.unwrap_or_default());
                prop_assert!((back - value).abs() <= 1e-7 * value.abs());
            }
        }

        #[test]
        // A run may claim any length: of one byte each they are short.
        fn bytes_never_panic(bytes in proptest::collection::vec(0_u8..0x80, 0..12)) {
            let _ = unpack(Kind::Counter, &bytes);
            let _ = unpack(Kind::Level, &bytes);
        }
    }
}
