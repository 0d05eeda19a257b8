//! Random arguments of layers of windows: convolutions, pooling, and what stands beside them.

use crate::arguments::{Place, activation, initializer, rules};
use crate::random::Random;
use serde_json::{Value, json};

/// The classes, without `1D` or `2D`.
const CLASSES: [&str; 12] = [
    "AveragePooling",
    "Conv",
    "Cropping",
    "DepthwiseConv",
    "GlobalAveragePooling",
    "GlobalMaxPooling",
    "MaxPooling",
    "SeparableConv",
    "SpatialDropout",
    "Transpose",
    "UpSampling",
    "ZeroPadding",
];

/// The name without its rank, and the rank: a transposed convolution's stands before its end.
fn parted(class: &str) -> Option<(&str, usize)> {
    let (name, rank) = match class {
        "Conv1DTranspose" => ("Transpose", 1),
        "Conv2DTranspose" => ("Transpose", 2),
        _ => match (class.strip_suffix("1D"), class.strip_suffix("2D")) {
            (Some(name), _) => (name, 1),
            (_, Some(name)) => (name, 2),
            _ => return None,
        },
    };
    CLASSES.contains(&name).then_some((name, rank))
}

/// True of a layer of windows.
pub fn has(class: &str) -> bool {
    parted(class).is_some()
}

/// Its place and arguments.
pub fn fields(class: &str, r: &mut Random) -> (Place, Value) {
    let (name, rank) = parted(class).unwrap_or(("", 0));
    let mut fields = json!({});
    let mut each = |least: usize, most: usize| -> Value {
        let one = least + r.below(most - least + 1);
        // Depthwise kernels have the same strides along both axes, as in Keras.
        match rank == 2 && name != "DepthwiseConv" && r.chance(2) {
            true => json!([one, least + r.below(most - least + 1)]),
            false => json!(one),
        }
    };
    match name {
        "Conv" | "DepthwiseConv" | "SeparableConv" | "Transpose" => {
            fields["kernel_size"] = each(1, 3);
            fields["strides"] = each(1, 2);
            let kernels: &[&str] = match name {
                "DepthwiseConv" => &["depthwise"],
                "SeparableConv" => &["depthwise", "pointwise"],
                _ => &["kernel"],
            };
            if name != "DepthwiseConv" {
                fields["filters"] = (1 + r.below(20)).into();
            }
            if name == "DepthwiseConv" || name == "SeparableConv" {
                fields["depth_multiplier"] = (1 + r.below(2)).into();
            }
            fields["activation"] = activation(r).into();
            fields["use_bias"] = (!r.chance(4)).into();
            for kernel in kernels {
                fields[format!("{kernel}_initializer")] = initializer(r).into();
            }
            rules(&mut fields, &[kernels, &["bias"]].concat(), r);
        }
        "AveragePooling" | "MaxPooling" => fields["pool_size"] = each(1, 2),
        "Cropping" => fields["cropping"] = json!(r.below(2)),
        "ZeroPadding" => fields["padding"] = json!(r.below(3)),
        "UpSampling" => fields["size"] = json!(1 + r.below(2)),
        "SpatialDropout" => fields["rate"] = (r.below(10) as f64 / 10.0).into(),
        _ => fields["keepdims"] = r.chance(2).into(),
    }
    if !["Cropping", "ZeroPadding", "UpSampling", "SpatialDropout"].contains(&name)
        && !name.starts_with("Global")
    {
        let ways: &[&str] = match class {
            "Conv1D" => &["same", "valid", "causal"],
            _ => &["same", "valid"],
        };
        fields["padding"] = r.one_of(ways).into();
    }
    let place = match rank {
        1 => Place::Sequences,
        _ => Place::Images,
    };
    (place, fields)
}
