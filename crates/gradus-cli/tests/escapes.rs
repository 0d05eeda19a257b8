//! Names and values of others cannot act on the terminal: what they hold of control characters is
//! shown escaped, wherever it is shown.

mod common;

use common::{Place, Said};

/// Characters that no output may hold: an escape, a bell, C1's short form of an escape, a turn of the
/// direction.
const HARMFUL: [char; 4] = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'];

/// A name with all of them.
const NAME: &str = "a\u{1b}]0;b\u{7}\u{9b}31m\u{202e}c";

/// The same in TOML.
const IN_TOML: &str = r"a\u001b]0;b\u0007\u009b31m\u202ec";

/// Runs a command, and checks what it says.
fn said(place: &Place, arguments: &[&str]) -> Said {
    let said = place.run(arguments);
    let all = format!("{}{}", said.out, said.err);
    let found = all.chars().find(|c| HARMFUL.contains(c));
    assert_eq!(found, None, "{arguments:?}: {all:?}");
    said
}

/// The same of a command that shows the name.
fn shown(place: &Place, arguments: &[&str], code: i32) -> String {
    let said = said(place, arguments);
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{arguments:?}: {all}");
    let is_escaped = all.contains(r"a\u{1b}]0;b\u{7}\u{9b}31m\u{202e}c");
    assert!(
        is_escaped || all.contains(r"\u001b"),
        "{arguments:?}: {all}"
    );
    all
}

#[test]
fn layers_keys_and_values() {
    let place = Place::new();
    let config = format!(
        "[data]\ndataset = \"digits\"\nvalidation = {{ first = 1000 }}\n[model]\nlayers = [\n\
         {{ type = \"Flatten\", name = \"{IN_TOML}\" }},\n\
         {{ type = \"Dense\", units = 10, activation = \"softmax\" }} ]\n[train]\n\
         loss = \"sparse_categorical_crossentropy\"\noptimizer = \"SGD\"\n\
         metrics = [{{ type = \"Accuracy\", name = \"{IN_TOML}\" }}]\n"
    );
    place.write("c.toml", &config);
    shown(&place, &["summary", "c.toml"], 0);
    said(&place, &["check", "c.toml"]);
    shown(&place, &["train", "c.toml", "--out", "r"], 0);
    shown(&place, &["summary", "r"], 0);
    said(&place, &["check", "r"]);
    shown(&place, &["evaluate", "r", "--data", "digits"], 0);
    let json = shown(&place, &["evaluate", "r", "--data", "digits", "--json"], 0);
    assert!(json.contains(r"\u202e"), "{json}");

    let more = config.replace("units = 10", &format!("units = \"{IN_TOML}\""));
    place.write("value.toml", more);
    shown(&place, &["check", "value.toml"], 2);
    place.write("key.toml", format!("{config}\"{IN_TOML}\" = 1\n"));
    shown(&place, &["check", "key.toml"], 2);
    place.write("line.toml", format!("{config}\"{NAME}\" = 1\n"));
    said(&place, &["check", "line.toml"]);
    let long = config.replace("\"SGD\"", &format!("\"{}\"", "x".repeat(100_000)));
    place.write("long.toml", long);
    let error = said(&place, &["check", "long.toml"]).err;
    assert!(error.len() < 2000, "{} bytes", error.len());
}

#[test]
fn files_columns_and_classes() {
    let place = Place::new();
    let table = format!("{NAME}.csv");
    let mut rows = format!("{NAME},size,kind\n");
    for row in 0..60 {
        let class = if row % 3 == 0 { NAME } else { "other" };
        rows += &format!("{},{},{class}\n", row % 7, row % 5);
    }
    place.write(&table, rows);
    let config = format!(
        "[data]\ntable = \"{IN_TOML}.csv\"\ntarget = \"kind\"\n\
         validation = {{ fraction = 0.2, shuffle = true }}\n[model]\nrecipe = \"default\"\n\
         hidden = [4]\n[train]\nepochs = 2\n"
    );
    place.write("t.toml", &config);
    shown(&place, &["data", "show", &table], 0);
    shown(&place, &["summary", "t.toml"], 0);
    said(&place, &["check", "t.toml"]);
    shown(&place, &["train", "t.toml", "--out", "r"], 0);
    place.write("less.csv", "size\n1\n");
    shown(
        &place,
        &["predict", "r", "--data", "less.csv", "--out", "p.csv"],
        2,
    );
    said(
        &place,
        &["predict", "r", "--data", &table, "--out", "p.csv"],
    );
    // Output for programs stays as it is.
    assert!(place.text("p.csv").contains(NAME));
    let missing = config.replace("\"kind\"", &format!("\"{IN_TOML}!\""));
    place.write("missing.toml", missing);
    shown(&place, &["check", "missing.toml"], 2);
    shown(&place, &["summary", &format!("{NAME}.keras")], 2);
}
