//! Functional models, shared layers and models inside models.

use super::super::*;
use super::{load, parts, real};
use crate::base::registry::Value;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{Add, Concatenate, Dense, Rescaling, Subtract};
use crate::model::{Functional, Sequential};
use crate::rules::activations::Activation;
use crate::train::Fit;
use serde_json::json;

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// The error for `graph.keras` with a changed configuration.
fn problem(change: impl FnOnce(&mut Value)) -> String {
    let mut parts = parts(&real("graph.keras"));
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    change(&mut config["config"]);
    parts.config = config.to_string();
    let loaded = load(archive::write(&parts).unwrap());
    loaded.unwrap_err().to_string()
}

#[test]
fn a_real_graph_predicts_what_keras_predicts_and_comes_back() {
    let model = load(real("graph.keras")).unwrap();
    let names: Vec<&str> = model.layers.iter().map(|l| l.name.as_str()).collect();
    let expected = [
        "before",
        "other",
        "inner/dense",
        "inner/add",
        "all",
        "tail/dense",
        "tail/dense_1",
    ];
    // Keras numbers its layers throughout the process; only the numbers at the end count here.
    assert_eq!(names[..5], expected[..5]);
    assert_eq!(names.len(), expected.len());
    assert_eq!(model.output_names(), ["tail", "inner"]);
    let frozen: Vec<bool> = model.layers.iter().map(|l| !l.trainable).collect();
    assert_eq!(frozen, [false, false, false, false, false, false, true]);
    let measured = ["loss", "tail_loss", "inner_loss", "tail_mae"];
    assert_eq!(model.measurements(), measured);

    let found: Value = serde_json::from_slice(&real("graph.json")).unwrap();
    let x = Tensor::from_f32([4], numbers(&found["x"])).unwrap();
    let outputs = model.predict_all(Dataset::unlabelled(x)).unwrap();
    for (output, name) in outputs.iter().zip(["tail", "inner"]) {
        for (a, b) in output.to_f32().iter().zip(numbers(&found[name])) {
            assert!((a - b).abs() < 1e-5, "{name}: {a} {b}");
        }
    }

    let again = load(to_bytes(&model).unwrap()).unwrap();
    assert_eq!(again, model);
    let config = |bytes: Vec<u8>| -> Value {
        let mut config: Value = serde_json::from_str(&parts(&bytes).config).unwrap();
        config["compile_config"] = Value::Null;
        without(&mut config, &["shared_object_id", "compile_config"]);
        config
    };
    assert_eq!(
        config(to_bytes(&model).unwrap()),
        config(real("graph.keras"))
    );
}

/// Removes keys everywhere.
fn without(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !keys.contains(&key.as_str()));
            fields.values_mut().for_each(|value| without(value, keys));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| without(value, keys)),
        _ => {}
    }
}

#[test]
fn a_model_of_ours_comes_back_from_its_file() {
    let base = Sequential::new()
        .add(Dense::new(5).activation(Activation::Tanh))
        .add(Dense::new(4))
        .build()
        .unwrap();
    let mut inner = Functional::new();
    let (a, b) = (inner.input([4]), inner.input([4]));
    let part = inner.nest("base", &base).unwrap();
    let (c, d) = (inner.call(part, a).unwrap(), inner.call(part, b).unwrap());
    let e = inner.layer(Subtract::new(), [c, d]).unwrap();
    let inner = inner.model([e, c]).unwrap();

    let mut g = Functional::new().seed(5);
    let x = g.input([4]);
    let part = g.nest("pair", &inner).unwrap();
    let h = g.layer(Dense::new(4), x).unwrap();
    let first = g.call_all(part, [x, h]).unwrap();
    let second = g.call_all(part, [h, first[1]]).unwrap();
    let unused = g.layer(Dense::new(9), first[0]).unwrap();
    let all = [first[0], second[0], second[1]];
    let y = g.layer(Concatenate::new(), all).unwrap();
    assert_ne!(unused, y);
    let mut model = g.model([y, first[1]]).unwrap();
    assert_eq!(model.parts[1].name, "pair/base");
    assert_eq!(model.layers.len(), 5, "what leads nowhere is left out");
    model.set_trainable("pair/base", false).unwrap();
    assert!(!model.layer("pair/base/dense").unwrap().trainable);

    let loaded = load(to_bytes(&model).unwrap()).unwrap();
    assert_eq!(loaded.weights().count(), model.weights().count());
    let x = Tensor::from_f32([4], (0..24).map(|i| (i as f32).sin()).collect()).unwrap();
    let data = Dataset::unlabelled(x);
    let (found, expected) = (loaded.predict_all(&data), model.predict_all(&data));
    for (a, b) in found.unwrap().iter().zip(&expected.unwrap()) {
        assert_eq!(a.to_f32(), b.to_f32());
    }
    let mut loaded = loaded;
    loaded.seed = model.seed;
    assert_eq!(loaded, model);
}

#[test]
fn shapes_that_do_not_fit_name_the_layer_and_its_inputs() {
    let mut g = Functional::new();
    let x = g.input([4]);
    let h = g.layer(Dense::new(3), x).unwrap();
    let error = g.layer(Add::new(), [x, h]).unwrap_err().to_string();
    let expected =
        "layer add (of input_layer, dense): found shape (None, 3), expected one that fits";
    assert!(error.starts_with(expected), "{error}");
    let error = g.layer(Add::new(), h).unwrap_err().to_string();
    assert!(
        error.contains("found 1 inputs, expected two or more"),
        "{error}"
    );
    let error = g.layer(Dense::new(3), [x, h]).unwrap_err().to_string();
    assert!(error.contains("found 2 inputs, expected one"), "{error}");
    let shared = g.share(Dense::new(2));
    let (a, b) = (g.call(shared, x).unwrap(), g.call(shared, h).unwrap());
    let error = g.model([a, b]).unwrap_err().to_string();
    assert!(error.contains("its weights are shared"), "{error}");
    let mut other = Functional::new();
    assert!(other.layer(Dense::new(2), x).is_err());
}

#[test]
fn damaged_connections_are_errors() {
    let layer = |config: &mut Value, name: &str| -> usize {
        let layers = config["layers"].as_array().unwrap();
        layers.iter().position(|l| l["name"] == name).unwrap()
    };
    let of = |n: u64, history: Value| {
        problem(|config| {
            let i = layer(config, "all");
            let args = &mut config["layers"][i]["inbound_nodes"][0]["args"][0];
            args[n as usize]["config"]["keras_history"] = history;
        })
    };
    assert!(of(0, json!(["nobody", 0, 0])).contains("no layer before it gives"));
    assert!(of(1, json!(["inner", 7, 0])).contains("no layer before it gives"));
    assert!(of(1, json!(["inner", 0, 9])).contains("no layer before it gives"));
    assert!(of(1, json!(["all", 0, 0])).contains("no layer before it gives"));
    assert!(of(1, json!("x")).contains("a tensor that no layer has made"));
    let found = problem(|config| config["output_layers"] = json!(["inner", 0, 0]));
    assert!(found.contains("`inner` gives no such output"), "{found}");
    let found = problem(|config| config["input_layers"] = json!(["before", 0, 0]));
    assert!(found.contains("no InputLayer is named `before`"), "{found}");
    let found = problem(|config| {
        let i = layer(config, "before");
        config["layers"][i]["inbound_nodes"][0]["kwargs"] = json!({ "training": true });
    });
    assert!(found.contains("called with training = true"), "{found}");
    let found = problem(|config| {
        let i = layer(config, "before");
        config["layers"][i]["inbound_nodes"][0]["args"] = json!([1.5]);
    });
    assert!(found.contains("applied to 1.5"), "{found}");
}

/// Parts of parts, each used twice, would double with each level.
#[test]
fn a_small_file_of_a_huge_graph_is_refused() {
    let config = |levels: usize| {
        let tensor = |layer: &str, call: usize| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [layer, call, 0]}});
        let mut inner = json!({
            "module": "keras.layers", "class_name": "Dense", "registered_name": null,
            "config": {"name": "part", "units": 1, "use_bias": false},
        });
        for level in 0..levels {
            inner["name"] = "part".into();
            inner["inbound_nodes"] = json!([
                {"args": [tensor("x", 0)], "kwargs": {}},
                {"args": [tensor("part", 0)], "kwargs": {}},
            ]);
            let input = json!({
                "module": "keras.layers", "class_name": "InputLayer", "registered_name": null,
                "config": {"name": "x", "batch_shape": [null, 1]},
                "name": "x", "inbound_nodes": [],
            });
            let first = usize::from(level > 0);
            inner = json!({
                "module": "keras", "class_name": "Functional", "registered_name": null,
                "config": {
                    "name": "part", "layers": [input, inner],
                    "input_layers": [["x", 0, 0]], "output_layers": [["part", 1 + first, 0]],
                },
            });
        }
        inner.to_string()
    };
    let read = |levels: usize| {
        let mut findings = Findings::default();
        let model = config::read(&config(levels), &mut findings, &mut Vec::new()).unwrap();
        (findings.check(Path::new("m.keras")), model.nodes.len())
    };
    let (good, nodes) = read(3);
    assert!(good.is_ok(), "{good:?}");
    assert_eq!(nodes, 8);
    let start = std::time::Instant::now();
    let problem = read(24).0.unwrap_err().to_string();
    assert!(problem.contains("uses of layers"), "{problem}");
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn named_tensors_go_where_they_belong() {
    let mut g = Functional::new();
    let (l, r) = (g.input_named("left", [1]), g.input_named("right", [1]));
    let a = g.layer_named("a", Subtract::new(), [l, r]).unwrap();
    let b = g.layer_named("b", Add::new(), [l, r]).unwrap();
    let mut model = g.model([a, b]).unwrap();
    let column = |x: f32| Tensor::from_column(vec![x; 4]).unwrap();
    let data = Dataset::from_parts(vec![column(1.0), column(5.0)], vec![column(0.0); 2]).unwrap();
    let data = data.with_names(&["right", "left"], &["b", "a"]).unwrap();
    let outputs = model.predict_all(&data).unwrap();
    assert_eq!(outputs[0].to_f32(), [4.0; 4]);
    assert_eq!(outputs[1].to_f32(), [6.0; 4]);
    let strange = data
        .clone()
        .with_names(&["right", "lefd"], &["b", "a"])
        .unwrap();
    let error = model.predict(&strange).unwrap_err().to_string();
    assert!(
        error.contains("unknown input `lefd`; did you mean `left`?"),
        "{error}"
    );
    use crate::rules::losses::Loss;
    use crate::rules::optimizers::SGD;
    model
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    // Nothing is trained; the losses are of the right targets.
    let history = model.fit(&data, Fit::new());
    let logs = &history.unwrap().epochs[0].logs;
    assert_eq!(logs.get("a_loss"), Some(16.0));
    assert_eq!(logs.get("b_loss"), Some(36.0));
    assert_eq!(logs.get("loss"), Some(52.0));
}

/// `6 - x / 4 * 3 - 1 + 0.5` as Keras saves it, an operation for each sign.
#[test]
fn arithmetic_with_numbers_is_read_as_rescaling() {
    let tensor = |of: &str| json!({ "class_name": "__keras_tensor__", "config": { "keras_history": [of, 0, 0] } });
    let config = |args: [Value; 2]| {
        let operation = |class: &str, name: &str, args: Value| {
            json!({
                "module": "keras.src.ops.numpy", "class_name": class, "config": { "name": name },
                "registered_name": class, "name": name, "inbound_nodes": [{ "args": args, "kwargs": {} }],
            })
        };
        json!({
            "module": "keras", "class_name": "Functional", "registered_name": null,
            "config": {
                "name": "m", "layers": [
                    {
                        "module": "keras.layers", "class_name": "InputLayer", "registered_name": null, "name": "in",
                        "config": { "batch_shape": [null, 2], "dtype": "float32", "name": "in" }, "inbound_nodes": [],
                    },
                    operation("TrueDivide", "a", json!([tensor("in"), 4])),
                    operation("Multiply", "b", json!([3.0, tensor("a")])),
                    operation("Subtract", "c", json!([6.0, tensor("b")])),
                    operation("Subtract", "d", json!([tensor("c"), 1.0])),
                    operation("Add", "e", json!(args)),
                ],
                "input_layers": ["in", 0, 0], "output_layers": ["e", 0, 0],
            },
        })
    };
    let read = |args| {
        let mut g = Functional::new();
        let x = g.input([2]);
        let y = g.layer(Rescaling::new(1.0), x).unwrap();
        let mut parts = parts(&to_bytes(&g.model([y]).unwrap()).unwrap());
        parts.config = config(args).to_string();
        load(archive::write(&parts).unwrap())
    };
    let model = read([tensor("d"), 0.5.into()]).unwrap();
    let x = Tensor::from_f32([2], vec![0.0, 4.0, -8.0, 1.0]).unwrap();
    let found = model.predict(Dataset::unlabelled(x)).unwrap();
    assert_eq!(found.to_f32(), [5.5, 2.5, 11.5, 4.75]);
    let error = read([tensor("d"), "x".into()]).unwrap_err();
    assert!(error.to_string().contains("applied to"), "{error}");
}
