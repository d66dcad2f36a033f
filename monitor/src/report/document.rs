//! A report as headings, lines, tables and plots, in whatever form it is written. Text from outside is made harmless by
//! the form that writes it.

use std::fmt::Write;

use crate::output::table::printable;

/// Parts in their order.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) enum Block {
    /// With its level, from 1.
    Heading(usize, String),
    Line(String),
    Table(Table),
    /// In HTML only.
    Plot(Plot),
}

/// The first column is text; how many others are, `texts` says. Numbers come last.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) headings: Vec<&'static str>,
    pub(super) texts: usize,
    pub(super) rows: Vec<Vec<String>>,
}

/// A line over time.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// The least and the greatest value, for reading.
    pub(super) range: (String, String),
    pub(super) points: Vec<Option<f64>>,
    /// Where the level changes, as a share of the time.
    pub(super) marks: Vec<f64>,
}

impl Document {
    pub(super) fn heading(&mut self, level: usize, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Line(text.into()));
    }

    /// Adds a table, if it has rows.
    pub(super) fn table(&mut self, headings: &[&'static str], texts: usize, rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            self.blocks.push(Block::Table(Table { headings: headings.to_vec(), texts, rows }));
        }
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            // Writing to a String cannot fail.
            let _ = match block {
                Block::Heading(level, title) => {
                    let title = printable(title);
                    let line = if *level == 1 { "=" } else { "-" }.repeat(title.chars().count());
                    writeln!(text, "{title}\n{line}")
                }
                Block::Line(line) => writeln!(text, "{}\n", printable(line)),
                Block::Table(table) => writeln!(text, "{}", table.text()),
                Block::Plot(_) => Ok(()),
            };
        }
        text
    }

    /// Markdown with GitHub's tables.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(level, title) => writeln!(text, "{} {}\n", "#".repeat(*level), marked(title)),
                Block::Line(line) => writeln!(text, "{}\n", marked(line)),
                Block::Table(table) => writeln!(text, "{}", table.markdown()),
                Block::Plot(_) => Ok(()),
            };
        }
        text
    }
}

impl Table {
    /// In columns as wide as what is in them.
    fn text(&self) -> String {
        let width = |cell: &str| cell.chars().count();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        let widths: Vec<usize> = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
                cells.chain([width(heading)]).max().unwrap_or_default()
            })
            .collect();
        let mut text = String::new();
        let mut put = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (column, (cell, width)) in cells.zip(&widths).enumerate() {
                let _ = if column < self.texts {
                    write!(line, "{cell:<width$}  ")
                } else {
                    write!(line, "{cell:>width$}  ")
                };
            }
            let _ = writeln!(text, "{}", line.trim_end());
        };
        put(&mut self.headings.iter().copied());
        for row in &rows {
            put(&mut row.iter().map(String::as_str));
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "| {} |", self.headings.join(" | "));
        let rules = (0..self.headings.len()).map(|column| if column < self.texts { "---" } else { "---:" });
        let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| marked(cell)).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }
}

/// Text in Markdown as it is: what would be markup or HTML is escaped.
fn marked(text: &str) -> String {
    let mut marked = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => marked.push_str("&lt;"),
            '&' => marked.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                marked.push('\\');
                marked.push(c);
            }
            c => marked.push(c),
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(cell: &str) -> Document {
        let mut document = Document::default();
        document.heading(2, cell);
        document.table(&["NAME", "MEAN"], 1, vec![vec![cell.to_owned(), "1".to_owned()]]);
        document
    }

    #[test]
    fn columns_are_as_wide_as_needed() {
        assert_eq!(document("web").text(), "web\n---\nNAME  MEAN\nweb      1\n\n");
    }

    #[test]
    fn a_name_is_no_markup() {
        let text = document("a|b<script>\u{1b}[2J").markdown();
        assert!(text.contains("a\\|b&lt;script>\u{fffd}\\[2J"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 2);
    }
}
