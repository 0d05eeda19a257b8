//! Tests of human number formats, and of words for missing values, through the real binary.

mod common;

use common::{Place, Said};
use std::fmt::Write as _;

/// The line on a column in `data show`.
fn shown(out: &str, column: &str) -> String {
    let mut lines = out.lines().map(str::trim);
    let line = lines.find(|line| line.split_whitespace().next() == Some(column));
    let line = line.unwrap_or_else(|| panic!("{column}: {out}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file of one column `a` of these cells beside one of words.
fn column(delimiter: &str, cells: &[&str]) -> String {
    let mut text = format!("a{delimiter}word\n");
    for (n, cell) in cells.iter().enumerate() {
        let _ = writeln!(text, "\"{cell}\"{delimiter}{}", ["x", "y"][n % 2]);
    }
    text
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let place = Place::new();
    for (delimiter, cells, kind, range) in [
        (
            ";",
            &["0,5", "-1,25", "3"][..],
            "number, decimal comma",
            "-1.25 to 3",
        ),
        (
            "\t",
            &["1,500", "2,250"],
            "number, decimal comma",
            "1.5 to 2.25",
        ),
        (
            ",",
            &["0,5", "1,25"],
            "number, decimal comma",
            "0.5 to 1.25",
        ),
        (
            ";",
            &["1.234.567,8", "12"],
            "number, decimal comma, thousands `.`",
            "12 to 1234567.8",
        ),
        (
            ",",
            &["1,500", "500"],
            "number, thousands `,`",
            "500 to 1500",
        ),
        (
            ",",
            &["1,234.5", "0.5"],
            "number, thousands `,`",
            "0.5 to 1234.5",
        ),
        (
            ",",
            &["1 234", "1\u{a0}234\u{202f}567"],
            "number, thousands by spaces",
            "1234 to 1234567",
        ),
        (
            ",",
            &["1'234.5", "7"],
            "number, thousands `'`",
            "7 to 1234.5",
        ),
        (",", &["12%", " 7 % "], "number, with %", "7 to 12"),
        (
            ",",
            &["$1,200.50", "-$3", "$7"],
            "number, thousands `,`, with $",
            "-3 to 1200.5",
        ),
        (",", &["€ 5", "6 €", "€7"], "number, with €", "5 to 7"),
        (
            ",",
            &["(1,200)", "30"],
            "number, thousands `,`",
            "-1200 to 30",
        ),
        (",", &["+5", " 6 ", "\u{2212}7", "(8)"], "number", "-8 to 6"),
        (",", &["1e-3", "-.5", "2."], "number", "-0.5 to 2"),
        // Not numbers.
        (",", &["1.2.3", "1.2.4"], "category", ""),
        (",", &["12-14", "15-17"], "category", ""),
    ] {
        place.write("t.csv", column(delimiter, cells));
        let out = place.ok(&["data", "show", "t.csv"]);
        let line = shown(&out, "a");
        assert!(line.starts_with(&format!("a {kind} ")), "{cells:?}: {out}");
        assert!(line.contains(range), "{cells:?}: {out}");
    }
}

/// Rows of numbers, formatted by `number`, with a target that depends on them.
fn rows(range: std::ops::Range<usize>, number: impl Fn(f64) -> String) -> String {
    let mut text = String::from("u;w;y\n");
    for n in range {
        let u = (n * 7919 % 3001) as f64 * 2.5;
        let w = (n * 104_729 % 997) as f64 / 8.0 - 60.0;
        let _ = writeln!(
            text,
            "{};{};{}",
            number(u),
            number(w),
            number(u / 4.0 + w * 2.0)
        );
    }
    text
}

fn plain(x: f64) -> String {
    x.to_string()
}

/// `1.234,5`.
fn german(x: f64) -> String {
    let text = x.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n) % 3 == 0 {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if x < 0.0 { "-" } else { "" };
    match fraction {
        "" => format!("{sign}{grouped}"),
        fraction => format!("{sign}{grouped},{fraction}"),
    }
}

const CONFIG: &str = r#"
seed = 3
[data]
table = "t.csv"
target = "y"
validation = { fraction = 0.2 }
[model]
recipe = "default"
hidden = [4]
[train]
epochs = 1
batch_size = 256
"#;

fn ok(place: &Place, arguments: &[&str]) -> Said {
    let said = place.run_cached(arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said
}

#[test]
fn a_format_is_the_columns_in_memory_in_a_stream_and_for_new_rows() {
    let place = Place::new();
    place.write("t.toml", CONFIG);
    place.write("t.csv", rows(0..60_000, plain));
    let there = std::fs::metadata(place.path("t.csv")).unwrap().len();
    assert!(there > 1_000_000, "{there}");
    let small = ["--set", "data.memory=\"1 MB\""];
    let train = |out: &str, more: &[&str]| {
        ok(&place, &[&["train", "t.toml", "--out", out], more].concat()).err
    };
    let in_order = ["--set", "train.shuffle=false"];
    train("plain", &in_order);
    place.write("t.csv", rows(0..60_000, german));
    let said = train("german", &in_order);
    assert!(said.contains("y (decimal comma, thousands `.`)"), "{said}");
    let said = train("streamed", &[&small[..], &in_order].concat());
    assert!(said.contains("read meanwhile"), "{said}");
    assert!(said.contains("y (decimal comma, thousands `.`)"), "{said}");

    let score = |run: &str, text: String| {
        place.write("new.csv", text);
        place.ok(&[
            "predict",
            &format!("{run}/model.keras"),
            "--data",
            "new.csv",
            "--out",
            "scored.csv",
        ]);
        place.text("scored.csv")
    };
    let expected = score("plain", rows(5..40, plain));
    for run in ["german", "streamed"] {
        assert_eq!(score(run, rows(5..40, german)), expected, "{run}");
    }
    // The same text is always the same number to one model.
    place.write("new.csv", rows(5..40, plain));
    let predict = [
        "predict",
        "german/model.keras",
        "--data",
        "new.csv",
        "--out",
        "scored.csv",
    ];
    let message = place.mistake(&predict);
    for words in ["new.csv", "column `u`", "decimal comma", "line "] {
        assert!(message.contains(words), "{message}");
    }
    place.write("new.csv", rows(5..40, german));
    let predict = [
        "predict",
        "plain/model.keras",
        "--data",
        "new.csv",
        "--out",
        "scored.csv",
    ];
    let message = place.mistake(&predict);
    assert!(message.contains("column `u`"), "{message}");
    // Unless their format is given.
    place.write(
        "new.toml",
        "data.table = \"new.csv\"\ndata.target = \"y\"\ndata.decimal = \",\"\ndata.thousands = \".\"\n",
    );
    let toml = [
        "predict",
        "plain/model.keras",
        "--data",
        "new.toml",
        "--out",
        "scored.csv",
    ];
    place.ok(&toml);
    assert_eq!(place.text("scored.csv"), expected);
}

#[test]
fn what_was_a_guess_is_said_with_the_key_that_reads_it_otherwise() {
    let place = Place::new();
    for (text, words) in [
        // Groups of three, and no other evidence.
        (
            "a;b\n1,500;x\n500;y\n2,500;x\n".to_owned(),
            "column `a`: `1,500` is read as a number with thousands separators",
        ),
        (
            "a;b\n1,500;x\n2,500;y\n".into(),
            "column `a`: `1,500` is read as a number with a decimal comma",
        ),
        // A single column has no delimiter.
        (
            "a\n1,500\n2,500\n".into(),
            "thousands separators, since all digits",
        ),
        // Other columns decide.
        (
            "a;b\n1,500;0.5\n2,500;0.7\n".into(),
            "thousands separators, since other columns have decimal points",
        ),
        (
            "a;b\n1.500;0,5\n2.000;0,7\n".into(),
            "`1.500` is read as a number with thousands separators, since other columns have \
             decimal commas",
        ),
        (
            "a,b\n12%,x\n7,y\n".into(),
            "`7`, without a sign, is read as 7 beside cells with `%`",
        ),
        (
            "a,b\n1,x\n2,y\n-,x\n4,y\n-,x\n3,x\n".into(),
            "column `a`: is a category by `-`, all other cells are numbers: \
             `data.missing_values = [\"-\"]`",
        ),
        (
            "a,b\n1 kg,x\n2.5 kg,y\n".into(),
            "column `a`: is a category, though `1 kg` and all other cells are numbers with `kg`",
        ),
    ] {
        place.write("t.csv", &text);
        let out = place.ok(&["data", "show", "t.csv"]);
        assert!(out.contains(words), "{text}: {out}");
    }
    // No remark without ambiguity.
    place.write("t.csv", "a;b\n1.500;x\n2.500;y\n");
    let out = place.ok(&["data", "show", "t.csv"]);
    assert!(
        shown(&out, "a").contains("1.5 to 2.5") && !out.contains("read"),
        "{out}"
    );
}

#[test]
fn commas_in_numbers_are_no_delimiters() {
    let place = Place::new();
    for (text, columns) in [
        ("0,5;1,5;2\n0,7;2,5;3\n", 3),
        ("Preis, netto;Menge\n1,5;2\n2,5;3\n", 2),
        ("0,5\t1,5\n0,7\t2,5\n", 2),
        // These are.
        ("a;b,n\nx;y,1\nx;z,2\n", 2),
        ("1,2,3\n4,5,6\n", 3),
    ] {
        place.write("t.csv", text);
        let out = place.ok(&["data", "show", "t.csv"]);
        let head = format!("t.csv: 2 rows, {columns} columns");
        assert!(out.starts_with(&head), "{text}: {out}");
    }
}

#[test]
fn numbers_written_in_several_ways_are_refused_with_their_lines() {
    let place = Place::new();
    for (cells, words) in [
        (&["1.5", "2,5", "3.5", "4,5"][..], &["`2,5`", "line 3"][..]),
        (&["$5", "€6", "$7", "€8"], &["`€6`", "line 3"]),
        (&["1,500", "2,5", "1,234.5", "7"], &["column `a`", "line"]),
    ] {
        place.write("t.csv", column(",", cells));
        let message = place.mistake(&["data", "show", "t.csv"]);
        assert!(message.contains("t.csv: column `a`"), "{message}");
        for word in words {
            assert!(message.contains(word), "{cells:?}: {message}");
        }
        place.ok(&["data", "show", "t.csv", "--column", "a=category"]);
    }
}

#[test]
fn keys_say_how_numbers_are_written() {
    let place = Place::new();
    place.write("t.csv", column(",", &["1,500", "500", "2,250"]));
    let show = |keys: &str| {
        place.write("t.toml", format!("[data]\ntable = \"t.csv\"\n{keys}"));
        place.run(&["data", "show", "t.toml"])
    };
    for (keys, range) in [
        ("", "500 to 2250"),
        ("thousands = \",\"", "500 to 2250"),
        ("decimal = \",\"", "1.5 to 500"),
        ("decimal = \",\"\nthousands = \".\"", "1.5 to 500"),
        ("decimal = { a = \",\" }", "1.5 to 500"),
        ("decimal = { \"a\" = \".\" }", "500 to 2250"),
    ] {
        let said = show(keys);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(
            shown(&said.out, "a").contains(range),
            "{keys}: {}",
            said.out
        );
        assert_eq!(
            keys.is_empty(),
            said.out.contains("reads it otherwise"),
            "{keys}"
        );
    }
    for (keys, words) in [
        ("decimal = \";\"", "data.decimal"),
        ("decimal = 5", "data.decimal"),
        ("thousands = \"_\"", "data.thousands"),
        ("decimal = { a = \"_\" }", "data.decimal.a"),
        ("decimal = { aa = \",\" }", "did you mean `a`?"),
        (
            "decimal = { a = \",\" }\nthousands = \",\"",
            "data.thousands",
        ),
        ("decimal = \",\"\nthousands = \",\"", "data.thousands"),
        ("missing_values = [1]", "data.missing_values"),
        ("header = \"yes\"", "data.header"),
        ("decmal = \",\"", "did you mean `decimal`?"),
    ] {
        let said = show(keys);
        assert_eq!(said.code, Some(2), "{keys}: {}", said.out);
        assert!(said.err.contains(words), "{keys}: {}", said.err);
    }
    place.write("t.csv", column(",", &["1.5", "2.5"]));
    let said = show("decimal = \",\"");
    assert_eq!(said.code, Some(2), "{}", said.out);
    for words in ["`1.5`", "line 2", "data.decimal"] {
        assert!(said.err.contains(words), "{}", said.err);
    }
}

#[test]
fn none_is_a_category_and_words_for_gaps_are_named() {
    let place = Place::new();
    place.write(
        "t.csv",
        "n,kind,size,sold\n1,none,small,2024-01-05\nNone,brick,NA,none\n3,None,small,2024-01-07\n\
         4,none,large,2024-01-08\n,brick,large,?\n",
    );
    let out = place.ok(&["data", "show", "t.csv"]);
    assert!(shown(&out, "n").starts_with("n number 40.0%"), "{out}");
    assert!(shown(&out, "kind").starts_with("kind category 3 "), "{out}");
    assert!(
        shown(&out, "size").starts_with("size category 20.0% 2"),
        "{out}"
    );
    assert!(shown(&out, "sold").starts_with("sold date 40.0%"), "{out}");
    let words = "words read as gaps: n (`None` 1), size (`NA` 1), sold (`?` 1, `none` 1)";
    assert!(out.contains(words), "{out}");

    place.write(
        "t.toml",
        "[data]\ntable = \"t.csv\"\nmissing_values = [\"none\", \"small\"]\n",
    );
    let out = place.ok(&["data", "show", "t.toml"]);
    assert!(
        shown(&out, "kind").starts_with("kind category 60.0% 1"),
        "{out}"
    );
    // `NA` is not among them.
    assert!(
        shown(&out, "size").starts_with("size category 40.0% 2"),
        "{out}"
    );
    assert!(out.contains("kind (`none` 2, `None` 1)"), "{out}");
    place.write("t.csv", "n,y\n1,a\n-999,b\n3,a\n");
    place.write(
        "t.toml",
        "[data]\ntable = \"t.csv\"\nmissing_values = [\"-999\"]\n",
    );
    let out = place.ok(&["data", "show", "t.toml"]);
    assert!(shown(&out, "n").contains("1 to 3"), "{out}");
}

#[test]
fn a_model_knows_which_words_are_gaps() {
    let place = Place::new();
    let rows = |range: std::ops::Range<usize>| {
        let row = |n: usize| format!("{},{},{}\n", ["none", "NA", "a"][n % 3], n % 5, n % 3);
        format!("kind,size,y\n{}", range.map(row).collect::<String>())
    };
    place.write("t.csv", rows(0..60));
    place.write(
        "t.toml",
        CONFIG.replace("target", "missing_values = [\"none\"]\ntarget"),
    );
    let said = ok(&place, &["train", "t.toml", "--out", "run"]);
    assert!(
        said.err.contains("words read as gaps: kind (`none` 20)"),
        "{}",
        said.err
    );
    // The resolved configuration says so, too, and repeats the run.
    assert!(
        place
            .text("run/config.toml")
            .contains("missing_values = [\"none\"]")
    );
    ok(&place, &["train", "run/config.toml", "--out", "again"]);
    assert_eq!(
        place.read("run/model.keras"),
        place.read("again/model.keras")
    );
    let predict = |text: &str| {
        place.write("new.csv", text);
        place.ok(&[
            "predict",
            "run/model.keras",
            "--data",
            "new.csv",
            "--out",
            "scored.csv",
        ]);
        place.text("scored.csv")
    };
    let told = predict("kind,size\nnone,1\nNA,1\n");
    assert_eq!(told, predict("kind,size\n,1\nNA,1\n"));
    let lines: Vec<&str> = told.lines().collect();
    assert_ne!(lines[1], lines[2]);
}
