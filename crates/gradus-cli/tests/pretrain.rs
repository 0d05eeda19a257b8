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
    let versions = "kind = \"siamese\"\nepochs = 1\ntriplets = true\naugment = [\
                    { type = \"RandomTranslation\", height_factor = 0.1, width_factor = 0.1 }]";
    for (name, table) in [
        ("tied", tied),
        ("versions", versions),
        ("autoencoder", autoencoder),
        ("masked", masked),
        ("siamese", siamese),
        ("noisy", noisy),
    ] {
        place.write("a.toml", with(table));
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
        ("", &["pretrain.kind", "autoencoder, masked_features"][..]),
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
    ] {
        place.write("a.toml", with(table));
        let told = place.mistake(&["train", "a.toml", "--out", "run"]);
        for part in parts {
            assert!(told.contains(part), "{table}: {part} is not in {told}");
        }
    }
}
