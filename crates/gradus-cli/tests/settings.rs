//! Tests of configuration keys that would otherwise have no effect, or an unintended one.

mod common;

use common::Place;
use serde_json::Value;

/// A recipe on the digits, with additional lines.
fn recipe(more: &str) -> Place {
    let place = Place::new();
    place.write(
        "c.toml",
        format!(
            "[data]\ndataset = \"digits\"\nscale = \"unit\"\nvalidation = {{ first = 200 }}\n\
             [model]\nrecipe = \"default\"\nhidden = [8]\n{more}"
        ),
    );
    place
}

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "run"];

/// The resolved configuration of a run.
fn resolved(place: &Place) -> Value {
    let text = place.text("run/config.toml");
    let table: toml::Table = toml::from_str(&text).unwrap();
    serde_json::to_value(table).unwrap()
}

#[test]
fn a_table_beside_a_recipe_replaces_the_keys_that_it_names() {
    let plain = recipe("[train]\nepochs = 3\n");
    plain.ok(&TRAIN);
    let plain = resolved(&plain);
    let place = recipe(
        "[train]\nepochs = 3\noptimizer = { clipnorm = 1.0 }\nschedule = { max_rate = 0.03 }\n\
         [callbacks]\nearly_stopping = { patience = 5 }\n",
    );
    place.ok(&TRAIN);
    let found = resolved(&place);
    let expected = |at: &str, change: &[(&str, Value)]| {
        let mut table = plain.pointer(at).unwrap().clone();
        for (key, value) in change {
            table[*key] = value.clone();
        }
        assert_eq!(found.pointer(at).unwrap(), &table, "{at}");
    };
    // Except for the end of the schedule, which no configuration has.
    expected("/train/optimizer", &[("clipnorm", 1.0.into())]);
    expected("/train/schedule", &[("max_rate", 0.03.into())]);
    expected("/callbacks/early_stopping", &[("patience", 5.into())]);
    assert_eq!(
        found["callbacks"]["early_stopping"]["restore_best_weights"],
        true
    );

    // By options, too; a rate of one's own replaces the schedule, and nothing else.
    let place = recipe("");
    let set = ["--set", "train.epochs=1", "--set"];
    let key = ["callbacks.early_stopping.monitor=val_accuracy"];
    let rate = ["--set", "train.optimizer.learning_rate=0.05"];
    place.ok(&[&TRAIN[..], &set, &key, &rate].concat());
    let found = resolved(&place);
    assert_eq!(found["callbacks"]["early_stopping"]["patience"], 0);
    assert_eq!(found["train"]["optimizer"]["momentum"], 0.9);
    assert_eq!(found["train"]["optimizer"]["learning_rate"], 0.05);
    assert!(found["train"].get("schedule").is_none());
}

#[test]
fn a_cycle_of_a_momentum_that_is_not_there_is_told() {
    let cycle = "[train]\nepochs = 1\nschedule = { type = \"OneCycle\", max_rate = 0.05 }\n";
    let place = recipe(&format!("{cycle}optimizer = \"sgd\"\n"));
    let said = place.run(&TRAIN);
    let warning = "OneCycle moves the momentum, and the optimizer SGD has none";
    assert!(said.err.contains(warning), "{}", said.err);
    assert_eq!(said.code, Some(0));
    for optimizer in [
        "\"nadam\"",
        "{ type = \"SGD\" }",
        "{ type = \"RMSprop\", momentum = 0.9 }",
    ] {
        let place = recipe(&format!("{cycle}optimizer = {optimizer}\n"));
        let said = place.run(&TRAIN);
        assert!(!said.err.contains("moves the momentum"), "{}", said.err);
        assert_eq!(said.code, Some(0), "{}", said.err);
    }
}

#[test]
fn a_rate_of_zero_is_refused() {
    let place = recipe("");
    for key in ["train.learning_rate=0", "train.optimizer.learning_rate=0.0"] {
        let message = place.mistake(&[&TRAIN[..], &["--set", key]].concat());
        assert!(message.contains("expected a number above 0"), "{message}");
    }
}

#[test]
fn a_loss_for_other_targets_is_refused() {
    let place = recipe("");
    for loss in ["categorical_crossentropy", "binary_crossentropy"] {
        let set = format!("train.loss={loss}");
        let message = place.mistake(&[&TRAIN[..], &["--set", &set]].concat());
        assert!(
            message.contains("train.loss") && message.contains("sparse_categorical_crossentropy"),
            "{message}"
        );
    }
}

#[test]
fn a_loss_for_one_hot_targets_is_refused_on_classes() {
    let place = Place::new();
    let rows: String = (0..40)
        .map(|i| format!("{i},{}\n", ["no", "yes"][i % 2]))
        .collect();
    place.write("t.csv", format!("a,y\n{rows}"));
    place.write(
        "c.toml",
        "[data]\ntable = \"t.csv\"\ntarget = \"y\"\n[model]\nrecipe = \"default\"\n[train]\n\
         epochs = 1\nloss = \"categorical_crossentropy\"\n",
    );
    let message = place.mistake(&TRAIN);
    assert!(
        message.contains("expected SparseCategoricalCrossentropy"),
        "{message}"
    );
    // And for a chain of layers on numbers.
    place.write(
        "c.toml",
        "[data]\ndataset = \"digits\"\n[model]\nlayers = [{ type = \"Flatten\" }, { type = \"Dense\", \
         units = 10, activation = \"softmax\" }]\n[train]\noptimizer = \"adam\"\n\
         loss = \"categorical_crossentropy\"\n",
    );
    let message = place.mistake(&TRAIN);
    assert!(
        message.contains("take sparse_categorical_crossentropy"),
        "{message}"
    );
}

#[test]
fn a_saved_model_has_the_rate_where_its_schedule_stands() {
    let place = recipe("[train]\nepochs = 2\n");
    place.ok(&TRAIN);
    let last = *place.history("run", "learning_rate").last().unwrap();
    place.write(
        "more.toml",
        "[data]\ndataset = \"digits\"\nscale = \"unit\"\n[model]\nfile = \"run/model.keras\"\n",
    );
    place.ok(&["train", "more.toml", "--out", "more"]);
    let rate = *place.history("more", "learning_rate").last().unwrap();
    assert!((rate - last).abs() <= last * 1e-6, "{rate} {last}");
}

#[test]
fn rows_of_a_pretraining_are_scaled_as_the_data_is() {
    let pretrain = |scale: &str| {
        format!(
            "[train]\nepochs = 1\n[pretrain]\ntype = \"autoencoder\"\nepochs = 1\n\
             data = {{ dataset = \"digits\", validation = {{ first = 200 }}{scale} }}\n"
        )
    };
    let said = |more: &str| {
        let place = Place::new();
        place.write(
            "c.toml",
            format!(
                "[data]\ndataset = \"digits\"\nscale = \"none\"\nvalidation = {{ first = 200 }}\n\
                 [model]\nrecipe = \"default\"\nhidden = [8]\n{more}"
            ),
        );
        let said = place.run(&TRAIN);
        let line = said.err.lines().find(|l| l.starts_with("pretrained"));
        line.unwrap_or_else(|| panic!("{}", said.err)).to_owned()
    };
    assert_eq!(said(&pretrain("")), said(&pretrain(", scale = \"none\"")));
    assert_ne!(said(&pretrain("")), said(&pretrain(", scale = \"unit\"")));
}

#[test]
fn what_was_better_than_what_is_kept_is_told() {
    // The rate rises until training has destroyed the weights.
    let rates = "{ type = \"PiecewiseConstantDecay\", boundaries = [60], values = [0.05, 5.0] }";
    let train = format!(
        "[train]\nepochs = 4\noptimizer = {{ type = \"SGD\", learning_rate = {rates}, clipnorm = 1.0 }}\n"
    );
    let place = recipe(&format!("{train}[callbacks]\nearly_stopping = false\n"));
    let out = place.ok(&TRAIN);
    assert!(
        out.contains("not kept    epoch ") && out.contains(" was better than epoch 4: val_loss"),
        "{out}"
    );
    assert!(out.contains("restore_best_weights = true"), "{out}");
    let late =
        "early_stopping = { restore_best_weights = true, start_from_epoch = 3, patience = 9 }";
    let place = recipe(&format!("{train}[callbacks]\n{late}\n"));
    let out = place.ok(&TRAIN);
    assert!(
        out.contains("before early_stopping.start_from_epoch = 3"),
        "{out}"
    );
    let best =
        "early_stopping = { restore_best_weights = true, start_from_epoch = 0, patience = 9 }";
    let place = recipe(&format!("{train}[callbacks]\n{best}\n"));
    let out = place.ok(&TRAIN);
    assert!(!out.contains("not kept"), "{out}");
}

#[test]
fn the_training_line_is_measured_as_the_validation_is() {
    let place = recipe("[train]\nepochs = 3\n");
    let out = place.ok(&TRAIN);
    let line = |name: &str| {
        let line = out.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (name, part) in [("training", "train"), ("validation", "validation")] {
        let measured = place.ok(&["evaluate", "run", "--data", part]);
        let measured = measured.lines().skip(1).flat_map(str::split_whitespace);
        assert_eq!(line(name), measured.collect::<Vec<_>>(), "{out}");
    }
}

#[test]
fn every_sample_can_be_kept() {
    let place = Place::new();
    let layers = "[{ type = \"Flatten\" }, { type = \"Dropout\", rate = 0.5 }, { type = \"Dense\", units = 10, activation = \"softmax\" }]";
    place.write(
        "c.toml",
        format!(
            "[data]\ndataset = \"digits\"\n[model]\nlayers = {layers}\n[train]\nepochs = 1\n\
             loss = \"sparse_categorical_crossentropy\"\noptimizer = \"adam\"\n"
        ),
    );
    place.ok(&TRAIN);
    let predict = [
        "predict",
        "run/model.keras",
        "--data",
        "digits:test",
        "--out",
        "p.npy",
    ];
    let message = place.mistake(&[&predict[..], &["--keep"]].concat());
    assert!(message.contains("--mc-samples"), "{message}");
    let out = place.ok(&[&predict[..], &["--keep", "--mc-samples", "4"]].concat());
    assert!(
        out.contains("p_samples.npy: every sample, shape (4, 355, 10)"),
        "{out}"
    );
    let numbers = |name: &str| -> Vec<f32> {
        let file = place.read(name);
        let header = u16::from_le_bytes([file[8], file[9]]) as usize + 10;
        let values = file[header..].chunks_exact(4);
        values
            .map(|v| f32::from_le_bytes(v.try_into().unwrap()))
            .collect()
    };
    let header = String::from_utf8_lossy(&place.read("p_samples.npy")[..120]).into_owned();
    assert!(header.contains("(4, 355, 10)"), "{header}");
    let (all, mean) = (numbers("p_samples.npy"), numbers("p.npy"));
    assert_eq!(all.len(), 4 * mean.len());
    let samples: Vec<&[f32]> = all.chunks(mean.len()).collect();
    assert_ne!(samples[0], samples[1]);
    for (i, &mean) in mean.iter().enumerate() {
        let sum: f32 = samples.iter().map(|sample| sample[i]).sum();
        assert!((sum / 4.0 - mean).abs() < 1e-6, "{i}");
    }
}
