//! A user's date patterns, in the syntax of `strftime`.

use super::super::calendar::MONTHS;
use super::moment::{Cursor, Moment, Time};
use crate::error::{Error, Result};

/// Length limit of a pattern.
const LONGEST: usize = 48;
const KNOWN: &str = "%Y %y %m %d %b %B %H %I %M %S %f %p %z %%";

/// A pattern such as `%d/%m/%Y %H:%M`: `%Y` is a year of four digits, `%y` one of two (from 69 on
/// of the last century), `%m` `%d` month and day, `%b` `%B` the month's English name, short or
/// whole, `%H` `%M` `%S` hour, minute and second, `%I` `%p` an hour of twelve with AM or PM, `%f`
/// digits of a second, `%z` the time zone's offset or Z. All other characters stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DatePattern {
    bytes: [u8; LONGEST],
    length: u8,
}

impl DatePattern {
    /// Parses a pattern; an error if it has an unknown directive, or does not determine a date.
    pub(super) fn new(at: &str, text: &str) -> Result<Self> {
        let wrong = |expected: &str| Err(Error::invalid(at, format!("`{text}`"), expected));
        if text.len() > LONGEST || !text.is_ascii() {
            return wrong("at most 48 letters of ASCII");
        }
        let mut seen = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                continue;
            }
            let directive = letters.next();
            let text = directive.map_or("%".to_owned(), |d| format!("%{d}"));
            match directive {
                Some('%') => {}
                Some(d) if "YymdbBHIMSfpz".contains(d) => {
                    if seen.contains(&d) {
                        return wrong(&format!("`{text}` once"));
                    }
                    seen.push(d);
                }
                _ => {
                    let expected = format!("a format made of {KNOWN}, not `{text}`");
                    return wrong(&expected);
                }
            }
        }
        let count = |any: &str| seen.iter().filter(|d| any.contains(**d)).count();
        for (any, what) in [
            ("Yy", "a year (%Y)"),
            ("mbB", "a month (%m)"),
            ("d", "a day (%d)"),
        ] {
            if count(any) != 1 {
                return wrong(&format!(
                    "one format with {what} once: it has {}",
                    count(any)
                ));
            }
        }
        if count("I") != count("p") || count("HI") > 1 {
            return wrong("an hour as %H, or as %I with %p");
        }
        for (smaller, larger, expected) in [
            ("M", "HI", "an hour (%H) with the minute"),
            ("S", "M", "a minute (%M) with the second"),
            ("f", "S", "a second (%S) with its fraction"),
        ] {
            if count(smaller) > count(larger) {
                return wrong(expected);
            }
        }
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(DatePattern {
            bytes,
            length: text.len() as u8,
        })
    }

    /// The pattern's text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }

    /// True if the pattern allows only digits, so that its dates are numbers, too.
    pub(in crate::data) fn is_number(&self) -> bool {
        let mut letters = self.text().chars();
        let mut all = true;
        while let Some(letter) = letters.next() {
            all &= letter == '%' && letters.next().is_some_and(|d| "YymdHMSf".contains(d));
        }
        all
    }

    /// The date and time of a cell in this format.
    pub(super) fn read(&self, text: &str) -> Option<Moment> {
        let (mut year, mut month, mut day) = (None, None, None);
        let (mut time, mut afternoon) = (Time::default(), None);
        let mut cell = Cursor(text.as_bytes());
        let mut letters = self.text().bytes();
        while let Some(letter) = letters.next() {
            if letter == b' ' {
                cell.skip(b" ")?;
                cell.blanks();
                continue;
            }
            if letter != b'%' {
                cell.skip(&[letter])?;
                continue;
            }
            match letters.next()? {
                b'Y' => match cell.digits(4)? {
                    (n, 4) => year = Some(n),
                    _ => return None,
                },
                b'y' => match cell.digits(2)? {
                    (n, 2) => year = Some(n + if n < 69 { 2000 } else { 1900 }),
                    _ => return None,
                },
                b'm' => month = Some(cell.number(2, 12)?),
                b'd' => day = Some(cell.number(2, 31)?),
                b'b' => month = Some(named(&mut cell, |name| &name[..3])?),
                b'B' => month = Some(named(&mut cell, |name| name)?),
                b'H' => time.hour = cell.number(2, 23)?,
                b'I' => time.hour = cell.number(2, 12)?,
                b'M' => time.minute = cell.number(2, 59)?,
                b'S' => time.second = cell.number(2, 60)?,
                b'f' => (time.micros, time.cut) = cell.fraction()?,
                b'p' => afternoon = Some(cell.half()?),
                b'z' => time.offset = Some(cell.zone()?),
                _ => {
                    cell.skip(b"%")?;
                }
            }
        }
        if !cell.0.is_empty() {
            return None;
        }
        if let Some(afternoon) = afternoon {
            time = time.of_twelve(afternoon)?;
        }
        time.on((year?, month?, day?))
    }
}

/// Parses a month's name.
fn named(cell: &mut Cursor<'_>, short: impl Fn(&'static str) -> &'static str) -> Option<i64> {
    let place = MONTHS.iter().position(|name| cell.word(short(name)))?;
    Some(place as i64 + 1)
}

impl std::fmt::Debug for DatePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::super::DateFormat;

    fn read(format: &str, text: &str) -> Option<String> {
        let format = DateFormat::from_text("date_format", format).unwrap();
        format
            .read(text)
            .map(|m| super::super::moment_text(m.micros))
    }

    #[test]
    fn patterns_read_what_is_written_so() {
        for (format, text) in [
            ("%d/%m/%Y %H:%M", "31/05/2024 13:45"),
            ("%Y%m%d %H%M%S", "20240531 134500"),
            ("%d.%m.%y, %H:%M", "31.05.24, 13:45"),
            ("%I:%M %p on %B %d, %Y", "1:45 pm on May 31, 2024"),
            ("%d-%b-%Y %H:%M:%S.%f%z", "31-MAY-2024 15:45:00.000+02:00"),
            ("month-first", "5/31/2024 1:45 PM"),
        ] {
            assert_eq!(
                read(format, text).as_deref(),
                Some("2024-05-31 13:45:00"),
                "{format}"
            );
        }
        assert_eq!(
            read("%Y%m%d", "20240531").as_deref(),
            Some("2024-05-31 00:00:00")
        );
        for (format, text) in [
            ("%Y%m%d", "20241301"),
            ("%Y%m%d", "202405311"),
            ("iso", "31/05/2024"),
        ] {
            assert_eq!(read(format, text), None);
        }
    }

    #[test]
    fn patterns_that_make_no_date_are_refused() {
        let said = |text: &str| {
            DateFormat::from_text("data.date_format", text)
                .unwrap_err()
                .to_string()
        };
        assert!(said("%d/%m").contains("a year (%Y)"), "{}", said("%d/%m"));
        assert!(
            said("%d/%m/%Q").contains("not `%Q`"),
            "{}",
            said("%d/%m/%Q")
        );
        assert!(said("%d/%m/%Y %I:%M").contains("%I with %p"));
        assert!(said("%d/%d/%Y").contains("`%d` once"));
        assert!(
            said("day_first").contains("day-first"),
            "{}",
            said("day_first")
        );
        assert!(said("dd/mm/yyyy").contains("%d/%m/%Y"));
        assert!(said("%d/%m/%Y %S").contains("minute"));
    }
}
