//! Random arguments of every layer of the registry, and the place that it can have.

use crate::random::Random;
use crate::windows;
use gradus::layers::{DenseTranspose, Layer, Normalization};
use gradus::rules::activations::Activation;
use gradus::rules::constraints::Constraint;
use gradus::rules::initializers::Initializer;
use gradus::rules::regularizers::Regularizer;
use serde_json::{Value, json};

/// A place for a layer in a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// On numbers of any shape.
    Anywhere,
    /// On images, of at least 2 x 2 pixels.
    Images,
    /// On sequences, of at least 2 steps.
    Sequences,
    /// On rows of one axis.
    Flat,
    /// On whole numbers from 0 to 3, as they are in the data.
    WholeNumbers,
    /// On an input of texts.
    Texts,
    /// On two tensors of one shape.
    Merge,
    /// On two vectors of one size.
    Vectors,
    /// Behind the dense layer `code` whose kernel of 5 inputs it shares.
    Tied,
}

/// The layer of that class with random arguments.
pub fn draw(class: &str, random: &mut Random) -> (Place, Layer) {
    let r = random;
    let (place, mut fields) = match class {
        "DenseTranspose" => return (Place::Tied, DenseTranspose::new(5, "code").into()),
        "Normalization" => {
            let given = Normalization::new().given([r.between(-1.0, 1.0)], [r.between(0.1, 2.0)]);
            return (Place::Anywhere, given.into());
        }
        _ => fields(class, r),
    };
    fields["type"] = class.into();
    let layer = Layer::from_config("", &fields);
    (
        place,
        layer.unwrap_or_else(|error| panic!("{fields}: {error}")),
    )
}

/// Its place and arguments. A new layer has none here, and is named by the test.
fn fields(class: &str, r: &mut Random) -> (Place, Value) {
    use Place::{Anywhere, Flat, Images, Merge, Texts, Vectors, WholeNumbers};
    let rate = r.below(10) as f64 / 10.0;
    let size = 1 + r.below(3);
    match class {
        "Activation" => (Anywhere, json!({ "activation": activation(r) })),
        "ActivityRegularization" => (Anywhere, json!({ "l1": rate / 10.0, "l2": rate / 20.0 })),
        "Add" | "Average" | "Maximum" | "Minimum" | "Multiply" | "Subtract" => (Merge, json!({})),
        "AlphaDropout" | "Dropout" | "GaussianDropout" | "MCAlphaDropout" | "MCDropout" => {
            let mut fields = json!({ "rate": rate });
            if class == "Dropout" && r.chance(3) {
                fields["noise_shape"] = json!([-1, if r.chance(2) { 1 } else { -1 }]);
                return (Vectors, fields);
            }
            (Anywhere, fields)
        }
        "BatchNormalization" | "LayerNormalization" => {
            let mut fields = json!({
                "center": !r.chance(4),
                "scale": !r.chance(4),
                "epsilon": r.between(1e-5, 1e-1),
                "gamma_initializer": r.one_of(&["ones", "random_uniform"]),
            });
            if class == "BatchNormalization" {
                fields["momentum"] = r.between(0.0, 0.99).into();
            }
            rules(&mut fields, &["gamma", "beta"], r);
            (Anywhere, fields)
        }
        "Cast" => (Anywhere, json!({ "dtype": "float32" })),
        "CategoryEncoding" => {
            let mode = r.one_of(&["multi_hot", "count"]);
            (
                WholeNumbers,
                json!({ "num_tokens": 4, "output_mode": mode }),
            )
        }
        class if windows::has(class) => windows::fields(class, r),
        "CenterCrop" | "RandomCrop" => (
            Images,
            json!({ "height": 1 + r.below(2), "width": 1 + r.below(2) }),
        ),
        "Concatenate" => (Merge, json!({ "axis": -1 })),
        "Dense" => {
            let mut fields = json!({
                "units": 1 + r.below(70),
                "activation": activation(r),
                "use_bias": !r.chance(4),
                "kernel_initializer": initializer(r),
            });
            rules(&mut fields, &["kernel", "bias"], r);
            (Anywhere, fields)
        }
        "Discretization" => (
            WholeNumbers,
            json!({ "bin_boundaries": &[0.5, 1.5, 2.5][..size] }),
        ),
        "Dot" => (Vectors, json!({ "axes": 1, "normalize": r.chance(2) })),
        "ELU" => (Anywhere, json!({ "alpha": r.between(0.1, 2.0) })),
        "Embedding" => {
            let mut fields = json!({ "input_dim": 4 + r.below(3), "output_dim": 1 + r.below(20) });
            rules(&mut fields, &["embeddings"], r);
            (WholeNumbers, fields)
        }
        "Flatten" | "Isnan" => (Anywhere, json!({})),
        "GaussianNoise" => (Anywhere, json!({ "stddev": rate })),
        "GroupNormalization" => {
            let mut fields = json!({
                "groups": if r.chance(2) { 1 } else { -1 },
                "center": !r.chance(4),
                "scale": !r.chance(4),
            });
            rules(&mut fields, &["gamma", "beta"], r);
            (Images, fields)
        }
        "Hashing" => (WholeNumbers, json!({ "num_bins": size + 1 })),
        "IntegerLookup" => {
            let mode = r.one_of(&["int", "multi_hot", "count"]);
            let vocabulary = &[2, 0, 1][..size];
            (
                WholeNumbers,
                json!({ "vocabulary": vocabulary, "output_mode": mode }),
            )
        }
        "LeakyReLU" => (Anywhere, json!({ "negative_slope": rate })),
        "NanToNum" => (Anywhere, json!({ "nan": rate })),
        "PReLU" => (Anywhere, json!({ "alpha_initializer": initializer(r) })),
        "Permute" => {
            let orders = [[1, 2, 3], [2, 1, 3], [3, 1, 2], [2, 3, 1]];
            (Images, json!({ "dims": orders[r.below(orders.len())] }))
        }
        "RReLU" => (
            Anywhere,
            json!({ "lower": rate / 4.0, "upper": rate / 4.0 + 0.2 }),
        ),
        "RandomBrightness" | "RandomContrast" => (
            Images,
            json!({ "factor": rate, "value_range": [-3.0, 3.0] }),
        ),
        "RandomErasing" => (Images, json!({ "factor": rate, "fill_value": 0.25 })),
        "RandomFlip" => {
            let modes = ["horizontal", "vertical", "horizontal_and_vertical"];
            (Images, json!({ "mode": r.one_of(&modes) }))
        }
        "RandomRotation" => (Images, json!({ "factor": rate, "fill_mode": fill_mode(r) })),
        "RandomTranslation" => {
            let fields = json!({ "height_factor": rate, "width_factor": [-0.1, rate],
                "fill_mode": fill_mode(r), "interpolation": r.one_of(&["nearest", "bilinear"]) });
            (Images, fields)
        }
        "RandomZoom" => (
            Images,
            json!({ "height_factor": rate, "fill_mode": fill_mode(r) }),
        ),
        "ReLU" => {
            let fields = json!({ "negative_slope": rate, "threshold": rate / 2.0,
                "max_value": if r.chance(2) { json!(6.0) } else { json!(null) } });
            (Anywhere, fields)
        }
        "RepeatVector" => (Flat, json!({ "n": size })),
        "Rescaling" => (
            Anywhere,
            json!({ "scale": r.between(-2.0, 2.0), "offset": rate }),
        ),
        "Reshape" => (Anywhere, json!({ "target_shape": [1, -1] })),
        "Resizing" => {
            let ways = ["bilinear", "nearest", "bicubic", "lanczos3"];
            let fields = json!({ "height": 1 + r.below(6), "width": 1 + r.below(6),
                "interpolation": r.one_of(&ways) });
            (Images, fields)
        }
        "Softmax" => (Anywhere, json!({})),
        "StringLookup" => {
            let mode = r.one_of(&["one_hot", "multi_hot", "count"]);
            (
                Texts,
                json!({ "vocabulary": &["b", "c", "d"][..size], "output_mode": mode }),
            )
        }
        _ => panic!("{class} has no random arguments"),
    }
}

fn fill_mode(r: &mut Random) -> &'static str {
    r.one_of(&["constant", "nearest", "reflect", "wrap"])
}

/// The name of a member of a family.
macro_rules! name {
    ($family:ident, $random:expr) => {{
        let member = &$family::MEMBERS[$random.below($family::MEMBERS.len())];
        member.aliases.first().copied().unwrap_or(member.class)
    }};
}

/// An activation that needs no arguments.
pub fn activation(r: &mut Random) -> &'static str {
    loop {
        let name = name!(Activation, r);
        if name != "threshold" {
            return name;
        }
    }
}

/// An initializer that makes numbers of order 1, of any shape.
pub fn initializer(r: &mut Random) -> &'static str {
    loop {
        let name = name!(Initializer, r);
        if !["identity", "zeros", "constant", "stft", "orthogonal"].contains(&name) {
            return name;
        }
    }
}

/// Gives some of the variables a regularizer and a constraint.
pub fn rules(fields: &mut Value, variables: &[&str], r: &mut Random) {
    for variable in variables {
        if r.chance(5) {
            fields[format!("{variable}_regularizer")] = name!(Regularizer, r).into();
        }
        if r.chance(6) {
            fields[format!("{variable}_constraint")] = name!(Constraint, r).into();
        }
    }
}
