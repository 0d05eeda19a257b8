//! The chapter's mistakes, each named by its rule and place; and configurations that do well, about
//! which nothing is said.

mod common;

use common::Place;
use serde_json::Value;

/// Rows of the pictures, so many that the chapter's networks have no more weights than that allows.
const ROWS: usize = 2600;
/// Height and width of a picture.
const SIDE: usize = 8;
const CLASSES: usize = 10;

/// Pictures of noise, each in its class's brightness, as arrays of numbers from 0 to 1.
fn pictures(place: &Place) {
    let noise = |n: usize| {
        let bits = (n as u64 + 11).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 24) as f32
    };
    let class = |row: usize| (noise(row) * CLASSES as f32) as usize % CLASSES;
    let pixels = |row: usize| {
        let all = (0..SIDE * SIDE).map(move |n| (row, n));
        all.map(move |(row, n)| {
            0.3 * noise(ROWS + row * SIDE * SIDE + n) + 0.07 * class(row) as f32
        })
    };
    let array = |shape: &[usize], values: Vec<f32>| {
        let mut file = common::npy(shape);
        file.truncate(file.len() - 4 * values.len());
        values.iter().for_each(|x| file.extend(x.to_le_bytes()));
        file
    };
    let x = (0..ROWS).flat_map(pixels).collect();
    place.write("x.npy", array(&[ROWS, SIDE, SIDE], x));
    let y: Vec<f32> = (0..ROWS).map(|row| class(row) as f32).collect();
    place.write("y.npy", array(&[ROWS], y.clone()));
    let mut sorted = y;
    sorted.sort_by(f32::total_cmp);
    place.write("sorted.npy", array(&[ROWS], sorted));
    let price = (0..ROWS).map(|row| noise(row + 77)).collect();
    place.write("price.npy", array(&[ROWS], price));
}

/// A configuration on the pictures, with some keys changed.
fn config(layers: &str, train: &str, rest: &str) -> String {
    let mut text = String::new();
    let data = [("y", "\"y.npy\""), ("validation", "{ first = 500 }")];
    text += "data.x = \"x.npy\"\n";
    for (key, usual) in data {
        if !rest.contains(&format!("data.{key} =")) {
            text += &format!("data.{key} = {usual}\n");
        }
    }
    let usual = [
        ("loss", "\"sparse_categorical_crossentropy\""),
        ("optimizer", "{ type = \"SGD\", learning_rate = 0.01 }"),
        ("epochs", "10"),
    ];
    for (key, usual) in usual {
        if !train
            .lines()
            .any(|line| line.trim().starts_with(&format!("{key} =")))
        {
            text += &format!("train.{key} = {usual}\n");
        }
    }
    let lines = train.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.for_each(|line| text += &format!("train.{line}\n"));
    text += &format!("{rest}\n");
    let layers: Vec<String> = layers.split(" > ").map(layer).collect();
    text + &format!("model.layers = [\n{}\n]\n", layers.join(",\n"))
}

/// A layer in short: `Dense 300 relu he_normal, use_bias = false` is a table; a table stays as it is.
fn layer(short: &str) -> String {
    let (words, more) = short.split_once(", ").unwrap_or((short, ""));
    let words: Vec<&str> = words.split_whitespace().collect();
    if short.starts_with('{') {
        return short.to_owned();
    }
    let mut table = format!("type = \"{}\"", words[0]);
    let keys: &[&str] = match words[0] {
        "Dense" => &["units", "activation", "kernel_initializer"],
        "Activation" => &["activation"],
        _ => &["rate"],
    };
    for (key, word) in keys.iter().zip(&words[1..]) {
        match word.parse::<f64>() {
            Ok(_) => table += &format!(", {key} = {word}"),
            Err(_) => table += &format!(", {key} = \"{word}\""),
        }
    }
    if !more.is_empty() {
        table += &format!(", {more}");
    }
    format!("{{ {table} }}")
}

/// A mistake in a configuration, the rule that names it, and words of the finding.
struct Planted {
    mistake: &'static str,
    layers: &'static str,
    train: &'static str,
    rest: &'static str,
    rule: &'static str,
    words: &'static [&'static str],
}

const fn planted(
    mistake: &'static str,
    (layers, train, rest): (&'static str, &'static str, &'static str),
    rule: &'static str,
    words: &'static [&'static str],
) -> Planted {
    Planted {
        mistake,
        layers,
        train,
        rest,
        rule,
        words,
    }
}

/// The book's classifier, without a mistake.
const GOOD: &str =
    "Flatten > Dense 300 relu he_normal > Dense 100 relu he_normal > Dense 10 softmax";
const STANDARD: &str = "data.scale = \"standard\"";

#[rustfmt::skip]
const PLANTED: &[Planted] = &[
    planted("N(0, 1) before ReLU",
        ("Flatten > Dense 300 relu, kernel_initializer = { type = \"RandomNormal\", stddev = 1.0 } > Dense 100 relu, kernel_initializer = { type = \"RandomNormal\", stddev = 1.0 } > Dense 10 softmax", "", ""),
        "initializer", &["layers dense to dense_1", "RandomNormal with a deviation of 1", "he_normal"]),
    planted("zeros before ReLU",
        ("Flatten > Dense 300 relu zeros > Dense 10 softmax", "", ""),
        "initializer", &["layer dense", "Zeros", "equal"]),
    planted("random_normal before ReLU",
        ("Flatten > Dense 300 relu random_normal > Dense 100 relu random_normal > Dense 10 softmax", "", ""),
        "initializer", &["RandomNormal", "0.05", "vanish", "he_normal"]),
    planted("LeCun before ReLU",
        ("Flatten > Dense 300 relu lecun_normal > Dense 100 relu lecun_normal > Dense 10 softmax", "", ""),
        "initializer", &["layers dense to dense_1", "relu with LecunNormal", "he_normal"]),
    planted("He for tanh",
        ("Flatten > Dense 300 tanh he_normal > Dense 100 tanh he_normal > Dense 10 softmax", "", ""),
        "initializer", &["tanh with HeNormal", "glorot_uniform"]),
    planted("sigmoid with N(0, 1)",
        ("Flatten > Dense 100 sigmoid, kernel_initializer = { type = \"RandomNormal\", stddev = 1.0 } > Dense 100 sigmoid, kernel_initializer = { type = \"RandomNormal\", stddev = 1.0 } > Dense 100 sigmoid, kernel_initializer = { type = \"RandomNormal\", stddev = 1.0 } > Dense 10 softmax", "", ""),
        "initializer", &["layers dense to dense_2", "saturation", "glorot_uniform"]),
    planted("SELU with He",
        ("Flatten > Dense 100 selu he_normal > Dense 10 softmax", "", STANDARD),
        "initializer", &["SELU", "HeNormal", "lecun_normal"]),
    planted("Glorot in a deep network of ReLU",
        ("Flatten > Dense 50 relu > Dense 50 relu > Dense 50 relu > Dense 50 relu > Dense 50 relu > Dense 10 softmax", "", ""),
        "initializer", &["layers dense to dense_4", "5 layers", "he_normal"]),
    planted("sigmoid in a deep network",
        ("Flatten > Dense 50 sigmoid > Dense 50 sigmoid > Dense 50 sigmoid > Dense 50 sigmoid > Dense 50 sigmoid > Dense 10 softmax", "", ""),
        "saturation", &["layers dense to dense_4", "sigmoid", "vanish"]),
    planted("softmax in a hidden layer",
        ("Flatten > Dense 100 softmax > Dense 10 softmax", "", ""),
        "hidden_softmax", &["layer dense"]),
    planted("no activation between two layers",
        ("Flatten > Dense 300 > Dense 100 relu he_normal > Dense 10 softmax", "", ""),
        "linear_stack", &["layer dense", "dense_1"]),
    planted("a bias before batch normalization",
        ("Flatten > Dense 300 linear he_normal > BatchNormalization > Activation relu > Dense 10 softmax", "", ""),
        "batch_normalization", &["layer dense", "use_bias = false"]),
    planted("dropout before batch normalization",
        ("Flatten > Dense 300 relu he_normal > Dropout 0.2 > BatchNormalization > Dense 10 softmax", "", ""),
        "batch_normalization", &["layer batch_normalization", "dropout right in front"]),
    planted("batch normalization behind the output",
        ("Flatten > Dense 300 relu he_normal > Dense 10 > BatchNormalization", "loss = { type = \"SparseCategoricalCrossentropy\", from_logits = true }", ""),
        "batch_normalization", &["layer batch_normalization", "behind the output"]),
    planted("axes that Keras cannot load",
        ("Dense 20 relu he_normal > BatchNormalization, axis = [1, 2] > Flatten > Dense 10 softmax", "", ""),
        "batch_normalization", &["layer batch_normalization", "axis", "Keras 3", "one axis"]),
    planted("statistics that never arrive",
        ("Flatten > Dense 300 relu he_normal > BatchNormalization, momentum = 0.9999 > Dense 10 softmax", "", ""),
        "batch_normalization", &["momentum of 0.9999", "steps"]),
    planted("statistics that never arrive, of five layers",
        ("Flatten > Dense 50 linear he_normal, use_bias = false > BatchNormalization, momentum = 0.9999 > Activation relu > Dense 50 linear he_normal, use_bias = false > BatchNormalization, momentum = 0.9999 > Activation relu > Dense 50 linear he_normal, use_bias = false > BatchNormalization, momentum = 0.9999 > Activation relu > Dense 50 linear he_normal, use_bias = false > BatchNormalization, momentum = 0.9999 > Activation relu > Dense 50 linear he_normal, use_bias = false > BatchNormalization, momentum = 0.9999 > Activation relu > Dense 10 softmax", "", ""),
        "batch_normalization", &["layer batch_normalization and 4 others", "momentum of 0.9999"]),
    planted("statistics of the last batch",
        ("Flatten > Dense 300 relu he_normal > BatchNormalization, momentum = 0.1 > Dense 10 softmax", "", ""),
        "batch_normalization", &["momentum of 0.1", "0.99"]),
    planted("dropout behind the output",
        ("Flatten > Dense 300 relu he_normal > Dense 10 softmax > Dropout 0.2", "", ""),
        "dropout", &["layer dropout", "behind the output"]),
    planted("dropout of 0.95",
        ("Flatten > Dense 300 relu he_normal > Dropout 0.95 > Dense 10 softmax", "", ""),
        "dropout", &["layer dropout", "0.95"]),
    planted("dropout behind SELU",
        ("Flatten > Dense 100 selu lecun_normal > Dropout 0.1 > Dense 10 softmax", "", STANDARD),
        "selu", &["layer dropout", "AlphaDropout"]),
    planted("batch normalization behind SELU",
        ("Flatten > Dense 100 selu lecun_normal > BatchNormalization > Dense 10 softmax", "", STANDARD),
        "selu", &["layer batch_normalization", "normalizes itself"]),
    planted("SELU with skips",
        ("Flatten > { type = \"Dense\", name = \"a\", units = 50, activation = \"selu\", kernel_initializer = \"lecun_normal\" } > { type = \"Dense\", name = \"b\", units = 50, activation = \"selu\", kernel_initializer = \"lecun_normal\" } > { type = \"Add\", name = \"sum\", inputs = [\"a\", \"b\"] } > Dense 10 softmax", "", STANDARD),
        "selu", &["layer sum", "skip"]),
    planted("SELU with l1",
        ("Flatten > Dense 100 selu lecun_normal, kernel_regularizer = { type = \"L1\", l1 = 0.001 } > Dense 10 softmax", "", STANDARD),
        "selu", &["layer dense", "kernel_regularizer", "L1"]),
    planted("SELU on inputs that are not standardized",
        ("Flatten > Dense 100 selu lecun_normal > Dense 10 softmax", "", ""),
        "selu", &["layer dense", "mean", "Normalization"]),
    planted("AlphaDropout without SELU",
        ("Flatten > Dense 100 relu he_normal > AlphaDropout 0.2 > Dense 10 softmax", "", ""),
        "selu", &["layer alpha_dropout", "without SELU"]),
    planted("patience as long as the training",
        (GOOD, "epochs = 5", "callbacks.early_stopping = { patience = 15 }"),
        "patience", &["callbacks.early_stopping.patience", "15", "5"]),
    planted("a plateau that never comes",
        (GOOD, "epochs = 5", "callbacks.reduce_lr_on_plateau = { patience = 10 }"),
        "patience", &["callbacks.reduce_lr_on_plateau.patience", "never lowered"]),
    planted("1cycle up to 10",
        (GOOD, "optimizer = { type = \"SGD\", momentum = 0.9 }\nschedule = { type = \"OneCycle\", max_rate = 10 }", ""),
        "learning_rate", &["train.schedule", "OneCycle reaches a rate of 10"]),
    planted("a decay from 5",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = { type = \"ExponentialDecay\", initial_learning_rate = 5.0, decay_steps = 500, decay_rate = 0.1 } }", ""),
        "learning_rate", &["train.optimizer.learning_rate", "ExponentialDecay reaches a rate of 5"]),
    planted("a decay in steps that is meant in epochs",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = { type = \"ExponentialDecay\", initial_learning_rate = 0.01, decay_steps = 5, decay_rate = 0.1 } }", ""),
        "learning_rate", &["ten-thousandth", "decays too fast"]),
    planted("Adam at 0.05",
        (GOOD, "optimizer = { type = \"Adam\", learning_rate = 0.05 }", ""),
        "learning_rate", &["train.optimizer.learning_rate", "0.05 for Adam", "0.001"]),
    planted("SGD at 0.5 with momentum",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.5, momentum = 0.9 }", ""),
        "learning_rate", &["0.5 with momentum", "a rate of 5.0"]),
    planted("a rate that moves nothing",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 1e-9 }", ""),
        "learning_rate", &["hardly move"]),
    planted("Adam with l2",
        ("Flatten > Dense 100 relu he_normal, kernel_regularizer = { type = \"L2\", l2 = 0.01 } > Dense 10 softmax", "optimizer = \"adam\"", ""),
        "regularizer", &["layer dense", "Adam with an ℓ2 penalty", "AdamW"]),
    planted("AdamW with l2",
        ("Flatten > Dense 100 relu he_normal, kernel_regularizer = \"l2\" > Dense 10 softmax", "optimizer = \"adamw\"", ""),
        "regularizer", &["AdamW with an ℓ2 penalty"]),
    planted("l2 of 1",
        ("Flatten > Dense 100 relu he_normal, kernel_regularizer = { type = \"L2\", l2 = 1.0 } > Dense 10 softmax", "", ""),
        "regularizer", &["layer dense", "kernel_regularizer", "l2 = 1"]),
    planted("a norm that leaves nothing",
        ("Flatten > Dense 100 relu he_normal, kernel_constraint = { type = \"MaxNorm\", max_value = 0.01 } > Dense 10 softmax", "", ""),
        "regularizer", &["layer dense", "kernel_constraint", "0.01"]),
    planted("a weight decay that takes all",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.1, weight_decay = 0.5 }", ""),
        "regularizer", &["train.optimizer.weight_decay", "5%"]),
    planted("1cycle without momentum",
        (GOOD, "schedule = { type = \"OneCycle\", max_rate = 0.05 }", ""),
        "momentum", &["train.schedule", "momentum = 0.9"]),
    planted("Nesterov without momentum",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.01, nesterov = true }", ""),
        "momentum", &["train.optimizer.nesterov", "momentum = 0.9"]),
    planted("momentum without friction",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.001, momentum = 0.999 }", ""),
        "momentum", &["train.optimizer.momentum", "0.999"]),
    planted("clipping that leaves nothing",
        (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.01, clipnorm = 1e-6 }", ""),
        "clipping", &["train.optimizer.clipnorm", "1.0 is usual"]),
    planted("sorted rows that are not shuffled",
        (GOOD, "shuffle = false", "data.y = \"sorted.npy\"\ndata.validation = { fraction = 0.1, shuffle = true }"),
        "order", &["train.shuffle", "sorted", "class after class"]),
    planted("units that are dead from the start",
        ("Flatten > Dense 100 relu he_normal, bias_initializer = { type = \"Constant\", value = -10.0 } > Dense 10 softmax", "", ""),
        "dead_units", &["layer dense", "100 of 100 relu units"]),
    planted("softmax and a loss of logits",
        (GOOD, "loss = { type = \"SparseCategoricalCrossentropy\", from_logits = true }", ""),
        "output", &["layer dense_2", "softmax"]),
];

/// Configurations without a mistake: the chapter's own, then others.
#[rustfmt::skip]
const RIGHT: &[(&str, (&str, &str, &str))] = &[
    // The chapter's.
    ("leaky ReLU", ("Flatten > Dense 300 linear he_normal > LeakyReLU > Dense 100 linear he_normal > LeakyReLU > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.001 }", "")),
    ("PReLU", ("Flatten > Dense 300 linear he_normal > PReLU > Dense 100 linear he_normal > PReLU > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.001 }", "")),
    ("ELU, clipped", ("Flatten > Dense 300 elu he_normal > Dense 100 elu he_normal > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.01, clipvalue = 1.0 }", "")),
    ("SELU, 100 layers", ("Flatten > SELU*99 > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.001 }\nepochs = 5", STANDARD)),
    ("batch normalization after the activation", ("Flatten > BatchNormalization > Dense 300 relu he_normal > BatchNormalization > Dense 100 relu he_normal > BatchNormalization > Dense 10 softmax", "epochs = 2", "")),
    ("batch normalization before the activation", ("Flatten > Dense 300 linear he_normal, use_bias = false > BatchNormalization > Activation relu > Dense 100 linear he_normal, use_bias = false > BatchNormalization > Activation relu > Dense 10 softmax", "epochs = 2", "")),
    ("momentum", (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.001, momentum = 0.9 }", "")),
    ("Nesterov and clipnorm", (GOOD, "optimizer = { type = \"SGD\", learning_rate = 0.001, momentum = 0.9, nesterov = true, clipnorm = 1.0 }", "")),
    ("AdaGrad", (GOOD, "optimizer = { type = \"Adagrad\", learning_rate = 0.001 }", "")),
    ("RMSProp", (GOOD, "optimizer = { type = \"RMSprop\", learning_rate = 0.001, rho = 0.9 }", "")),
    ("Adam and Adamax", (GOOD, "optimizer = { type = \"Adamax\", learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999 }", "")),
    ("power scheduling, Nadam", (GOOD, "epochs = 25\noptimizer = { type = \"Nadam\", learning_rate = { type = \"InverseTimeDecay\", initial_learning_rate = 0.01, decay_steps = 10000, decay_rate = 1.0 } }", "")),
    ("exponential scheduling", (GOOD, "epochs = 25\noptimizer = { type = \"SGD\", learning_rate = { type = \"ExponentialDecay\", initial_learning_rate = 0.01, decay_steps = 2200, decay_rate = 0.1 } }", "")),
    ("performance scheduling", (GOOD, "epochs = 25\noptimizer = { type = \"SGD\", learning_rate = 0.02, momentum = 0.9 }", "callbacks.reduce_lr_on_plateau = { factor = 0.5, patience = 5 }")),
    ("1cycle", (GOOD, "epochs = 25\nbatch_size = 128\noptimizer = { type = \"SGD\", momentum = 0.9 }\nschedule = { type = \"OneCycle\", max_rate = 0.05 }", "")),
    ("l2", ("Flatten > Dense 300 elu he_normal, kernel_regularizer = { type = \"L2\", l2 = 0.01 } > Dense 100 elu he_normal, kernel_regularizer = { type = \"L2\", l2 = 0.01 } > Dense 10 softmax, kernel_regularizer = { type = \"L2\", l2 = 0.01 }", "epochs = 2\noptimizer = { type = \"Nadam\" }", "")),
    ("dropout", ("Flatten > Dropout 0.2 > Dense 100 relu he_normal > Dropout 0.2 > Dense 100 relu he_normal > Dropout 0.2 > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.01, momentum = 0.9 }", "")),
    ("alpha dropout", ("Flatten > AlphaDropout 0.2 > Dense 100 selu lecun_normal > AlphaDropout 0.2 > Dense 100 selu lecun_normal > AlphaDropout 0.2 > Dense 10 softmax", "epochs = 20\noptimizer = { type = \"SGD\", learning_rate = 0.01, momentum = 0.9, nesterov = true }", STANDARD)),
    ("Monte Carlo dropout", ("Flatten > MCDropout 0.2 > Dense 100 relu he_normal > MCDropout 0.2 > Dense 10 softmax", "optimizer = \"nadam\"", "")),
    ("max-norm", ("Flatten > Dense 300 selu lecun_normal, kernel_constraint = { type = \"MaxNorm\", max_value = 1.0 } > Dense 100 selu lecun_normal, kernel_constraint = { type = \"MaxNorm\", max_value = 1.0 } > Dense 10 softmax", "epochs = 2\noptimizer = { type = \"Nadam\" }", STANDARD)),
    ("piecewise constant", (GOOD, "epochs = 25\noptimizer = { type = \"Nadam\", learning_rate = { type = \"PiecewiseConstantDecay\", boundaries = [550, 1650], values = [0.01, 0.005, 0.001] } }", "")),
    // Others.
    ("early stopping", (GOOD, "epochs = 100\noptimizer = { type = \"Adam\", learning_rate = 0.001 }", "callbacks.early_stopping = { patience = 10, restore_best_weights = true }")),
    ("a hundred layers of ReLU", ("Flatten > RELU*99 > Dense 10 softmax", "optimizer = { type = \"SGD\", learning_rate = 0.001 }\nepochs = 5", STANDARD)),
    ("tanh with Glorot", ("Flatten > Dense 100 tanh > Dense 50 tanh glorot_normal > Dense 10 softmax", "", "")),
    ("swish with cosine decay", ("Flatten > Dense 100 swish he_normal > Dense 10 softmax", "optimizer = { type = \"AdamW\", weight_decay = 0.01, learning_rate = { type = \"CosineDecay\", initial_learning_rate = 0.001, decay_steps = 1000 } }", "")),
    ("a residual block that begins at zero", ("Flatten > { type = \"Dense\", name = \"a\", units = 50, activation = \"relu\", kernel_initializer = \"he_normal\" } > { type = \"Dense\", name = \"b\", units = 50, activation = \"relu\", kernel_initializer = \"he_normal\" } > { type = \"Dense\", name = \"c\", units = 50, kernel_initializer = \"zeros\" } > { type = \"Add\", inputs = [\"a\", \"c\"] } > Activation relu > Dense 10 softmax", "", "")),
    ("regression", ("Flatten > Dense 50 relu he_normal > Dense 1", "loss = \"mse\"\noptimizer = { type = \"RMSprop\", learning_rate = 0.001, momentum = 0.9 }", "data.y = \"price.npy\"")),
    ("a rate that is found", (GOOD, "optimizer = { type = \"SGD\", momentum = 0.9 }\nlearning_rate = \"auto\"\nschedule = { type = \"OneCycle\" }", "")),
    ("rows in their order", (GOOD, "shuffle = false", "")),
    ("layer normalization and GELU", ("Flatten > Dense 100 gelu he_normal > LayerNormalization > Dropout 0.1 > Dense 10 softmax", "optimizer = { type = \"Adam\", learning_rate = 0.001, global_clipnorm = 1.0 }", "")),
    ("logits", ("Flatten > Dense 100 relu he_normal > Dense 10", "loss = { type = \"SparseCategoricalCrossentropy\", from_logits = true }", "")),
];

/// The findings of a check, as (rule, text).
fn findings(place: &Place, text: &str) -> Vec<(String, String)> {
    place.write("run.toml", text);
    let said = place.run(&["check", "run.toml", "--json"]);
    assert_eq!(said.code, Some(0), "{text}\n{}{}", said.out, said.err);
    let object: Value = serde_json::from_str(&said.out).unwrap();
    let findings = object["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = findings.map(|f| {
        let place = text(&f["where"]["source"]);
        let all = format!("{place}: {}; {}", text(&f["found"]), text(&f["advice"]));
        (text(&f["check"]), all)
    });
    all.collect()
}

#[test]
fn each_planted_mistake_is_named_by_its_rule_and_place() {
    let place = Place::new();
    pictures(&place);
    assert!(PLANTED.len() >= 40);
    let mut wrong = Vec::new();
    for planted in PLANTED {
        let Planted {
            mistake,
            layers,
            train,
            rest,
            rule,
            words,
        } = planted;
        let found = findings(&place, &config(layers, train, rest));
        let named = found
            .iter()
            .any(|(check, text)| check == rule && words.iter().all(|word| text.contains(word)));
        let alone = found.iter().all(|(check, _)| check == rule);
        if !named || !alone {
            wrong.push((mistake, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_said_about_configurations_that_do_well() {
    let place = Place::new();
    pictures(&place);
    assert!(RIGHT.len() >= 25);
    let mut wrong = Vec::new();
    let selu = vec!["Dense 20 selu lecun_normal"; 99].join(" > ");
    for (name, (layers, train, rest)) in RIGHT {
        let layers = layers.replace("SELU*99", &selu);
        let layers = layers.replace("RELU*99", &selu.replace("selu lecun", "relu he"));
        let found = findings(&place, &config(&layers, train, rest));
        if !found.is_empty() {
            wrong.push((name, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
