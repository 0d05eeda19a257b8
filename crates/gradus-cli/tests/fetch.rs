//! Tests of built-in data sets through the real binary: listing, fetching, and errors without a
//! network.

mod common;

use common::{Place, Said};
use std::io::{Read, Write};
use std::net::TcpListener;

/// The binary with a data folder of its own, and no proxy in the way.
fn run(place: &Place, arguments: &[&str]) -> Said {
    let mut command = place.command(arguments);
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    let output = command
        .env("GRADUS_DATA", place.path("data"))
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A server with the same answer to every request.
fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

#[test]
fn without_a_server_the_folder_the_files_and_the_package_are_named() {
    let place = Place::new();
    let nobody = "http://127.0.0.1:9/sets/";
    let said = run(
        &place,
        &["data", "fetch", "fashion-mnist", "--mirror", nobody],
    );
    assert_eq!((said.code, &*said.out), (Some(1), ""), "{}", said.err);
    let folder = place.path("data/fashion-mnist");
    for words in [
        "error: cannot fetch fashion-mnist: train-images-idx3-ubyte.gz",
        "http://127.0.0.1:9/sets/train-images-idx3-ubyte.gz: ",
        "t10k-labels-idx1-ubyte.gz into",
        &folder.display().to_string(),
        "apt install dataset-fashion-mnist",
    ] {
        assert!(said.err.contains(words), "no {words:?} in {}", said.err);
    }
    assert_eq!(place.names("data/fashion-mnist"), [""; 0]);
}

#[test]
fn what_a_server_gives_instead_of_the_file_is_not_kept() {
    let place = Place::new();
    let missing = server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    // As long as the file, but with other contents.
    let length = 1_423_529;
    let mut other =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    other.resize(other.len() + length, b'x');
    let other = server(other);
    let fetch = [
        "data", "fetch", "housing", "--mirror", &missing, "--mirror", &other,
    ];
    let said = run(&place, &fetch);
    assert_eq!((said.code, &*said.out), (Some(1), ""), "{}", said.err);
    for words in [
        "404",
        "found the SHA-256",
        "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e",
        "put housing.csv into",
    ] {
        assert!(said.err.contains(words), "no {words:?} in {}", said.err);
    }
    assert_eq!(place.names("data/housing"), [""; 0]);
}

#[test]
fn names_are_checked_and_what_is_there_is_listed() {
    let place = Place::new();
    let said = run(&place, &["data", "fetch", "fashon-mnist"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("did you mean `fashion-mnist`?"),
        "{}",
        said.err
    );
    let said = run(&place, &["data", "fetch", "digits"]);
    assert_eq!(said.code, Some(0), "{}", said.err);

    let line = |name: &str| {
        let out = run(&place, &["data", "list"]).out;
        let line = out
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}: {out}")).to_owned()
    };
    assert!(line("digits").ends_with("built in"));
    assert!(line("mnist").ends_with("gradus data fetch mnist"));
    assert!(line("cifar100-coarse").ends_with("gradus data fetch cifar100"));
    assert!(line("housing").ends_with("gradus data fetch housing"));

    std::fs::create_dir_all(place.path("data/housing")).unwrap();
    let said = run(&place, &["data", "show", "housing"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("gradus data fetch housing"),
        "{}",
        said.err
    );
    place.write("data/housing/housing.csv", "rooms,value\n1,2\n3,4\n");
    assert!(line("housing").contains("data/housing/housing.csv"));
    let said = run(&place, &["data", "show", "housing"]);
    assert!(
        said.out.contains("2 rows, 2 columns"),
        "{}{}",
        said.out,
        said.err
    );
    // In a configuration it is a table.
    let config =
        "data.dataset = \"housing\"\ndata.target = \"value\"\nmodel.recipe = \"default\"\n";
    place.write("c.toml", config);
    let said = run(&place, &["data", "show", "c.toml"]);
    assert!(said.out.contains("the target"), "{}{}", said.out, said.err);
    let said = run(&place, &["train", "c.toml", "--out", "run", "--quiet"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
}
