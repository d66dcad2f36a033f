//! Writes [`Constants`] into the programs, in the place of the marks that the compiler left.

use monitor_common::fields::{Constants, LOAD_MARK, VALUE_MARK};
use object::{Object as _, ObjectSection as _, SectionKind};

/// Why that failed: the object and this loader were built from different sources.
#[derive(Debug, thiserror::Error)]
pub enum ConstantsError {
    /// It is no ELF file.
    #[error("parse the eBPF object")]
    Object(#[from] object::Error),
    /// A word is too large for the place that it goes to.
    #[error("write {value} into instruction {instruction} of section {section}")]
    TooLarge {
        /// The word.
        value: u32,
        /// The program's section.
        section: String,
        /// The instruction's number in it.
        instruction: usize,
    },
}

/// Bytes of an instruction: opcode, registers, offset (2), immediate (4). RFC 9669, 3.1.
const INSTRUCTION: usize = 8;
/// `BPF_LDX | BPF_MEM`, without the size.
const LOAD: u8 = 0x61;
/// The size's bits.
const SIZE: u8 = 0x18;
/// `BPF_ALU64 | BPF_MOV | BPF_K`.
const MOVE: u8 = 0xb7;
/// `BPF_LD | BPF_IMM | BPF_DW`, which takes the place of two instructions.
const WIDE: u8 = 0x18;

/// The object with every mark replaced by the word it stands for.
pub fn write(object: &[u8], constants: &Constants) -> Result<Vec<u8>, ConstantsError> {
    let words = constants.words();
    let mut written = object.to_vec();
    let parsed = object::File::parse(object)?;
    for section in parsed.sections().filter(|section| section.kind() == SectionKind::Text) {
        let Some((start, length)) = section.file_range() else { continue };
        let (start, length) =
            (usize::try_from(start).unwrap_or(usize::MAX), usize::try_from(length).unwrap_or(0));
        let Some(code) = written.get_mut(start..start.saturating_add(length)) else { continue };
        if let Err((value, instruction)) = write_code(code, &words) {
            let section = section.name().unwrap_or_default().to_owned();
            return Err(ConstantsError::TooLarge { value, section, instruction });
        }
    }
    Ok(written)
}

/// On failure, the word and the number of the instruction that has no room for it.
fn write_code(code: &mut [u8], words: &[u32]) -> Result<(), (u32, usize)> {
    let word = |marked: u32, mark: u32| {
        marked.checked_sub(mark).and_then(|number| words.get(number as usize)).copied()
    };
    let mut is_second_half = false;
    for (number, instruction) in code.chunks_exact_mut(INSTRUCTION).enumerate() {
        let [opcode, _, offset_low, offset_high, immediate @ ..] = instruction else { continue };
        if std::mem::take(&mut is_second_half) {
            continue;
        }
        is_second_half = *opcode == WIDE;
        let offset = u16::from_le_bytes([*offset_low, *offset_high]);
        if *opcode & !SIZE == LOAD & !SIZE
            && let Some(value) = word(offset.into(), LOAD_MARK)
        {
            let value = i16::try_from(value).map_err(|_too_large| (value, number))?;
            [*offset_low, *offset_high] = value.to_le_bytes();
        }
        let Ok(immediate) = <&mut [u8; 4]>::try_from(immediate) else { continue };
        if *opcode == MOVE
            && let Some(value) = word(u32::from_le_bytes(*immediate), VALUE_MARK)
        {
            // The processor extends the immediate's sign, so that a larger one would become negative.
            let value = i32::try_from(value).map_err(|_too_large| (value, number))?;
            *immediate = value.to_le_bytes();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [u32; 3] = [11, 0x5000, u32::MAX];

    fn instruction(opcode: u8, offset: u32, immediate: u32) -> [u8; INSTRUCTION] {
        (u64::from(opcode) | 0x21 << 8 | u64::from(offset) << 16 | u64::from(immediate) << 32).to_le_bytes()
    }

    fn written(code: [u8; INSTRUCTION]) -> Result<[u8; INSTRUCTION], (u32, usize)> {
        let mut code = code;
        write_code(&mut code, &WORDS).map(|()| code)
    }

    #[test]
    fn marks_are_replaced_by_their_words() {
        let (load_u32, load_u64) = (0x61, 0x79);
        assert_eq!(written(instruction(load_u32, LOAD_MARK, 5)), Ok(instruction(load_u32, 11, 5)));
        assert_eq!(written(instruction(load_u64, LOAD_MARK + 1, 5)), Ok(instruction(load_u64, 0x5000, 5)));
        assert_eq!(written(instruction(MOVE, 0, VALUE_MARK + 1)), Ok(instruction(MOVE, 0, 0x5000)));
    }

    #[test]
    fn all_else_stays() {
        let (load, store, negative) = (0x79, 0x7b, u32::from(u16::MAX) - 7);
        for same in [
            instruction(load, 48, 0),
            instruction(load, LOAD_MARK + 3, 0),
            instruction(load, negative, 0),
            instruction(store, LOAD_MARK, 0),
            instruction(MOVE, 0, 7),
            instruction(MOVE, 0, VALUE_MARK + 3),
        ] {
            assert_eq!(written(same), Ok(same));
        }
    }

    #[test]
    fn the_second_half_of_a_wide_instruction_is_data() {
        let mut code = [instruction(WIDE, 0, 1), instruction(MOVE, 0, VALUE_MARK)].concat();
        let before = code.clone();
        assert_eq!(write_code(&mut code, &WORDS), Ok(()));
        assert_eq!(code, before);
    }

    #[test]
    fn a_word_that_does_not_fit_is_told_with_its_place() {
        assert_eq!(written(instruction(MOVE, 0, VALUE_MARK + 2)), Err((u32::MAX, 0)));
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        let constants = Constants {
            offsets: monitor_common::fields::Offsets::default(),
            geometry: monitor_common::slots::Geometry::new(6, 2),
            seen_bits: 16,
            hierarchy: 0,
            has_typed_current: 0,
            has_throttled: 0,
            tells_victim: 0,
            tells_group_dead: 0,
            process_records: 0,
            tells_retransmit_error: 0,
            tells_drop_reason: 0,
            tells_drop_receiver: 0,
            block_hierarchy: 0,
            flush_sequence: 0,
            has_queue_disk: 1,
            iowait_byte: 0,
            iowait_bit: 0,
            times_faults: 0,
        };
        assert!(matches!(write(b"no ELF", &constants), Err(ConstantsError::Object(_))));
    }
}
