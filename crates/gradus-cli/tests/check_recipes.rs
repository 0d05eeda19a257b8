//! Tests of checks of recipes and models, through the real binary: each finding has a case that
//! raises it, and a similar one that does not.

mod common;

use common::{Place, npy};
use gradus::artifacts::keras::{load_keras, save_keras};
use serde_json::Value;

/// A network on the digits, with some keys changed.
struct Recipe {
    data: &'static str,
    layers: String,
    train: &'static str,
    rest: &'static str,
}

const SOFTMAX: &str = "{ type = \"Dense\", units = 10, activation = \"softmax\" }";
const OPTIMIZER: &str = "optimizer = { type = \"SGD\", learning_rate = 0.01 }\n";
const SPARSE: &str = "loss = \"sparse_categorical_crossentropy\"\n";

impl Recipe {
    fn hidden(hidden: &str) -> Self {
        Recipe {
            data: "dataset = \"digits\"\nvalidation = { fraction = 0.1 }",
            layers: format!("{{ type = \"Flatten\" }}, {hidden}, {SOFTMAX}"),
            train: "epochs = 3\n",
            rest: "",
        }
    }

    /// The findings, as (check, severity).
    fn found(&self) -> Vec<(String, String)> {
        let place = Place::new();
        let (mut train, mut text) = (self.train.to_owned(), String::new());
        for (key, usual) in [("loss", SPARSE), ("optimizer", OPTIMIZER)] {
            if !train.lines().any(|line| line.starts_with(key)) {
                train += usual;
            }
        }
        text += &format!(
            "[data]\n{}\n[model]\nlayers = [{}]\n",
            self.data, self.layers
        );
        text += &format!("[train]\n{train}{}", self.rest);
        place.write("run.toml", text);
        found(&place.ok(&["check", "run.toml", "--json"]))
    }
}

fn found(json: &str) -> Vec<(String, String)> {
    let object: Value = serde_json::from_str(json).unwrap();
    let findings = object["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| (text(&finding["check"]), text(&finding["severity"])))
        .collect()
}

fn warnings(of: &[&str]) -> Vec<(String, String)> {
    of.iter()
        .map(|check| ((*check).to_owned(), "warning".to_owned()))
        .collect()
}

fn dense(units: usize, more: &str) -> String {
    format!("{{ type = \"Dense\", units = {units}{more} }}")
}

fn stack(layers: usize, more: &str) -> String {
    vec![dense(20, more); layers].join(", ")
}

#[test]
fn activations_go_with_their_initializers() {
    let of = |hidden: String| Recipe::hidden(&hidden).found();
    let relu = ", activation = \"relu\"";
    let he = ", activation = \"relu\", kernel_initializer = \"he_normal\"";
    assert_eq!(of(stack(6, relu)), warnings(&["initializer"]));
    assert_eq!(of(stack(6, he)), []);
    assert_eq!(of(stack(2, relu)), []);
    let normalized = format!("{}, {{ type = \"BatchNormalization\" }}", dense(20, relu));
    assert_eq!(of(vec![normalized; 6].join(", ")), []);
    let tanh = ", activation = \"tanh\"";
    assert_eq!(of(stack(6, tanh)), warnings(&["saturation"]));
    assert_eq!(of(stack(2, tanh)), []);
    let pretrained = Recipe {
        rest: "\n[pretrain]\ntype = \"autoencoder\"\ngreedy = true\n",
        ..Recipe::hidden(&stack(6, tanh))
    };
    assert_eq!(pretrained.found(), []);

    let standard = |hidden: &str| Recipe {
        data: "dataset = \"digits\"\nvalidation = { fraction = 0.1 }\nscale = \"standard\"",
        ..Recipe::hidden(hidden)
    };
    let selu = ", activation = \"selu\", kernel_initializer = \"lecun_normal\"";
    assert_eq!(standard(&stack(3, selu)).found(), []);
    assert_eq!(of(stack(3, selu)), warnings(&["selu"])); // its inputs
    let glorot = stack(3, ", activation = \"selu\"");
    assert_eq!(standard(&glorot).found(), warnings(&["initializer"]));
    let dropout =
        |class: &str| format!("{}, {{ type = \"{class}\", rate = 0.1 }}", dense(20, selu));
    assert_eq!(standard(&dropout("Dropout")).found(), warnings(&["selu"]));
    assert_eq!(standard(&dropout("AlphaDropout")).found(), []);
}

#[test]
fn layers_stand_where_they_should() {
    let of = |hidden: String| Recipe::hidden(&hidden).found();
    let relu = ", activation = \"relu\"";
    assert_eq!(
        of(dense(20, ", activation = \"softmax\"")),
        warnings(&["hidden_softmax"])
    );
    assert_eq!(of(dense(90, "")), warnings(&["linear_stack"]));
    assert_eq!(
        of(format!(
            "{}, {{ type = \"BatchNormalization\" }}, {{ type = \"Activation\", activation = \"relu\" }}",
            dense(90, ", use_bias = false")
        )),
        []
    );
    // A bottleneck, narrower than both sides.
    assert_eq!(of(format!("{}, {}", dense(8, ""), dense(20, relu))), []);

    let order = |first: &str, second: &str| {
        let layer = |class: &str| match class {
            "Dropout" => "{ type = \"Dropout\", rate = 0.2 }".to_owned(),
            class => format!("{{ type = \"{class}\" }}"),
        };
        of(format!(
            "{}, {}, {}",
            dense(20, relu),
            layer(first),
            layer(second)
        ))
    };
    assert_eq!(
        order("Dropout", "BatchNormalization"),
        warnings(&["batch_normalization"])
    );
    assert_eq!(order("BatchNormalization", "Dropout"), []);
    let batch = |train| Recipe {
        train,
        ..Recipe::hidden(&format!(
            "{}, {{ type = \"BatchNormalization\" }}",
            dense(20, relu)
        ))
    };
    assert_eq!(
        batch("epochs = 3\nbatch_size = 4\n").found(),
        warnings(&["batch_normalization"])
    );
    assert_eq!(batch("epochs = 3\nbatch_size = 8\n").found(), []);
}

#[test]
fn the_last_layer_goes_with_the_loss_and_the_targets() {
    let last = |last: &str, train: &'static str| Recipe {
        layers: format!("{{ type = \"Flatten\" }}, {last}"),
        train,
        ..Recipe::hidden("")
    };
    let logits =
        "loss = { type = \"SparseCategoricalCrossentropy\", from_logits = true }\nepochs = 3\n";
    assert_eq!(last(SOFTMAX, logits).found(), warnings(&["output"]));
    assert_eq!(last(&dense(10, ""), logits).found(), []);
    assert_eq!(last(&dense(10, ""), SPARSE).found(), warnings(&["output"]));
    assert_eq!(
        last(&dense(10, ", activation = \"relu\""), SPARSE).found(),
        warnings(&["output"])
    );
    let behind = format!("{}, {{ type = \"Softmax\" }}", dense(10, ""));
    assert_eq!(last(&behind, SPARSE).found(), []);
    // Two units without a class: a note.
    let note = vec![("output".to_owned(), "note".to_owned())];
    assert_eq!(
        last(&dense(12, ", activation = \"softmax\""), SPARSE).found(),
        note
    );
    let sigmoid = dense(1, ", activation = \"sigmoid\"");
    assert_eq!(
        last(&sigmoid, "loss = \"binary_crossentropy\"\n").found(),
        warnings(&["output"])
    );
    // Digits up to 9 as a regression target.
    assert_eq!(
        last(&sigmoid, "loss = \"mse\"\n").found(),
        warnings(&["output"])
    );
    assert_eq!(last(&dense(1, ""), "loss = \"mse\"\n").found(), []);
    assert_eq!(
        last(&dense(1, ", activation = \"relu\""), "loss = \"mse\"\n").found(),
        []
    );
}

#[test]
fn rates_and_callbacks_make_sense() {
    let with = |train, rest| Recipe {
        train,
        rest,
        ..Recipe::hidden(&dense(20, ", activation = \"relu\""))
    };
    let rate = |train| with(train, "").found();
    assert_eq!(
        rate("optimizer = { type = \"Adam\", learning_rate = 0.3 }\n"),
        warnings(&["learning_rate"])
    );
    assert_eq!(
        rate("optimizer = { type = \"Adam\", learning_rate = 0.01 }\n"),
        []
    );
    assert_eq!(
        rate("optimizer = { type = \"SGD\", learning_rate = 2.0 }\n"),
        warnings(&["learning_rate"])
    );
    assert_eq!(
        rate("optimizer = { type = \"SGD\", learning_rate = 0.3 }\n"),
        []
    );
    assert_eq!(
        rate("optimizer = { type = \"SGD\", learning_rate = 1e-9 }\n"),
        warnings(&["learning_rate"])
    );
    assert_eq!(rate("optimizer = \"adadelta\"\n"), []);
    let scheduled = "optimizer = { type = \"SGD\", learning_rate = 2.0 }\nschedule = { type = \"OneCycle\", max_rate = 0.05 }\n";
    // 1cycle's momentum needs an optimizer with one.
    assert_eq!(rate(scheduled), warnings(&["momentum"]));
    let scheduled = "optimizer = { type = \"SGD\", learning_rate = 2.0, momentum = 0.9 }\nschedule = { type = \"OneCycle\", max_rate = 0.05 }\n";
    assert_eq!(rate(scheduled), []);

    let patience =
        "[callbacks]\nearly_stopping = { patience = 5 }\nreduce_lr_on_plateau = { patience = 9 }\n";
    assert_eq!(
        with("epochs = 30\n", patience).found(),
        warnings(&["patience"])
    );
    let patience =
        "[callbacks]\nearly_stopping = { patience = 9 }\nreduce_lr_on_plateau = { patience = 5 }\n";
    assert_eq!(with("epochs = 30\n", patience).found(), []);
}

#[test]
fn far_more_weights_than_rows_want_something_against_them() {
    let wide = dense(600, ", activation = \"relu\"");
    let of = |hidden: &str, rest| {
        Recipe {
            rest,
            ..Recipe::hidden(hidden)
        }
        .found()
    };
    assert_eq!(of(&wide, ""), warnings(&["overfitting"]));
    assert_eq!(
        of(&format!("{wide}, {{ type = \"Dropout\", rate = 0.5 }}"), ""),
        []
    );
    assert_eq!(
        of(&wide, "[callbacks]\nearly_stopping = { patience = 2 }\n"),
        []
    );
    let regularized = dense(600, ", activation = \"relu\", kernel_regularizer = \"l2\"");
    assert_eq!(of(&regularized, ""), []);
    assert_eq!(of(&dense(60, ", activation = \"relu\""), ""), []);
}

#[test]
fn inputs_and_targets_are_of_order_1() {
    let place = Place::new();
    let write = |name: &str, columns: usize, number: &dyn Fn(usize, usize) -> f64| {
        let mut file = npy(&[200, columns]);
        file.truncate(file.len() - 800 * columns);
        for row in 0..200 {
            let all = (0..columns).map(|n| number(row, n) as f32);
            all.for_each(|x| file.extend(x.to_le_bytes()));
        }
        place.write(name, file);
    };
    let noise = |n: usize| {
        ((n as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1u64 << 24) as f64
    };
    let check = |scale: &str, normalization: &str| {
        let layers = format!(
            "{normalization}{}, {}",
            dense(8, ", activation = \"relu\""),
            dense(1, "")
        );
        let data = format!("x = \"x.npy\"\ny = \"y.npy\"\n{scale}");
        let text = format!(
            "[data]\n{data}\n[model]\nlayers = [{layers}]\n[train]\nloss = \"mse\"\n{OPTIMIZER}"
        );
        place.write("run.toml", text);
        found(&place.ok(&["check", "run.toml", "--json"]))
    };
    let y = |row: usize, _: usize| noise(row + 5000);
    write("y.npy", 1, &y);
    write("x.npy", 3, &|row, n| {
        noise(row * 3 + n) * [1.0, 3000.0, 1.0][n]
    });
    assert_eq!(check("", ""), warnings(&["unscaled_inputs"]));
    assert_eq!(check("scale = \"standard\"", ""), []);
    assert_eq!(check("", "{ type = \"Normalization\" }, "), []);
    write("x.npy", 3, &|row, n| noise(row * 3 + n) * 255.0);
    assert_eq!(check("", ""), warnings(&["unscaled_inputs"]));
    assert_eq!(check("scale = \"unit\"", ""), []);
    write("x.npy", 3, &|row, n| {
        noise(row * 3 + n) * [1.0, 20.0, 1.0][n]
    });
    assert_eq!(check("", ""), []);
    write("y.npy", 1, &|row, n| 1e5 * y(row, n));
    assert_eq!(check("", ""), warnings(&["unscaled_target"]));
    write("y.npy", 1, &|row, n| 30.0 * y(row, n));
    assert_eq!(check("", ""), []);
}

/// A network trained for a few epochs.
fn trained(place: &Place) {
    let layers = format!(
        "{{ type = \"Flatten\" }}, {}, {{ type = \"BatchNormalization\", name = \"norm\" }}, \
         {{ type = \"Dense\", name = \"out\", units = 10, activation = \"softmax\" }}",
        dense(16, ", name = \"hidden\", activation = \"relu\"")
    );
    let text = format!(
        "[data]\ndataset = \"digits\"\nvalidation = {{ fraction = 0.1 }}\n\
         [model]\nlayers = [{layers}]\n[train]\nepochs = 2\n{SPARSE}{OPTIMIZER}"
    );
    place.write("run.toml", text);
    place.ok(&["train", "run.toml", "--out", "run", "--quiet"]);
}

/// The model with one changed weight array.
fn with_weights(place: &Place, name: &str, change: impl Fn(usize, f32) -> f32) {
    let mut model = load_keras(place.path("run/model.keras")).unwrap();
    let (layer, weight) = name.split_once('/').unwrap();
    let layer = model.layers.iter_mut().find(|l| l.name == layer).unwrap();
    let weight = layer.weights.iter_mut().find(|w| w.name == weight).unwrap();
    let values = weight.values.iter_mut().enumerate();
    values.for_each(|(n, x)| *x = change(n, *x));
    save_keras(&model, place.path("changed.keras")).unwrap();
}

#[test]
fn a_model_is_looked_at_with_its_weights_and_data() {
    let place = Place::new();
    trained(&place);
    for more in [
        &["run"][..],
        &["run/model.keras"],
        &["run/model.keras", "--data", "digits:test"],
    ] {
        let out = place.ok(&[&["check"], more].concat());
        assert!(out.ends_with("nothing suspicious found\n"), "{out}");
    }
    let changed = |name: &str, change: &dyn Fn(usize, f32) -> f32| {
        with_weights(&place, name, change);
        let said = place.run(&["check", "changed.keras", "--json"]);
        (said.code, found(&said.out))
    };
    assert_eq!(changed("hidden/kernel", &|_, x| x), (Some(0), vec![]));
    let dead = changed("hidden/kernel", &|n, x| if n % 16 == 3 { 0.0 } else { x });
    assert_eq!(dead, (Some(0), warnings(&["dead_units"])));
    assert_eq!(
        changed("hidden/kernel", &|n, x| if n < 64 { 0.0 } else { x }),
        (Some(0), vec![])
    );
    assert_eq!(
        changed("hidden/kernel", &|_, x| x * 300.0),
        (Some(0), warnings(&["weight_scale"]))
    );
    assert_eq!(changed("hidden/kernel", &|_, x| x * 3.0), (Some(0), vec![]));
    let (code, findings) = changed("out/bias", &|n, x| if n == 4 { f32::NAN } else { x });
    assert_eq!(
        (code, &*findings[0].0, &*findings[0].1),
        (Some(2), "not_finite", "error")
    );
    let (code, findings) = changed("norm/moving_variance", &|_, x| -x);
    assert_eq!((code, &*findings[0].0), (Some(2), "moving_statistics"));

    place.write("x.npy", npy(&[20, 8, 8]));
    place.write("y.npy", npy(&[20]));
    let said = place.run(&["check", "run/model.keras", "--data", "x.npy,y.npy"]);
    assert_eq!(said.code, Some(2)); // one class
    assert!(
        said.out.contains("[one_class]") && said.out.contains("[constant]"),
        "{}",
        said.out
    );
    let message = place.mistake(&["check", "run/model.keras", "--set", "train.epochs=1"]);
    assert!(message.contains("--set"), "{message}");
    place.mistake(&["check", "nowhere.keras"]);
    place.mistake(&["check", "x.npy"]);
}

#[test]
fn units_that_are_never_active_are_counted_on_given_data() {
    let place = Place::new();
    trained(&place);
    let activity = |arguments: &[&str]| {
        let said = place.ok(&[&["check"], arguments, &["--json"]].concat());
        let object: Value = serde_json::from_str(&said).unwrap();
        let of = object["activity"][0].clone();
        let dead = of["never"].as_array().map_or(0, Vec::len);
        (of["layer"].clone(), of["units"].clone(), dead, found(&said))
    };
    // A bias that no row outweighs, in 6 of 16 units.
    with_weights(&place, "hidden/bias", |n, x| if n < 6 { -1e3 } else { x });
    let (layer, units, dead, findings) = activity(&["changed.keras", "--data", "digits:test"]);
    assert_eq!((layer, units), ("hidden".into(), 16.into()));
    assert!((6..12).contains(&dead), "{dead}");
    assert_eq!(findings, warnings(&["dead_units"]));
    let (.., dead, findings) = activity(&["run", "--data", "digits:test"]);
    assert!(dead < 5);
    assert_eq!(findings, []);
    // The initial weights of a configuration.
    let (.., dead, findings) = activity(&["run.toml", "--data", "digits:test"]);
    assert!(dead < 5);
    assert_eq!(findings, []);
    let bias = "{ type = \"Constant\", value = -9.0 }";
    let set = format!("model.layers[1].bias_initializer={bias}");
    let (.., dead, findings) = activity(&["run.toml", "--data", "digits:test", "--set", &set]);
    assert_eq!((dead, findings), (16, warnings(&["dead_units"])));
    let said = place.ok(&["check", "run.toml", "--set", &set]);
    assert!(said.contains("16 of 16 relu units"), "{said}");
    let said = place.ok(&[
        "check",
        "run.toml",
        "--set",
        "train.optimizer.learning_rate=3",
    ]);
    assert!(said.contains("[learning_rate]"), "{said}");
}

#[test]
fn a_recipe_has_patience_for_fewer_epochs_than_it_has() {
    let place = Place::new();
    for epochs in 2..6 {
        let text = format!(
            "[data]\ndataset = \"digits\"\nvalidation = {{ fraction = 0.1 }}\n\
             [model]\nrecipe = \"default\"\nhidden = [16]\n[train]\nepochs = {epochs}\n"
        );
        place.write("recipe.toml", text);
        let found = found(&place.ok(&["check", "recipe.toml", "--json"]));
        assert_eq!(found, [], "{epochs} epochs");
    }
}

#[test]
fn convolutions_are_looked_at_as_dense_layers_are() {
    let of = |hidden: &str| {
        let image = "{ type = \"Reshape\", target_shape = [8, 8, 1] }";
        let flat = "{ type = \"Flatten\" }";
        Recipe {
            layers: format!("{image}, {hidden}, {flat}, {SOFTMAX}"),
            ..Recipe::hidden("")
        }
        .found()
    };
    let conv =
        |more: &str| format!("{{ type = \"Conv2D\", filters = 6, padding = \"same\"{more} }}");
    let usual = conv(", kernel_size = 3, activation = \"relu\"");
    assert_eq!(of(&usual), []);
    let deep = vec![usual.clone(); 6].join(", ");
    assert_eq!(of(&deep), warnings(&["initializer"]));
    let linear = conv(", kernel_size = 3");
    assert_eq!(
        of(&format!("{linear}, {usual}")),
        warnings(&["linear_stack"])
    );
    let normalized = |bias: &str| {
        let linear = conv(&format!(", kernel_size = 3{bias}"));
        let rest = "{ type = \"BatchNormalization\" }, { type = \"ReLU\" }";
        of(&format!("{linear}, {rest}"))
    };
    let note = |check: &str| vec![(check.to_owned(), "note".to_owned())];
    assert_eq!(normalized(", use_bias = false"), []);
    assert_eq!(normalized(""), note("batch_normalization"));

    let kernel = |size: usize, pool: usize| {
        let kernel = conv(&format!(", kernel_size = {size}, activation = \"relu\""));
        of(&format!(
            "{{ type = \"MaxPooling2D\", pool_size = {pool} }}, {kernel}"
        ))
    };
    // On 2 × 2 pixels a kernel of 3 × 3 sees each from some place, one of 5 × 5 does not.
    assert_eq!(kernel(3, 4), []);
    assert_eq!(kernel(5, 4), warnings(&["kernel_size"]));
    assert_eq!(kernel(5, 2), []);

    let wide = |behind: &str| {
        let conv = "{ type = \"Conv2D\", filters = 24, kernel_size = 3, padding = \"same\", activation = \"relu\" }";
        let dense = dense(400, ", activation = \"relu\"");
        let layers = format!("{conv}, {{ type = \"{behind}\" }}, {dense}");
        Recipe {
            train: "epochs = 1\n",
            layers: format!(
                "{{ type = \"Reshape\", target_shape = [8, 8, 1] }}, {layers}, {SOFTMAX}"
            ),
            ..Recipe::hidden("")
        }
        .found()
    };
    assert_eq!(wide("Flatten"), note("flatten"));
    assert_eq!(wide("GlobalAveragePooling2D"), []);
}
