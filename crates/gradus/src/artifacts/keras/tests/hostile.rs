//! Tests of malicious files, and of ones that gradus cannot take.

use super::super::*;
use super::{load, parts, real};
use crate::base::registry::Value;
use serde_json::json;
use std::time::{Duration, Instant};

/// The error for `chain.keras` with a changed configuration.
fn problem(change: impl FnOnce(&mut Value)) -> String {
    let mut parts = parts(&real("chain.keras"));
    let mut config: Value = serde_json::from_str(&parts.config).unwrap();
    change(&mut config);
    parts.config = config.to_string();
    load(archive::write(&parts).unwrap())
        .unwrap_err()
        .to_string()
}

#[test]
fn everything_unknown_is_named_at_once() {
    let problem = problem(|config| {
        let layers = &mut config["config"]["layers"];
        layers[1]["class_name"] = "Conv3D".into();
        layers[2]["config"]["lora_rank"] = 4.into();
        layers[2]["config"]["kernel_initializer"]["class_name"] = "MyInit".into();
        layers[3]["config"]["renorm"] = true.into();
        layers[4]["config"]["dtype"]["config"]["name"] = "float16".into();
        layers[4]["config"]["rate"] = 1.5.into();
        layers[6]["config"]["activation"] = "my_gelu".into();
        // The training configuration is not the reason: see `compiled.rs`.
        config["compile_config"]["optimizer"]["class_name"] = "Frog".into();
    });
    for part in [
        "m.keras: 6 things that gradus cannot take",
        "layers[1] (flatten): unknown layer `Conv3D`",
        "layers[2] (dense).lora_rank: Dense with lora_rank = 4",
        "layers[2] (dense).kernel_initializer: unknown initializer `MyInit`",
        "layers[3] (batch_normalization).renorm: BatchNormalization with renorm = true",
        "layers[4] (dropout): computes in float16",
        "layers[6] (activation).activation: unknown activation `my_gelu`",
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
fn sizes_that_are_only_claimed_are_not_believed() {
    let units = |units: u64| {
        problem(|config| config["config"]["layers"][2]["config"]["units"] = units.into())
    };
    assert!(units(1 << 50).contains("expected a row that fits into memory"));
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
        // A bit flipped in a time or a mode changes nothing that is read.
        if let Ok(model) = load(bytes) {
            assert_eq!(model, load(whole.clone()).unwrap());
        }
        assert!(start.elapsed() < slow);
    }
    // The same inside the parts, where no checksum detects it.
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
