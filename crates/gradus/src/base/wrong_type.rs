//! Serde's refusals of a value, in words of a configuration.

/// A refusal of serde's, understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// A value of another type or form.
    Expected(Form),
    /// A key or another name that is none of these; the first says which of the two.
    NoneOf(&'static str, String, Vec<String>),
    /// A key that has to be there.
    Missing(String),
    /// A sentence as it is.
    Other(String),
}

/// The form of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// A whole number of 0 or more.
    Count,
    /// Any number.
    Number,
    /// One of some names, not yet known which.
    Name,
    /// In words.
    Words(String),
}

impl Refusal {
    /// Reads one of serde's sentences.
    pub fn of(text: &str) -> Self {
        let quoted = |text: &str| {
            let parts = text.split('`').skip(1).step_by(2);
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        if let Some(rest) = text.strip_prefix("missing field ") {
            return Refusal::Missing(quoted(rest).concat());
        }
        for (start, family) in [("unknown variant ", "value"), ("unknown field ", "key")] {
            if let Some(rest) = text.strip_prefix(start) {
                let mut names = quoted(rest).into_iter();
                let found = names.next().unwrap_or_default();
                return Refusal::NoneOf(family, found, names.collect());
            }
        }
        for start in ["invalid type: ", "invalid value: ", "invalid length "] {
            if let Some(rest) = text.strip_prefix(start)
                && let Some((_, expected)) = rest.rsplit_once(", expected ")
            {
                return Refusal::Expected(Form::of(expected));
            }
        }
        match text.strip_prefix("expected ") {
            Some(expected) => Refusal::Expected(Form::of(expected)),
            None => Refusal::Other(text.to_owned()),
        }
    }
}

impl Form {
    /// Translates what serde expected.
    fn of(expected: &str) -> Self {
        let words = match expected {
            "usize" | "u64" | "u32" | "u16" | "u8" => return Form::Count,
            "f64" | "f32" => return Form::Number,
            "string or map" | "variant identifier" => return Form::Name,
            "i64" | "i32" | "i16" | "i8" => "a whole number",
            "a boolean" => "true or false",
            "a string" | "string" => "a text",
            "a character" => "one character",
            "path string" => "a path",
            "a sequence" => "a list",
            "a map" => "a table of keys and values",
            "unit" => "nothing",
            _ if expected.starts_with("enum ") => return Form::Name,
            _ if expected.starts_with("struct ") => "a table of keys and values",
            _ if expected.starts_with("a nonzero ") => "a whole number above 0",
            _ if expected.contains("length") || expected.contains("tuple") => {
                let count = expected.chars().filter(char::is_ascii_digit);
                let count: String = count.collect();
                return Form::Words(format!("a list of {count}"));
            }
            _ => expected,
        };
        Form::Words(words.to_owned())
    }

    /// The form in words.
    pub fn words(&self) -> &str {
        match self {
            Form::Count => "a whole number of 0 or more",
            Form::Number => "a number",
            Form::Name => "a name",
            Form::Words(words) => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_understood() {
        let expected = |text: &str| match Refusal::of(text) {
            Refusal::Expected(form) => form.words().to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            expected("invalid type: string \"x, expected y\", expected f64"),
            "a number"
        );
        assert_eq!(
            expected("invalid value: integer `-1`, expected usize"),
            "a whole number of 0 or more"
        );
        assert_eq!(
            expected("invalid length 3, expected an array of length 2"),
            "a list of 2"
        );
        assert_eq!(
            expected("invalid type: map, expected a boolean"),
            "true or false"
        );
        assert_eq!(
            expected("expected a whole number or a text"),
            "a whole number or a text"
        );
        assert_eq!(
            Refusal::of("missing field `units`"),
            Refusal::Missing("units".into())
        );
        let names = vec!["b".to_owned(), "c".to_owned()];
        let unknown = Refusal::of("unknown variant `a`, expected one of `b`, `c`");
        assert_eq!(unknown, Refusal::NoneOf("value", "a".into(), names));
        assert_eq!(
            Refusal::of("unknown loss `a`"),
            Refusal::Other("unknown loss `a`".into())
        );
    }
}
