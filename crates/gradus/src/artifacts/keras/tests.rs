//! Whole files: real ones, our own, and ones that mean harm.

use super::archive::{self, Archive};
use super::*;
use crate::base::registry::Value;
use crate::model::Sequential;
use crate::model::layers::{BatchNormalization, Dense, Dropout, Flatten};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Adam, LearningRate, Nadam, Optimizer, SGD};
use crate::rules::schedules::ExponentialDecay;
use serde_json::json;
use std::io::Cursor;
use std::time::{Duration, Instant};

/// Bytes of a file made by `tests/keras_files/make.py`.
fn real(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keras_files/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn parts(bytes: &[u8]) -> Archive {
    archive::read(Cursor::new(bytes)).unwrap()
}

fn load(bytes: Vec<u8>) -> Result<Model> {
    from_reader(Cursor::new(bytes), Path::new("m.keras"))
}

/// The problem with `chain.keras` if its configuration is changed.
fn problem(change: impl FnOnce(&mut Value)) -> String {
    let mut parts = parts(&real("chain.keras"));
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    change(&mut config);
    parts.config = config.to_string();
    load(archive::write(&parts).unwrap())
        .unwrap_err()
        .to_string()
}

/// A `config.json` without what may differ and mean the same.
fn written(config: &str) -> Value {
    fn settle(mut value: Value) -> Value {
        match &mut value {
            Value::Object(object) => {
                object.remove("shared_object_id");
                object.values_mut().for_each(|value| *value = settle(value.take()));
                object.sort_keys();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| *item = settle(item.take())),
            Value::Number(number) => return number.as_f64().into(),
            _ => {}
        }
        value
    }
    let mut config = settle(serde_json::from_str(config).unwrap());
    if let Some(compiled) = config["compile_config"].as_object_mut() {
        // gradus keeps no choice of compiler, and one spelling of each loss.
        compiled.remove("jit_compile");
        if compiled.get("loss") == Some(&"mse".into()) {
            compiled.insert("loss".into(), "mean_squared_error".into());
        }
    }
    config
}

fn network() -> Model {
    Sequential::new()
        .input([4, 3])
        .seed(3)
        .add(Flatten::new())
        .add(Dense::new(6).activation(Activation::Elu))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.25))
        .add_named("frozen", Dense::new(5).use_bias(false), false)
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(
            Nadam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
        .unwrap()
}

/// Puts a state in the model as if it had been trained: every number another.
fn pretend_training(model: &mut Model) {
    let method = &model.compiled.as_ref().unwrap().optimizer.method;
    let (slots, scalars) = (method.slots().len(), method.scalars().len());
    let mut next = 0.0;
    let mut numbers = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| {
                next += 0.5;
                next
            })
            .collect()
    };
    model.state.iteration = 1234;
    model.state.scalars = numbers(scalars);
    if slots == 0 {
        return;
    }
    model.state.slots = model
        .layers
        .iter()
        .map(|layer| {
            let slots = |weight: &crate::model::Weight| match layer.trainable && weight.trainable {
                true => (0..slots).map(|_| numbers(weight.values.len())).collect(),
                false => Vec::new(),
            };
            layer.weights.iter().map(slots).collect()
        })
        .collect();
}

#[test]
fn a_real_file_is_loaded_with_everything() {
    let model = load(real("chain.keras")).unwrap();
    assert_eq!(model.name, "chain");
    assert_eq!(model.inputs, [Some([4, 3].into())]);
    let names: Vec<&str> = model.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "flatten",
            "dense",
            "batch_normalization",
            "dropout",
            "dense_1",
            "activation",
            "out"
        ]
    );
    let trainable: Vec<bool> = model.layers.iter().map(|l| l.trainable).collect();
    assert_eq!(trainable, [true, true, true, true, false, true, true]);
    assert_eq!(model.layer("out").unwrap().weights[0].shape, [5, 3]);
    let compiled = model.compiled.as_ref().unwrap();
    assert_eq!(
        compiled.optimizer,
        Optimizer::from(Nadam::new())
            .learning_rate(0.01)
            .clipnorm(1.0)
    );
    assert_eq!(compiled.loss, Loss::SparseCategoricalCrossentropy);
    assert_eq!(
        compiled.metrics,
        [("accuracy".to_owned(), Metric::Accuracy)]
    );
    assert_eq!(model.state.iteration, 8);
    assert_eq!(model.state.slots[1][0].len(), 2);
    assert!(model.state.slots[4][0].is_empty());
    assert!(model.state.slots[6][1][1].iter().all(|&v| v > 0.0));
    assert!(model.state.scalars[0] < 1.0);
}

#[test]
fn a_real_file_is_written_as_keras_wrote_it() {
    let bytes = real("chain.keras");
    let model = load(bytes.clone()).unwrap();
    let (theirs, ours) = (parts(&bytes), parts(&to_bytes(&model).unwrap()));
    assert_eq!(written(&ours.config), written(&theirs.config));
    let tree = |parts: Archive| hdf5::read(parts.weights).unwrap();
    assert_eq!(tree(ours), tree(theirs));
}

#[test]
fn a_model_comes_back_as_it_was() {
    let optimizers: [Optimizer; 5] = [
        Nadam::new().into(),
        Adam::default().into(),
        SGD::new().into(),
        Optimizer::from(SGD::new().momentum(0.9).nesterov(true)).learning_rate(0.05),
        Optimizer::from(Adam::default()).learning_rate(LearningRate::Schedule(
            ExponentialDecay {
                initial_learning_rate: 0.01,
                decay_steps: 100.0,
                decay_rate: 0.5,
                staircase: true,
            }
            .into(),
        )),
    ];
    for optimizer in optimizers {
        let mut model = network();
        model.seed = 0;
        let compiled = model.compiled.as_mut().unwrap();
        compiled.optimizer = optimizer;
        compiled.metrics = vec![
            ("acc".to_owned(), Metric::Accuracy),
            ("my_mse".to_owned(), Metric::MeanSquaredError),
        ];
        let untrained = load(to_bytes(&model).unwrap()).unwrap();
        assert_eq!(untrained, model);
        pretend_training(&mut model);
        assert_eq!(load(to_bytes(&model).unwrap()).unwrap(), model);
    }
}

#[test]
fn a_model_that_is_not_built_or_not_compiled_comes_back() {
    let model = Sequential::new().add(Dense::new(3)).build().unwrap();
    assert_eq!(load(to_bytes(&model).unwrap()).unwrap(), model);
    let model = Sequential::new()
        .input([2])
        .add(Dense::new(3))
        .build()
        .unwrap();
    assert_eq!(load(to_bytes(&model).unwrap()).unwrap(), model);
}

#[test]
fn a_layer_frozen_after_training_keeps_its_slots() {
    let mut model = network();
    pretend_training(&mut model);
    let parts = parts(&to_bytes(&model).unwrap());
    let frozen = Archive {
        config: {
            let mut config: Value = serde_json::from_str(&parts.config).unwrap();
            config["config"]["layers"][2]["config"]["trainable"] = false.into();
            config["config"]["layers"][5]["config"]["trainable"] = true.into();
            config.to_string()
        },
        ..parts
    };
    // Neither all variables nor the trainable ones: not this model's state.
    let loaded = load(archive::write(&frozen).unwrap()).unwrap();
    assert_eq!(loaded.state, State::default());

    let mut all = network();
    all.layers[4].trainable = true;
    pretend_training(&mut all);
    let parts = self::parts(&to_bytes(&all).unwrap());
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    config["config"]["layers"][5]["config"]["trainable"] = false.into();
    let frozen = Archive {
        config: config.to_string(),
        ..parts
    };
    let loaded = load(archive::write(&frozen).unwrap()).unwrap();
    assert!(!loaded.layers[4].trainable);
    assert_eq!(loaded.state, all.state);
}

#[test]
fn everything_unknown_is_named_at_once() {
    let problem = problem(|config| {
        let layers = &mut config["config"]["layers"];
        layers[1]["class_name"] = "Conv2D".into();
        layers[2]["config"]["lora_rank"] = 4.into();
        layers[2]["config"]["kernel_initializer"]["class_name"] = "MyInit".into();
        layers[3]["config"]["renorm"] = true.into();
        layers[4]["config"]["dtype"]["config"]["name"] = "float16".into();
        layers[4]["config"]["rate"] = 1.5.into();
        layers[6]["config"]["activation"] = "my_gelu".into();
        config["compile_config"]["optimizer"]["class_name"] = "Muon".into();
        config["compile_config"]["metrics"] = json!(["accuracy", "wat"]);
        config["compile_config"]["loss_weights"] = json!([0.5]);
    });
    for part in [
        "m.keras: 9 things that gradus cannot take",
        "layers[1] (flatten): unknown layer `Conv2D`",
        "layers[2] (dense).lora_rank: Dense with lora_rank = 4",
        "layers[2] (dense).kernel_initializer: unknown initializer `MyInit`",
        "layers[3] (batch_normalization).renorm: BatchNormalization with renorm = true",
        "layers[4] (dropout): computes in float16",
        "layers[6] (activation).activation: unknown activation `my_gelu`",
        "compile_config: compiled with loss_weights",
        "compile_config.optimizer: unknown optimizer `Muon`",
        "compile_config.metrics[1]: unknown metric `wat`",
    ] {
        assert!(problem.contains(part), "{part}\nis not in\n{problem}");
    }
}

#[test]
fn code_is_refused_always() {
    let lambda = json!({
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4w"}}},
        "registered_name": null,
    });
    let custom = json!({
        "module": "my_package.layers",
        "class_name": "Dense",
        "config": {"name": "d", "units": 1},
        "registered_name": "Custom>Dense",
    });
    let disguised = json!({
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": "d", "units": 1},
        "registered_name": "Custom>Dense",
    });
    let function = json!({
        "module": "builtins",
        "class_name": "function",
        "config": "my_function",
        "registered_name": "function",
    });
    for (layer, part) in [
        (lambda, "`Lambda` carries code"),
        (custom, "`Dense` is not a class of Keras' own"),
        (disguised, "`Dense` is not a class of Keras' own"),
        (function.clone(), "found function `my_function`"),
        (json!("a string"), "expected a layer"),
    ] {
        let problem = problem(|config| config["config"]["layers"][1] = layer);
        assert!(problem.contains(part), "{problem}");
    }
    // As Keras writes `activation=lambda x: x`: without a class.
    let bare = json!({"value": ["4wEAAAA", null, null]});
    for (activation, part) in [
        (bare, "without a class, which may be code, is refused"),
        (function, "function `my_function` is code"),
    ] {
        let problem =
            problem(|config| config["config"]["layers"][2]["config"]["activation"] = activation);
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn keras_own_functions_go_by_their_names() {
    let mut parts = parts(&real("chain.keras"));
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    let function = |name: &str| {
        json!({
            "module": "builtins",
            "class_name": "function",
            "config": name,
            "registered_name": "function",
        })
    };
    config["compile_config"]["loss"] = json!([function("mean_squared_error")]);
    config["compile_config"]["metrics"] = json!([[function("mean_absolute_error"), "mae"]]);
    parts.config = config.to_string();
    let model = load(archive::write(&parts).unwrap()).unwrap();
    let compiled = model.compiled.unwrap();
    assert_eq!(compiled.loss, Loss::MeanSquaredError);
    let names: Vec<&str> = compiled
        .metrics
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["mean_absolute_error", "mae"]);
}

#[test]
fn sizes_that_are_only_claimed_are_not_believed() {
    let units = |units: u64| {
        problem(|config| config["config"]["layers"][2]["config"]["units"] = units.into())
    };
    assert!(units(1 << 50).contains("layers/dense/vars/0): found shape [12, 6]"));
    assert!(units(7).contains("expected [12, 7]"));
    assert!(units(0).contains("layers[2] (dense): units: found 0"));
    let input = |dims: Value| {
        problem(|config| config["config"]["layers"][0]["config"]["batch_shape"] = dims)
    };
    assert!(input(json!([null, 1u64 << 40, 1u64 << 40])).contains("not that of a model's input"));
    assert!(input(json!([null, null, 3])).contains("only the batch's size may be left open"));
    assert!(input(json!([null, -1, 3])).contains("found -1, expected a size"));
    assert!(input(json!([null, 0, 3])).contains("found 0, expected a size"));
    assert!(input(json!([])).contains("not that of a model's input"));
    assert!(input(json!([null, 5, 3])).contains("expected [15, 6]"));
}

#[test]
fn deep_and_broken_json_is_an_error() {
    let parts = parts(&real("chain.keras"));
    for config in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "".into(),
        "null".into(),
    ] {
        let parts = Archive {
            config,
            ..parts.clone()
        };
        let problem = load(archive::write(&parts).unwrap())
            .unwrap_err()
            .to_string();
        assert!(problem.contains("config.json"), "{problem}");
    }
}

#[test]
fn damaged_files_are_errors_at_once_and_never_a_panic() {
    let whole = real("chain.keras");
    let slow = Duration::from_secs(2);
    for length in (0..whole.len()).step_by(211) {
        let start = Instant::now();
        assert!(load(whole[..length].to_vec()).is_err());
        assert!(start.elapsed() < slow);
    }
    for round in 0..500usize {
        let mut bytes = whole.clone();
        for step in 0..=round % 3 {
            let at = (round * 7919 + step * 104_729 + round * round) % bytes.len();
            bytes[at] ^= 1 << ((round + step) % 8);
        }
        let start = Instant::now();
        // A flip in a time or a mode changes nothing that is read.
        if let Ok(model) = load(bytes) {
            assert_eq!(model, load(whole.clone()).unwrap());
        }
        assert!(start.elapsed() < slow);
    }
    // The same inside the parts, where no checksum finds it.
    let parts = parts(&whole);
    for round in 0..500usize {
        let mut parts = parts.clone();
        let weights = round % 2 == 0;
        let mut config = parts.config.into_bytes();
        let bytes = if weights {
            &mut parts.weights
        } else {
            &mut config
        };
        for step in 0..=round % 4 {
            let at = (round * 6151 + step * 3571 + round * round) % bytes.len();
            bytes[at] ^= 1 << ((round / 2 + step) % 7);
        }
        parts.config = String::from_utf8_lossy(&config).into_owned();
        let start = Instant::now();
        let _ = load(archive::write(&parts).unwrap());
        assert!(start.elapsed() < slow);
    }
}

/// The golden cases of the layers, losses and optimizers that gradus has.
fn golden() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");
    let cases = std::fs::read_to_string(format!("{folder}cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let mut files = Vec::new();
    for case in cases.iter().filter(|case| case["group"] == "A") {
        for part in ["init", "expected"] {
            let name = format!("cases/{}/{part}.keras", case["name"].as_str().unwrap());
            let bytes = std::fs::read(format!("{folder}{name}")).unwrap();
            files.push((name, bytes));
        }
    }
    files
}

#[test]
fn golden_files_are_written_as_keras_wrote_them() {
    let files = golden();
    assert!(files.len() > 100);
    for (name, bytes) in files {
        let model = load(bytes.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (theirs, ours) = (parts(&bytes), parts(&to_bytes(&model).unwrap()));
        assert_eq!(written(&ours.config), written(&theirs.config), "{name}");
        let mut theirs = hdf5::read(theirs.weights).unwrap();
        // TensorFlow's iteration has 64 bits.
        let vars = theirs.child("optimizer").child("vars");
        let iteration = vars.arrays["0"].as_whole().unwrap();
        vars.arrays.insert("0".into(), hdf5::Array::whole(iteration as i32));
        assert_eq!(hdf5::read(ours.weights).unwrap(), theirs, "{name}");
    }
}
