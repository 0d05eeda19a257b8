//! The quantization of a layer, which Keras has in its data type's policy and in an object of
//! quantizers.

use crate::artifacts::keras::objects::{Findings, object};
use crate::base::registry::Value;
use crate::error::join;
use crate::model::layers::Quantization;
use serde_json::{Map, json};

const POLICY: &str = "QuantizedDTypePolicy";

/// Puts a layer's mode into its arguments in Keras' form.
pub(super) fn write(mode: Quantization, config: &mut Map<String, Value>) {
    let policy = json!({ "mode": mode.name(), "source_name": "float32" });
    let policy = policy.as_object().cloned().unwrap_or_default();
    config.insert(
        "dtype".to_owned(),
        object("keras.dtype_policies", POLICY, policy),
    );
    let object = |class: &str, config: Value| {
        json!({
            "module": "keras.quantizers",
            "class_name": class,
            "config": config,
            "registered_name": null,
        })
    };
    let of_inputs = json!({ "value_range": [-127, 127], "epsilon": 1e-7, "output_dtype": "int8" });
    let quantizers = json!({
        "weight_quantizer": null,
        "activation_quantizer": object("AbsMaxQuantizer", of_inputs),
    });
    config.insert(
        "quantization_config".to_owned(),
        object("Int8QuantizationConfig", quantizers),
    );
}

/// The mode of a layer's policy, if gradus has it.
pub(super) fn mode(dtype: &Value) -> Option<Quantization> {
    let config = &dtype["config"];
    let is_int8 = dtype["class_name"] == POLICY
        && config["mode"] == "int8"
        && config["source_name"] == "float32";
    (is_int8 || *dtype == "int8_from_float32").then_some(Quantization::Int8)
}

/// The name of a policy with a mode: `int4/128_from_float32`.
pub(super) fn name(dtype: &Value) -> Option<String> {
    let part = |name: &str| dtype["config"][name].as_str();
    Some(format!("{}_from_{}", part("mode")?, part("source_name")?))
}

/// Takes the quantizers out of a quantized layer's arguments. Those of the weights have no effect
/// any more; those of the inputs must be Keras' default.
pub(super) fn take(at: &str, config: &mut Map<String, Value>, findings: &mut Findings) {
    let Some(found) = config.remove("quantization_config") else {
        return;
    };
    let of_inputs = &found["config"]["activation_quantizer"];
    let own = &of_inputs["config"];
    let near = |x: &Value, y: f64| x.as_f64().is_some_and(|x| (x - y).abs() <= 1e-6 * y.abs());
    let is_default = of_inputs["class_name"] == "AbsMaxQuantizer"
        && own["output_dtype"] == "int8"
        && near(&own["epsilon"], 1e-7)
        && near(&own["value_range"][0], -127.0)
        && near(&own["value_range"][1], 127.0);
    if !(found.is_null() || is_default) {
        let found = match of_inputs {
            Value::Null => "none",
            _ => "another one",
        };
        let problem = format!("found {found}, expected Keras' default, AbsMaxQuantizer to 127");
        let at = join(at, "quantization_config.activation_quantizer");
        findings.add(&at, problem);
    }
}
