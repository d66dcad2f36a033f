//! What sFlow's structures are made of: XDR (RFC 4506), all of it in multiples of four bytes.

/// A counter that nobody counts.
pub(super) const UNKNOWN_32: u32 = u32::MAX;
/// The same of 64 bits.
pub(super) const UNKNOWN_64: u64 = u64::MAX;

/// Bytes as they are written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn int(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub(super) fn hyper(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub(super) fn float(&mut self, value: f32) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    /// A counter of 32 bits, which begins anew after its largest value.
    pub(super) fn counter(&mut self, value: Option<u64>) -> &mut Self {
        self.int(value.map_or(UNKNOWN_32, low))
    }

    /// A counter of 64 bits.
    pub(super) fn hyper_counter(&mut self, value: Option<u64>) -> &mut Self {
        self.hyper(value.unwrap_or(UNKNOWN_64))
    }

    /// A counter of milliseconds.
    pub(super) fn milliseconds(&mut self, nanoseconds: Option<u64>) -> &mut Self {
        self.counter(nanoseconds.map(|nanoseconds| nanoseconds / 1_000_000))
    }

    /// A level: 0 where it is not known.
    pub(super) fn level(&mut self, value: Option<u64>) -> &mut Self {
        self.hyper(value.unwrap_or_default())
    }

    /// A text of so many bytes at most.
    pub(super) fn text(&mut self, text: &str, most: usize) -> &mut Self {
        let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        let text = text.get(..end.unwrap_or_default()).unwrap_or_default();
        self.int(u32::try_from(text.len()).unwrap_or_default());
        self.opaque(text.as_bytes())
    }

    /// Bytes whose number is known to the reader, filled up to four.
    pub(super) fn opaque(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        let filled = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(filled, 0);
        self
    }

    /// A structure behind its format and its length.
    pub(super) fn tagged(&mut self, format: u32, structure: &Self) -> &mut Self {
        self.int(format).int(u32::try_from(structure.bytes.len()).unwrap_or_default());
        self.bytes.extend(&structure.bytes);
        self
    }
}

/// The lower 32 bits.
fn low(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_a_multiple_of_four() {
        let mut writer = Writer::default();
        writer.text("hello", 64).int(1).opaque(&[1; 6]);
        assert_eq!(writer.bytes, b"\0\0\0\x05hello\0\0\0\0\0\0\x01\x01\x01\x01\x01\x01\x01\0\0");
        let mut short = Writer::default();
        short.text("aü", 2);
        assert_eq!(short.bytes, b"\0\0\0\x01a\0\0\0");
    }

    #[test]
    fn counters_begin_anew_and_unknown_ones_are_all_ones() {
        let mut writer = Writer::default();
        writer.counter(Some((1 << 32) + 5)).counter(None).hyper_counter(None).level(None);
        assert_eq!(writer.bytes[..4], [0, 0, 0, 5]);
        assert_eq!(writer.bytes[4..16], [255; 12]);
        assert_eq!(writer.bytes[16..], [0; 8]);
    }
}
