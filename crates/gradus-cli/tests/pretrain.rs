//! `[pretrain]` in a configuration.

mod common;

use common::{Place, SMALL, only_whole_files, results};

fn with(pretrain: &str) -> String {
    format!("{SMALL}\n[pretrain]\n{pretrain}\n").replace("epochs = 4", "epochs = 2")
}

#[test]
fn every_kind_pretrains_before_the_training_and_repeats() {
    let place = Place::new();
    place.write("plain.toml", with("").replace("[pretrain]", ""));
    place.ok(&["train", "plain.toml", "--out", "plain"]);
    let autoencoder = "kind = \"autoencoder\"\nepochs = 2\ndropout = 0.1\ngreedy = true\n\
                       data = { dataset = \"digits:test\", scale = \"unit\" }";
    let masked = "kind = \"masked_features\"\nepochs = 2\nrate = 0.2\nuntil = \"hidden\"";
    let siamese = "kind = \"siamese\"\nepochs = 1\ntriplets = true\nmargin = 2.0";
    let noisy = "kind = \"siamese\"\nepochs = 1\nnoise = 0.1";
    let tied = "kind = \"autoencoder\"\nepochs = 1\ntied = true";
    let rbm = "type = \"rbm\"\nepochs = 2\nuntil = \"hidden\"\nlearning_rate = 0.05";
    let versions = "kind = \"siamese\"\nepochs = 1\ntriplets = true\naugment = [\
                    { type = \"RandomTranslation\", height_factor = 0.1, width_factor = 0.1 }]";
    for (name, table) in [
        ("tied", tied),
        ("rbm", rbm),
        ("versions", versions),
        ("autoencoder", autoencoder),
        ("masked", masked),
        ("siamese", siamese),
        ("noisy", noisy),
    ] {
        let sigmoid =
            |text: String| text.replace("activation = \"elu\"", "activation = \"sigmoid\"");
        let text = match name {
            "rbm" => sigmoid(with(table)),
            _ => with(table),
        };
        place.write("a.toml", text);
        let said = place.run(&["train", "a.toml", "--out", name]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.err.contains("pretrained "), "{}", said.err);
        assert_ne!(results(&place, name), results(&place, "plain"));
        // The resolved configuration repeats it, to the bit.
        let again = format!("{name}-again");
        place.ok(&["train", &format!("{name}/config.toml"), "--out", &again]);
        assert_eq!(results(&place, name), results(&place, &again));
        // Resuming a finished run does not pretrain again.
        let said = place.run(&["train", "--resume", "--out", name]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(!said.err.contains("pretrained"), "{}", said.err);
        assert!(only_whole_files(&place.path(name)));
    }
}

#[test]
fn mistakes_are_told_with_their_keys() {
    let place = Place::new();
    for (table, parts) in [
        ("", &["pretrain.type", "autoencoder, masked_features"][..]),
        (
            "kind = \"autoencode\"",
            &["pretrain.kind", "did you mean `autoencoder`?"],
        ),
        (
            "kind = \"autoencoder\"\nrate = 0.1",
            &["pretrain.rate", "masked_features"],
        ),
        (
            "kind = \"masked_features\"\nnoise = 0.1",
            &["pretrain.noise", "autoencoder"],
        ),
        (
            "kind = \"siamese\"\nmargin = -1.0",
            &["pretrain.margin", "-1"],
        ),
        (
            "kind = \"masked_features\"\nrate = 1.5",
            &["pretrain.rate", "1.5"],
        ),
        (
            "kind = \"autoencoder\"\naugment = [\"RandomFlip\"]",
            &["pretrain.augment", "siamese"],
        ),
        (
            "kind = \"siamese\"\naugment = [\"RandomFlop\"]",
            &["pretrain.augment[0]", "did you mean `RandomFlip`?"],
        ),
        ("kind = \"autoencoder\"\nepochs = 0", &["pretrain.epochs"]),
        (
            "kind = \"autoencoder\"\nepoch = 1",
            &["pretrain", "did you mean `epochs`?"],
        ),
        (
            "kind = \"autoencoder\"\nuntil = \"hiden\"",
            &["hiden", "did you mean `hidden`?"],
        ),
        (
            "kind = \"autoencoder\"\ndata = { x = \"none.npy\" }",
            &["none.npy"],
        ),
        (
            "type = \"rbm\"",
            &["layer hidden: activation", "expected sigmoid"],
        ),
        (
            "type = \"rbm\"\noptimizer = \"sgd\"",
            &["pretrain.optimizer", "the type is rbm"],
        ),
        (
            "type = \"autoencoder\"\nk = 1",
            &["pretrain.k", "is a key of rbm"],
        ),
        (
            "type = \"rbm\"\nk = 0",
            &["pretrain.k", "whole number of 1 or more"],
        ),
    ] {
        place.write("a.toml", with(table));
        let told = place.mistake(&["train", "a.toml", "--out", "run"]);
        for part in parts {
            assert!(told.contains(part), "{table}: {part} is not in {told}");
        }
    }
}

#[test]
fn hidden_layers_behind_a_tables_columns_are_pretrained() {
    let place = Place::new();
    let rows: String = (0..120)
        .map(|i| {
            let kind = ["a", "b", "c"][i % 3];
            let gap = if i % 10 == 0 {
                String::new()
            } else {
                (i % 7).to_string()
            };
            format!("{i},{gap},{kind},{}\n", i % 2)
        })
        .collect();
    place.write("t.csv", format!("x,gap,kind,y\n{rows}"));
    for (n, (kind, model)) in [
        ("autoencoder", "recipe = \"self-normalizing\"\nhidden = [6, 4]"),
        ("masked_features", "layers = [{ type = \"Dense\", units = 6, activation = \"elu\" }, { type = \"Dense\", units = 2, activation = \"softmax\" }]"),
        ("siamese", "recipe = \"self-normalizing\"\nhidden = [6]"),
    ]
    .into_iter()
    .enumerate()
    {
        let noise = if kind == "siamese" { "noise = 0.1\n" } else { "" };
        place.write(
            "c.toml",
            format!(
                "[data]\ntable = \"t.csv\"\ntarget = \"y\"\ncolumns = {{ y = \"category\" }}\nvalidation = {{ fraction = 0.2 }}\n\
                 [model]\n{model}\n[train]\nepochs = 1\nloss = \"sparse_categorical_crossentropy\"\n\
                 optimizer = {{ type = \"SGD\", learning_rate = 1e-9 }}\n\
                 [pretrain]\ntype = \"{kind}\"\nepochs = 30\n{noise}"
            ),
        );
        let run = format!("run-{n}");
        let said = place.run(&["train", "c.toml", "--out", &run]);
        assert_eq!(said.code, Some(0), "{kind}: {}", said.err);
        let line = said.err.lines().find(|l| l.starts_with("pretrained 30 epochs on 96 rows"));
        let line = line.unwrap_or_else(|| panic!("{kind}: {}", said.err));
        let losses: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert!(losses[3] < losses[2], "{line}");
        // The model contains the pretraining: without it, the run differs.
        let (with, without) = (format!("{run}/model.keras"), format!("{run}-without"));
        let text = place.text("c.toml");
        place.write("d.toml", text.split("[pretrain]").next().unwrap());
        place.ok(&["train", "d.toml", "--quiet", "--out", &without]);
        let measure = |model: &str| place.ok(&["evaluate", model, "--data", "c.toml"]);
        assert_ne!(measure(&with), measure(&format!("{without}/model.keras")));
        // The configuration repeats it.
        let again = format!("{run}-again");
        place.ok(&["train", &format!("{run}/config.toml"), "--quiet", "--out", &again]);
        assert!(results(&place, &run) == results(&place, &again));
    }
    let message = place.mistake(&["train", "c.toml", "--set", "pretrain.kind=siamese"]);
    assert!(
        message.contains("`pretrain.type` and `pretrain.kind` exclude"),
        "{message}"
    );
}
