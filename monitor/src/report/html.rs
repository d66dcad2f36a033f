//! A report as one page that asks nothing of anybody: styles and plots are in it, and there are no scripts.

use std::fmt::Write;

use super::document::{Block, Document, Plot, Table};
use crate::output::table::printable;

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>monitor report</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 90em; padding: 0 1em; }
h2 { margin-top: 2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15em .8em; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap; }
th.text, td.text { text-align: left; }
figure { display: inline-block; margin: .6em 1.2em .6em 0; }
figcaption { font-size: 12px; }
svg { display: block; background: #8881; }
polyline { fill: none; stroke: #2a7ae2; stroke-width: 1.2; }
line { stroke: #d33; stroke-dasharray: 3 2; }
</style>
</head>
<body>
";

/// The size of a plot in pixels.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 70.0;

/// The page.
pub(super) fn page(document: &Document) -> String {
    let mut page = String::from(HEAD);
    for block in &document.blocks {
        // Writing to a String cannot fail.
        let _ = match block {
            Block::Heading(level, title) => writeln!(page, "<h{level}>{}</h{level}>", escaped(title)),
            Block::Line(line) => writeln!(page, "<p>{}</p>", escaped(line)),
            Block::Table(table) => writeln!(page, "{}", table_element(table)),
            Block::Plot(plot) => writeln!(page, "{}", figure(plot)),
        };
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn table_element(table: &Table) -> String {
    let class = |column: usize| if column < table.texts { " class=\"text\"" } else { "" };
    let row = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.enumerate();
        cells.fold(String::new(), |mut row, (column, cell)| {
            let _ = write!(row, "<{tag}{}>{}</{tag}>", class(column), escaped(cell));
            row
        })
    };
    let mut text = format!("<table>\n<tr>{}</tr>\n", row("th", &mut table.headings.iter().copied()));
    for cells in &table.rows {
        let _ = writeln!(text, "<tr>{}</tr>", row("td", &mut cells.iter().map(String::as_str)));
    }
    text.push_str("</table>");
    text
}

/// A line that is broken where nothing was measured.
fn figure(plot: &Plot) -> String {
    let measured = || plot.points.iter().copied().flatten();
    let least = measured().fold(f64::INFINITY, f64::min).min(0.0);
    let greatest = measured().fold(f64::NEG_INFINITY, f64::max);
    let span = if greatest > least { greatest - least } else { 1.0 };
    let step = WIDTH / plot.points.len().saturating_sub(1).max(1) as f64;
    let places: Vec<Option<(f64, f64)>> = plot
        .points
        .iter()
        .enumerate()
        .map(|(index, value)| {
            value.map(|value| (index as f64 * step, HEIGHT - 2.0 - (value - least) / span * (HEIGHT - 4.0)))
        })
        .collect();
    let mut text = format!(
        "<figure><figcaption>{} <small>{} … {}</small></figcaption><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">",
        escaped(&plot.title),
        escaped(&plot.range.0),
        escaped(&plot.range.1),
    );
    for stretch in places.split(Option::is_none).filter(|stretch| !stretch.is_empty()) {
        let points: Vec<String> = stretch.iter().flatten().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(text, "<polyline points=\"{}\"/>", points.join(" "));
    }
    for share in &plot.marks {
        let x = share * WIDTH;
        let _ = write!(text, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>");
    }
    text.push_str("</svg></figure>");
    text
}

/// Text as text, in an element or an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_nothing_is_fetched() {
        let mut document = Document::default();
        let name = "<img src=x onerror=\"alert(1)\">'&";
        document.heading(1, name);
        document.table(&["NAME"], 1, vec![vec![name.to_owned()]]);
        document.blocks.push(Block::Plot(Plot {
            title: name.to_owned(),
            range: ("0".to_owned(), "5".to_owned()),
            points: vec![Some(0.0), Some(5.0), None, Some(1.0)],
            marks: vec![0.5],
        }));
        let page = page(&document);
        assert!(!page.contains("<img") && page.contains("&lt;img src=x onerror=&quot;"));
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
        assert_eq!(page.matches("<polyline").count(), 2);
        assert!(page.contains("points=\"0.0,68.0 120.0,2.0\""), "{page}");
    }

    #[test]
    fn a_plot_of_nothing_is_empty() {
        let plot = Plot {
            title: String::new(),
            range: (String::new(), String::new()),
            points: vec![None; 3],
            marks: Vec::new(),
        };
        assert!(!figure(&plot).contains("NaN"));
    }
}
