//! `gradus train --json`: an object a line and nothing else on standard output; and what the last lines
//! look like for people.

mod common;

use common::{Place, SMALL};
use serde_json::Value;

fn lines(out: &str) -> Vec<Value> {
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_epoch_is_a_line_and_the_results_are_the_last() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let said = place.run(&["train", "c.toml", "--json", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines = lines(&said.out);
    let epochs: Vec<&Value> = lines
        .iter()
        .filter(|line| line["event"] == "epoch")
        .collect();
    assert_eq!(epochs.len(), 4);
    let (losses, seconds) = (
        place.history("run", "val_loss"),
        place.history("run", "seconds"),
    );
    for (n, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["epoch"], n);
        assert_eq!(epoch["val_loss"].as_f64(), Some(losses[n]));
        assert_eq!(epoch["seconds"].as_f64(), Some(seconds[n]));
    }
    assert!(
        said.out
            .starts_with("{\"event\":\"epoch\",\"epoch\":0,\"loss\":"),
        "{}",
        said.out
    );
    let done = &lines[lines.len() - 1];
    assert_eq!(lines.len(), 5);
    assert_eq!(
        (&done["event"], &done["folder"]),
        (&"done".into(), &"run".into())
    );
    let kept = done["kept_epoch"].as_u64().unwrap() as usize;
    assert_eq!(done["validation"]["loss"].as_f64(), Some(losses[kept]));
    assert!(done["training"]["accuracy"].is_f64() && done["test"]["loss"].is_f64());
    // Standard error has what it always has.
    assert!(said.err.contains("epoch 1/4  loss"), "{}", said.err);
    let quiet = place.run(&["train", "c.toml", "--json", "--quiet", "--out", "quiet"]);
    assert_eq!((quiet.err.as_str(), quiet.out.lines().count()), ("", 5));
}

#[test]
fn folds_are_named() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let train = [
        "train", "c.toml", "--json", "--quiet", "--folds", "2", "--out", "run",
    ];
    let out = place.ok(&[&train[..], &["--set", "train.epochs=2"]].concat());
    let lines = lines(&out);
    let folds: Vec<&Value> = lines.iter().map(|line| &line["fold"]).collect();
    assert_eq!(
        folds,
        [&1.into(), &1.into(), &2.into(), &2.into(), &Value::Null]
    );
    let done = &lines[4];
    let values: Vec<f64> = done["folds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["val_loss"].as_f64().unwrap())
        .collect();
    assert_eq!(
        done["mean"]["val_loss"].as_f64(),
        Some((values[0] + values[1]) / 2.0)
    );
}

#[test]
fn a_warning_is_a_line_and_what_is_no_number_is_null() {
    let place = Place::new();
    let rows = (0..40).map(|row| format!("{row},3\n"));
    place.write("t.csv", format!("a,y\n{}", rows.collect::<String>()));
    place.write(
        "c.toml",
        "[data]\ntable = \"t.csv\"\ntarget = \"y\"\ncolumns = { y = \"number\" }\n[model]\n\
         layers = [{ type = \"Dense\", units = 1 }]\n[train]\nloss = \"mse\"\nepochs = 3\n\
         on_nan = \"continue\"\noptimizer = { type = \"SGD\", learning_rate = 1e30 }\n",
    );
    let said = place.run(&["train", "c.toml", "--json", "--quiet", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines = lines(&said.out);
    assert_eq!(lines[0]["event"], "warning");
    assert!(
        lines[0]["message"].as_str().unwrap().contains("constant"),
        "{}",
        said.out
    );
    let last = &lines[lines.len() - 2];
    assert_eq!(
        (&last["event"], &last["epoch"], &last["loss"]),
        (&"epoch".into(), &2.into(), &Value::Null)
    );
}

#[test]
fn the_course_of_the_loss_is_in_the_last_lines() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let out = place.ok(&["train", "c.toml", "--out", "run"]);
    let line = out.lines().find(|line| line.starts_with("curve")).unwrap();
    let losses = place.history("run", "val_loss");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[1].chars().count(), 4);
    assert_eq!(
        words[2..],
        [
            "val_loss",
            &format!("{:.4}", losses[0]),
            "to",
            &format!("{:.4}", losses[3])
        ]
    );
}

/// Colours are for terminals, and for who wants them.
#[cfg(target_os = "linux")]
#[test]
fn colours_respect_pipes_and_no_color() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let said = place.run(&["train", "c.toml", "--out", "piped"]);
    assert!(!(said.out + &said.err).contains('\x1b'));
    let gradus = env!("CARGO_BIN_EXE_gradus");
    let on_terminal = |environment: &str| {
        // util-linux' `script` gives the command a terminal.
        let command = format!("{environment} TERM=xterm {gradus} runs .");
        let mut script = std::process::Command::new("script");
        let script = script
            .args(["-qec", &command, "/dev/null"])
            .current_dir(place.root());
        script
            .env_remove("NO_COLOR")
            .output()
            .ok()
            .map(|output| String::from_utf8(output.stdout).unwrap())
    };
    let Some(plain) = on_terminal("NO_COLOR=1") else {
        return;
    };
    assert!(
        plain.contains("val_loss") && !plain.contains('\x1b'),
        "{plain:?}"
    );
    assert!(on_terminal("").unwrap().contains("\x1b[32mval_loss"));
}
