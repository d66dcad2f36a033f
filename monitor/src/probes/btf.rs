//! Kernel BTF → member offsets, enumerators and tracepoint prototypes.
//!
//! A small reader over the raw bytes: aya keeps its parsed members to itself, and a full parse would hold tens of
//! megabytes for the twenty-odd offsets that are wanted. Format: Documentation/bpf/btf.rst.

use std::{collections::HashMap, fs, io, path::PathBuf};

use monitor_common::fields::Field;

/// Where the kernel publishes its own types.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Why kernel types are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// `NotFound` means a kernel built without `CONFIG_DEBUG_INFO_BTF`.
    #[error("read kernel types from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// The bytes are no BTF that this reader knows.
    #[error("parse kernel types: {0}")]
    Malformed(&'static str),
    /// This kernel's struct has no such member, under any name that it is known by.
    #[error("find the offset of {root}.{path} in kernel types")]
    NoMember {
        /// The struct.
        root: &'static str,
        /// The newest kernels' path to the member.
        path: &'static str,
    },
}

/// Types by id, over the bytes that they came in.
#[derive(Debug)]
pub struct Btf {
    data: Vec<u8>,
    /// Where each type starts in `data`; id 0 is void and has no entry, so id 1 is at index 0.
    types: Vec<u32>,
    /// Where the strings start in `data`.
    strings: usize,
}

/// One type's fixed part.
#[derive(Clone, Copy)]
struct Type {
    name: u32,
    kind: u8,
    vlen: u16,
    kind_flag: bool,
    /// Of types that refer to one other type.
    refers_to: u32,
    /// Where the part that depends on the kind starts.
    tail: usize,
}

// Kinds, include/uapi/linux/btf.h.
const PTR: u8 = 2;
const STRUCT: u8 = 4;
const UNION: u8 = 5;
const ENUM: u8 = 6;
const TYPEDEF: u8 = 8;
const VOLATILE: u8 = 9;
const CONST: u8 = 10;
const RESTRICT: u8 = 11;
const FUNC_PROTO: u8 = 13;
const TYPE_TAG: u8 = 18;

/// Modifiers and typedefs may be stacked, never this deep: a bound against a cycle.
const MAX_DEPTH: usize = 32;
/// More structs and unions without a name than any has in it: a bound against one that has itself in it.
const MOST_ANONYMOUS: usize = 1024;

impl Btf {
    /// Reads the running kernel's types.
    pub fn read_kernel() -> Result<Self, BtfError> {
        let data = fs::read(VMLINUX).map_err(|source| BtfError::Read { path: VMLINUX.into(), source })?;
        Self::parse(data)
    }

    /// Finds where each type starts.
    pub fn parse(data: Vec<u8>) -> Result<Self, BtfError> {
        if data.get(..3) != Some(&[0x9f, 0xeb, 1]) {
            return Err(BtfError::Malformed("not little-endian BTF of version 1"));
        }
        let header = |index: usize| {
            read_u32(&data, 4 + index * 4)
                .and_then(|value| usize::try_from(value).ok())
                .ok_or(BtfError::Malformed("the header is cut short"))
        };
        let (length, type_offset, type_length, string_offset) =
            (header(0)?, header(1)?, header(2)?, header(3)?);
        let start = length.saturating_add(type_offset);
        let end = start.saturating_add(type_length);
        let strings = length.saturating_add(string_offset);
        if end > data.len() || strings > data.len() {
            return Err(BtfError::Malformed("a section lies past the end"));
        }
        let mut btf = Self { data, types: Vec::new(), strings };
        let mut at = start;
        while at < end {
            let ty = btf.type_at(at).ok_or(BtfError::Malformed("a type is cut short"))?;
            let tail = tail_length(ty.kind, ty.vlen).ok_or(BtfError::Malformed("unknown kind of type"))?;
            btf.types.push(u32::try_from(at).map_err(|_error| BtfError::Malformed("longer than 4 GiB"))?);
            at = ty.tail + tail;
        }
        btf.types.shrink_to_fit();
        Ok(btf)
    }

    /// The offset of each of these members, in their order.
    #[must_use]
    pub fn member_offsets(&self, fields: &[Field]) -> Vec<Result<u32, BtfError>> {
        let mut roots: HashMap<&str, Option<Type>> = HashMap::new();
        let find = |field: &Field| {
            let root = *roots.entry(field.root).or_insert_with(|| self.struct_named(field.root));
            root.and_then(|root| field.paths.iter().find_map(|path| self.member_offset(root, path))).ok_or(
                BtfError::NoMember {
                    root: field.root,
                    path: field.paths.first().copied().unwrap_or_default(),
                },
            )
        };
        fields.iter().map(find).collect()
    }

    /// The value of an enumerator of a named enum.
    #[must_use]
    pub fn enumerator(&self, enumeration: &str, name: &str) -> Option<u32> {
        self.enumerators(enumeration).find_map(|(other, value)| (other == name.as_bytes()).then_some(value))
    }

    /// Every enumerator of a named enum with its value; nothing where there is no such enum.
    pub fn enumerators(&self, enumeration: &str) -> impl Iterator<Item = (&[u8], u32)> {
        let ty = self.all().find(|ty| ty.kind == ENUM && self.string(ty.name) == enumeration.as_bytes());
        ty.into_iter()
            .flat_map(|ty| (0..usize::from(ty.vlen)).map(move |index| ty.tail + index * 8))
            .filter_map(|at| Some((self.string(read_u32(&self.data, at)?), read_u32(&self.data, at + 4)?)))
    }

    /// How many arguments programs on a tracepoint get; `None` where the kernel has no such tracepoint.
    #[must_use]
    pub fn tracepoint_arguments(&self, name: &str) -> Option<u16> {
        let typedef = format!("btf_trace_{name}");
        let pointer =
            self.all().find(|ty| ty.kind == TYPEDEF && self.string(ty.name) == typedef.as_bytes())?;
        let pointer = self.get(pointer.refers_to).filter(|ty| ty.kind == PTR)?;
        let prototype = self.get(pointer.refers_to).filter(|ty| ty.kind == FUNC_PROTO)?;
        // The first is the context that the kernel passes to itself.
        prototype.vlen.checked_sub(1)
    }

    fn struct_named(&self, name: &str) -> Option<Type> {
        self.all().find(|ty| ty.kind == STRUCT && ty.vlen > 0 && self.string(ty.name) == name.as_bytes())
    }

    /// Where a bit field of one bit is in a struct: byte, and bit in that byte.
    #[must_use]
    pub fn bit(&self, root: &str, name: &str) -> Option<(u32, u32)> {
        let (_, bits) = self.member(self.struct_named(root)?, name.as_bytes(), &mut Vec::new())?;
        Some((bits / 8, 1 << (bits % 8)))
    }

    /// The byte offset of the member at a dotted path below a struct or union.
    fn member_offset(&self, root: Type, path: &str) -> Option<u32> {
        let (mut ty, mut bits) = (root, 0_u32);
        for name in path.split('.') {
            let (member, offset) = self.member(self.aggregate(ty)?, name.as_bytes(), &mut Vec::new())?;
            (ty, bits) = (member, bits.checked_add(offset)?);
        }
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// A member's type and offset in bits, looked for in anonymous members too; in each type once, where `searched` are those that
    /// were looked into already.
    fn member(&self, aggregate: Type, name: &[u8], searched: &mut Vec<usize>) -> Option<(Type, u32)> {
        if searched.len() >= MOST_ANONYMOUS || searched.contains(&aggregate.tail) {
            return None;
        }
        searched.push(aggregate.tail);
        (0..usize::from(aggregate.vlen)).find_map(|index| {
            let at = aggregate.tail + index * 12;
            let member_name = self.string(read_u32(&self.data, at)?);
            let ty = self.get(read_u32(&self.data, at + 4)?)?;
            let offset = read_u32(&self.data, at + 8)?;
            // With the flag, the high byte is a bit field's width.
            let offset = if aggregate.kind_flag { offset & 0x00ff_ffff } else { offset };
            if member_name == name {
                return Some((ty, offset));
            }
            if !member_name.is_empty() {
                return None;
            }
            let (found, inner) = self.member(self.aggregate(ty)?, name, searched)?;
            Some((found, offset.checked_add(inner)?))
        })
    }

    /// The struct or union behind modifiers and typedefs.
    fn aggregate(&self, mut ty: Type) -> Option<Type> {
        for _ in 0..MAX_DEPTH {
            match ty.kind {
                STRUCT | UNION => return Some(ty),
                TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG => ty = self.get(ty.refers_to)?,
                _ => return None,
            }
        }
        None
    }

    fn all(&self) -> impl Iterator<Item = Type> + '_ {
        self.types.iter().filter_map(|&at| self.type_at(usize::try_from(at).ok()?))
    }

    fn get(&self, id: u32) -> Option<Type> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.type_at(usize::try_from(*self.types.get(index)?).ok()?)
    }

    fn type_at(&self, at: usize) -> Option<Type> {
        let info = read_u32(&self.data, at + 4)?;
        Some(Type {
            name: read_u32(&self.data, at)?,
            kind: u8::try_from(info >> 24 & 0x1f).ok()?,
            vlen: u16::try_from(info & 0xffff).ok()?,
            kind_flag: info >> 31 != 0,
            refers_to: read_u32(&self.data, at + 8)?,
            tail: at + 12,
        })
    }

    fn string(&self, offset: u32) -> &[u8] {
        let start = usize::try_from(offset).map_or(usize::MAX, |offset| self.strings.saturating_add(offset));
        let rest = self.data.get(start..).unwrap_or_default();
        rest.split(|&byte| byte == 0).next().unwrap_or_default()
    }
}

/// Bytes that follow a type's fixed part.
fn tail_length(kind: u8, vlen: u16) -> Option<usize> {
    let vlen = usize::from(vlen);
    Some(match kind {
        1 | 14 | 17 => 4,
        2 | 7..=12 | 16 | 18 => 0,
        3 => 12,
        4 | 5 | 15 | 19 => vlen * 12,
        6 | 13 => vlen * 8,
        _ => return None,
    })
}

fn read_u32(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Appends a type: name offset, kind and vlen, size or type, and the part that depends on the kind.
    fn push(out: &mut Vec<u8>, name: u32, kind: u32, vlen: u32, size_or_type: u32, tail: &[u32]) {
        for word in [name, kind << 24 | vlen, size_or_type].iter().chain(tail) {
            out.extend(word.to_le_bytes());
        }
    }

    /// `struct outer { int a; union { int b; struct inner c; }; }; struct inner { int d; }; enum e { X = 7 };`
    /// and a tracepoint with two arguments.
    fn sample() -> Vec<u8> {
        let strings = b"\0outer\0a\0b\0c\0inner\0d\0e\0X\0btf_trace_t\0int\0";
        let mut types = Vec::new();
        push(&mut types, 36, 1, 0, 4, &[0x0100_0020]); // 1: int
        push(&mut types, 1, 4, 2, 12, &[7, 1, 0, 0, 3, 32]); // 2: outer
        push(&mut types, 0, 5, 2, 8, &[9, 1, 0, 11, 4, 0]); // 3: anonymous union
        push(&mut types, 13, 4, 1, 8, &[19, 1, 32]); // 4: inner
        push(&mut types, 21, 6, 1, 4, &[23, 7]); // 5: e
        push(&mut types, 0, 13, 3, 0, &[0, 1, 0, 1, 0, 1]); // 6: prototype
        push(&mut types, 0, 2, 0, 6, &[]); // 7: pointer to it
        push(&mut types, 25, 8, 0, 7, &[]); // 8: btf_trace_t
        let mut data = vec![0x9f, 0xeb, 1, 0];
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap();
        let (types_len, strings_len) = (length(&types), length(strings));
        for word in [24, 0, types_len, types_len, strings_len] {
            data.extend(u32::to_le_bytes(word));
        }
        data.extend(types);
        data.extend(strings);
        data
    }

    #[test]
    fn a_bit_is_a_byte_and_a_mask() {
        // As `sample`, with `struct outer { int a; int b: 1 at bit 37; }` and the flag for bit fields.
        let mut data = sample();
        let outer = 24 + 16;
        data[outer + 7] |= 0x80;
        data[outer + 12 + 12..outer + 12 + 16].copy_from_slice(&7_u32.to_le_bytes());
        data[outer + 12 + 20..outer + 12 + 24].copy_from_slice(&0x0100_0025_u32.to_le_bytes());
        let btf = Btf::parse(data).unwrap();
        assert_eq!(btf.bit("outer", "a"), Some((0, 1)));
        assert_eq!(btf.bit("outer", "b"), None);
        assert_eq!(btf.bit("inner", "d"), Some((4, 1)));
        assert_eq!(btf.bit("nobody", "d"), None);
    }

    #[test]
    fn finds_members_through_anonymous_and_nested_ones() {
        let btf = Btf::parse(sample()).unwrap();
        let outer = btf.struct_named("outer").unwrap();
        assert_eq!(btf.member_offset(outer, "a"), Some(0));
        assert_eq!(btf.member_offset(outer, "b"), Some(4));
        assert_eq!(btf.member_offset(outer, "c.d"), Some(8));
        assert_eq!(btf.member_offset(outer, "c.x"), None);
        assert_eq!(btf.member_offset(outer, "a.d"), None);
    }

    #[test]
    fn finds_enumerators_and_prototypes() {
        let btf = Btf::parse(sample()).unwrap();
        assert_eq!(btf.enumerator("e", "X"), Some(7));
        assert_eq!(btf.enumerator("e", "Y"), None);
        assert_eq!(btf.enumerators("e").collect::<Vec<_>>(), [(&b"X"[..], 7)]);
        assert_eq!(btf.enumerators("f").count(), 0);
        assert_eq!(btf.tracepoint_arguments("t"), Some(2));
        assert_eq!(btf.tracepoint_arguments("u"), None);
    }

    /// `struct outer` of as many structs without a name as there can be, each of them `struct outer` itself.
    #[test]
    fn a_struct_that_has_itself_in_it_is_looked_into_once() {
        let strings = b"\0outer\0";
        let mut types = Vec::new();
        let vlen = 0xffff;
        push(&mut types, 1, 4, vlen, 12, &[0, 1, 0xffff_ffff].repeat(0xffff));
        let mut data = vec![0x9f, 0xeb, 1, 0];
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap();
        for word in [24, 0, length(&types), length(&types), length(strings)] {
            data.extend(word.to_le_bytes());
        }
        data.extend(types);
        data.extend(strings);
        let btf = Btf::parse(data).unwrap();
        assert_eq!(btf.bit("outer", "a"), None);
    }

    #[test]
    fn offsets_that_are_no_numbers_together_are_none() {
        let mut data = sample();
        // Of the union without a name, and of its member `c`.
        let (union, c) = (24 + 16 + 12 + 12 + 8, 24 + 16 + 36 + 12 + 12 + 8);
        data[union..union + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        data[c..c + 4].copy_from_slice(&8_u32.to_le_bytes());
        let btf = Btf::parse(data).unwrap();
        let outer = btf.struct_named("outer").unwrap();
        assert_eq!(btf.member_offset(outer, "c.d"), None);
        assert_eq!(btf.member_offset(outer, "a"), Some(0));
    }

    proptest! {
        #[test]
        fn never_panics_on_damaged_types(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..400) {
            let mut data = sample();
            if let Some(target) = data.get_mut(at) {
                *target = byte;
            }
            data.truncate(cut.max(3));
            if let Ok(btf) = Btf::parse(data) {
                let _ = btf.member_offsets(monitor_common::fields::FIELDS);
                let _ = btf.tracepoint_arguments("t");
                if let Some(outer) = btf.struct_named("outer") {
                    let _ = btf.member_offset(outer, "c.d");
                }
            }
        }
    }
}
