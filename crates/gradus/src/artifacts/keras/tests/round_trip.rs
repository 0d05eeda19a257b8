//! Tests that loading restores what Keras or gradus saved.

use super::super::*;
use super::{load, parts, real};
use crate::base::registry::Value;
use crate::data::{Dataset, Tensor};
use crate::model::layers::{BatchNormalization, Dense, Dropout, Flatten};
use crate::model::{Sequential, Weight};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::{Adam, LearningRate, Nadam, Optimizer, SGD};
use crate::rules::schedules::ExponentialDecay;
use serde_json::json;

/// A `config.json` without equivalent variations.
fn written(config: &str) -> Value {
    fn settle(mut value: Value) -> Value {
        match &mut value {
            Value::Object(object) => {
                object.remove("shared_object_id");
                // Keras numbers activations that are layers; nothing uses it.
                if object.get("class_name") == Some(&"ELU".into()) {
                    object["config"]["name"] = "elu".into();
                }
                object
                    .values_mut()
                    .for_each(|value| *value = settle(value.take()));
                object.sort_keys();
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| *item = settle(item.take())),
            Value::Number(number) => return number.as_f64().into(),
            _ => {}
        }
        value
    }
    let mut config = settle(serde_json::from_str(config).unwrap());
    if let Some(compiled) = config["compile_config"].as_object_mut() {
        // gradus stores no choice of compiler, and one spelling of each loss.
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

/// Gives the model a state as if it had been trained, with distinct values.
fn pretend_training(model: &mut Model) {
    let optimizer = model.compiled.as_ref().unwrap().optimizer().unwrap();
    let (slots, scalars) = (optimizer.slots().len(), optimizer.method.scalars().len());
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
            let slots = |weight: &Weight| match layer.trainable && weight.trainable {
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
    assert_eq!(model.inputs[0].shape, Some([4, 3].into()));
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
        Some(Nadam::new().learning_rate(0.01).clipnorm(1.0).into())
    );
    let output_loss = compiled.output_losses[0].as_ref().unwrap();
    assert_eq!(output_loss.loss, Loss::SparseCategoricalCrossentropy);
    assert_eq!(
        output_loss.metrics,
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
    for name in ["chain.keras", "objects.keras"] {
        let bytes = real(name);
        let model = load(bytes.clone()).unwrap();
        let (theirs, ours) = (parts(&bytes), parts(&to_bytes(&model).unwrap()));
        assert_eq!(written(&ours.config), written(&theirs.config), "{name}");
        let mut theirs = hdf5::read(theirs.weights).unwrap();
        for layer in theirs.child("layers").groups.values_mut() {
            // They are empty, and Keras does not need them.
            layer.groups.remove("activation");
        }
        assert_eq!(hdf5::read(ours.weights).unwrap(), theirs, "{name}");
    }
}

/// Every rule of a family that can be made from an alias or its plain name.
#[test]
fn every_rule_comes_back_from_its_keras_object() {
    use crate::rules::initializers::Initializer;
    use families::Family;
    fn check<T: PartialEq + std::fmt::Debug>(
        family: Family,
        members: &[crate::base::registry::Member],
        from: fn(&str, &Value) -> Result<T>,
        to: fn(&T) -> Value,
    ) {
        let mut checked = 0;
        for member in members {
            let Ok(rule) = from("", &member.class.into()) else {
                continue; // it has arguments without a default
            };
            let object = objects::to_keras(family, &to(&rule));
            assert_eq!(object["module"], family.module());
            let mut findings = Findings::default();
            let config = objects::from_keras("", family, &object, &mut findings);
            findings.check(Path::new("m.keras")).unwrap();
            assert_eq!(from("", &config).unwrap(), rule);
            checked += 1;
        }
        assert!(checked > 2);
    }
    check(
        Family::Activation,
        Activation::MEMBERS,
        Activation::from_config,
        Activation::to_config,
    );
    check(
        Family::Initializer,
        Initializer::MEMBERS,
        Initializer::from_config,
        Initializer::to_config,
    );
    check(
        Family::Loss,
        Loss::MEMBERS,
        Loss::from_config,
        Loss::to_config,
    );
    check(
        Family::Metric,
        Metric::MEMBERS,
        Metric::from_config,
        Metric::to_config,
    );
    let methods = crate::rules::optimizers::Method::MEMBERS;
    check(
        Family::Optimizer,
        methods,
        Optimizer::from_config,
        Optimizer::to_config,
    );
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
        compiled.optimizer = Some(optimizer);
        compiled.output_losses[0].as_mut().unwrap().metrics = vec![
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
    let parts = super::parts(&to_bytes(&all).unwrap());
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
    let output_loss = compiled.output_losses[0].as_ref().unwrap();
    assert_eq!(output_loss.loss, Loss::MeanSquaredError);
    let names: Vec<&str> = output_loss
        .metrics
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["mean_absolute_error", "mae"]);
}

/// `docs/gradus_layers.py` registers them with Keras.
#[test]
fn layers_that_keras_has_none_of_have_registered_names() {
    use crate::model::layers::{MCAlphaDropout, MCDropout, RReLU};
    let model = Sequential::new()
        .input([3])
        .add(RReLU::new().lower(0.25))
        .add(MCDropout::new(0.5))
        .add(MCAlphaDropout::new(0.5))
        .add(Dense::new(1))
        .build()
        .unwrap();
    let bytes = to_bytes(&model).unwrap();
    let mut parts = parts(&bytes);
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    let layers = config["config"]["layers"].as_array_mut().unwrap();
    let names: Vec<_> = layers
        .iter()
        .map(|l| l["registered_name"].as_str())
        .collect();
    let own = ["gradus>RReLU", "gradus>MCDropout", "gradus>MCAlphaDropout"].map(Some);
    assert_eq!(names[1..4], own);
    assert_eq!((names[0], names[4]), (None, None));
    assert_eq!(load(bytes).unwrap().layers, model.layers);
    // In Keras' form, with the file's module; no other class may have it.
    layers[2]["module"] = "gradus_layers".into();
    layers[2]["config"]["noise_shape"] = Value::Null;
    parts.config = config.to_string();
    let again = load(archive::write(&parts).unwrap()).unwrap();
    assert_eq!(again.layers, model.layers);
    config["config"]["layers"][2]["registered_name"] = "other>MCDropout".into();
    parts.config = config.to_string();
    let error = load(archive::write(&parts).unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("its code is not in the file"),
        "{error}"
    );
}

/// Code is left out of the file; all else is saved.
#[test]
fn functions_of_the_users_own_are_left_out() {
    let mut model = network();
    let output_loss = model.compiled.as_mut().unwrap().output_losses[0]
        .as_mut()
        .unwrap();
    let own = Metric::function("own", |_, output| f64::from(output[0]));
    output_loss.metrics.push(("own".to_owned(), own.clone()));
    output_loss.weighted_metrics = vec![
        ("own".to_owned(), own),
        ("weighted".to_owned(), Metric::Accuracy),
    ];
    pretend_training(&mut model);
    let loaded = load(to_bytes(&model).unwrap()).unwrap();
    let known = loaded.compiled.unwrap().output_losses.remove(0).unwrap();
    assert_eq!(known.metrics, [("accuracy".to_owned(), Metric::Accuracy)]);
    let weighted = [("weighted".to_owned(), Metric::Accuracy)];
    assert_eq!(known.weighted_metrics, weighted);
    assert_eq!(loaded.state, model.state);

    let output_loss = model.compiled.as_mut().unwrap().output_losses[0]
        .as_mut()
        .unwrap();
    output_loss.loss = Loss::function("own", |_, _, _| 0.0);
    let loaded = load(to_bytes(&model).unwrap()).unwrap();
    assert_eq!(loaded.compiled, None);
    assert_eq!(loaded.state, State::default());
    let weights =
        |model: &Model| -> Vec<Vec<f32>> { model.weights().map(|w| w.values.clone()).collect() };
    assert_eq!(weights(&loaded), weights(&model));
}

/// The golden cases of the issue, and those with a special form: slots that not every variable has,
/// weighted metrics, reductions.
fn golden() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");
    let cases = std::fs::read_to_string(format!("{folder}cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let mut files = Vec::new();
    let special = [
        "opt_lamb",
        "opt_muon",
        "sample_weight",
        "class_weight",
        "loss_mse_sum",
    ];
    let wanted = |case: &&Value| {
        let name = case["name"].as_str().unwrap();
        case["group"] == "A" || special.iter().any(|part| name.starts_with(part))
    };
    for case in cases.iter().filter(wanted) {
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
        vars.arrays
            .insert("0".into(), hdf5::Array::whole(iteration as i32));
        assert_eq!(hdf5::read(ours.weights).unwrap(), theirs, "{name}");
    }
}

#[test]
fn a_real_file_predicts_what_keras_predicted() {
    let found: Value = serde_json::from_slice(&real("chain.json")).unwrap();
    let flat = |value: &Value| -> Vec<f32> {
        fn numbers(value: &Value, into: &mut Vec<f32>) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| numbers(item, into)),
                number => into.push(number.as_f64().unwrap() as f32),
            }
        }
        let mut all = Vec::new();
        numbers(value, &mut all);
        all
    };
    let x = Tensor::from_f32([4, 3], flat(&found["x"])).unwrap();
    let model = load(real("chain.keras")).unwrap();
    let y = model.predict(Dataset::unlabelled(x)).unwrap();
    let expected = flat(&found["y"]);
    let y = y.to_f32();
    assert_eq!(y.len(), expected.len());
    for (y, expected) in y.iter().zip(&expected) {
        assert!((y - expected).abs() < 1e-5, "{y} is not {expected}");
    }
}
