//! Seeds and changes to them, the same at every run: what libFuzzer found is kept as a seed, and stays found.

use std::{fmt, fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

/// Where the seeds of each target are.
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds");
/// Changed seeds that each target is given.
const CASES: u32 = 1500;
/// Bytes of all the cases of one target, about: those with large seeds get fewer.
const BYTES: usize = 8 << 20;

/// Runs a target over its seeds, and over changes to them.
pub(super) fn exercise(name: &str, run: fn(&[u8])) {
    let seeds = seeds(&Path::new(SEEDS).join(name));
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} has no seed");
    for seed in &seeds {
        run(seed);
    }
    let size = seeds.iter().map(Vec::len).sum::<usize>() / seeds.len();
    let cases = u32::try_from(BYTES / size.max(1)).unwrap_or(CASES).clamp(100, CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let changed = (select(seeds.clone()), vec(change(seeds), 0..8)).prop_map(|(mut input, changes)| {
        for change in &changes {
            change.apply(&mut input);
        }
        Input(input)
    });
    let result = runner.run(&changed, |Input(input)| {
        run(&input);
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
}

fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("list {}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Shown as it would be written in a test.
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A change to an input.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Of bytes to another place.
    Copy(Index, Index, usize),
    Cut(Index),
}

/// What readers of numbers, texts and lists trip over.
const WORDS: [&[u8]; 24] = [
    b"-1",
    b"0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"4294967295",
    b"99999999999999999999",
    b"0-4294967295",
    b"1e400",
    b"nan",
    b"max",
    b"\0",
    b"\n",
    b" ",
    b":",
    b"/..",
    b"\"",
    b"\\",
    b"\\040",
    b"%",
    b"\xff",
    b"\xff\xff\xff\xff",
    "ü\u{202e}€".as_bytes(),
];

fn change(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let word = select(&WORDS[..]).prop_map(<[u8]>::to_vec);
    let part = (select(seeds), at(), 1..64_usize).prop_map(|(seed, at, length)| {
        let from = at.index(seed.len() + 1);
        seed.into_iter().skip(from).take(length).collect::<Vec<u8>>()
    });
    prop_oneof![
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at(), word).prop_map(|(at, word)| Change::Insert(at, word)),
        2 => (at(), part).prop_map(|(at, part)| Change::Insert(at, part)),
        3 => (at(), 1..16_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (at(), at(), 1..32_usize).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
        1 => at().prop_map(Change::Cut),
    ]
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>) {
        let place = |at: &Index, input: &[u8]| at.index(input.len() + 1);
        match self {
            Self::Flip(at, bit) => {
                let at = place(at, input);
                input.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            Self::Set(at, new) => {
                let at = place(at, input);
                input.get_mut(at).into_iter().for_each(|byte| *byte = *new);
            }
            Self::Insert(at, bytes) => {
                let at = place(at, input);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Remove(at, length) => {
                let at = place(at, input);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Copy(from, to, length) => {
                let (from, to) = (place(from, input), place(to, input));
                let bytes: Vec<u8> = input.iter().copied().skip(from).take(*length).collect();
                input.splice(to..to, bytes);
            }
            Self::Cut(at) => {
                let at = place(at, input);
                input.truncate(at);
            }
        }
    }
}
