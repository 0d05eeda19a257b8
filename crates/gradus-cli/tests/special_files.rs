//! Files that are none (pipes, sockets, devices, folders): refused at once, wherever a file is
//! expected. A pipe that a shell opened is read.
#![cfg(unix)]

mod common;

use common::{Place, Said, npy};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

fn mkfifo(place: &Place, name: &str) {
    let made = Command::new("mkfifo").arg(place.path(name)).status();
    assert!(made.unwrap().success());
}

const CONFIG: &str = "[data]\ndataset = \"digits\"\n[model]\nrecipe = \"default\"\nhidden = [4]\n\
                      [train]\nepochs = 1\n";

#[test]
fn pipes_and_sockets_are_refused_at_once() {
    let place = Place::new();
    place.write("c.toml", CONFIG);
    place.ok(&["train", "c.toml", "--quiet", "--out", "r"]);
    let table = "[data]\ntable = \"t.csv\"\ntarget = \"y\"\n[model]\nrecipe = \"default\"\n";
    place.write("t.toml", table);
    let words = "[data]\ndataset = \"digits\"\n[model]\nlayers = [{ type = \"Flatten\" }, \
                 { type = \"IntegerLookup\", vocabulary = \"words.txt\" }, \
                 { type = \"Dense\", units = 10 }]\n";
    place.write("words.toml", words);
    std::fs::create_dir_all(place.path("pictures/a")).unwrap();
    let names = [
        "p.npy",
        "p.npz",
        "p.keras",
        "p.h5",
        "p.safetensors",
        "t.csv",
        "p.parquet",
        "p.toml",
        "words.txt",
        "pictures/a/p.png",
    ];
    let commands: &[&[&str]] = &[
        &["evaluate", "r", "--data", "p.npy,p.npy"],
        &["predict", "r", "--data", "p.npz", "--out", "o.csv"],
        &["summary", "p.keras"],
        &["check", "p.h5"],
        &["convert", "p.safetensors", "o.npz", "--model", "r"],
        &["data", "show", "t.csv"],
        &["check", "t.toml"],
        &["data", "show", "p.parquet"],
        &["train", "p.toml"],
        &["data", "show", "p.toml"],
        &["check", "words.toml"],
        &["data", "show", "pictures"],
    ];
    for kind in ["a pipe", "a socket", "a folder"] {
        for name in names {
            let _ = std::fs::remove_file(place.path(name));
            match kind {
                "a pipe" => mkfifo(&place, name),
                "a socket" => drop(UnixListener::bind(place.path(name)).unwrap()),
                _ => std::fs::create_dir(place.path(name)).unwrap(),
            }
        }
        for command in commands {
            let without_parquet = command.contains(&"p.parquet") && !cfg!(feature = "parquet");
            let of_folder = kind == "a folder" && command.contains(&"pictures");
            let error = place.mistake(command);
            if !without_parquet && !of_folder {
                assert!(error.contains(kind), "{kind}, {command:?}: {error}");
            }
        }
    }
}

#[test]
fn a_configuration_has_an_end_and_may_come_through_a_pipe() {
    let place = Place::new();
    let error = place.mistake(&["check", "/dev/zero"]);
    assert!(error.contains("is a device, expected"), "{error}");
    place.write("large.toml", " ".repeat((16 << 20) + 1));
    let error = place.mistake(&["check", "large.toml"]);
    assert!(error.contains("has more than 16 MiB"), "{error}");

    place.write("c.toml", CONFIG);
    let mut cat = Command::new("cat")
        .arg(place.path("c.toml"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut command = place.command(&["train", "/dev/stdin", "--quiet", "--out", "piped"]);
    let said = Said::by(command.stdin(cat.stdout.take().unwrap()));
    cat.wait().unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
}

#[test]
fn an_output_on_a_folder_or_out_of_reach_is_the_users_mistake() {
    let place = Place::new();
    place.write("c.toml", CONFIG);
    place.ok(&["train", "c.toml", "--quiet", "--out", "r"]);
    std::fs::create_dir(place.path("o.csv")).unwrap();
    let error = place.mistake(&["predict", "r", "--data", "digits", "--out", "o.csv"]);
    assert!(error.contains("o.csv: is a folder, expected"), "{error}");
    place.write("file", "");
    place.mistake(&["predict", "r", "--data", "digits", "--out", "file/o.csv"]);
    std::os::unix::fs::symlink("loop.npy", place.path("loop.npy")).unwrap();
    place.write("x.npy", npy(&[2, 8, 8]));
    place.mistake(&["predict", "r", "--data", "loop.npy", "--out", "p.csv"]);
    let long = format!("{}.npy", "x".repeat(1000));
    place.mistake(&["predict", "r", "--data", &long, "--out", "p.csv"]);
}
