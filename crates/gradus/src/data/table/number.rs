//! Human ways to write numbers: decimal commas, thousands separators, percent and currency signs,
//! parentheses for negative numbers.

use super::cell;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The format of a column's numbers.
///
/// A sign before or after (`$`, `€`, `%`) does not change the number: `12%` is 12. `(5)` and `−5`
/// are -5 in every format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberFormat {
    /// Decimal separator: `.` or `,`.
    pub decimal: char,
    /// Optional separator between groups of three digits: `,`, `.`, a space or `'`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// Optional sign before or after the number: `%`, or a currency's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<char>,
}

/// Signs of currencies, and percent.
const UNITS: &str = "%$€£¥₹₽₩₺₫₪₴₦₱฿₿₡₲₵₸₼₾¢";
/// Length limit of a number written by hand.
const LONGEST: usize = 64;

/// All pairs of a decimal and a thousands separator. A set of them is a byte; the first pair is the
/// lowest bit.
pub(super) const PAIRS: [(u8, Option<u8>); 8] = [
    (b'.', None),
    (b'.', Some(b',')),
    (b'.', Some(b' ')),
    (b'.', Some(b'\'')),
    (b',', None),
    (b',', Some(b'.')),
    (b',', Some(b' ')),
    (b',', Some(b'\'')),
];
/// Sets of the pairs with a decimal point, and with a decimal comma.
pub(super) const POINT: u8 = 0b0000_1111;
pub(super) const COMMA: u8 = 0b1111_0000;
/// Indices of `1234.5`, `1,234.5`, `1234,5` and `1.234,5`.
pub(super) const PLAIN: usize = 0;
pub(super) const POINT_COMMAS: usize = 1;
pub(super) const COMMA_ALONE: usize = 4;
pub(super) const COMMA_POINTS: usize = 5;

impl NumberFormat {
    /// `1234.5`.
    pub const PLAIN: NumberFormat = NumberFormat {
        decimal: '.',
        thousands: None,
        unit: None,
    };

    /// True if it is [`NumberFormat::PLAIN`].
    pub fn is_plain(&self) -> bool {
        *self == NumberFormat::PLAIN
    }

    /// One of [`PAIRS`], with a unit.
    pub(super) fn of(pair: usize, unit: Option<char>) -> Self {
        let (decimal, thousands) = PAIRS[pair];
        NumberFormat {
            decimal: decimal.into(),
            thousands: thousands.map(char::from),
            unit,
        }
    }

    /// Index in [`PAIRS`].
    pub(super) fn pair(&self) -> usize {
        let of = |(decimal, thousands): &(u8, Option<u8>)| {
            char::from(*decimal) == self.decimal && thousands.map(char::from) == self.thousands
        };
        PAIRS.iter().position(of).unwrap_or(PLAIN)
    }

    /// The number in a text of this format.
    pub(super) fn number<N>(&self, text: &str, parse: impl Fn(&str) -> Option<N>) -> Option<N> {
        let Some(body) = Body::of(text) else {
            let is_plain = self.decimal == '.';
            return is_plain.then(|| parse(text)).flatten();
        };
        let fits = body.pairs() & (1 << self.pair()) != 0;
        if !fits || body.unit.is_some() && body.unit != self.unit {
            return None;
        }
        let mut plain = String::with_capacity(LONGEST);
        if body.negative {
            plain.push('-');
        }
        for byte in body.bytes() {
            match char::from(*byte) {
                c if c == self.decimal => plain.push('.'),
                c if Some(c) == self.thousands => {}
                c => plain.push(c),
            }
        }
        parse(&plain)
    }
}

impl Default for NumberFormat {
    fn default() -> Self {
        NumberFormat::PLAIN
    }
}

/// As `data show` prints it: `decimal comma, thousands ".", with €`; empty for plain numbers.
impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.decimal == ',' {
            parts.push("decimal comma".to_owned());
        }
        match self.thousands {
            Some(' ') => parts.push("thousands by spaces".into()),
            Some(separator) => parts.push(format!("thousands `{separator}`")),
            None => {}
        }
        if let Some(unit) = self.unit {
            parts.push(format!("with {unit}"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// The reading of a text that is not a plain number: the formats in which it is a number, and its
/// unit.
pub(super) struct Candidates {
    /// The set of possible [`PAIRS`], at least one.
    pub pairs: u8,
    pub unit: Option<char>,
}

/// The formats in which a text is a number, if any.
pub(super) fn look(text: &str) -> Option<Candidates> {
    let Some(body) = Body::of(text) else {
        // Longer than hand-written numbers, but possibly a number.
        let plain = || Candidates {
            pairs: POINT,
            unit: None,
        };
        return cell::number(text).map(|_| plain());
    };
    let pairs = body.pairs();
    // Out of the range of numbers.
    let fits = |pair: &usize| pairs & (1 << pair) != 0;
    let first = (0..PAIRS.len()).find(fits)?;
    NumberFormat::of(first, body.unit).number(text, cell::number)?;
    Some(Candidates {
        pairs,
        unit: body.unit,
    })
}

/// A text's digits and separators, without signs.
struct Body {
    bytes: [u8; LONGEST],
    length: usize,
    negative: bool,
    unit: Option<char>,
}

impl Body {
    fn of(text: &str) -> Option<Body> {
        let (rest, negative, unit) = strip(text)?;
        let mut body = Body {
            bytes: [0; LONGEST],
            length: 0,
            negative,
            unit,
        };
        for c in rest.chars() {
            let byte = match c {
                '0'..='9' | '.' | ',' | '\'' | ' ' | 'e' | 'E' | '+' | '-' => c as u8,
                // Non-breaking spaces, and the typographic apostrophe.
                '\u{a0}' | '\u{202f}' | '\u{2009}' => b' ',
                '\u{2019}' => b'\'',
                _ => return None,
            };
            *body.bytes.get_mut(body.length)? = byte;
            body.length += 1;
        }
        Some(body)
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The set of [`PAIRS`] by which this is a number.
    fn pairs(&self) -> u8 {
        let fits = |(n, &(decimal, thousands)): (usize, &(u8, Option<u8>))| {
            u8::from(is_number(self.bytes(), decimal, thousands)) << n
        };
        PAIRS.iter().enumerate().map(fits).sum()
    }
}

/// A text without its signs, whether it is negative, and its unit; `None` if it begins with a
/// letter.
fn strip(text: &str) -> Option<(&str, bool, Option<char>)> {
    let (mut rest, mut signed, mut negative, mut unit) = (text.trim(), false, false, None);
    loop {
        let first = rest.chars().next()?;
        let last = rest.chars().next_back()?;
        if unit.is_none() && UNITS.contains(last) {
            (rest, unit) = (&rest[..rest.len() - last.len_utf8()], Some(last));
        } else if unit.is_none() && UNITS.contains(first) {
            (rest, unit) = (&rest[first.len_utf8()..], Some(first));
        } else if !signed && matches!(first, '+' | '-' | '\u{2212}') {
            (rest, signed, negative) = (&rest[first.len_utf8()..], true, first != '+');
        } else if !signed && first == '(' && last == ')' && rest.len() > 1 {
            (rest, signed, negative) = (&rest[1..rest.len() - 1], true, true);
        } else if first.is_ascii_digit() || matches!(first, '.' | ',') {
            return Some((rest, negative, unit));
        } else {
            return None;
        }
        rest = rest.trim();
    }
}

/// True if these digits and separators are a number in this format.
fn is_number(bytes: &[u8], decimal: u8, thousands: Option<u8>) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let (bytes, exponent) = match bytes.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    if let Some(exponent) = exponent {
        let exponent = match exponent {
            [b'+' | b'-', rest @ ..] => rest,
            all => all,
        };
        if exponent.is_empty() || !digits(exponent) {
            return false;
        }
    }
    let (whole, fraction) = match bytes.iter().position(|&b| b == decimal) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() || !digits(fraction) {
        return false;
    }
    digits(whole)
        || exponent.is_none() && thousands.is_some_and(|separator| is_grouped(whole, separator))
}

/// True if digits stand in groups of three, or, as in India, in groups of two before the last
/// three.
fn is_grouped(whole: &[u8], separator: u8) -> bool {
    let groups = whole.split(|&b| b == separator);
    let (mut pairs, mut threes) = (separator == b',', true);
    let last = groups.clone().count() - 1;
    for (n, group) in groups.enumerate() {
        if !group.iter().all(u8::is_ascii_digit) {
            return false;
        }
        match n {
            0 if group.first() == Some(&b'0') => return false,
            0 => {
                threes &= (1..=3).contains(&group.len());
                pairs &= (1..=2).contains(&group.len());
            }
            n if n == last => {
                threes &= group.len() == 3;
                pairs &= group.len() == 3;
            }
            _ => {
                threes &= group.len() == 3;
                pairs &= group.len() == 2;
            }
        }
    }
    threes || pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(text: &str, decimal: char, thousands: Option<char>, unit: Option<char>) -> Option<f64> {
        let format = NumberFormat {
            decimal,
            thousands,
            unit,
        };
        format.number(text, |plain| {
            cell::number(plain)?;
            plain.parse().ok()
        })
    }

    #[test]
    fn every_way_to_write_a_number_is_read() {
        for (text, decimal, thousands, unit, expected) in [
            ("0,5", ',', None, None, 0.5),
            (",5", ',', None, None, 0.5),
            ("-1.234.567,8", ',', Some('.'), None, -1_234_567.8),
            ("1,234.5", '.', Some(','), None, 1234.5),
            ("12,34,567", '.', Some(','), None, 1_234_567.0),
            ("1 234", '.', Some(' '), None, 1234.0),
            ("1\u{a0}234,5", ',', Some(' '), None, 1234.5),
            ("1'234.5", '.', Some('\''), None, 1234.5),
            ("1\u{2019}234", '.', Some('\''), None, 1234.0),
            ("12%", '.', None, Some('%'), 12.0),
            ("12 %", '.', None, Some('%'), 12.0),
            ("$1,200.50", '.', Some(','), Some('$'), 1200.5),
            ("-$5", '.', None, Some('$'), -5.0),
            ("$-5", '.', None, Some('$'), -5.0),
            ("€ 5", '.', None, Some('€'), 5.0),
            ("5 €", '.', None, Some('€'), 5.0),
            ("(1,200)", '.', Some(','), None, -1200.0),
            ("($1,200.50)", '.', Some(','), Some('$'), -1200.5),
            ("(5)%", '.', None, Some('%'), -5.0),
            ("+5", '.', None, None, 5.0),
            ("\u{2212}5", '.', None, None, -5.0),
            ("1,5E+03", ',', None, None, 1500.0),
            ("5", ',', Some('.'), Some('€'), 5.0),
        ] {
            assert_eq!(by(text, decimal, thousands, unit), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_no_number() {
        for (text, decimal, thousands, unit) in [
            ("0,346", '.', Some(','), None),
            ("1,5", '.', Some(','), None),
            ("1,5000", '.', Some(','), None),
            ("1,,500", '.', Some(','), None),
            ("1.5", ',', Some('.'), None),
            ("1,500", '.', None, None),
            ("12%", '.', None, None),
            ("$5", '.', None, Some('€')),
            ("--5", '.', None, None),
            ("(-5)", '.', None, None),
            ("-", '.', None, None),
            ("$", '.', None, Some('$')),
            (".", '.', None, None),
            ("(", '.', None, None),
            ("1e", '.', None, None),
            ("1,500e3", '.', Some(','), None),
            ("5 kg", '.', None, None),
            ("NaN", '.', None, None),
            ("inf", '.', None, None),
            ("1.2.3", ',', Some('.'), None),
        ] {
            assert_eq!(by(text, decimal, thousands, unit), None, "{text}");
        }
        assert!(look("9e999").is_none() && look(&"1 ".repeat(90)).is_none());
    }

    #[test]
    fn a_text_fits_every_format_that_it_may_be_of() {
        let pairs = |text| look(text).map_or(0, |looked| looked.pairs);
        assert_eq!(pairs("500"), 0xff);
        assert_eq!(pairs("1.5"), POINT);
        assert_eq!(pairs("1.500"), POINT | 1 << COMMA_POINTS);
        assert_eq!(pairs("0,346"), COMMA);
        assert_eq!(pairs("1,500"), COMMA | 1 << POINT_COMMAS);
        assert_eq!(pairs("1,500.5"), 1 << POINT_COMMAS);
        assert_eq!(pairs("oops"), 0);
    }
}
