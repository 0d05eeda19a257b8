//! Decision on the reading of columns, from their cells' statistics.

use super::infer::{Found, Said, Way};
use super::number::{COMMA_POINTS, NumberFormat};
use super::read::{LOOKED_AT, Pass};
use super::records::cells;
use super::written::Around;
use super::{DateFormat, Kind, Reading};
use crate::error::{Error, Result};

/// The decision by all rows.
pub(super) struct Settled {
    /// The way to read each column.
    pub ways: Vec<Option<Way>>,
    /// The way to read each without options.
    pub own: Vec<Option<Way>>,
    /// Remarks on each.
    pub readings: Vec<Reading>,
    /// True if some columns must be read once more before the decision is final.
    pub open: bool,
}

impl Pass<'_> {
    /// The ways to read, as predicted from the first rows.
    pub fn expected(&self, start: &str) -> Vec<Option<Way>> {
        let mut found: Vec<Found> = self.said.iter().map(Found::of).collect();
        let mut end = start.len().min(LOOKED_AT);
        while !start.is_char_boundary(end) {
            end -= 1;
        }
        let width = self.said.len();
        // A damaged row is reported later, with its line.
        let _ = cells(
            &start[..end],
            self.delimiter,
            1,
            self.layout.header,
            width,
            |_, n, cell| {
                found[n].add_quickly(0, cell, &self.gaps);
            },
        );
        let around = self.around(&found);
        let columns = self.layout.names.iter().zip(&found);
        let columns = columns.zip(self.said.iter().zip(around));
        let ways = columns.map(|((name, found), (said, around))| {
            found.way(said, name, &around).map_or(
                Way {
                    kind: said.kind.unwrap_or(Kind::Category),
                    format: said.format.unwrap_or_default(),
                    dates: said.dates.unwrap_or_default(),
                },
                |(way, _)| way,
            )
        });
        ways.map(Some).collect()
    }

    /// The context of each column beside its cells.
    fn around(&self, found: &[Found]) -> impl Iterator<Item = Around> + Clone {
        let looked_at = |name: &String| !self.options.ignores(name);
        let columns = self.layout.names.iter().zip(found).zip(&self.said);
        let clear = columns
            .filter(|((name, found), said)| looked_at(name) && found.is_number(said))
            .map(|((_, found), _)| found.numbers.clear());
        let mut around = Around {
            // A single column has no delimiter.
            delimiter: match self.layout.names.len() {
                1 => b',',
                _ => self.delimiter,
            },
            allowed: u8::MAX,
            point: false,
            comma: false,
        };
        for (point, comma) in clear {
            around.point |= point;
            around.comma |= comma;
        }
        let allowed = self.allowed.iter();
        allowed.map(move |&allowed| Around { allowed, ..around })
    }

    /// The decision by all rows, or the error that prevents reading.
    pub fn settled(&self, rows: usize, found: &[Found]) -> Result<Settled> {
        if rows == 0 {
            return Err(Error::file(self.path, "has a header and no rows under it"));
        }
        let around = self.around(found);
        let columns = self.layout.names.iter().zip(found);
        let columns = columns.zip(self.said.iter().zip(around));
        let is_open = |found: &Found, said: &Said, around: &Around| {
            said.format.is_none() && found.is_number(said) && found.numbers.is_open(around)
        };
        let mut settled = Settled {
            open: columns
                .clone()
                .any(|((_, found), (said, around))| is_open(found, said, &around)),
            ways: Vec::new(),
            own: Vec::new(),
            readings: Vec::new(),
        };
        if settled.open {
            // Read in any format but the plain one, all that they can be is counted.
            let counted = |found: &Found, said: &Said, around: &Around| {
                let chosen = found.way(said, "", around).ok().map(|(way, _)| way.format);
                let other = NumberFormat::of(COMMA_POINTS, None);
                Way {
                    format: chosen.filter(|f| !f.is_plain()).unwrap_or(other),
                    ..Way::plain(Kind::Number)
                }
            };
            let ways = columns.zip(&self.ways);
            let ways = ways.map(|(((_, found), (said, around)), &way)| {
                match is_open(found, said, &around) {
                    true => Some(counted(found, said, &around)),
                    false => way,
                }
            });
            settled.ways = ways.collect();
            return Ok(settled);
        }
        for ((name, found), (said, around)) in columns {
            let way = found.way(said, name, &around);
            let (way, notes) = way.map_err(|why| {
                let row = match (why.starts_with("line 1 has"), self.layout.header) {
                    (true, false) => {
                        "; line 1 is taken as a row: `data.header = true` makes it \
                                      the columns' names"
                    }
                    _ => "",
                };
                Error::file(self.path, format!("column `{name}`: {why}{row}"))
            })?;
            settled.ways.push(Some(way));
            settled.own.push(match said {
                Said {
                    kind: None,
                    format: None,
                    as_written: false,
                    ..
                } => Some(way),
                _ => {
                    let nothing = Said {
                        kind: None,
                        format: None,
                        as_written: false,
                        ..*said
                    };
                    let own = found.way(&nothing, name, &around);
                    own.ok().map(|(way, _)| way)
                }
            });
            let guess = notes.guess.map(|guess| match guess.otherwise {
                Some(decimal) => format!(
                    "{}: `data.decimal = {{ {name:?} = \"{decimal}\" }}` reads it otherwise",
                    guess.text
                ),
                None => guess.text,
            });
            settled.readings.push(Reading {
                format: way.format,
                dates: way.dates,
                date_notes: notes.dates,
                guess,
                gaps: found.gaps(way.kind),
            });
        }
        if let Some(format @ DateFormat::Pattern(_)) = self.said.iter().find_map(|s| s.date_format)
            && !settled.ways.iter().flatten().any(|way| way.dates == format)
        {
            let expected = format!(
                "the format of a column: no column of {} is written so in all its rows",
                self.path.display()
            );
            let found = format!("`{format}`");
            return Err(Error::invalid("data.date_format", found, expected));
        }
        Ok(settled)
    }

    /// The ways of the columns that were read in another way before.
    pub fn again(&self, settled: &Settled) -> Vec<Option<Way>> {
        let ways = settled.ways.iter().zip(&self.ways);
        let ways = ways.map(|(&way, was)| way.filter(|way| *was != Some(*way)));
        ways.collect()
    }

    /// The number of columns without the last ones that have neither a name nor a cell.
    pub fn kept(&self, found: &[Found]) -> usize {
        let all = self.layout.names.len();
        let may_go = |n: &usize| {
            let is_asked_for = self.options.kinds.contains_key(&self.layout.names[*n]);
            found[*n].is_empty() && !is_asked_for
        };
        let last = (1..all).rev().take(self.layout.nameless);
        all - last.take_while(may_go).count()
    }
}
