//! Tests of a table's target, and of the description before the first epoch, through the real
//! binary.

mod common;

use common::{Place, results};

/// Two features, one row in three with zeros and ones, and a target that `cell` makes of a row.
fn table(rows: usize, cell: impl Fn(usize) -> String) -> String {
    let mut text = String::from("a,b,flag,y\n");
    for row in 0..rows {
        let mixed = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let (a, b) = (mixed % 101, mixed % 89);
        text += &format!("0.{a},{b},{},{}\n", mixed % 2, cell(row));
    }
    text
}

/// One of two words, the second in every fourth row.
fn one_of(words: [&str; 2]) -> impl Fn(usize) -> String {
    move |row| words[usize::from(row % 4 == 1)].to_owned()
}

const RECIPE: &str = "[model]\nrecipe = \"default\"\nhidden = [4]\n[train]\nepochs = 1\n";

fn chain(last: &str, train: &str) -> String {
    let first = "{ type = \"Dense\", units = 4, activation = \"relu\" }";
    format!(
        "[model]\nlayers = [{first}, {{ type = \"Dense\", {last} }}]\n\
         [train]\nepochs = 1\noptimizer = \"adam\"\n{train}"
    )
}

fn config(data: &str, rest: &str) -> String {
    format!("[data]\ntable = \"t.csv\"\ntarget = \"y\"\nchecks = false\n{data}\n{rest}")
}

/// The messages of a training with this target.
fn said(place: &Place, out: &str, text: &str, config: &str) -> String {
    place.write("t.csv", text);
    place.write("c.toml", config);
    let said = place.run(&["train", "c.toml", "--out", out]);
    assert_eq!(said.code, Some(0), "{config}{}", said.err);
    said.err
}

/// The line before the first epoch that describes the predictions.
fn predicts(said: &str) -> &str {
    let before = said.split("epoch 1/").next().unwrap();
    let mut lines = before.lines().filter(|line| line.starts_with("predicts "));
    let line = lines.next().unwrap_or_else(|| panic!("{said}"));
    assert_eq!(lines.next(), None, "{said}");
    line
}

/// Header and first row of a run's predictions on the table's own rows.
fn scored(place: &Place, run: &str) -> (String, String) {
    let model = format!("{run}/model.keras");
    place.ok(&["predict", &model, "--data", "t.csv", "--out", "p.csv"]);
    let text = place.text("p.csv");
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().unwrap(), lines.next().unwrap())
}

#[test]
fn two_different_values_are_two_classes_whatever_they_are() {
    let place = Place::new();
    for (n, (words, names)) in [
        (["0", "1"], ["0", "1"]),
        (["2", "1"], ["1", "2"]),
        (["1.0", "-1.0"], ["-1", "1"]),
        (["0.25", "0.5"], ["0.25", "0.5"]),
        (["yes", "no"], ["no", "yes"]),
        (["True", "False"], ["False", "True"]),
        (["west", "east"], ["east", "west"]),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("run{n}");
        let said = said(&place, &run, &table(80, one_of(words)), &config("", RECIPE));
        let [first, second] = names;
        // Three of four rows have the first word.
        let same =
            |a: &str, b: &str| a == b || a.parse() == b.parse::<f64>() && a.parse::<f64>().is_ok();
        let shares = match same(first, words[0]) {
            true => ["75%", "25%"],
            false => ["25%", "75%"],
        };
        let expected = format!(
            "predicts y: 2 classes, {first} ({}), {second} ({})",
            shares[0], shares[1]
        );
        assert_eq!(predicts(&said), expected);
        let (header, row) = scored(&place, &run);
        assert_eq!(header, format!("y,y_{first},y_{second}"));
        assert!(names.contains(&row.split(',').next().unwrap()), "{row}");
        let history = place.text(&format!("{run}/history.csv"));
        assert!(history.starts_with("epoch,loss,accuracy,"), "{history}");
        // The complete configuration means the same.
        let again = place.run(&["train", &format!("{run}/config.toml"), "--out", "again"]);
        assert_eq!(predicts(&again.err), expected);
        assert!(results(&place, &run) == results(&place, "again"));
        std::fs::remove_dir_all(place.path("again")).unwrap();
    }
}

#[test]
fn two_values_are_a_number_where_that_is_said() {
    let place = Place::new();
    let text = table(80, one_of(["0", "1"]));
    let number = "predicts y: a number, mean 0.25, from 0 to 1";
    let linear = "units = 1";
    for (n, (data, rest)) in [
        ("columns = { y = \"number\" }", RECIPE.to_owned()),
        ("", RECIPE.to_owned() + "loss = \"mse\"\n"),
        ("", chain(linear, "loss = \"mse\"\n")),
        (
            "",
            chain(linear, "loss = { type = \"Huber\", delta = 0.5 }\n"),
        ),
        ("", chain(linear, "loss = \"hinge\"\n")),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("run{n}");
        let said = said(&place, &run, &text, &config(data, &rest));
        assert_eq!(predicts(&said), number);
        assert_eq!(scored(&place, &run).0, "y");
        let again = place.run(&["train", &format!("{run}/config.toml"), "--out", "again"]);
        assert_eq!(predicts(&again.err), number);
        assert!(results(&place, &run) == results(&place, "again"));
        std::fs::remove_dir_all(place.path("again")).unwrap();
    }
}

#[test]
fn chains_of_layers_end_as_two_classes_ask() {
    let place = Place::new();
    let (one, two) = (
        "units = 1, activation = \"sigmoid\"",
        "units = 2, activation = \"softmax\"",
    );
    for (n, (words, last, train)) in [
        (["0", "1"], one, "loss = \"binary_crossentropy\"\n"),
        (
            ["1", "2"],
            one,
            "loss = \"binary_crossentropy\"\nmetrics = [\"accuracy\"]\n",
        ),
        (["0", "1"], one, ""),
        (["no", "yes"], one, ""),
        (
            ["1", "2"],
            two,
            "loss = \"sparse_categorical_crossentropy\"\n",
        ),
        (["0", "1"], two, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!("run{n}");
        let text = table(80, one_of(words));
        let said = said(&place, &run, &text, &config("", &chain(last, train)));
        let [a, b] = words;
        let expected = format!("predicts y: 2 classes, {a} (75%), {b} (25%)");
        assert_eq!(predicts(&said), expected);
        let (header, row) = scored(&place, &run);
        assert_eq!(header, format!("y,y_{a},y_{b}"));
        let cells: Vec<f64> = row.split(',').skip(1).map(|c| c.parse().unwrap()).collect();
        assert!((cells[0] + cells[1] - 1.0).abs() < 1e-6, "{row}");
    }
    // A single number without an interpretation.
    place.write("t.csv", table(80, one_of(["1", "2"])));
    place.write("c.toml", config("", &chain("units = 1", "")));
    let message = place.mistake(&["train", "c.toml"]);
    for words in [
        "train.loss: missing",
        "`y` is two classes, 1 and 2",
        "\"mse\"",
    ] {
        assert!(message.contains(words), "{message}");
    }
    // One-hot targets are no column.
    place.write(
        "c.toml",
        config("", &chain(two, "loss = \"categorical_crossentropy\"\n")),
    );
    let message = place.mistake(&["train", "c.toml"]);
    assert!(
        message.contains("SparseCategoricalCrossentropy"),
        "{message}"
    );
}

#[test]
fn few_whole_numbers_stay_numbers_with_a_word_about_classes() {
    let place = Place::new();
    let text = table(80, |row| (3 + row % 4).to_string());
    let line = "predicts y: a number, mean 4.5, from 3 to 6";
    let first = said(&place, "a", &text, &config("", RECIPE));
    let note = "they are 4 different whole numbers: `columns = { y = \"category\" }` makes \
                classes of them";
    assert_eq!(predicts(&first), format!("{line}; {note}"));
    // No remark if the options decide.
    for (run, data, rest) in [
        ("b", "columns = { y = \"number\" }", RECIPE.to_owned()),
        ("c", "", RECIPE.to_owned() + "loss = \"mae\"\n"),
    ] {
        assert_eq!(
            predicts(&said(&place, run, &text, &config(data, &rest))),
            line
        );
    }
    let classes = said(
        &place,
        "d",
        &text,
        &config("columns = { y = \"category\" }", RECIPE),
    );
    let expected = "predicts y: 4 classes, 3 (25%), 4 (25%), 5 (25%), 6 (25%)";
    assert_eq!(predicts(&classes), expected);
    // Halves are no classes, nor are many distinct numbers.
    let halves = table(80, |row| format!("{}.5", row % 4));
    assert!(!said(&place, "e", &halves, &config("", RECIPE)).contains("makes classes"));
    let many = table(80, |row| (row % 40).to_string());
    assert!(!said(&place, "f", &many, &config("", RECIPE)).contains("makes classes"));
}

#[test]
fn several_targets_have_a_line_each_and_many_classes_the_largest() {
    let place = Place::new();
    let text = table(90, |row| {
        format!("{},{}", row % 2, ["p", "q", "r"][row % 3])
    });
    let text = text.replace("flag,y", "flag,y,z");
    let data = config("", RECIPE).replace("target = \"y\"", "target = [\"y\", \"z\", \"b\"]");
    let said_of_three = said(&place, "a", &text, &data);
    let lines: Vec<&str> = said_of_three
        .lines()
        .filter(|l| l.starts_with("predicts "))
        .collect();
    assert_eq!(lines.len(), 3, "{said_of_three}");
    assert_eq!(lines[0], "predicts y: 2 classes, 0 (50%), 1 (50%)");
    assert_eq!(lines[1], "predicts z: 3 classes, p (33%), q (33%), r (33%)");
    assert!(
        lines[2].starts_with("predicts b: a number, mean "),
        "{}",
        lines[2]
    );
    let many = table(100, |row| {
        format!("k{}", if row < 60 { row % 3 } else { row % 9 })
    });
    let many = said(&place, "b", &many, &config("", RECIPE));
    let expected = "predicts y: 9 classes, the largest k0 (";
    assert!(predicts(&many).starts_with(expected), "{many}");
}

#[test]
fn arrays_and_pictures_say_it_too_and_quiet_says_nothing() {
    let place = Place::new();
    let said = place.run(&["train", "--set", "train.epochs=1", "--out", "a"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        predicts(&said.err).starts_with("predicts 10 classes, the largest "),
        "{}",
        said.err
    );
    place.write("x.npy", common::npy(&[40, 2]));
    place.write("y.npy", common::npy(&[40]));
    let arrays =
        |rest: &str| format!("[data]\nx = \"x.npy\"\ny = \"y.npy\"\nchecks = false\n{rest}");
    for (n, (rest, expected)) in [
        (RECIPE.to_owned(), "predicts a number, mean 0, from 0 to 0"),
        (
            chain("units = 1, activation = \"sigmoid\"", "loss = \"bce\"\n"),
            "predicts 2 classes, 0 (100%), 1 (0%)",
        ),
        (
            chain(
                "units = 3, activation = \"softmax\"",
                "loss = \"sparse_categorical_crossentropy\"\n",
            ),
            "predicts 3 classes, 0 (100%), 1 (0%), 2 (0%)",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        place.write("c.toml", arrays(&rest));
        let said = place.run(&["train", "c.toml", "--out", &format!("b{n}")]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(predicts(&said.err), expected);
        assert!(place.ok(&["check", "c.toml"]).contains(expected));
    }
    let said = place.run(&["train", "c.toml", "--quiet", "--out", "c"]);
    assert_eq!((said.code, &*said.err), (Some(0), ""));
}

#[test]
fn a_class_that_the_training_table_has_not_is_refused() {
    let place = Place::new();
    place.write("v.csv", table(20, one_of(["1", "3"])));
    place.write("t.csv", table(80, one_of(["1", "2"])));
    place.write(
        "c.toml",
        config("validation = { table = \"v.csv\" }", RECIPE),
    );
    let message = place.mistake(&["train", "c.toml"]);
    for words in [
        "v.csv",
        "line 3",
        "`3`",
        "one of the classes 1, 2",
        "y\" = \"number\"",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    // The same classes as another program writes them.
    place.write("v.csv", table(20, one_of(["2.0", "1.0"])));
    place.ok(&["train", "c.toml", "--out", "run"]);
    let yes = table(80, one_of(["Yes", "No"]));
    place.write("t.csv", &yes);
    place.write("v.csv", yes.replace("Yes", "true").replace("No", "FALSE"));
    let said = place.run(&["train", "c.toml", "--out", "words"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(
        predicts(&said.err),
        "predicts y: 2 classes, No (25%), Yes (75%)"
    );
}

#[test]
fn a_boolean_may_be_said_to_be_ones_and_zeros() {
    let place = Place::new();
    let text = table(80, one_of(["a", "b"]));
    let data = "columns = { flag = \"boolean\" }";
    let first = said(&place, "a", &text, &config(data, RECIPE));
    assert!(first.contains("2 numbers, 1 boolean"), "{first}");
    // As floats, with a missing value, they are the same.
    let floats = text.replace(",0,", ",0.0,").replace(",1,", ",1.0,");
    said(&place, "b", &floats, &config(data, RECIPE));
    assert!(results(&place, "a") == results(&place, "b"));
    let shown = place.ok(&["data", "show", "t.csv", "--column", "flag=boolean"]);
    assert!(
        shown.contains("true 4") && shown.contains("boolean"),
        "{shown}"
    );
    place.write("t.csv", text.clone() + "0.1,5,2,a\n");
    let message = place.mistake(&["train", "c.toml"]);
    assert!(message.contains("`2`, expected a boolean"), "{message}");
    // Without options, they are numbers.
    let unsaid = said(&place, "c", &text, &config("", RECIPE));
    assert!(unsaid.contains("3 numbers"), "{unsaid}");
}

#[test]
fn data_show_says_what_the_target_is() {
    let place = Place::new();
    let shown = |text: &str, data: &str| {
        place.write("t.csv", text);
        place.write("c.toml", config(data, ""));
        place.ok(&["data", "show", "c.toml"])
    };
    let two = table(80, one_of(["1", "2"]));
    assert!(shown(&two, "").contains("the target, 2 classes: 1, 2"));
    let number = "columns = { y = \"number\" }";
    assert!(shown(&two, number).contains("the target, a number"));
    let three = table(80, |row| ["p", "q", "r"][row % 3].into());
    assert!(shown(&three, "").contains("the target, 3 classes"));
}

#[test]
fn a_table_that_is_read_meanwhile_has_the_same_target() {
    let place = Place::new();
    let memory = "memory = \"1.5 MB\"";
    let rest = RECIPE.to_owned() + "shuffle = false\n";
    for (n, words) in [["1", "2"], ["0.0", "1.0"], ["no", "yes"]]
        .into_iter()
        .enumerate()
    {
        let text = table(200_000, one_of(words));
        place.write("t.csv", &text);
        let mut lines = Vec::new();
        for (run, more) in [("here", ""), ("read", memory)] {
            let run = format!("{run}{n}");
            place.write("c.toml", config(more, &rest));
            let said = place.run_cached(&["train", "c.toml", "--out", &run]);
            assert_eq!(said.code, Some(0), "{}", said.err);
            assert_eq!(
                said.err.contains("read meanwhile"),
                !more.is_empty(),
                "{}",
                said.err
            );
            lines.push(predicts(&said.err).to_owned());
        }
        let [a, b] = words.map(|word| word.trim_end_matches(".0"));
        assert_eq!(
            lines[0],
            format!("predicts y: 2 classes, {a} (75%), {b} (25%)")
        );
        assert_eq!(lines[0], lines[1]);
        let (here, read) = (
            results(&place, &format!("here{n}")),
            results(&place, &format!("read{n}")),
        );
        assert!(here == read);
    }
    // Three distinct values are a number, in a table of any size.
    place.write("t.csv", table(201_000, |row| (row % 3).to_string()));
    place.write("c.toml", config(memory, RECIPE));
    let said = place.run_cached(&["train", "c.toml", "--out", "three"]);
    let line = predicts(&said.err);
    assert!(
        line.starts_with("predicts y: a number, mean 1, from 0 to 2;"),
        "{line}"
    );
    assert!(said.err.contains("read meanwhile"), "{}", said.err);
}

#[test]
fn stratifying_by_a_number_says_what_it_does() {
    let place = Place::new();
    let text = table(120, |row| (3 + row % 4).to_string());
    let by = |how: &str| {
        config(
            &format!("validation = {{ fraction = 0.25, {how} }}"),
            RECIPE,
        )
    };
    for (run, how, name) in [
        ("a", "stratify = true", "y"),
        ("b", "stratify = \"b\"", "b"),
    ] {
        let said = said(&place, run, &text, &by(how));
        let words =
            format!("stratified by `{name}`, a number: each of its values counts as a class");
        assert!(said.contains(&words), "{said}");
    }
    let classes = table(120, one_of(["0", "1"]));
    assert!(!said(&place, "c", &classes, &by("stratify = true")).contains("stratified by"));
    place.write("t.csv", table(120, |row| format!("{row}.5")));
    place.write("c.toml", by("stratify = true"));
    let message = place.mistake(&["train", "c.toml"]);
    for words in [
        "data.validation.stratify",
        "a number (0.5)",
        "`shuffle = true`",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn class_weights_go_by_the_names_of_classes() {
    let place = Place::new();
    let weighed = |run: &str, words: [&str; 2], weights: &str| {
        let rest = format!("{RECIPE}class_weight = {weights}\n");
        said(&place, run, &table(80, one_of(words)), &config("", &rest));
        results(&place, run).1
    };
    // The second class has weight five, whatever its name.
    let expected = weighed("a", ["0", "1"], "{ 1 = 5.0 }");
    assert_eq!(weighed("b", ["1", "2"], "{ 2 = 5.0 }"), expected);
    assert_eq!(weighed("c", ["no", "yes"], "{ yes = 5.0 }"), expected);
    assert_eq!(weighed("d", ["no", "yes"], "{ 1 = 5.0 }"), expected);
    assert_ne!(weighed("e", ["1", "2"], "{ 1 = 5.0 }"), expected);
    for run in ["b", "c"] {
        let config = format!("{run}/config.toml");
        let words = if run == "b" {
            ["1", "2"]
        } else {
            ["no", "yes"]
        };
        place.write("t.csv", table(80, one_of(words)));
        let again = format!("{run}2");
        place.ok(&["train", &config, "--out", &again]);
        assert!(results(&place, run) == results(&place, &again));
    }
    place.write("t.csv", table(80, one_of(["1", "2"])));
    place.write(
        "c.toml",
        config("", &format!("{RECIPE}class_weight = {{ 0 = 2.0 }}\n")),
    );
    let message = place.mistake(&["train", "c.toml"]);
    assert!(
        message.contains("train.class_weight: found `0`, expected a class: 1, 2"),
        "{message}"
    );
}
