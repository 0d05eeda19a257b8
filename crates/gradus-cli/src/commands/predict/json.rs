//! Predictions as JSON: a list with an item for each row, one per line.

use gradus::model::{Scored, ScoredCells};
use std::io::{self, Write};

/// A list that is written row by row.
#[derive(Default)]
pub struct List {
    begun: bool,
}

impl List {
    /// Adds rows of that shape as lists of numbers; as plain numbers if they have only one.
    pub fn rows(&mut self, to: &mut dyn Write, dims: &[usize], values: &[f32]) -> io::Result<()> {
        for row in values.chunks(dims.iter().product::<usize>().max(1)) {
            self.next(to)?;
            match row {
                [one] => number(to, *one)?,
                row => nested(to, dims, row)?,
            }
        }
        Ok(())
    }

    /// Adds rows with names: an object for each.
    pub fn scored(&mut self, to: &mut dyn Write, scored: &Scored) -> io::Result<()> {
        for row in 0..scored.rows() {
            self.next(to)?;
            for (n, column) in scored.columns.iter().enumerate() {
                to.write_all(if n > 0 { b", " } else { b"{" })?;
                text(to, &column.name)?;
                to.write_all(b": ")?;
                match &column.cells {
                    ScoredCells::Numbers(all) => number(to, all[row])?,
                    ScoredCells::Texts(names, codes) => text(to, &names[codes[row] as usize])?,
                }
            }
            to.write_all(b"}")?;
        }
        Ok(())
    }

    /// Ends the list.
    pub fn end(&mut self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })
    }

    fn next(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let begun = std::mem::replace(&mut self.begun, true);
        to.write_all(if begun { b",\n" } else { b"[\n" })
    }
}

/// Writes numbers of that shape in lists.
pub fn nested(to: &mut dyn Write, dims: &[usize], values: &[f32]) -> io::Result<()> {
    let size = dims.iter().skip(1).product::<usize>().max(1);
    to.write_all(b"[")?;
    for (n, part) in values.chunks(size).enumerate() {
        if n > 0 {
            to.write_all(b", ")?;
        }
        match dims {
            [_, inner @ ..] if !inner.is_empty() => nested(to, inner, part)?,
            _ => number(to, part[0])?,
        }
    }
    to.write_all(b"]")
}

/// With the fewest digits that read back to the same bits; JSON has no NaN or infinity.
fn number(to: &mut dyn Write, value: f32) -> io::Result<()> {
    match value.is_finite() {
        true => write!(to, "{value:?}"),
        false => to.write_all(b"null"),
    }
}

fn text(to: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(to, text).map_err(io::Error::from)
}
