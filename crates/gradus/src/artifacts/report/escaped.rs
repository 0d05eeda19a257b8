//! Texts of others in a page: harmless, and as they are to read.

use crate::base::shown::{visible, visible_lines};
use serde_json::Value;

/// A text in HTML, between tags or in an attribute.
pub fn html(text: &str) -> String {
    tags(&visible(text))
}

/// A text of several lines in HTML.
pub fn html_lines(text: &str) -> String {
    tags(&visible_lines(text))
}

fn tags(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Data as JSON in a `<script>` element, which no text in it can end.
pub fn json(data: Value) -> String {
    let json = shown(data).to_string();
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Outside of texts JSON has none of these.
            '<' | '>' | '&' => escaped += &format!("\\u{:04x}", u32::from(c)),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The same data, its texts with control characters and marks of direction escaped.
fn shown(data: Value) -> Value {
    match data {
        Value::String(text) => visible(&text).into_owned().into(),
        Value::Array(all) => all.into_iter().map(shown).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, shown(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_text_ends_its_element() {
        let text = "</script><!-- & \u{202e}\u{1b}\u{2028}\"";
        let escaped = json(json!({ "a": [text] }));
        for harmful in ["<", ">", "&", "\u{202e}", "\u{1b}", "\u{2028}"] {
            assert!(!escaped.contains(harmful), "{escaped}");
        }
        let back: Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(back["a"][0], "</script><!-- & \\u{202e}\\u{1b}\\u{2028}\"");
        assert_eq!(html("<a b='c'>"), "&lt;a b=&#39;c&#39;&gt;");
        assert_eq!(html_lines("a\n&"), "a\n&amp;");
    }
}
