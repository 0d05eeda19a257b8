//! Inference of the format of a column's numbers, from all of its cells.

use super::number::{
    COMMA, COMMA_ALONE, COMMA_POINTS, Candidates, NumberFormat, PAIRS, PLAIN, POINT, POINT_COMMAS,
    look,
};

/// Statistics of a column's numbers.
#[derive(Default)]
pub(super) struct Written {
    /// Number of plain numbers, of which at most the fraction was examined.
    plain: usize,
    /// True if a plain number has a point that must be a decimal point.
    point: bool,
    /// First plain number with a point that may be a thousands separator as well.
    dotted: Option<(usize, String)>,
    /// The other numbers, by their possible formats.
    looked: Vec<Alike>,
}

/// Numbers with the same possible formats.
struct Alike {
    pairs: u8,
    unit: Option<char>,
    cells: usize,
    /// The first of them and its line.
    line: usize,
    cell: String,
}

/// The context of a column beside its cells.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub delimiter: u8,
    /// [`PAIRS`] that the user allows in this column.
    pub allowed: u8,
    /// True if another column of the table has an unambiguous decimal point, or a decimal comma.
    pub point: bool,
    pub comma: bool,
}

/// A remark on an ambiguous column.
#[derive(Debug)]
pub(super) struct Guess {
    pub text: String,
    /// Value of `data.decimal` that changes the choice.
    pub otherwise: Option<char>,
}

/// The format chosen for a column.
#[derive(Debug)]
pub(super) struct Chosen {
    pub format: NumberFormat,
    /// An example and the reason of the choice, if it was ambiguous, and the decimal separator that
    /// would reverse it.
    pub guess: Option<Guess>,
    /// Number of numbers that don't fit the format, and the first of them.
    pub others: usize,
    pub other: Option<(usize, String)>,
}

impl Written {
    /// Counts a plain number with this parsed value.
    #[inline]
    pub fn plain(&mut self, line: usize, cell: &str, value: impl Into<f64>) {
        self.plain += 1;
        let value = value.into();
        // Whole numbers, and all numbers after the first unambiguous point, need no second
        // examination.
        let has_point = || cell.bytes().rev().take(4).any(|b| b == b'.');
        if !self.point && (value as i64 as f64 != value || has_point()) {
            self.dotted(line, cell);
        }
    }

    #[cold]
    fn dotted(&mut self, line: usize, cell: &str) {
        let pairs = look(cell).map_or(POINT, |looked| looked.pairs);
        if pairs == POINT {
            self.point = true;
        } else if pairs != u8::MAX && self.dotted.is_none() {
            self.dotted = Some((line, cell.to_owned()));
        }
    }

    /// Counts cells of one text.
    pub fn add(&mut self, line: usize, cell: &str, looked: &Candidates, cells: usize) {
        let Candidates { pairs, unit } = *looked;
        let alike = |other: &&mut Alike| other.pairs == pairs && other.unit == unit;
        match self.looked.iter_mut().find(alike) {
            Some(alike) => alike.cells += cells,
            None => self.looked.push(Alike {
                pairs,
                unit,
                cells,
                line,
                cell: cell.chars().take(40).collect(),
            }),
        }
    }

    /// Adds the statistics of later rows.
    pub fn append(&mut self, below: Written) {
        self.plain += below.plain;
        self.point |= below.point;
        self.dotted = self.dotted.take().or(below.dotted);
        for new in below.looked {
            let Alike { pairs, unit, .. } = new;
            let looked = Candidates { pairs, unit };
            self.add(new.line, &new.cell, &looked, new.cells);
        }
    }

    /// True if a format can't be chosen yet: beside plain numbers that were not fully examined
    /// there are others, or points that are ambiguous.
    pub fn is_open(&self, around: &Around) -> bool {
        let is_plain = |alike: &Alike| alike.pairs & 1 << PLAIN != 0 && alike.unit.is_none();
        let may_be_groups = around.comma && self.dotted.is_some() && !self.point;
        let plain_is_no_choice = around.allowed & 1 << PLAIN == 0;
        self.plain > 0 && (may_be_groups || plain_is_no_choice || !self.looked.iter().all(is_plain))
    }

    /// True if there is an unambiguous decimal point, and likewise a decimal comma.
    pub fn clear(&self) -> (bool, bool) {
        let any = |of: u8| {
            let mut looked = self.looked.iter();
            looked.any(|alike| alike.pairs & !of == 0)
        };
        let all = |of: u8| self.looked.iter().all(|alike| alike.pairs & of != 0);
        let point = self.point || any(POINT) && all(POINT);
        (point, any(COMMA) && all(COMMA) && self.plain == 0)
    }

    /// Number of cells that fit a format.
    fn count(&self, pair: usize, unit: Option<char>) -> usize {
        let plain = match 1 << pair & POINT {
            0 if self.point => 0,
            0 if self.dotted.is_some() && pair != COMMA_POINTS => 0,
            _ => self.plain,
        };
        let fits = |alike: &&Alike| alike.fits(pair, unit);
        plain
            + self
                .looked
                .iter()
                .filter(fits)
                .map(|a| a.cells)
                .sum::<usize>()
    }

    fn total(&self) -> usize {
        self.plain + self.looked.iter().map(|a| a.cells).sum::<usize>()
    }

    /// The most frequent unit.
    fn unit(&self) -> Option<char> {
        let units = self.looked.iter().filter_map(|alike| alike.unit);
        let cells = |unit: char| {
            let with = self.looked.iter().filter(|a| a.unit == Some(unit));
            with.map(|alike| alike.cells).sum::<usize>()
        };
        // The first of equally frequent ones.
        units.rev().max_by_key(|&unit| cells(unit))
    }

    /// The format that fits all numbers, or the most. `fixed` leaves no choice.
    pub fn choose(&self, fixed: Option<NumberFormat>, around: &Around) -> Chosen {
        let unit = self.unit();
        let all = self.total();
        let fits_all = |pair: usize| self.count(pair, unit) == all;
        let allowed = |pair: &usize| around.allowed & 1 << pair != 0;
        let mut guess = None;
        let format = match fixed {
            Some(format) => format,
            None => {
                let mut fitting = (0..PAIRS.len()).filter(allowed).filter(|&p| fits_all(p));
                let first = fitting.next();
                let pair = match first {
                    Some(PLAIN) => self.plain_or_groups(around, &mut guess),
                    Some(POINT_COMMAS) if fitting.any(|pair| pair == COMMA_ALONE) => {
                        self.groups_or_fraction(around, &mut guess)
                    }
                    // Spaces and apostrophes are no evidence on the decimal separator.
                    Some(pair @ (2 | 3)) if around.comma && !around.point => {
                        let comma = pair + COMMA_ALONE;
                        if fits_all(comma) && allowed(&comma) {
                            comma
                        } else {
                            pair
                        }
                    }
                    Some(pair) => pair,
                    // The first of equally frequent ones.
                    None => {
                        let pairs = (0..PAIRS.len()).filter(allowed).rev();
                        let most = pairs.max_by_key(|&pair| self.count(pair, unit));
                        most.unwrap_or(PLAIN)
                    }
                };
                NumberFormat::of(pair, unit)
            }
        };
        if let (None, Some('%'), None) = (&guess, format.unit, fixed) {
            let bare = self.looked.iter().find(|alike| alike.unit.is_none());
            guess = bare.map(|bare| {
                let cell = &bare.cell;
                let text = format!(
                    "`{cell}`, without a sign, is read as {cell} beside cells with `%`: 12% is 12"
                );
                Guess {
                    text,
                    otherwise: None,
                }
            });
        }
        let pair = format.pair();
        let other = self
            .looked
            .iter()
            .filter(|alike| !alike.fits(pair, format.unit));
        let other = other.min_by_key(|alike| alike.line);
        Chosen {
            format,
            guess,
            others: all - self.count(pair, format.unit),
            other: other.map(|alike| (alike.line, alike.cell.clone())),
        }
    }

    /// The choice for `1.500` in all cells with a point: a fraction, or thousands if other columns
    /// have decimal commas.
    fn plain_or_groups(&self, around: &Around, guess: &mut Option<Guess>) -> usize {
        let of_looked = |alike: &&Alike| alike.pairs == POINT | 1 << COMMA_POINTS;
        let looked = self.looked.iter().find(of_looked);
        let looked = looked.map(|alike| (alike.line, alike.cell.as_str()));
        let dotted = self
            .dotted
            .as_ref()
            .map(|(line, cell)| (*line, cell.as_str()));
        let Some((_, cell)) = dotted.or(looked) else {
            return PLAIN;
        };
        let groups = around.allowed & 1 << COMMA_POINTS != 0
            && !self.point
            && self
                .looked
                .iter()
                .all(|alike| alike.pairs & 1 << COMMA_POINTS != 0);
        if around.allowed != u8::MAX || !groups || !around.comma || around.point {
            return PLAIN;
        }
        *guess = Some(Guess {
            text: format!(
                "`{cell}` is read as a number with thousands separators, since other columns have \
                 decimal commas"
            ),
            otherwise: Some('.'),
        });
        COMMA_POINTS
    }

    /// The choice for `1,500` in all cells with a comma: thousands, or a fraction.
    fn groups_or_fraction(&self, around: &Around, guess: &mut Option<Guess>) -> usize {
        let with_comma = |alike: &&Alike| alike.pairs & 1 << PLAIN == 0;
        let comma = self.looked.iter().find(with_comma);
        let bare = self.looked.len() > self.looked.iter().filter(with_comma).count();
        let (fraction, why) = match (around.point, around.comma) {
            (true, false) => (false, "other columns have decimal points"),
            (false, true) => (true, "other columns have decimal commas"),
            _ if !matches!(around.delimiter, b';' | b'\t') => {
                (false, "all digits behind a comma are in groups of three")
            }
            _ if bare => (
                false,
                "all digits behind a comma are in groups of three, and some cells have none",
            ),
            _ => (true, "all cells have one, and the delimiter is no comma"),
        };
        if around.allowed != u8::MAX {
            return if fraction { COMMA_ALONE } else { POINT_COMMAS };
        }
        let cell = comma.map_or("", |alike| &alike.cell);
        let (read, otherwise) = match fraction {
            true => ("a decimal comma", '.'),
            false => ("thousands separators", ','),
        };
        *guess = Some(Guess {
            text: format!("`{cell}` is read as a number with {read}, since {why}"),
            otherwise: Some(otherwise),
        });
        if fraction { COMMA_ALONE } else { POINT_COMMAS }
    }
}

impl Alike {
    fn fits(&self, pair: usize, unit: Option<char>) -> bool {
        self.pairs & 1 << pair != 0 && (self.unit.is_none() || self.unit == unit)
    }
}

/// The [`PAIRS`] allowed by a user's decimal separator and separator of groups of digits.
pub(super) fn allowed((point, groups): (Option<char>, Option<char>)) -> u8 {
    let fits = |(n, &(decimal, thousands)): (usize, &(u8, Option<u8>))| {
        let decimal = point.is_none_or(|given| given == char::from(decimal));
        let thousands = groups.is_none_or(|given| Some(given) == thousands.map(char::from));
        u8::from(decimal && thousands) << n
    };
    PAIRS.iter().enumerate().map(fits).sum()
}
