//! INT, TERM and HUP, through the real binary.
#![cfg(unix)]

mod common;

use common::{Place, SMALL, cut_short, only_whole_files, results};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.unwrap().success());
}

/// Starts a training, and sends a signal behind a line that begins so. The exit code, and what
/// was said on standard error.
fn interrupted(command: &mut Command, behind: &str, signal: &str) -> (i32, String) {
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    loop {
        let start = text.len();
        let read = said.read_line(&mut text).unwrap();
        assert!(read > 0, "it ended before `{behind}`: {text}");
        if text[start..].starts_with(behind) {
            break;
        }
    }
    send(signal, &child);
    said.read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code().unwrap(), text)
}

/// Runs the command that an interrupted program has told.
fn go_on(place: &Place, said: &str) {
    let command = said.split("go on with\n").nth(1);
    let command = command
        .unwrap_or_else(|| panic!("no command: {said}"))
        .trim();
    let mut shell = Command::new("sh");
    let done = shell
        .current_dir(place.root())
        .args(["-c", command])
        .output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command}: {said}");
}

#[test]
fn a_signal_ends_a_training_with_a_checkpoint_and_the_command_that_goes_on() {
    let place = Place::new();
    place.write("it's.toml", SMALL);
    let train = [
        "train",
        "it's.toml",
        "--seed",
        "3",
        "--set",
        "model.layers.1.units=64",
        "--set",
        "callbacks.early_stopping.patience=100000",
    ];
    for (signal, code, out, more) in [
        ("-INT", 130, "int", &["--threads", "1"][..]),
        ("-TERM", 143, "term", &[]),
        ("-HUP", 129, "hup", &[]),
    ] {
        let (epochs, (found, said)) =
            cut_short(&place, &[&train[..], more].concat(), out, |command| {
                let ended = interrupted(command, "epoch 2/", signal);
                (ended.0 != 0).then_some(ended)
            });
        assert_eq!(found, code, "{said}");
        assert!(!place.path(&format!("{out}/model.keras")).exists());
        assert!(only_whole_files(&place.path(out)));
        go_on(&place, &said);
        let whole = format!("whole {epochs}");
        if !place.path(&whole).exists() {
            place.ok(&[&train[..], &["--set", epochs, "--out", &whole]].concat());
        }
        assert!(results(&place, &whole) == results(&place, out), "{signal}");
    }
}

#[test]
fn a_signal_outside_a_training_ends_the_program_at_once() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    place.ok(&["train", "c.toml", "--set", "train.epochs=1", "--out", "run"]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        // More than a pipe holds.
        let predict = ["predict", "run", "--data", "digits:train", "--out", "-"];
        let mut predict = place.command(&predict);
        let mut child = predict.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let place = Place::new();
    place.write("c.toml", SMALL);
    let gradus = env!("CARGO_BIN_EXE_gradus");
    let mut shell = Command::new("sh");
    let script = format!("trap '' HUP; exec {gradus} train c.toml --out run");
    shell.current_dir(place.root()).args(["-c", &script]);
    let (code, said) = interrupted(&mut shell, "epoch 1/", "-HUP");
    assert_eq!(code, 0, "{said}");
}
