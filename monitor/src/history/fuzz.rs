//! Promises of what reads files of history: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::path::PathBuf;

use super::{
    History, Layouts, Number, Resolution, Resolutions, disk,
    layout::{self, FOLDED},
    pack::{Unpacker, pack},
    segment::Chunk,
};
use crate::{
    fuzzing::made,
    model::testing::{container, snapshot},
};

/// When the seeds end, in seconds since 1970.
const NOW: i64 = 1_800_000_100;
const LIMIT: usize = 8 << 20;

/// A file; one that begins with `{` is what is packed in one: the header, and behind a zero byte the rows.
pub(crate) fn file(input: &[u8]) {
    let decoded = match input.first() {
        Some(b'{') => {
            let zero = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
            let (header, rows) = (&input[..zero], input.get(zero + 1..).unwrap_or_default());
            let file = disk::file_of(header, &[Chunk::Plain(rows.into())]);
            file.and_then(|file| disk::decode(PathBuf::new(), &file))
        }
        _ => disk::decode(PathBuf::new(), input),
    };
    let Ok(loaded) = decoded else { return };
    let mut history = empty();
    let unwanted = history.take_in(vec![loaded], NOW * 1000);
    assert!(unwanted.len() <= 1);
    read(&history);
    // It goes on from there.
    for second in [NOW, NOW + 1, NOW + 100] {
        history.push(&snapshot(second, vec![container("0")]));
    }
    read(&history);
    history.finish();
    read(&history);
    assert!(history.figures().bytes <= LIMIT as u64, "{:?}", history.figures());
}

fn empty() -> History {
    let resolutions = ["1s=10m", "10s=2h", "1m=24h"].iter().map(|one| one.parse::<Resolution>().unwrap());
    History::new(&Resolutions::new(resolutions.collect()).unwrap(), LIMIT)
}

/// Asks for all of it, as the server does.
fn read(history: &History) {
    let Layouts { measured, host } = history.layouts();
    let names: Vec<String> =
        measured.columns().iter().chain(host.columns()).map(|column| column.name.clone()).collect();
    let numbers: Vec<Number> = history.subjects().map(|(number, _)| number).collect();
    for (seconds, step_s) in [(100, 1), (600, 10), (86_400, 60)] {
        let grid = history.grid((NOW - seconds) * 1000, (NOW + 100) * 1000, step_s * 1000);
        assert!(grid.times().count() <= 11_000, "{grid:?}");
        let view = history.view(&numbers, grid);
        for found in view.read(&numbers, &names, &names) {
            for fold in found.folds.iter().flatten() {
                let growth = fold.growth();
                assert!(growth.is_none() || fold.mean().is_some_and(|mean| mean >= 0.0), "{fold:?}");
                assert_eq!(fold.min().is_some(), fold.max().is_some());
            }
        }
        made(view.waits(&numbers));
    }
}

/// Rows of one subject.
pub(crate) fn rows(input: &[u8]) {
    let layout = layout::measured().layout;
    for stride in [1, FOLDED] {
        let forms = layout.forms(stride);
        let (mut packed, mut before) = (Vec::new(), vec![None; forms.len()]);
        let mut unpacker = Unpacker::new(input, forms);
        let mut found = Vec::new();
        let mut last = 0;
        while let Some(row) = unpacker.advance() {
            pack(&mut packed, forms, &mut before, (row - last) as u64, &unpacker.words, &unpacker.tallies);
            found.push((row, unpacker.words.clone(), unpacker.tallies.clone()));
            last = row;
            if found.len() > 100 {
                break;
            }
        }
        let mut again = Unpacker::new(&packed, forms);
        for row in found {
            assert_eq!(again.advance().map(|at| (at, again.words.clone(), again.tallies.clone())), Some(row));
        }
        assert_eq!(again.advance(), None);
    }
}
