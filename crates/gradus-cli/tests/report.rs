//! `report.html`: what a training leaves, and `gradus report`.

mod common;

use common::Place;
use gradus::Shape;
use gradus::data::write_npy;
use serde_json::Value;

/// A small training of the built-in digits.
const SMALL: [&str; 7] = [
    "train",
    "--quiet",
    "--set",
    "train.epochs=2",
    "--set",
    "model.hidden=[12]",
    "--out",
];

fn train(place: &Place, out: &str, more: &[&str]) {
    let arguments: Vec<&str> = SMALL.iter().chain([&out]).chain(more).copied().collect();
    place.ok(&arguments);
}

/// The sections of a page.
fn sections(page: &str) -> Vec<Value> {
    let (_, after) = page.split_once("id=\"data\">").expect("a page with data");
    let (json, _) = after.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(json).unwrap();
    data["sections"].as_array().unwrap().clone()
}

fn titles(sections: &[Value]) -> Vec<&str> {
    let titles = sections.iter().map(|section| section["title"].as_str());
    titles.map(Option::unwrap).collect()
}

/// The figure whose title begins so.
fn figure<'a>(sections: &'a [Value], title: &str) -> &'a Value {
    let figures = || {
        sections
            .iter()
            .flat_map(|s| s["figures"].as_array().unwrap())
    };
    let of = |figure: &'a Value| figure["title"].as_str().unwrap();
    let found = figures().find(|figure| of(figure).starts_with(title));
    found.unwrap_or_else(|| panic!("no {title}: {:?}", figures().map(of).collect::<Vec<_>>()))
}

#[test]
fn a_training_leaves_a_page_that_its_folder_gives_again() {
    let place = Place::new();
    train(&place, "run", &[]);
    let page = place.text("run/report.html");
    assert!(page.contains("<title>run · gradus</title>"));
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("<dt>Trained on</dt>"));
    // Without JavaScript, results and configuration are there.
    assert!(page.contains("<th scope=\"row\">val_accuracy</th>"));
    assert!(page.contains("[callbacks]"));
    let of_training = sections(&page);
    let all = ["Training", "Predictions", "Layer health", "Weights"];
    assert_eq!(titles(&of_training), all);

    // Every validation row is in the confusion matrix, and its share on the diagonal is the accuracy.
    let matrix = figure(&of_training, "Confusion matrix");
    let cells = matrix["picture"]["measures"][0]["cells"]["sparse"]
        .as_array()
        .unwrap();
    let count = |right: bool| {
        let cells = cells.iter().filter(|cell| !right || cell[0] == cell[1]);
        cells.map(|cell| cell[2].as_f64().unwrap()).sum::<f64>()
    };
    assert_eq!(count(false), 145.0);
    let logs = place.ok(&["evaluate", "run", "--data", "validation", "--json"]);
    let logs: Value = serde_json::from_str(&logs).unwrap();
    let accuracy = count(true) / count(false);
    assert!((logs["accuracy"].as_f64().unwrap() - accuracy).abs() < 1e-6);
    let images = &figure(&of_training, "Images")["picture"]["items"];
    assert_eq!(images.as_array().unwrap().len(), 24);
    let momentum = &figure(&of_training, "Momentum")["picture"]["series"][0]["y"];
    assert_eq!(momentum.as_array().unwrap().len(), 2);

    assert_eq!(place.ok(&["report", "run"]), "run/report.html\n");
    let again = place.text("run/report.html");
    assert_eq!(sections(&again), of_training);
    assert!(again.contains("<dt>Page made on</dt>"));
}

/// A table whose names would be markup, with two classes.
fn nasty(place: &Place) -> &'static str {
    let line = |row: usize| {
        let class = if row * 7 % 20 < 11 {
            "<script>alert(1)</script>"
        } else {
            "<!--"
        };
        format!("{},{},{class}\n", row * 7 % 20, row % 3)
    };
    let lines: String = (0..200).map(line).collect();
    place.write("t.csv", format!("a/<img src=x>,b&amp;,y\n{lines}"));
    place.write(
        "t.toml",
        "data = { table = \"t.csv\", target = \"y\", validation = { fraction = 0.3 }, checks = false }\n\
         model = { recipe = \"default\", hidden = [8] }\ntrain.epochs = 3\n",
    );
    "t.toml"
}

#[test]
fn names_are_shown_harmlessly() {
    let place = Place::new();
    let config = nasty(&place);
    place.ok(&["train", config, "--quiet", "--out", "run"]);
    let page = place.text("run/report.html");
    let found = sections(&page);
    // The data, uPlot and the page's script.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    let matrix = figure(&found, "Confusion matrix");
    assert_eq!(
        matrix["picture"]["row_names"][1],
        "<script>alert(1)</script>"
    );
    for title in [
        "ROC",
        "Precision and recall",
        "Reliability",
        "Accuracy if",
        "Which columns",
    ] {
        figure(&found, title);
    }
    let bars = &figure(&found, "Which columns")["picture"]["items"];
    assert_eq!(bars[0][0], "a/<img src=x>", "{bars}");
}

#[test]
fn what_is_missing_is_named_and_left_out() {
    let place = Place::new();
    let config = nasty(&place);
    place.ok(&["train", config, "--quiet", "--out", "run"]);
    std::fs::remove_file(place.root().join("t.csv")).unwrap();
    place.ok(&["report", "run"]);
    let found = sections(&place.text("run/report.html"));
    let all = ["Training", "Layer health", "Weights", "Not shown"];
    assert_eq!(titles(&found), all);
    let notes = found[3]["notes"].to_string();
    assert!(notes.contains("t.csv"), "{notes}");

    // As a training that was killed leaves it.
    for name in ["model.keras", "history.csv"] {
        std::fs::remove_file(place.root().join("run").join(name)).unwrap();
    }
    place.ok(&["report", "run", "--out", "page.html"]);
    let found = sections(&place.text("page.html"));
    let notes = found.last().unwrap()["notes"].to_string();
    assert!(notes.contains("has not ended"), "{notes}");
    let loss = &figure(&found, "Training and validation loss")["picture"]["series"][0]["y"];
    assert_eq!(loss.as_array().unwrap().len(), 3);
}

#[test]
fn numbers_that_no_training_has_are_no_bug() {
    let place = Place::new();
    std::fs::create_dir(place.path("run")).unwrap();
    place.write(
        "run/config.toml",
        "train = { epochs = 3, batch_size = 0 }\n",
    );
    let line = format!("{},NaN,inf,-1\n", u64::MAX);
    place.write(
        "run/history.csv",
        format!("epoch,loss,<b>,seconds\n{line}{line}"),
    );
    let health = "epoch,step,layer,output_mean,output_std,output_max,gradient_mean,gradient_std,\
                  gradient_max,gradient_norm,weight_norm,update_ratio,dead,saturated\n";
    let line = format!("0,{},<i>,,,,,,,inf,0,-1,,\n", u64::MAX);
    place.write("run/health.csv", format!("{health}{line}"));
    place.ok(&["report", "run"]);
    let page = place.text("run/report.html");
    assert!(!page.contains("<b>") && !page.contains("<i>"));
    let heat = figure(&sections(&page), "Layer health")["picture"].clone();
    assert_eq!(heat["measures"][0]["cells"]["dense"][0], "inf");
    place.write("run/history.csv", "epoch,loss\n");
    assert!(place.mistake(&["report", "run"]).contains("history.csv"));
}

#[test]
fn runs_stand_beside_each_other() {
    let place = Place::new();
    train(&place, "a", &["--seed", "1"]);
    train(&place, "b", &["--seed", "2", "--set", "train.epochs=3"]);
    assert_eq!(place.ok(&["report", "a", "b"]), "compare.html\n");
    let page = place.text("compare.html");
    for text in [
        "<th scope=\"col\">b: last epoch</th>",
        "<tr><th scope=\"row\">seed</th><td>1</td><td>2</td></tr>",
        "<tr><th scope=\"row\">train.epochs</th><td>2</td><td>3</td></tr>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("train.batch_size</th>"));
    let found = sections(&page);
    assert_eq!(titles(&found), ["Training"]);
    let loss = figure(&found, "Training and validation loss");
    let names = loss["picture"]["series"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "a, training",
            "a, validation",
            "b, training",
            "b, validation"
        ]
    );
}

#[test]
fn several_outputs_have_a_section_each() {
    let place = Place::new();
    let line = |row: usize| format!("{},{},{}\n", row % 7, ["u", "v", "w"][row % 3], row % 7 * 2);
    let lines: String = (0..150).map(line).collect();
    place.write("t.csv", format!("x,kind,amount\n{lines}"));
    place.write(
        "t.toml",
        "data = { table = \"t.csv\", target = [\"kind\", \"amount\"], checks = false,\n\
         columns = { amount = \"number\" } }\n\
         model = { recipe = \"default\", hidden = [8] }\ntrain.epochs = 2\n",
    );
    place.ok(&["train", "t.toml", "--quiet", "--out", "run"]);
    let found = sections(&place.text("run/report.html"));
    assert!(
        titles(&found).contains(&"Predictions: kind"),
        "{:?}",
        titles(&found)
    );
    assert!(
        titles(&found).contains(&"Predictions: amount"),
        "{:?}",
        titles(&found)
    );
    let words = found[1]["notes"][0].as_str().unwrap();
    assert_eq!(
        words,
        "Of the 150 training rows. The model was trained on them: on new rows it will do worse."
    );
    figure(&found, "Predicted against true: amount");
    figure(&found, "Confusion matrix");
}

/// An array file of these rows.
fn array(place: &Place, name: &str, shape: &[usize], value: impl Fn(usize) -> f32) {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(value).collect();
    let mut file = std::fs::File::create(place.path(name)).unwrap();
    let row = if shape.len() > 1 { &shape[1..] } else { &[1] };
    write_npy(&mut file, &Shape::new(row), &values).unwrap();
}

/// Trains an epoch on `x.npy` and `y.npy`, and gives the page's sections.
fn of_arrays(place: &Place, data: &str, layers: &str, loss: &str) -> Vec<Value> {
    let config = format!(
        "data = {{ x = \"x.npy\", y = \"y.npy\", checks = false{data} }}\n\
         model.layers = [{layers}]\n\
         train = {{ loss = \"{loss}\", optimizer = \"adam\", epochs = 1 }}\n"
    );
    place.write("c.toml", config);
    let _ = std::fs::remove_dir_all(place.path("run"));
    place.ok(&["train", "c.toml", "--quiet", "--out", "run"]);
    sections(&place.text("run/report.html"))
}

#[test]
fn each_kind_of_target_has_its_pictures() {
    let place = Place::new();
    array(&place, "x.npy", &[200, 4], |n| (n * 7 % 13) as f32);
    let dense = |units: usize| format!("{{ type = \"Dense\", units = {units} }}");

    // Two numbers a row.
    array(&place, "y.npy", &[200, 2], |n| (n % 11) as f32);
    let found = of_arrays(&place, "", &dense(2), "mse");
    let against = figure(&found, "Predicted against true: dense_1");
    let truth = &against["picture"]["series"][0]["x"];
    assert_eq!(truth.as_array().unwrap().len(), 200);

    // Sequences of six numbers, and twelve numbers, which are looked at together.
    array(&place, "y.npy", &[200, 6, 2], |n| (n % 5) as f32);
    let layers = format!(
        "{}, {{ type = \"Reshape\", target_shape = [6, 2] }}",
        dense(12)
    );
    let found = of_arrays(&place, "", &layers, "mse");
    figure(&found, "Residuals: the errors of all 12 numbers of a row");

    // Three answers of yes or no.
    array(&place, "y.npy", &[200, 3], |n| (n % 3 % 2) as f32);
    let layers = dense(3).replace(" }", ", activation = \"sigmoid\" }");
    let found = of_arrays(&place, "", &layers, "binary_crossentropy");
    let answers = &figure(&found, "Each answer")["picture"]["rows"];
    assert_eq!(
        (answers[1][1].as_str(), answers[0][3].as_str()),
        (Some("200"), Some("none"))
    );

    // Logits of five classes.
    array(&place, "y.npy", &[200], |n| (n % 5) as f32);
    let loss = "sparse_categorical_crossentropy";
    let found = of_arrays(
        &place,
        "",
        &dense(5).replace(" }", ", activation = \"softmax\" }"),
        loss,
    );
    figure(&found, "Reliability");
    let matrix = figure(&found, "Confusion matrix");
    assert_eq!(matrix["picture"]["row_names"][4], "4");
}

#[test]
fn rows_larger_than_memory_are_looked_at_in_part() {
    let place = Place::new();
    array(&place, "x.npy", &[30_000, 40], |n| (n * 7 % 13) as f32);
    array(&place, "y.npy", &[30_000], |n| (n % 11) as f32);
    let layers = "{ type = \"Dense\", units = 1 }";
    let found = of_arrays(&place, ", memory = \"2 MB\"", layers, "mse");
    let words = found[1]["notes"][0].as_str().unwrap();
    assert!(
        words.contains("of the 30000 training rows, the first ones"),
        "{words}"
    );
    figure(&found, "Residuals");
}

#[test]
fn what_is_no_run_is_the_users_mistake() {
    let place = Place::new();
    std::fs::create_dir(place.root().join("empty")).unwrap();
    let message = place.mistake(&["report", "empty"]);
    assert!(
        message.contains("empty") && message.contains("config.toml"),
        "{message}"
    );
    assert!(place.mistake(&["report", "nowhere"]).contains("nowhere"));
    train(&place, "folds", &["--folds", "2"]);
    let message = place.mistake(&["report", "folds"]);
    assert!(message.contains("folds/fold-1"), "{message}");
    assert!(
        place
            .text("folds/fold-1/report.html")
            .contains("fold-1 · gradus")
    );
}

#[test]
fn a_page_that_cannot_be_written_ends_no_training() {
    let place = Place::new();
    std::fs::create_dir_all(place.root().join("run/report.html/taken")).unwrap();
    let arguments: Vec<&str> = SMALL.iter().chain([&"run"]).copied().collect();
    let said = place.run(&arguments);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("report.html"), "{}", said.err);
    assert!(
        place
            .ok(&["evaluate", "run", "--data", "digits:test"])
            .contains("accuracy")
    );
}
