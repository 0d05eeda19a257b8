//! The recipe "fixup": deep residual networks without normalization.

mod common;

use common::{Place, results};
use gradus::data::{Split, digits};
use gradus::prelude::Model;

/// Fifty layers of weights in branches, on few rows.
const FIXUP: &str = r#"
seed = 3
data = { dataset = "digits", rows = 480, validation = { fraction = 0.1 } }
model = { recipe = "fixup", hidden = [24], blocks = 25 }
train = { epochs = 4, batch_size = 8 }
"#;

/// The same network with He's weights in all layers.
fn plain() -> String {
    let he = "kernel_initializer = \"he_normal\"";
    let mut layers = format!(
        "{{ type = \"Input\", name = \"x\", shape = [8, 8] }}, {{ type = \"Flatten\" }},\n\
         {{ type = \"Dense\", name = \"h0\", units = 24, activation = \"relu\", {he} }},\n"
    );
    for block in 0..25 {
        let next = block + 1;
        layers += &format!(
            "{{ type = \"Dense\", units = 24, activation = \"relu\", {he} }},\n\
             {{ type = \"Dense\", name = \"b{block}\", units = 24, {he} }},\n\
             {{ type = \"Add\", name = \"s{block}\", inputs = [\"h{block}\", \"b{block}\"] }},\n\
             {{ type = \"Activation\", name = \"h{next}\", activation = \"relu\" }},\n"
        );
    }
    layers += "{ type = \"Dense\", units = 10, activation = \"softmax\" },";
    let recipe = "model = { recipe = \"fixup\", hidden = [24], blocks = 25 }\ntrain = { epochs = 4, batch_size = 8 }";
    let train = "batch_size = 8\nloss = \"sparse_categorical_crossentropy\"\nmetrics = [\"accuracy\"]\nepochs = 4\n\
                 optimizer = { type = \"SGD\", learning_rate = 0.01, momentum = 0.9, nesterov = true }\n\
                 schedule = { type = \"OneCycle\", max_rate = 0.02 }\n";
    FIXUP.replace(
        recipe,
        &format!("[model]\nlayers = [\n{layers}\n]\n[train]\n{train}"),
    )
}

#[test]
fn fifty_layers_train_without_normalization_where_plain_weights_blow_up() {
    let place = Place::new();
    place.write("fixup.toml", FIXUP);
    place.ok(&["train", "fixup.toml", "--quiet", "--out", "fixup"]);
    let losses = place.history("fixup", "loss");
    assert!(losses[0] < 2.31 && losses[3] < 1.6, "{losses:?}");
    let accuracy = place.history("fixup", "val_accuracy");
    assert!(accuracy[3] > 0.5, "{accuracy:?}");
    place.ok(&["train", "fixup/config.toml", "--quiet", "--out", "again"]);
    assert!(results(&place, "fixup") == results(&place, "again"));

    place.write("plain.toml", plain());
    let said = place.run(&["train", "plain.toml", "--out", "plain"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("epoch 1/4, step "), "{}", said.err);
}

#[test]
fn it_begins_as_its_first_layer_alone_and_with_equal_chances_for_all_classes() {
    let rows = digits(Split::Test).unwrap().slice(0..20).unwrap();
    let recipe = gradus::model::Recipe::fixup(16, 9);
    let model = recipe.model(&rows.clone()).unwrap();
    let count = model
        .layers
        .iter()
        .filter(|layer| layer.rule.class() == "Dense" && layer.weights[0].shape != [1, 1]);
    assert_eq!(count.count(), 20);
    let classes = model.predict(&rows).unwrap().to_f32();
    assert!(classes.iter().all(|&p| p == classes[0]));
    let output = |model: &Model, layer: &str| {
        let part = model.up_to(&[layer]).unwrap();
        part.predict(&rows).unwrap().to_f32()
    };
    assert!(output(&model, "activation_8") == output(&model, "dense"));
    // The weights of a branch's first layer: He's, times the root of 1 / branches.
    let deviation = |name: &str| {
        let kernel = &model.layer(name).unwrap().weights[0].values;
        let squares: f32 = kernel.iter().map(|w| w * w).sum();
        (squares / kernel.len() as f32).sqrt()
    };
    let expected = (2.0_f32 / 16.0 / 9.0).sqrt();
    assert!((deviation("dense_1") / expected - 1.0).abs() < 0.2);
}

#[test]
fn mistakes_are_told_with_their_keys() {
    let place = Place::new();
    place.write("c.toml", FIXUP);
    place.write("t.csv", "a,b\n1,2\n2,3\n");
    for (set, parts) in [
        (
            "model.blocks=0",
            &["model.blocks", "whole number of 1 or more"][..],
        ),
        (
            "model.recipe=default",
            &[
                "model.blocks",
                "belongs to the recipes \"fixup\" and \"cnn\"",
            ],
        ),
        ("model.recipe=fixp", &["did you mean `fixup`?"]),
        (
            "data={ table = \"t.csv\", target = \"b\" }",
            &["model.recipe", "take the columns of a table"],
        ),
    ] {
        let message = place.mistake(&["train", "c.toml", "--out", "x", "--set", set]);
        for part in parts {
            assert!(message.contains(part), "{set}: {message}");
        }
    }
}
