//! Tests of header detection, through the real binary.

mod common;

use common::Place;

/// The columns' names and the number of rows in `data show`.
fn shown(place: &Place, spec: &str) -> (Vec<String>, String) {
    let out = place.ok(&["data", "show", spec]);
    let table = out.split("\n\n").nth(1).unwrap();
    let lines = table.lines().skip(1);
    let names = lines.filter_map(|line| line.split_whitespace().next());
    (names.map(str::to_owned).collect(), out)
}

#[test]
fn a_line_is_a_header_where_it_looks_like_one() {
    let place = Place::new();
    for (text, names, rows) in [
        // Delimiters at the end of each line.
        ("a,b,y,\n1,2,3,\n4,5,6,\n", &["a", "b", "y"][..], 2),
        ("a;b;;;\n1;x;;;\n4;y;;;\n", &["a", "b"], 2),
        // A last column with a cell stays.
        ("a,b,\n1,2,\n4,5,6\n", &["a", "b", "column_2"], 2),
        // A name is empty, or a number.
        ("a,,y\n1,2,3\n4,5,6\n", &["a", "column_1", "y"], 2),
        (",a,y\n1,2,3\n4,5,6\n", &["column_0", "a", "y"], 2),
        ("0,1,y\n1.5,2,3\n4,5,6\n", &["0", "1", "y"], 2),
        ("name,1\nBern,x\nThun,y\n", &["name", "1"], 2),
        // Only texts: names are the ones that no other line repeats.
        ("name,kind,\nn0,p,\nn1,q,\nn2,p,\n", &["name", "kind"], 3),
        ("n0,p\nn1,q\nn2,p\n", &["column_0", "column_1"], 3),
        ("x,x\nn1,q\nn2,p\n", &["column_0", "column_1"], 3),
        // Rows without a header.
        ("1,2\n3,4\n", &["column_0", "column_1"], 2),
        (
            "Bern,1,2\nThun,3,4\n",
            &["column_0", "column_1", "column_2"],
            2,
        ),
        (",1\nx,2\ny,3\n", &["column_0", "column_1"], 3),
        ("yes,1.5\nno,2\n", &["column_0", "column_1"], 2),
        ("2024-01-05,1\n2024-01-06,2\n", &["column_0", "column_1"], 2),
    ] {
        place.write("t.csv", text);
        let (found, out) = shown(&place, "t.csv");
        assert_eq!(found, names, "{text}: {out}");
        assert!(
            out.starts_with(&format!("t.csv: {rows} rows")),
            "{text}: {out}"
        );
        let is_data = names[0] == "column_0" && names[1] == "column_1";
        assert_eq!(
            is_data,
            out.contains("line 1 is taken as a row"),
            "{text}: {out}"
        );
    }
    place.write("t.csv", "0,1,y\n1.5,2,3\n");
    let (_, out) = shown(&place, "t.csv");
    assert!(
        out.contains("`0` among them: `data.header = false`"),
        "{out}"
    );
}

#[test]
fn names_that_are_asked_for_and_the_key_make_a_header() {
    let place = Place::new();
    // No evidence for a header.
    place.write("t.csv", "label,part\nlabel,part\ncat,p\ndog,q\n");
    let config = |keys: &str| {
        place.write("t.toml", format!("[data]\ntable = \"t.csv\"\n{keys}"));
        "t.toml"
    };
    assert_eq!(shown(&place, config("")).0, ["column_0", "column_1"]);
    for keys in [
        "target = \"label\"",
        "columns = { label = \"category\" }",
        "exclude = [\"part\"]",
        "header = true",
    ] {
        assert_eq!(shown(&place, config(keys)).0, ["label", "part"], "{keys}");
    }
    for keys in ["header = false", "target = \"column_1\""] {
        let (names, out) = shown(&place, config(keys));
        assert_eq!(names, ["column_0", "column_1"], "{keys}");
        assert!(out.starts_with("t.csv: 4 rows"), "{keys}: {out}");
        assert!(!out.contains("line 1"), "{keys}: {out}");
    }
    let message = place.mistake(&["data", "show", config("target = \"lable\"")]);
    for words in [
        "unknown column `lable`",
        "line 1 is taken as a row",
        "data.header = true",
    ] {
        assert!(message.contains(words), "{message}");
    }
    // All are numbers: only the user can tell.
    place.write("t.csv", "2019,2020\n1,2\n3,4\n");
    assert_eq!(
        shown(&place, config("target = \"2020\"")).0,
        ["2019", "2020"]
    );
    assert_eq!(shown(&place, config("")).0, ["column_0", "column_1"]);
}

#[test]
fn a_text_in_line_1_of_numbers_without_a_header_names_the_key() {
    let place = Place::new();
    let rows: String = (0..40).map(|n| format!("{n}.5,{n}\n")).collect();
    place.write("t.csv", format!("oops,0.5\n{rows}"));
    let message = place.mistake(&["data", "show", "t.csv"]);
    for words in [
        "column_0",
        "line 1 has `oops`",
        "line 1 is taken as a row",
        "data.header",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

const CONFIG: &str = r#"
[data]
table = "t.csv"
target = "y"
[model]
recipe = "default"
hidden = [4]
[train]
epochs = 1
"#;

#[test]
fn a_model_of_odd_names_scores_a_table_of_the_same_and_errors_have_the_files_lines() {
    let place = Place::new();
    let rows = |from: usize| -> String {
        let row = |n: usize| format!("{}.5,{},{}.25,\n", n % 7, n % 5, n % 11);
        (from..from + 40).map(row).collect()
    };
    place.write("t.csv", format!("0,,y,\n{}", rows(0)));
    place.write("t.toml", CONFIG);
    place.ok(&["train", "t.toml", "--out", "run"]);
    let predict = |text: String| {
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
    let whole = predict(format!("0,,y,\n{}", rows(3)));
    assert_eq!(whole.lines().count(), 41);
    // Without the target and the columns at its end.
    let third = rows(3);
    let rest = third.lines().map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        format!("{},{}\n", cells[0], cells[1])
    });
    let bare = predict(format!("0,column_1\n{}", rest.collect::<String>()));
    assert_eq!(bare, whole);

    // A line that is a header only by the option counts as a line.
    let rows = rows(0).replacen("3.25", "", 1);
    place.write("t.csv", format!("1,2,3,\n{rows}"));
    let set = ["--set", "data.header=true", "--set", "data.target=\"3\""];
    let message = place.mistake(&[&["train", "t.toml", "--out", "no"][..], &set].concat());
    assert!(message.contains("line 5"), "{message}");
}
