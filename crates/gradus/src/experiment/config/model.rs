//! `[model]`: the layers to train.

use super::{excluded, problem_at, text_of, truth, whole};
use crate::base::json_schema;
use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result};
use crate::model::{LayerTable, Recipe, Style};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// `[model]`, read.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The origin of the layers.
    pub source: Source,
    /// The names of the output layers, if the layers are no plain chain.
    pub outputs: Option<Vec<String>>,
    /// Layers to freeze or unfreeze: patterns of their names, the later key wins.
    pub trainable: Vec<(String, bool)>,
}

/// The origin of a model's layers.
#[derive(Clone, Debug)]
pub enum Source {
    /// A saved model with its weights.
    File(String),
    /// One table for each layer.
    Layers(Vec<Value>),
    /// A recipe, fitted to the data.
    Recipe(NamedRecipe),
}

/// A recipe's name, and its keys that are given.
#[derive(Clone, Debug)]
pub struct NamedRecipe {
    name: String,
    hidden: Option<Vec<usize>>,
    blocks: Option<usize>,
    flip: Option<bool>,
}

impl NamedRecipe {
    /// Makes the recipe for that number of training rows, of a table or of other data.
    pub fn of(&self, rows: usize, of_table: bool) -> Result<Recipe> {
        let named = Recipe::named(&self.name, rows, of_table);
        let mut recipe = named.map_err(|error| error.under("model"))?;
        if let Some(units) = &self.hidden {
            recipe = recipe.hidden(units);
        }
        recipe.blocks = self.blocks.unwrap_or(recipe.blocks);
        recipe.flip = self.flip.unwrap_or(recipe.flip);
        Ok(recipe)
    }
}

/// The layers to train: one of `layers`, `recipe` and `file`.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Model", default)]
pub(super) struct Raw {
    /// The layers, a table for each, from input to output. Default none.
    #[schemars(with = "Option<Vec<LayerTable>>", length(min = 1))]
    #[schemars(extend("examples" = [[{ "type": "Flatten" }, { "type": "Dense", "units": 10, "activation": "softmax" }]]))]
    layers: Option<Value>,
    /// The names of the output layers, with `layers`. Default the last layer.
    #[schemars(with = "Option<Vec<String>>", length(min = 1), extend("examples" = [["price", "kind"]]))]
    outputs: Option<Value>,
    /// A default network that is fitted to the data. Default none.
    #[schemars(schema_with = "recipes", extend("examples" = ["default"]))]
    recipe: Option<Value>,
    /// The units of each hidden layer of the recipe; the filters of each stage of `"cnn"`. Default
    /// [300, 100]; for a table by its number of rows, of `"cnn"` by the size of the images.
    #[schemars(with = "Option<Vec<NonZeroUsize>>", extend("examples" = [[300, 100]]))]
    hidden: Option<Value>,
    /// The residual blocks of the recipe `"fixup"`, or of each stage of `"cnn"`, two layers each.
    /// Default 25 and 1.
    #[schemars(with = "Option<NonZeroUsize>", extend("examples" = [49]))]
    blocks: Option<Value>,
    /// True to mirror images left to right at random in training, of the recipe `"cnn"`: not for
    /// letters, digits, or what else has a left and a right. Default false.
    #[schemars(with = "Option<bool>", extend("examples" = [true]))]
    flip: Option<Value>,
    /// The path of a saved model (`.keras`), which is trained on, weights and all. Default none.
    #[schemars(with = "Option<String>", extend("examples" = ["model.keras"]))]
    file: Option<Value>,
    /// Layers that are frozen (false) or trained (true): patterns of their names, in which `*` stands
    /// for any text. The later key wins. Default as saved, else all are trained.
    #[schemars(with = "Option<BTreeMap<String, bool>>", extend("examples" = [{ "dense_1": false }]))]
    trainable: Option<Value>,
}

fn recipes(_: &mut SchemaGenerator) -> Schema {
    let meanings = [
        "ELU with He initialization, Nesterov momentum, 1cycle, early stopping, and batch normalization if \
         there are three hidden layers or more; for a table AdamW and dropout, in a size that its rows allow",
        "SELU, LeCun initialization, and inputs that are standardized",
        "a deep residual network without normalization, by Fixup's initialization; not for tables",
        "for images: a small residual network of convolutions with He initialization, batch normalization, Nesterov \
         momentum with weight decay, 1cycle, early stopping, and images that are moved a little",
    ];
    json_schema::words(Recipe::NAMES.into_iter().zip(meanings))
}

impl ModelConfig {
    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let key = |key: &str| format!("{at}.{key}");
        let given = [
            ("file", raw.file.is_some()),
            ("layers", raw.layers.is_some()),
            ("recipe", raw.recipe.is_some()),
        ];
        let given: Vec<String> = given.iter().filter(|g| g.1).map(|g| key(g.0)).collect();
        if let [a, b, ..] = &given[..] {
            return Err(excluded(a, b, "each says what the layers are"));
        }
        let keys = [
            ("hidden", &raw.hidden),
            ("blocks", &raw.blocks),
            ("flip", &raw.flip),
        ];
        for (name, value) in keys {
            if value.is_some() && raw.recipe.is_none() {
                let problem = "belongs to `model.recipe`, which is not there";
                return Err(problem_at(&key(name), problem));
            }
        }
        if raw.outputs.is_some() && raw.layers.is_none() {
            let problem = "belongs to `model.layers`, which is not there";
            return Err(problem_at(&key("outputs"), problem));
        }
        let outputs = raw.outputs.map(|o| read_outputs(&key("outputs"), &o));
        let outputs = outputs.transpose()?;
        let source = if let Some(file) = raw.file {
            Source::File(text_of(&key("file"), &file, "the path of a .keras file")?)
        } else if let Some(layers) = raw.layers {
            Source::Layers(read_layers(&key("layers"), &layers)?)
        } else if let Some(recipe) = raw.recipe {
            let name = text_of(&key("recipe"), &recipe, "the name of a recipe")?;
            let hidden = raw
                .hidden
                .map(|hidden| read_hidden(&key("hidden"), &hidden));
            let recipe = Recipe::named(&name, 0, false).map_err(|e| e.under(at))?;
            if raw.blocks.is_some() && recipe.blocks == 0 {
                let problem =
                    "belongs to the recipes \"fixup\" and \"cnn\": others have no residual blocks";
                return Err(problem_at(&key("blocks"), problem));
            }
            if raw.flip.is_some() && recipe.style != Style::Convolutional {
                let problem = "belongs to the recipe \"cnn\": others change no images";
                return Err(problem_at(&key("flip"), problem));
            }
            let blocks = raw.blocks.map(|blocks| whole(&key("blocks"), &blocks, 1));
            let flip = raw.flip.map(|flip| truth(&key("flip"), &flip));
            Source::Recipe(NamedRecipe {
                name,
                hidden: hidden.transpose()?,
                blocks: blocks.transpose()?,
                flip: flip.transpose()?,
            })
        } else {
            let problem = "says nothing of the layers: give `recipe` (\"default\" to begin with), `layers` or `file`";
            return Err(problem_at(at, problem));
        };
        let trainable = match raw.trainable {
            None => Vec::new(),
            Some(patterns) => table(&key("trainable"), &patterns)?
                .iter()
                .map(|(pattern, value)| {
                    let at = format!("{}.{pattern}", key("trainable"));
                    Ok((pattern.clone(), truth(&at, value)?))
                })
                .collect::<Result<_>>()?,
        };
        Ok(ModelConfig {
            source,
            outputs,
            trainable,
        })
    }
}

fn read_layers(at: &str, value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(layers) if !layers.is_empty() => Ok(layers.clone()),
        Value::Array(_) => Err(Error::invalid(at, "no layers", "at least one")),
        other => Err(Error::invalid(at, other, "a list of layers")),
    }
}

fn read_outputs(at: &str, value: &Value) -> Result<Vec<String>> {
    let names = value.as_array().filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| Error::invalid(at, value, "a list of layers' names"))?;
    let names = names.iter().enumerate();
    names
        .map(|(i, name)| text_of(&format!("{at}[{i}]"), name, "a layer's name"))
        .collect()
}

fn read_hidden(at: &str, value: &Value) -> Result<Vec<usize>> {
    let Value::Array(units) = value else {
        return Err(Error::invalid(at, value, "a list of whole numbers"));
    };
    let units = units.iter().enumerate();
    units
        .map(|(i, units)| whole(&format!("{at}[{i}]"), units, 1))
        .collect()
}
