//! `[pretrain]`: a task for the first layers before the training, mostly without labels.

use super::{excluded, problem_at, text_of, truth, whole};
use crate::base::json_schema;
use crate::base::registry::{Value, read, table};
use crate::data::{DataConfig, Dataset, Purpose, ScaleName, Schema};
use crate::error::{Error, Result, join};
use crate::model::layers::Layer;
use crate::model::{LayerTable, Model};
use crate::rules::losses::Loss;
use crate::rules::optimizers::Optimizer;
use crate::train::{
    Autoencoder, Course, History, MaskedFeatures, PretrainOptions, Pretraining, Rbm, Siamese,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, json};
use std::num::NonZeroUsize;
use std::path::Path;

/// `[pretrain]`, read.
#[derive(Clone, Debug)]
pub struct PretrainConfig {
    task: Task,
    /// Separate rows; by default, the training rows of `[data]`.
    data: Option<DataConfig>,
}

#[derive(Clone, Debug)]
enum Task {
    Autoencoder(Autoencoder),
    MaskedFeatures(MaskedFeatures),
    Siamese(Siamese),
    Rbm(Rbm),
}

impl Task {
    fn kind(&self) -> &dyn Pretraining {
        match self {
            Task::Autoencoder(task) => task,
            Task::MaskedFeatures(task) => task,
            Task::Siamese(task) => task,
            Task::Rbm(task) => task,
        }
    }
}

const KINDS: [&str; 4] = ["autoencoder", "masked_features", "siamese", "rbm"];

/// Keys of some tasks only, and the tasks that have them.
const KEYS: [(&str, &[&str]); 15] = [
    ("optimizer", &["autoencoder", "masked_features", "siamese"]),
    ("loss", &["autoencoder"]),
    ("noise", &["autoencoder", "siamese"]),
    ("dropout", &["autoencoder"]),
    ("sparsity", &["autoencoder"]),
    ("greedy", &["autoencoder"]),
    ("tied", &["autoencoder"]),
    ("augment", &["siamese"]),
    ("rate", &["masked_features"]),
    ("triplets", &["siamese"]),
    ("margin", &["siamese"]),
    ("learning_rate", &["rbm"]),
    ("momentum", &["rbm"]),
    ("weight_decay", &["rbm"]),
    ("k", &["rbm"]),
];

/// A task for the first layers before the training.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Pretrain", default)]
pub(super) struct Raw {
    /// The task. Default none: it is required.
    #[serde(rename = "type")]
    #[schemars(schema_with = "kinds", extend("examples" = ["autoencoder"]))]
    type_: Option<String>,
    /// The earlier name of `type`. Default none.
    #[schemars(schema_with = "kinds", extend("examples" = ["autoencoder"]))]
    kind: Option<String>,
    /// Rows of their own to learn from, with the keys of `[data]`. Default the rows to train on.
    #[schemars(with = "DataConfig", extend("examples" = [{ "x": "unlabelled.npy" }]))]
    data: Option<Value>,
    /// The last layer to pretrain. Default the one before the last `Dense` layer.
    #[schemars(with = "Option<String>", extend("examples" = ["dense_1"]))]
    until: Option<Value>,
    /// Epochs; with `greedy`, of each layer.
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = PretrainOptions::default().epochs))]
    #[schemars(extend("examples" = [20]))]
    epochs: Option<Value>,
    /// Rows of a batch, or pairs or triplets of rows.
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = PretrainOptions::default().batch_size))]
    #[schemars(extend("examples" = [64]))]
    batch_size: Option<Value>,
    /// The optimizer of the auxiliary network. Default `"nadam"`.
    #[schemars(with = "Optimizer", extend("examples" = ["adam"]))]
    optimizer: Option<Value>,
    /// autoencoder: the distance of the output from the input.
    #[schemars(with = "Loss", extend("default" = Autoencoder::new().loss), extend("examples" = ["binary_crossentropy"]))]
    loss: Option<Value>,
    /// autoencoder: the deviation of noise that is added to the input, but not to the target.
    /// siamese: the deviation of the noise that makes two versions of a row, labels being ignored.
    /// Default none.
    #[schemars(extend("examples" = [0.2]))]
    noise: Option<f64>,
    /// autoencoder: the dropout rate of the inputs, which are to be reconstructed.
    #[schemars(extend("default" = Autoencoder::new().dropout), extend("examples" = [0.3]))]
    dropout: Option<f64>,
    /// autoencoder: the cost of the code's absolute values in the loss.
    #[schemars(extend("default" = Autoencoder::new().sparsity), extend("examples" = [0.001]))]
    sparsity: Option<f64>,
    /// autoencoder: true to train one layer after the other.
    #[schemars(with = "Option<bool>", extend("default" = Autoencoder::new().greedy), extend("examples" = [true]))]
    greedy: Option<Value>,
    /// autoencoder: true if each layer of the decoder uses the kernel of the encoder's, turned.
    #[schemars(with = "Option<bool>", extend("default" = Autoencoder::new().tied), extend("examples" = [true]))]
    tied: Option<Value>,
    /// siamese: layers that make two versions of an image, labels being ignored. Default none.
    #[schemars(schema_with = "augment_schema")]
    #[schemars(extend("examples" = [[{ "type": "RandomTranslation", "height_factor": 0.1, "width_factor": 0.1 }]]))]
    augment: Option<Vec<Value>>,
    /// masked_features: the share of the features that is masked, above 0 and below 1.
    #[schemars(extend("default" = MaskedFeatures::new().rate), extend("examples" = [0.2]))]
    rate: Option<f64>,
    /// siamese: true if each row is seen with a like and with another one at once, false for one of the
    /// two.
    #[schemars(with = "Option<bool>", extend("default" = Siamese::new().triplets), extend("examples" = [true]))]
    triplets: Option<Value>,
    /// siamese: the distance that others are to keep.
    #[schemars(extend("default" = Siamese::new().margin), extend("examples" = [0.5]))]
    margin: Option<f64>,
    /// rbm: the learning rate of contrastive divergence.
    #[schemars(extend("default" = Rbm::new().learning_rate), extend("examples" = [0.05]))]
    learning_rate: Option<f64>,
    /// rbm: the momentum after the first five epochs, in which it is 0.5.
    #[schemars(extend("default" = Rbm::new().momentum), extend("examples" = [0.8]))]
    momentum: Option<f64>,
    /// rbm: the weight decay of the kernel, which the learning rate multiplies.
    #[schemars(extend("default" = Rbm::new().weight_decay), extend("examples" = [0.001]))]
    weight_decay: Option<f64>,
    /// rbm: the number of reconstructions of a step (CD-k).
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = Rbm::new().k), extend("examples" = [3]))]
    k: Option<Value>,
}

/// A layer without arguments may be given by its name alone.
fn augment_schema(generator: &mut SchemaGenerator) -> schemars::Schema {
    let layer = generator.subschema_for::<LayerTable>();
    let layer = json_schema::table_or(layer, &json!({ "type": "string" }));
    schemars::json_schema!({ "type": "array", "items": layer })
}

fn kinds(_: &mut SchemaGenerator) -> schemars::Schema {
    let meanings = [
        "the layers learn to encode the input: a decoder is appended, and both reconstruct it",
        "some features of each row are hidden, and predicted from the others",
        "rows of a class, or two versions of a row, come to lie near each other",
        "sigmoid layers learn as a stack of restricted Boltzmann machines",
    ];
    json_schema::words(KINDS.into_iter().zip(meanings))
}

/// The layers of a list.
fn layers(at: &str, list: Vec<Value>) -> Result<Vec<Layer>> {
    let read =
        |(n, layer): (usize, &Value)| Layer::from_config(&join(at, &format!("[{n}]")), layer);
    list.iter().enumerate().map(read).collect()
}

impl PretrainConfig {
    /// True if its rows are not those of the training.
    pub fn has_own_rows(&self) -> bool {
        self.data.is_some()
    }

    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let fields = table(at, value)?;
        let raw: Raw = read(at, fields.clone())?;
        let key = |key: &str| join(at, key);
        let (name, kind) = match (raw.type_, raw.kind) {
            (Some(_), Some(_)) => {
                let why = "the second is the first's earlier name";
                return Err(excluded(&key("type"), &key("kind"), why));
            }
            (Some(name), None) => ("type", name),
            (None, Some(name)) => ("kind", name),
            (None, None) => {
                let problem = format!("missing: one of {}", KINDS.join(", "));
                return Err(problem_at(&key("type"), &problem));
            }
        };
        let kind = kind.as_str();
        if !KINDS.contains(&kind) {
            return Err(Error::unknown(&key(name), "pretraining", kind, KINDS));
        }
        for (name, kinds) in KEYS {
            if fields.contains_key(name) && !kinds.contains(&kind) {
                let of = kinds.join(" and ");
                let problem = format!("is a key of {of}, and the type is {kind}");
                return Err(problem_at(&key(name), &problem));
            }
        }
        let until = raw
            .until
            .map(|until| text_of(&key("until"), &until, "a layer's name"));
        let until = until.transpose()?;
        let count = |name: &str, value: Option<Value>, usual| match value {
            Some(value) => whole(&key(name), &value, 1),
            None => Ok(usual),
        };
        let optimizer = raw
            .optimizer
            .map(|o| Optimizer::from_config(&key("optimizer"), &o));
        let optimizer = optimizer.transpose()?;
        let usual = PretrainOptions::default();
        let options = PretrainOptions {
            until,
            epochs: count("epochs", raw.epochs, usual.epochs)?,
            batch_size: count("batch_size", raw.batch_size, usual.batch_size)?,
            optimizer: optimizer.unwrap_or(usual.optimizer),
        };
        let flag = |name: &str, value: Option<Value>| match value {
            Some(value) => truth(&key(name), &value),
            None => Ok(false),
        };
        let task = match kind {
            "autoencoder" => {
                let usual = Autoencoder::new();
                Task::Autoencoder(Autoencoder {
                    options,
                    loss: match raw.loss {
                        Some(loss) => Loss::from_config(&key("loss"), &loss)?,
                        None => usual.loss,
                    },
                    noise: raw.noise.unwrap_or(usual.noise),
                    dropout: raw.dropout.unwrap_or(usual.dropout),
                    sparsity: raw.sparsity.unwrap_or(usual.sparsity),
                    greedy: flag("greedy", raw.greedy)?,
                    tied: flag("tied", raw.tied)?,
                })
            }
            "siamese" => {
                let usual = Siamese::new();
                Task::Siamese(Siamese {
                    options,
                    triplets: flag("triplets", raw.triplets)?,
                    margin: raw.margin.unwrap_or(usual.margin),
                    noise: raw.noise,
                    augment: layers(&key("augment"), raw.augment.unwrap_or_default())?,
                })
            }
            "rbm" => {
                let usual = Rbm::new();
                Task::Rbm(Rbm {
                    until: options.until,
                    epochs: options.epochs,
                    batch_size: options.batch_size,
                    learning_rate: raw.learning_rate.unwrap_or(usual.learning_rate),
                    momentum: raw.momentum.unwrap_or(usual.momentum),
                    weight_decay: raw.weight_decay.unwrap_or(usual.weight_decay),
                    k: count("k", raw.k, usual.k)?,
                })
            }
            _ => {
                let usual = MaskedFeatures::new();
                Task::MaskedFeatures(MaskedFeatures {
                    options,
                    rate: raw.rate.unwrap_or(usual.rate),
                })
            }
        };
        let data = raw
            .data
            .map(|data| DataConfig::from_value(&key("data"), &data));
        Ok(PretrainConfig {
            task,
            data: data.transpose()?,
        })
    }

    /// Loads the rows to learn from: its own, scaled as those of `[data]` are unless it says
    /// otherwise, or those that are trained on.
    pub fn load(
        &self,
        train: &Dataset,
        (scale, schema): (Option<ScaleName>, Option<&Schema>),
        base: &Path,
        seed: u64,
    ) -> Result<Dataset> {
        let rows = match &self.data {
            Some(data) => {
                let mut data = data.clone();
                // A table's model scales its columns itself.
                if data.table().is_none() {
                    data.scale = data.scale.or(scale);
                }
                let purpose = Purpose {
                    schema: schema.filter(|_| data.table().is_some()),
                    in_memory: true,
                    ..Purpose::default()
                };
                let rows = data.open(base, seed, purpose);
                let rows = rows.map_err(|e| e.under("pretrain"))?;
                rows.train.sample().clone()
            }
            None => train.clone(),
        };
        Ok(match &self.task {
            // Labels define similar rows.
            Task::Siamese(task) if !task.is_without_labels() => rows,
            _ => rows.without_targets(),
        })
    }

    /// Pretrains the model's first layers.
    pub fn run(
        &self,
        model: &mut Model,
        rows: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        self.task.kind().pretrain_on(model, rows, course)
    }

    /// The table with all defaults filled in.
    pub fn resolved(&self, base: &Path) -> Result<Value> {
        let plain = |error: serde_json::Error| Error::Internal(error.to_string());
        let mut fields = Map::new();
        let of = |options: &PretrainOptions| {
            let optimizer = Some(options.optimizer.to_config());
            let until = options.until.clone();
            (until, options.epochs, options.batch_size, optimizer)
        };
        let (kind, (until, epochs, batch_size, optimizer), rest) = match &self.task {
            Task::Autoencoder(task) => (
                KINDS[0],
                of(&task.options),
                json!({
                    "loss": serde_json::to_value(&task.loss).map_err(plain)?,
                    "noise": task.noise,
                    "dropout": task.dropout,
                    "sparsity": task.sparsity,
                    "greedy": task.greedy,
                    "tied": task.tied,
                }),
            ),
            Task::MaskedFeatures(task) => {
                (KINDS[1], of(&task.options), json!({ "rate": task.rate }))
            }
            Task::Siamese(task) => (
                KINDS[2],
                of(&task.options),
                json!({ "triplets": task.triplets, "margin": task.margin }),
            ),
            Task::Rbm(task) => (
                KINDS[3],
                (task.until.clone(), task.epochs, task.batch_size, None),
                json!({
                    "learning_rate": task.learning_rate,
                    "momentum": task.momentum,
                    "weight_decay": task.weight_decay,
                    "k": task.k,
                }),
            ),
        };
        let common = json!({ "type": kind, "epochs": epochs, "batch_size": batch_size });
        fields.extend(table("pretrain", &common)?);
        fields.extend(optimizer.map(|optimizer| ("optimizer".to_owned(), optimizer)));
        fields.extend(table("pretrain", &rest)?);
        if let Task::Siamese(Siamese {
            noise: Some(noise), ..
        }) = self.task
        {
            fields.insert("noise".into(), noise.into());
        }
        if let Task::Siamese(task) = &self.task
            && !task.augment.is_empty()
        {
            let layers = task.augment.iter().map(|layer| layer.to_config());
            fields.insert("augment".into(), layers.collect());
        }
        if let Some(until) = until {
            fields.insert("until".into(), until.into());
        }
        if let Some(data) = &self.data {
            let data = serde_json::to_value(data.absolute(base)?).map_err(plain)?;
            fields.insert("data".into(), data);
        }
        Ok(fields.into())
    }
}
