//! Rows of one subject, packed one behind the other: of each only what differs from the row before.
//!
//! A row is: how many rows it is further on, the lanes that changed (how many; for each how many lanes further on, and how the
//! word differs), the tallies (how many; for each how much further on its code is, and the count). All numbers are LEB128, so
//! what stands still takes no bytes.

/// How a lane's words are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By how much a whole number grew or shrank.
    Integer,
    /// By the bits that differ: a single float of [`real_word`].
    Real,
}

/// Bits of a single float that are not kept: what is left is right to five digits.
const DROPPED_BITS: u32 = 7;

/// A number as it is kept; `None` of one that is not finite.
#[expect(clippy::cast_possible_truncation, reason = "kept with fewer digits")]
pub(super) fn real_word(value: f64) -> Option<u64> {
    let half = 1_u32 << (DROPPED_BITS - 1);
    let single = value as f32;
    let rounded = single.to_bits().checked_add(half)? >> DROPPED_BITS << DROPPED_BITS;
    f32::from_bits(rounded).is_finite().then_some(u64::from(rounded))
}

/// The number that a word of [`real_word`] is.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is 0")]
pub(super) fn real(word: u64) -> f64 {
    f64::from(f32::from_bits(word as u32))
}

/// A count and what it is of.
pub(super) type Tally = (u64, u64);

/// Appends a row that is `gap` rows behind the one that `before` holds, and makes `before` hold it. Tallies are in the order of
/// their codes.
pub(super) fn pack(
    bytes: &mut Vec<u8>,
    forms: &[Form],
    before: &mut [Option<u64>],
    gap: u64,
    words: &[Option<u64>],
    tallies: &[Tally],
) {
    put(bytes, gap);
    let changed = before.iter().zip(words).filter(|(before, now)| before != now).count();
    put(bytes, changed as u64);
    let mut expected = 0;
    for (lane, ((before, now), form)) in before.iter_mut().zip(words).zip(forms).enumerate() {
        if before == now {
            continue;
        }
        put(bytes, (lane - expected) as u64);
        expected = lane + 1;
        // 0 stands for unknown behind a known word, which a known one differs from.
        put(bytes, now.map_or(0, |now| difference(*form, before.unwrap_or(0), now)));
        *before = *now;
    }
    put(bytes, tallies.len() as u64);
    let mut expected = 0;
    for (code, count) in tallies {
        put(bytes, code - expected);
        put(bytes, *count);
        expected = code + 1;
    }
}

fn difference(form: Form, before: u64, now: u64) -> u64 {
    match form {
        Form::Integer => zigzag(now.wrapping_sub(before).cast_signed()),
        Form::Real => (now ^ before) >> DROPPED_BITS,
    }
}

fn word(form: Form, before: u64, difference: u64) -> u64 {
    match form {
        Form::Integer => before.wrapping_add(unzigzag(difference).cast_unsigned()),
        Form::Real => before ^ (difference << DROPPED_BITS & u64::from(u32::MAX)),
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Goes through the rows of one subject.
#[derive(Debug)]
pub(super) struct Unpacker<'a> {
    bytes: &'a [u8],
    forms: &'a [Form],
    row: usize,
    /// The words of the row that was reached.
    pub(super) words: Vec<Option<u64>>,
    /// Its tallies.
    pub(super) tallies: Vec<Tally>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(bytes: &'a [u8], forms: &'a [Form]) -> Self {
        Self { bytes, forms, row: 0, words: vec![None; forms.len()], tallies: Vec::new() }
    }

    /// Goes to the next row and says which it is; `None` at the end, and where the bytes are none of [`pack`]'s.
    pub(super) fn advance(&mut self) -> Option<usize> {
        let gap = usize::try_from(take(&mut self.bytes)?).ok()?;
        self.row = self.row.checked_add(gap)?;
        let changed = take(&mut self.bytes)?;
        let mut lane = 0_usize;
        for _ in 0..changed {
            lane = lane.checked_add(usize::try_from(take(&mut self.bytes)?).ok()?)?;
            let code = take(&mut self.bytes)?;
            let (place, form) = (self.words.get_mut(lane)?, self.forms.get(lane)?);
            *place = match *place {
                Some(_) if code == 0 => None,
                before => Some(word(*form, before.unwrap_or(0), code)),
            };
            lane += 1;
        }
        self.tallies.clear();
        let mut code = 0_u64;
        for _ in 0..take(&mut self.bytes)? {
            code = code.checked_add(take(&mut self.bytes)?)?;
            self.tallies.push((code, take(&mut self.bytes)?));
            code = code.checked_add(1)?;
        }
        Some(self.row)
    }

    /// The words of the last row.
    pub(super) fn last(mut self) -> Vec<Option<u64>> {
        while self.advance().is_some() {}
        self.words
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    const FORMS: [Form; 4] = [Form::Integer, Form::Real, Form::Integer, Form::Integer];

    fn words() -> impl Strategy<Value = Vec<Option<u64>>> {
        let integer = || option::of(prop_oneof![Just(0_u64), 0..1000_u64, any::<u64>()]);
        let real = option::of((-1e12_f64..1e12).prop_map(|value| real_word(value).unwrap()));
        (integer(), real, integer(), integer()).prop_map(|(a, b, c, d)| vec![a, b, c, d])
    }

    fn tallies() -> impl Strategy<Value = Vec<Tally>> {
        let tallies = proptest::collection::btree_map(0..1_u64 << 41, any::<u64>(), 0..5);
        tallies.prop_map(|tallies| tallies.into_iter().collect())
    }

    proptest! {
        #[test]
        fn rows_come_back(rows in vec((0..5_u64, words(), tallies()), 0..20)) {
            let (mut bytes, mut before) = (Vec::new(), vec![None; FORMS.len()]);
            for (gap, words, tallies) in &rows {
                pack(&mut bytes, &FORMS, &mut before, *gap, words, tallies);
            }
            let mut unpacker = Unpacker::new(&bytes, &FORMS);
            let mut place = 0;
            for (gap, words, tallies) in &rows {
                place += usize::try_from(*gap).unwrap();
                prop_assert_eq!(unpacker.advance(), Some(place));
                prop_assert_eq!((&unpacker.words, &unpacker.tallies), (words, tallies));
            }
            prop_assert_eq!(unpacker.advance(), None);
        }

        #[test]
        fn reals_keep_five_digits(value in -1e30_f64..1e30) {
            let kept = real(real_word(value).unwrap());
            prop_assert!((kept - value).abs() <= 1e-5 * value.abs());
        }

        #[test]
        fn bytes_never_panic(bytes in vec(any::<u8>(), 0..60)) {
            Unpacker::new(&bytes, &FORMS).last();
        }
    }

    #[test]
    fn what_stands_still_takes_three_bytes_a_row() {
        let words = [Some(1 << 40), real_word(0.3), None, Some(0)];
        let (mut bytes, mut before) = (Vec::new(), vec![None; FORMS.len()]);
        pack(&mut bytes, &FORMS, &mut before, 1, &words, &[]);
        let first = bytes.len();
        pack(&mut bytes, &FORMS, &mut before, 1, &words, &[]);
        assert_eq!(bytes.len(), first + 3);
    }

    #[test]
    fn what_is_no_number_is_unknown() {
        for value in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300] {
            assert_eq!(real_word(value), None, "{value}");
        }
        assert!((real(real_word(0.0).unwrap())).abs() < f64::MIN_POSITIVE);
    }
}
