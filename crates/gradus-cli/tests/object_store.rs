//! Tests of tables in object stores through the real binary (the features `object-store` and `parquet`),
//! with credentials and limits in the environment.

mod common;
#[path = "../../gradus/tests/common/server.rs"]
mod server;

use common::{Place, Said};
use server::{Manner, SECRET, Server};
use std::path::Path;

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus/tests/parquet");
    std::fs::read(folder.join(name)).unwrap()
}

/// Runs a command with these variables, and none of the machine's own credentials.
fn run(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = place.command(arguments);
    for (name, _) in std::env::vars() {
        if ["AWS_", "GOOGLE_", "AZURE_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            command.env_remove(name);
        }
    }
    Said::by(command.envs(variables.iter().copied()))
}

fn of_s3<'a>(endpoint: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("AWS_ENDPOINT", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "someone"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]
}

#[test]
fn a_bucket_is_read_with_the_credentials_of_the_environment() {
    let place = Place::new();
    for name in ["rows.csv", "groups.parquet"] {
        place.write(name, bytes(name));
        let server = Server::start(bytes(name), Manner::Well);
        let endpoint = format!("http://{}", server.address);
        let url = format!("s3://bucket/folder/{name}");
        let said = run(&place, &["data", "show", &url], &of_s3(&endpoint));
        assert_eq!(said.code, Some(0), "{}", said.err);
        let expected = place.ok(&["data", "show", name]);
        assert_eq!(said.out.replace(&url, name), expected);
        for head in server.asked() {
            assert!(
                head.starts_with(&format!("GET /bucket/folder/{name} ")),
                "{head}"
            );
            let lower = head.to_ascii_lowercase();
            assert!(
                lower.contains("authorization: aws4-hmac-sha256 credential=someone/"),
                "{head}"
            );
            assert!(!head.contains(SECRET), "{head}");
        }
    }
}

#[test]
fn the_stores_of_google_and_azure_are_asked_too() {
    let place = Place::new();
    let server = Server::start(bytes("rows.csv"), Manner::Well);
    place.write("rows.csv", bytes("rows.csv"));
    let expected = place.ok(&["data", "show", "rows.csv"]);
    let endpoint = format!("http://{}", server.address);
    let key = place.path("key.json").display().to_string();
    place.write(
        "key.json",
        format!(r#"{{"gcs_base_url": "{endpoint}", "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}}"#),
    );
    let of_google = [
        ("GOOGLE_SERVICE_ACCOUNT", key.as_str()),
        ("GOOGLE_ALLOW_HTTP", "true"),
    ];
    let of_azure = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "someone"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "aHVzaC1odXNo"),
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
        ("AZURE_ALLOW_HTTP", "true"),
    ];
    let shown = |url: &str, variables: &[(&str, &str)]| {
        let said = run(&place, &["data", "show", url], variables);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(said.out.replace(url, "rows.csv"), expected);
    };
    shown("gs://bucket/rows.csv", &of_google);
    shown("az://container/rows.csv", &of_azure);
    let asked = server.asked().concat();
    assert!(asked.contains("GET /bucket/rows%2Ecsv "), "{asked}");
    assert!(asked.contains("container/rows.csv"), "{asked}");
    assert!(
        asked.contains("authorization: SharedKey someone:"),
        "{asked}"
    );
}

#[test]
fn denied_access_names_the_variables_and_no_secret() {
    let place = Place::new();
    let server = Server::start(Vec::new(), Manner::Refuses("403 Forbidden"));
    let endpoint = format!("http://{}", server.address);
    let said = run(
        &place,
        &["data", "show", "s3://bucket/t.csv"],
        &of_s3(&endpoint),
    );
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err
            .contains("s3://bucket/t.csv: access is denied (403 Forbidden, OddCode)"),
        "{}",
        said.err
    );
    assert!(said.err.contains("AWS_SECRET_ACCESS_KEY"), "{}", said.err);
    assert!(!said.err.contains(SECRET), "{}", said.err);

    // Without a word that it may, nothing goes over an open line.
    let closed: Vec<_> = of_s3(&endpoint)
        .into_iter()
        .filter(|(name, _)| *name != "AWS_ALLOW_HTTP")
        .collect();
    let said = run(&place, &["data", "show", "s3://bucket/t.csv"], &closed);
    assert!(said.err.contains("AWS_ALLOW_HTTP=true"), "{}", said.err);
}

#[test]
fn a_server_that_says_nothing_ends_in_the_time_that_is_set() {
    let place = Place::new();
    let server = Server::start(Vec::new(), Manner::Hangs);
    let url = server.url("t.csv");
    let said = run(
        &place,
        &["data", "show", &url],
        &[("GRADUS_STORE_TIMEOUT", "1")],
    );
    assert_eq!(said.code, Some(1), "{}", said.err);
    let expected =
        format!("cannot read {url}: no answer within 1 s, which GRADUS_STORE_TIMEOUT may raise");
    assert!(said.err.contains(&expected), "{}", said.err);
}

#[test]
fn a_model_is_measured_and_asked_on_a_url() {
    let place = Place::new();
    place.write("rows.csv", bytes("rows.csv"));
    let server = Server::start(bytes("rows.csv"), Manner::Well);
    let url = server.url("rows.csv");
    let config = "[data]\ntable = \"rows.csv\"\ntarget = \"price\"\nexclude = [\"note\", \"nothing\"]\n\
                  columns = { house = \"id\" }\n[model]\nrecipe = \"default\"\nhidden = [8]\n[train]\nepochs = 1\n";
    place.write("run.toml", config);
    place.ok(&["train", "run.toml", "--out", "a"]);
    let measured = |data: &str| place.ok(&["evaluate", "a", "--data", data, "--json"]);
    assert_eq!(measured(&url), measured("rows.csv"));
    let predicted = |data: &str| place.ok(&["predict", "a", "--data", data, "--out", "-"]);
    assert_eq!(predicted(&url), predicted("rows.csv"));
    let begun = |data: &str| place.ok(&["init", data]).replace(data, "rows.csv");
    assert_eq!(begun(&url), begun("rows.csv"));
    let mistake = place.mistake(&["evaluate", "a", "--data", &server.url("x.npy")]);
    assert!(mistake.contains("only tables are read"), "{mistake}");
}
