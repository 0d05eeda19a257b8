//! Requests that are refused, and clients that are slow.

use crate::client::{Answer, Client, Server};
use crate::{digits, of_digits, trained};

const JSON: &str = "POST /predict HTTP/1.1\r\nContent-Type: application/json";

/// The reason of a refusal.
fn reason(answer: &Answer) -> String {
    assert!(
        answer
            .head
            .to_lowercase()
            .contains("content-type: application/json")
    );
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[test]
fn bodies_that_are_no_rows_are_refused_in_words() {
    let place = trained();
    let server = Server::start(&place, "run", &["--max-rows", "3"]);
    let deep = "[".repeat(100_000);
    let deep_cell = format!("{{\"size\": {}", "[".repeat(100_000));
    let cases = [
        (
            r#"{"rows": [{"sise": 3}]}"#,
            "rows[0]: unknown column `sise`; did you mean `size`?",
        ),
        (
            r#"{"rows": [{}, {"size": "big"}]}"#,
            "column `size`, row 1: found `big`",
        ),
        (
            r#"{"size": 1e99}"#,
            "found `1e99`, expected a number that 32 bits can hold",
        ),
        (r#"{"size": 1e999}"#, "number out of range"),
        (r#"{"size": NaN}"#, "expected value"),
        (r#"{"size": true}"#, "found `true`"),
        (
            r#"{"size": [3]}"#,
            "expected a number, a text, true, false or null",
        ),
        (r#"{"size": 3, "size": 4}"#, "rows[0]: found `size` twice"),
        (r#"{"sold": "soon"}"#, "column `sold`, row 0: found `soon`"),
        (r#"{"heated": 2}"#, "found `2`, expected a boolean"),
        (r#"{"rows": []}"#, "no rows"),
        (
            r#"{"rows": [{}, {}, {}, {}]}"#,
            "at most 3, by the server's --max-rows",
        ),
        (
            r#"{"rows": [{}], "more": 1}"#,
            "found `more` beside it, expected `rows` alone",
        ),
        (r#"{"rows": {}}"#, "expected a list of rows"),
        (r#"{"inputs": [[1]]}"#, "unknown column `inputs`"),
        ("{}", "an empty object"),
        ("[1]", "expected a row"),
        ("3", "expected an object"),
        ("", "EOF"),
        ("{\"size\": 3}}", "trailing characters"),
        ("{\"si", "EOF"),
        (&deep, "expected a row"),
        (&deep_cell, "expected a number"),
    ];
    for (body, words) in cases {
        let answer = server.post("/predict", body);
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.status, 400, "{start}");
        assert!(
            reason(&answer).contains(words),
            "{start}: {}",
            reason(&answer)
        );
    }
    let answer = server.ask(JSON, b"{\"town\": \"\xff\"}");
    assert_eq!(answer.status, 400);
    // An unknown category is no mistake.
    assert_eq!(
        server
            .post("/predict", r#"{"town": "\u0000Atlantis"}"#)
            .status,
        200
    );
    let infer = |inputs: &str| {
        server.post(
            "/v2/models/run/infer",
            &format!("{{\"inputs\": [{inputs}]}}"),
        )
    };
    let cases = [
        (
            r#"{"name": "size", "shape": [9], "datatype": "FP32", "data": [1]}"#,
            "as many as its shape",
        ),
        (
            r#"{"name": "size", "shape": [18446744073709551615, 2], "datatype": "FP32", "data": [1]}"#,
            "as many as its shape",
        ),
        (
            r#"{"name": "size", "shape": [1], "datatype": "FP31", "data": [1]}"#,
            "did you mean `FP32`?",
        ),
        (
            r#"{"name": "size", "shape": [1], "datatype": "INT8", "data": [1.5]}"#,
            "found 1.5",
        ),
        (
            r#"{"name": "sice", "shape": [1], "datatype": "FP32", "data": [1]}"#,
            "did you mean `size`?",
        ),
        (
            r#"{"name": "size", "shape": [4], "datatype": "FP32", "data": [1, 2, 3, 4]}"#,
            "--max-rows",
        ),
        ("", "no rows"),
    ];
    for (inputs, words) in cases {
        let answer = infer(inputs);
        assert_eq!(answer.status, 400, "{inputs}");
        assert!(
            reason(&answer).contains(words),
            "{inputs}: {}",
            reason(&answer)
        );
    }
    assert_eq!(server.post("/predict", r#"{"size": 3}"#).status, 200);
}

#[test]
fn arrays_of_other_shapes_are_refused_in_words() {
    let place = of_digits();
    let server = Server::start(&place, "digits", &[]);
    let cases = [
        (
            r#"{"inputs": [[1, 2]]}"#,
            "found shape (None, 2), expected (None, 8, 8)",
        ),
        (r#"{"inputs": [[1], [1, 2]]}"#, "rows of different shapes"),
        (r#"{"inputs": [1, [2]]}"#, "rows of different shapes"),
        (r#"{"inputs": [["a"]]}"#, "found texts, expected numbers"),
        (r#"{"inputs": [[1, "a"]]}"#, "texts among numbers"),
        (r#"{"inputs": []}"#, "no rows"),
        (r#"{"inputs": [[], []]}"#, "empty lists"),
        (r#"{"inputs": 3}"#, "expected a list of rows"),
        (r#"{"inputs": {"left": [[1]]}}"#, "unknown input `left`"),
        (r#"{"rows": [{}]}"#, "unknown key `rows`"),
        (r#"[[1]]"#, "expected an object with `inputs`"),
    ];
    for (body, words) in cases {
        let answer = server.post("/predict", body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(
            reason(&answer).contains(words),
            "{body}: {}",
            reason(&answer)
        );
    }
    let head = "POST /predict HTTP/1.1\r\nContent-Type: application/x-npy";
    let mut promising = crate::common::npy(&[1, 8, 8]);
    promising.truncate(200);
    for (file, words) in [
        (&b"PK"[..], "it is no .npy file"),
        (&promising, "it may be cut short"),
        (&crate::common::npy(&[2, 7, 8]), "found shape (None, 7, 8)"),
        (&crate::common::npy(&[0, 8, 8]), "no rows"),
    ] {
        let answer = server.ask(head, file);
        assert_eq!(answer.status, 400);
        assert!(reason(&answer).contains(words), "{}", reason(&answer));
    }
    assert_eq!(server.ask(head, &digits(2)).status, 200);
}

#[test]
fn http_is_answered_as_it_asks_for() {
    let place = trained();
    let server = Server::start(&place, "run", &["--max-body", "1"]);
    let answer = server.get("/predict");
    assert_eq!(answer.status, 405);
    assert!(
        answer.head.to_lowercase().contains("allow: post\r\n"),
        "{}",
        answer.head
    );
    let answer = server.post("/metrics", "{}");
    assert_eq!(answer.status, 405);
    assert!(answer.head.to_lowercase().contains("allow: get, head\r\n"));
    assert_eq!(server.get("/../etc/passwd").status, 404);
    assert_eq!(
        server
            .ask(
                "POST /predict HTTP/1.1\r\nContent-Type: text/csv",
                b"a\n1\n"
            )
            .status,
        415
    );
    let head = format!("{JSON}\r\nContent-Encoding: gzip");
    assert_eq!(server.ask(&head, b"{}").status, 415);
    let raw = |bytes: &[u8]| {
        let mut client = server.connect();
        client.write(bytes);
        client.answer()
    };
    assert_eq!(
        raw(format!("{JSON}\r\nHost: x\r\n\r\n").as_bytes()).status,
        411
    );
    assert_eq!(raw(b"gibberish\r\n\r\n").status, 400);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(200_000));
    assert!([400, 414, 431].contains(&raw(long.as_bytes()).status));
    // Too large, with its length and without.
    let large = " ".repeat(1_000_001);
    let answer = server.post("/predict", &large);
    assert_eq!(answer.status, 413);
    assert!(
        reason(&answer).contains("--max-body"),
        "{}",
        reason(&answer)
    );
    let chunked = |body: &str| {
        let mut text = format!("{JSON}\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for part in body.as_bytes().chunks(100_000) {
            text += &format!(
                "{:x}\r\n{}\r\n",
                part.len(),
                std::str::from_utf8(part).unwrap()
            );
        }
        raw((text + "0\r\n\r\n").as_bytes())
    };
    assert_eq!(chunked(&large).status, 413);
    assert_eq!(chunked(r#"{"size": 3}"#).status, 200);
    // Two requests at once are answered one after the other.
    let mut client = server.connect();
    let one =
        |size: u32| format!("{JSON}\r\nHost: x\r\nContent-Length: 11\r\n\r\n{{\"size\": {size}}}");
    client.write((one(1) + &one(9)).as_bytes());
    let (first, second) = (client.answer(), client.answer());
    assert_eq!(first.body, server.post("/predict", r#"{"size": 1}"#).body);
    assert_eq!(second.body, server.post("/predict", r#"{"size": 9}"#).body);
    assert_ne!(first.body, second.body);
}

#[test]
fn slow_clients_are_cut_off_and_others_are_answered() {
    let place = trained();
    let server = Server::start(&place, "run", &["--timeout", "1", "--max-connections", "3"]);
    let mut started: Vec<Client> = Vec::new();
    for bytes in [
        format!("{JSON}\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{"),
        format!("{JSON}\r\nHo"),
        String::new(),
    ] {
        let mut client = server.connect();
        client.write(bytes.as_bytes());
        started.push(client);
    }
    // All places are taken until the slow ones are cut off.
    assert_eq!(server.post("/predict", r#"{"size": 3}"#).status, 200);
    let late = started[0].answer();
    assert_eq!(late.status, 408);
    assert!(reason(&late).contains("within 1 s"));
    for client in &mut started[1..] {
        assert_eq!(client.maybe_answer(), None);
    }
    // A body that ends early is nobody's.
    let mut client = server.connect();
    client.write(format!("{JSON}\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{").as_bytes());
    drop(client);
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn what_cannot_be_served_is_the_users_mistake() {
    let place = trained();
    let server = Server::start(&place, "run", &[]);
    let said = place.mistake(&["serve", "run", "--listen", &server.address]);
    assert!(
        said.contains("--listen: found") && said.contains(&server.address),
        "{said}"
    );
    let said = place.mistake(&["serve", "run", "--listen", "nonsense"]);
    assert!(said.contains("--listen: found `nonsense`"), "{said}");
    place.mistake(&["serve", "nothing.keras"]);
}
