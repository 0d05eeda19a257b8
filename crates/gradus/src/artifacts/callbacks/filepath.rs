//! File names with placeholders, in Python's notation: `{epoch:02d}-{val_loss:.4f}`.

use super::{exponent, python};
use crate::error::{Error, Result};

/// A number in a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Whole(usize),
    Real(f64),
}

/// Fills every placeholder of a name by `value`, which returns an error for an unknown one. `{{`
/// and `}}` are escaped braces.
pub fn fill(template: &str, value: impl Fn(&str) -> Result<Number>) -> Result<String> {
    let mut name = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        name += &rest[..at];
        let brace = &rest[at..at + 1];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            name += brace;
            rest = after;
            continue;
        }
        let Some((inner, after)) = rest.split_once('}').filter(|_| brace == "{") else {
            let expected = "braces in pairs, such as {epoch:02d}, or {{ for a brace itself";
            return Err(Error::invalid("filepath", template, expected));
        };
        let (field, format) = inner.split_once(':').unwrap_or((inner, ""));
        name += &formatted(value(field)?, format).ok_or_else(|| {
            let found = format!("{{{inner}}}");
            let expected = "a format such as {epoch:02d}, {loss:.4f} or {loss:.2e}";
            Error::invalid("filepath", found, expected)
        })?;
        rest = after;
    }
    Ok(name + rest)
}

/// Formats a number by Python's `[0][width][.precision][d|f|e]`; `None` for other formats.
fn formatted(number: Number, format: &str) -> Option<String> {
    let zeros = format.starts_with('0');
    let kind = format.chars().last().filter(char::is_ascii_alphabetic);
    let sizes = &format[..format.len() - kind.map_or(0, char::len_utf8)];
    let (width, precision) = match sizes.split_once('.') {
        Some((width, precision)) => (width, Some(precision.parse::<usize>().ok()?)),
        None => (sizes, None),
    };
    let width: usize = if width.is_empty() {
        0
    } else {
        width.parse().ok()?
    };
    if width > 99 || precision.is_some_and(|p| p > 99) {
        return None;
    }
    let digits = precision.unwrap_or(6);
    let text = match (number, kind) {
        (Number::Whole(n), None | Some('d')) if precision.is_none() => n.to_string(),
        (Number::Whole(n), Some('f' | 'e')) => return formatted(Number::Real(n as f64), format),
        (Number::Real(x), Some('f')) => format!("{x:.digits$}").to_lowercase(),
        (Number::Real(x), Some('e')) => {
            let text = format!("{x:.digits$e}").to_lowercase();
            match text.split_once('e') {
                Some((digits, power)) => format!("{digits}e{}", exponent(power)),
                None => text,
            }
        }
        (Number::Real(x), None) if precision.is_none() => python(x),
        _ => return None,
    };
    let missing = width.saturating_sub(text.len());
    Some(match text.strip_prefix('-') {
        Some(rest) if zeros => format!("-{}{rest}", "0".repeat(missing)),
        _ => format!("{}{text}", if zeros { "0" } else { " " }.repeat(missing)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String> {
        fill(template, |name| match name {
            "epoch" => Ok(Number::Whole(7)),
            "val_loss" => Ok(Number::Real(0.123456)),
            "tiny" => Ok(Number::Real(-1.5e-7)),
            other => Err(Error::unknown("filepath", "placeholder", other, ["epoch"])),
        })
    }

    /// Expected: `template.format(epoch=7, val_loss=0.123456, tiny=-1.5e-7)` in Python 3.11.
    #[test]
    fn placeholders_are_filled_as_python_fills_them() {
        for (template, expected) in [
            ("m.keras", "m.keras"),
            ("m-{epoch}.keras", "m-7.keras"),
            ("{epoch:02d}-{val_loss:.4f}.keras", "07-0.1235.keras"),
            ("{epoch:4d}|{epoch:.1f}|{epoch:06.2f}", "   7|7.0|007.00"),
            (
                "{val_loss}|{val_loss:f}|{val_loss:8.2f}",
                "0.123456|0.123456|    0.12",
            ),
            (
                "{val_loss:.2e}|{tiny:e}|{tiny:010.1e}",
                "1.23e-01|-1.500000e-07|-001.5e-07",
            ),
            ("{{{epoch}}}", "{7}"),
            ("é{epoch}", "é7"),
        ] {
            assert_eq!(filled(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_python_would_not_fill_is_refused() {
        for wrong in [
            "{",
            "}",
            "{epoch",
            "{epoch}}",
            "{epoch:q}",
            "{epoch:.2d}",
            "{epoch:é}",
            "{}",
            "{val_loss:d}",
            "{val_loss:1000000000f}",
            "{val_loss:.f}",
            "{epoc}",
            "{epoch:-3d}",
        ] {
            assert!(filled(wrong).is_err(), "{wrong}");
        }
        let error = filled("{epoc}").unwrap_err().to_string();
        assert!(error.contains("did you mean `epoch`?"), "{error}");
    }
}
