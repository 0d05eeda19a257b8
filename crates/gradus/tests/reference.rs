//! The configuration's reference and schema, as a program gets them.

use gradus::experiment::{reference, schema};
use std::path::Path;

#[test]
fn the_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == reference().unwrap(),
        "docs/config.md is no longer what the code says; this mends it: \
         cargo run -p gradus-cli -- schema --markdown > docs/config.md"
    );
}

#[test]
fn each_key_of_the_document_has_type_default_meaning_and_example() {
    let text = reference().unwrap();
    let mut keys = 0;
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells = line.replace("\\|", "/");
        let cells: Vec<&str> = cells
            .trim_matches('|')
            .split(" | ")
            .map(str::trim)
            .collect();
        if let [_, of, default, meaning, example] = cells[..] {
            for cell in [of, default, meaning, example] {
                assert!(
                    !cell.is_empty(),
                    "{line}: a cell is empty; mend the key's comment"
                );
            }
            keys += 1;
        }
    }
    assert!(keys > 400, "{keys}");
    for word in ["usize", "Option<", "Vec<", "::"] {
        assert!(!text.contains(word), "the document speaks Rust: {word}");
    }
}

#[test]
fn links_within_the_document_lead_somewhere() {
    let text = reference().unwrap();
    let anchor = |heading: &str| {
        let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        let kept: String = heading.chars().filter(kept).collect();
        kept.trim().to_lowercase().replace(' ', "-")
    };
    let headings: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect();
    let links: Vec<&str> = text
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() > 150, "{}", links.len());
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "#{link}");
    }
}

#[test]
fn the_schema_allows_no_key_that_it_does_not_list() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    assert!(definitions.len() > 150);
    for (name, definition) in definitions.iter().chain([(&String::new(), &schema)]) {
        if definition["properties"].is_object() {
            assert_eq!(definition["additionalProperties"], false, "{name}");
        }
    }
}
