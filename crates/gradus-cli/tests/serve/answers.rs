//! Answers to requests that are right.

use crate::client::Server;
use crate::{digits, of_digits, table, trained};
use serde_json::{Value, json};
use std::thread;

const NPY: &str = "Content-Type: application/x-npy";

/// The file that `gradus predict` writes, as an answer.
fn predictions(file: &str) -> String {
    format!("{{\"predictions\": {file}}}\n")
}

#[test]
fn rows_by_columns_are_answered_as_predict_writes_them() {
    let place = trained();
    place.write("new.csv", table(40));
    place.ok(&["predict", "run", "--data", "new.csv", "--out", "new.json"]);
    let server = Server::start(&place, "run", &[]);
    // Each value with its own type, and gaps in each of their three forms.
    let text = place.text("new.csv").replace("\"b, c\"", "b");
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let row = |(n, line): (usize, &str)| -> Value {
        let cells = names.iter().zip(line.split(','));
        let cells =
            cells.filter(|(name, cell)| **name != "species" && (n % 3 > 0 || !cell.is_empty()));
        let cell = |(name, cell): (&&str, &str)| {
            let value = match (*name, cell) {
                (_, "") => [Value::Null, json!("")][n % 2].clone(),
                ("size", number) if n % 2 == 0 => json!(number.parse::<f64>().unwrap()),
                ("heated", truth) if n % 2 == 0 => json!(truth == "yes"),
                (_, text) => json!(text),
            };
            (name.to_string(), value)
        };
        Value::Object(cells.map(cell).collect())
    };
    let rows: Vec<Value> = text.lines().skip(1).enumerate().map(row).collect();
    let whole = server.post("/predict", &json!({ "rows": rows }).to_string());
    assert_eq!(whole.text(), predictions(&place.text("new.json")));
    assert_eq!(
        server.post("/predict", &json!(rows).to_string()).body,
        whole.body
    );
    // One row alone has the bits that it has among the others.
    let whole = whole.json()["predictions"].clone();
    let alone = server.post("/predict", &rows[7].to_string());
    assert_eq!(alone.json()["predictions"], json!([whole[7]]));
    // Without the id, the answer has none.
    let answer = server.post("/predict", r#"{"size": 3}"#).json();
    assert!(answer["predictions"][0].get("id").is_none(), "{answer}");
    assert!(answer.get("warnings").is_none(), "{answer}");
    // Categories that it does not know are no error, and no secret.
    let answer = server.post("/predict", r#"{"town": "Atlantis"}"#).json();
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("rows of the request, column `town`: 1 of 1"),
        "{warning}"
    );
}

#[test]
fn arrays_are_answered_as_predict_writes_them() {
    let place = of_digits();
    place.write("x.npy", digits(30));
    for out in ["p.json", "p.npy"] {
        place.ok(&["predict", "digits", "--data", "x.npy", "--out", out]);
    }
    let server = Server::start(&place, "digits/model.keras", &[]);
    let head = format!("POST /predict HTTP/1.1\r\n{NPY}");
    let answer = server.ask(&head, &digits(30));
    assert_eq!(answer.text(), predictions(&place.text("p.json")));
    let head = format!("{head}\r\nAccept: application/x-npy");
    assert_eq!(server.ask(&head, &digits(30)).body, place.read("p.npy"));
    // The same numbers in JSON, by the input's name or without it.
    let number = |n: usize| (n * 7 % 17) as f32 / 16.0;
    let rows: Vec<Vec<Vec<f32>>> = (0..30)
        .map(|row| {
            (0..8)
                .map(|y| (0..8).map(|x| number(row * 64 + y * 8 + x)).collect())
                .collect()
        })
        .collect();
    let body = json!({ "inputs": rows }).to_string();
    assert_eq!(server.post("/predict", &body).body, answer.body);
    let metadata = server.get("/v2/models/model").json();
    let name = metadata["inputs"][0]["name"].as_str().unwrap();
    assert_eq!(metadata["inputs"][0]["shape"], json!([-1, 8, 8]));
    let body = json!({ "inputs": { name: rows } }).to_string();
    assert_eq!(server.post("/predict", &body).body, answer.body);
    // KServe's protocol has the outputs themselves.
    let data: Vec<f32> = (0..30 * 64).map(number).collect();
    let input = json!({ "name": name, "shape": [30, 8, 8], "datatype": "FP32", "data": data });
    let inferred = server.post(
        "/v2/models/model/infer",
        &json!({ "id": "7", "inputs": [input] }).to_string(),
    );
    let inferred = inferred.json();
    assert_eq!(
        (&inferred["id"], &inferred["model_name"]),
        (&json!("7"), &json!("model"))
    );
    assert_eq!(inferred["outputs"][0]["shape"], json!([30, 10]));
    let npy = place.read("p.npy");
    let numbers = npy[npy.len() - 4 * 300..].chunks(4);
    let numbers: Vec<f32> = numbers
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let found: Vec<f32> = serde_json::from_value(inferred["outputs"][0]["data"].clone()).unwrap();
    assert_eq!(found, numbers);
}

#[test]
fn classes_below_a_threshold_are_empty() {
    let place = trained();
    place.write("new.csv", table(40));
    let reject = ["--reject-below", "0.6"];
    let predict = ["predict", "run", "--data", "new.csv", "--out", "new.json"];
    place.ok(&[&predict[..], &reject].concat());
    assert!(place.text("new.json").contains("\"species\": \"\""));
    let server = Server::start(&place, "run", &reject);
    let rows = place.text("new.csv").replace("\"b, c\"", "b");
    let names: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    let row = |line: &str| -> Value {
        let cells = names.iter().zip(line.split(','));
        Value::Object(
            cells
                .map(|(name, cell)| (name.to_string(), json!(cell)))
                .collect(),
        )
    };
    let rows: Vec<Value> = rows.lines().skip(1).map(row).collect();
    let answer = server.post("/predict", &json!(rows).to_string());
    assert_eq!(answer.text(), predictions(&place.text("new.json")));
}

#[test]
fn kserves_tensors_are_a_tables_columns() {
    let place = trained();
    let server = Server::start(&place, "run", &[]);
    let input = |name: &str, datatype: &str, data: Value| json!({ "name": name, "shape": [2, 1], "datatype": datatype, "data": data });
    let inputs = json!([
        input("town", "BYTES", json!(["Graz", ""])),
        input("size", "FP64", json!([[3.5], [null]])),
        input("heated", "BOOL", json!([true, false])),
    ]);
    let answer = server.post(
        "/v2/models/run/infer",
        &json!({ "inputs": inputs }).to_string(),
    );
    let rows = r#"[{"town": "Graz", "size": 3.5, "heated": true}, {"heated": false}]"#;
    let rows = server.post("/predict", rows).json()["predictions"].clone();
    let found = answer.json()["outputs"][0]["data"].clone();
    let wanted: Vec<Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| [row["species_a"].clone(), row["species_b, c"].clone()])
        .collect();
    // One number a row is the second class' probability.
    let second: Vec<&Value> = wanted.iter().skip(1).step_by(2).collect();
    match found.as_array().unwrap().len() {
        2 => assert_eq!(found, json!(second)),
        _ => assert_eq!(found, json!(wanted)),
    }
    assert_eq!(server.get("/v2/models/run/ready").status, 200);
    assert_eq!(server.get("/v2/health/live").status, 200);
    assert_eq!(server.get("/v2/models/walk").status, 404);
}

#[test]
fn requests_at_the_same_time_get_the_bits_that_they_get_alone() {
    let place = trained();
    let server = Server::start(&place, "run", &[]);
    let body = |n: usize| {
        let town = |k: usize| ["Graz", "Bern", "X"][k % 3];
        let row = |k: usize| json!({ "size": (n + k) % 13, "town": town(k) });
        json!((0..n % 5 + 1).map(row).collect::<Vec<_>>()).to_string()
    };
    let alone: Vec<Vec<u8>> = (0..20)
        .map(|n| server.post("/predict", &body(n)).body)
        .collect();
    thread::scope(|scope| {
        for client in 0..16 {
            let (server, alone) = (&server, &alone);
            scope.spawn(move || {
                let mut connection = server.connect();
                for k in 0..30 {
                    let n = (client + k) % 20;
                    let head = "POST /predict HTTP/1.1\r\nContent-Type: application/json";
                    connection.send(head, body(n).as_bytes());
                    assert_eq!(connection.answer().body, alone[n]);
                }
            });
        }
    });
    let metrics = server.get("/metrics");
    let count = |name: &str| -> u64 {
        let line = metrics.text().lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name}: {}", metrics.text()));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(
        count("gradus_requests_total{route=\"predict\",status=\"200\"}"),
        500
    );
    assert_eq!(count("gradus_request_duration_seconds_count"), 500);
    // 60 rows in 20 requests, and the same 24 times more.
    assert_eq!(count("gradus_rows_total"), 1500);
    assert!(count("gradus_batches_total") <= 500);
    assert_eq!(count("gradus_requests_in_flight"), 1);
}

#[test]
fn samples_have_a_mean_and_a_deviation() {
    let place = of_digits();
    place.write("x.npy", digits(5));
    let samples = ["--mc-samples", "20"];
    let predict = ["predict", "digits", "--data", "x.npy", "--out", "p.json"];
    place.ok(&[&predict[..], &samples].concat());
    let server = Server::start(&place, "digits", &samples);
    let head = format!("POST /predict HTTP/1.1\r\n{NPY}");
    let (mean, std) = (place.text("p.json"), place.text("p_std.json"));
    let wanted = format!("{{\"predictions\": {mean}, \"std\": {std}}}\n");
    for _ in 0..2 {
        assert_eq!(server.ask(&head, &digits(5)).text(), wanted);
    }
    let head = format!("{head}\r\nAccept: application/x-npy");
    assert_eq!(server.ask(&head, &digits(5)).status, 406);
    let without = crate::common::SMALL.replace("{ type = \"Dropout\", rate = 0.1 },", "");
    place.write("without.toml", without);
    place.ok(&[
        "train",
        "without.toml",
        "--set",
        "train.epochs=1",
        "--out",
        "without",
    ]);
    let said = place.mistake(&["serve", "without", "--mc-samples", "20"]);
    assert!(said.contains("has no dropout"), "{said}");
}

#[test]
fn what_the_server_says_of_itself_works() {
    let place = trained();
    let server = Server::start(&place, "run", &["--max-rows", "7"]);
    let example = server
        .said
        .split("-d '")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert_eq!(server.post("/predict", example).status, 200, "{example}");
    assert!(
        server
            .said
            .contains("columns size (number), heated (boolean), sold (date)")
    );
    let described = server.get("/openapi.json").json();
    assert_eq!(described["openapi"], "3.1.0");
    let body = &described["paths"]["/predict"]["post"]["requestBody"]["content"];
    let body = &body["application/json"];
    assert_eq!(
        body["example"],
        serde_json::from_str::<Value>(example).unwrap()
    );
    let row = &described["components"]["schemas"]["Row"];
    assert_eq!(
        row["properties"]["size"]["type"],
        json!(["number", "string", "null"])
    );
    let towns = row["properties"]["town"]["examples"].as_array().unwrap();
    assert!(towns.contains(&json!("Oslo")), "{towns:?}");
    let rows = &body["schema"]["anyOf"][0]["properties"]["rows"];
    assert_eq!(rows["maxItems"], 7);
    // Every path that is there is described, and the other way round.
    for (path, methods) in described["paths"].as_object().unwrap() {
        let status = match methods.get("get") {
            Some(_) => server.get(path).status,
            None => 405 + 200 - server.get(path).status,
        };
        assert_eq!(status, 200, "{path}");
    }
}
