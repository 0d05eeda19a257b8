//! The schema of a layer's table in a configuration.

use super::dtype::Dtype;
use super::layers::Layer;
use crate::base::json_schema::{self, OF};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// A table of `model.layers`: a layer, an input, or a layer that is used once more.
pub(crate) struct LayerTable;

/// The keys of every layer beside its arguments.
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Common {
    /// The layer's name, without `/`. Default its class in small letters: `dense`, `dense_1`, …
    #[schemars(length(min = 1), regex(pattern = "^[^/]*$"), extend("examples" = ["hidden"]))]
    name: Option<String>,
    /// False to freeze the layer: training leaves its weights as they are.
    #[schemars(extend("default" = true), extend("examples" = [false]))]
    trainable: Option<bool>,
    /// The names of the layers, or inputs, whose outputs it takes. Default the table before it.
    #[schemars(length(min = 1), extend("examples" = [["dense", "dense_1"]]))]
    inputs: Option<Vec<String>>,
}

/// An input of the model; a plain chain of layers needs none.
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Input {
    /// The name, by which `data.x` and `inputs` call it. Default `input_layer`.
    #[schemars(length(min = 1), regex(pattern = "^[^/]*$"), extend("examples" = ["left"]))]
    name: Option<String>,
    /// The sizes of a row. Default those of the data.
    #[schemars(extend("examples" = [[28, 28]]))]
    shape: Option<Vec<NonZeroUsize>>,
    /// The type of the numbers, or `"string"` for texts.
    #[schemars(extend("default" = Dtype::Float32), extend("examples" = ["string"]))]
    dtype: Option<Dtype>,
}

/// A layer that is used once more, with the same weights.
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Use {
    /// The name of the layer.
    #[serde(rename = "use")]
    #[schemars(extend("examples" = ["dense"]))]
    used: String,
    /// The name of the result. Default the layer's, numbered: `dense:1`.
    #[schemars(length(min = 1), regex(pattern = "^[^/]*$"), extend("examples" = ["again"]))]
    name: Option<String>,
    /// The names of the layers, or inputs, whose outputs it takes. Default the table before it.
    #[schemars(length(min = 1), extend("examples" = [["right"]]))]
    inputs: Option<Vec<String>>,
}

/// Layers of a saved model, with their weights: all of them, all but the last (`drop`), those up to
/// one (`until`), or one alone (`layer`).
#[derive(JsonSchema)]
#[allow(dead_code)]
struct Reuse {
    /// The path of the saved model, relative to the configuration's folder.
    #[schemars(extend("examples" = ["model_a.keras"]))]
    reuse: String,
    /// The number of layers at its end that are left out.
    #[schemars(extend("default" = 0), extend("examples" = [1]))]
    drop: Option<usize>,
    /// The name of the last layer that is taken. Default the model's last.
    #[schemars(extend("examples" = ["dense_3"]))]
    until: Option<String>,
    /// The name of the only layer that is taken. Default none.
    #[schemars(extend("examples" = ["dense_1"]))]
    layer: Option<String>,
    /// The name of the layers together, which stands before each layer's own: `a_dense`; or of the one
    /// layer. Default their own names.
    #[schemars(length(min = 1), regex(pattern = "^[^/]*$"), extend("examples" = ["a"]))]
    name: Option<String>,
    /// False to freeze them: training leaves their weights as they are. Default as saved.
    #[schemars(extend("examples" = [false]))]
    trainable: Option<bool>,
    /// The names of the layers, or inputs, whose outputs they take. Default the table before them.
    #[schemars(length(min = 1), extend("examples" = [["images"]]))]
    inputs: Option<Vec<String>>,
}

/// The classes of an input's table.
const INPUT: [&str; 2] = ["Input", "InputLayer"];

impl JsonSchema for LayerTable {
    fn schema_name() -> Cow<'static, str> {
        "Layer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let common = json_schema::properties(Common::json_schema(generator));
        let mut input = Input::json_schema(generator);
        json_schema::add_type(&mut input, &INPUT);
        let used = Use::json_schema(generator);
        let reuse = Reuse::json_schema(generator);
        let definitions = generator.definitions_mut();
        definitions.insert(format!("Layer{OF}Input"), input.to_value());
        definitions.insert(format!("Layer{OF}use"), used.to_value());
        definitions.insert(format!("Layer{OF}reuse"), reuse.to_value());
        let members = (Layer::MEMBERS, Layer::SCHEMAS);
        let layer = json_schema::family(generator, "Layer", "layer", members, &common);
        let mut hints = layer
            .get("anyOf")
            .and_then(|all| all.as_array()?.last())
            .cloned();
        if let Some(hints) = &mut hints {
            hints["required"] = json!([]);
            if let Some(types) = hints["properties"]["type"]["enum"].as_array_mut() {
                types.extend(INPUT.map(Into::into));
            }
        }
        json_schema!({
            "type": "object",
            "title": "layer",
            "if": { "required": ["use"] },
            "then": { "$ref": format!("#/$defs/Layer{OF}use") },
            "else": {
                "if": { "required": ["reuse"] },
                "then": { "$ref": format!("#/$defs/Layer{OF}reuse") },
                "else": {
                    "if": { "required": ["type"], "properties": { "type": { "enum": INPUT } } },
                    "then": { "$ref": format!("#/$defs/Layer{OF}Input") },
                    "else": layer,
                },
            },
            // For editors that do not look behind a condition.
            "anyOf": [hints],
        })
    }
}
