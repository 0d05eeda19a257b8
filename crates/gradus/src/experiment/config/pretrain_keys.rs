//! The keys of `[pretrain]`, as they are written.

use crate::base::json_schema;
use crate::base::registry::Value;
use crate::data::DataConfig;
use crate::model::LayerTable;
use crate::rules::losses::Loss;
use crate::rules::optimizers::Optimizer;
use crate::train::{Autoencoder, MaskedFeatures, PretrainOptions, Rbm, Siamese};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;
use std::num::NonZeroUsize;

/// The tasks.
pub const KINDS: [&str; 4] = ["autoencoder", "masked_features", "siamese", "rbm"];

/// A task for the first layers before the training.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Pretrain", default)]
pub struct Raw {
    /// The task. Default none: it is required.
    #[serde(rename = "type")]
    #[schemars(schema_with = "kinds", extend("examples" = ["autoencoder"]))]
    pub type_: Option<String>,
    /// The earlier name of `type`. Default none.
    #[schemars(schema_with = "kinds", extend("examples" = ["autoencoder"]))]
    pub kind: Option<String>,
    /// Rows of their own to learn from, with the keys of `[data]`. Default the rows to train on.
    #[schemars(with = "DataConfig", extend("examples" = [{ "x": "unlabelled.npy" }]))]
    pub data: Option<Value>,
    /// The last layer to pretrain. Default the one before the last `Dense` layer.
    #[schemars(with = "Option<String>", extend("examples" = ["dense_1"]))]
    pub until: Option<Value>,
    /// Epochs; with `greedy`, of each layer.
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = PretrainOptions::default().epochs))]
    #[schemars(extend("examples" = [20]))]
    pub epochs: Option<Value>,
    /// Rows of a batch, or pairs or triplets of rows.
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = PretrainOptions::default().batch_size))]
    #[schemars(extend("examples" = [64]))]
    pub batch_size: Option<Value>,
    /// The optimizer of the auxiliary network. Default `"nadam"`.
    #[schemars(with = "Optimizer", extend("examples" = ["adam"]))]
    pub optimizer: Option<Value>,
    /// autoencoder: the distance of the output from the input.
    #[schemars(with = "Loss", extend("default" = Autoencoder::new().loss), extend("examples" = ["binary_crossentropy"]))]
    pub loss: Option<Value>,
    /// autoencoder: the deviation of noise that is added to the input, but not to the target.
    /// siamese: the deviation of the noise that makes two versions of a row, labels being ignored.
    /// Default none.
    #[schemars(extend("examples" = [0.2]))]
    pub noise: Option<f64>,
    /// autoencoder: the dropout rate of the inputs, which are to be reconstructed.
    #[schemars(extend("default" = Autoencoder::new().dropout), extend("examples" = [0.3]))]
    pub dropout: Option<f64>,
    /// autoencoder: the cost of the code's absolute values in the loss.
    #[schemars(extend("default" = Autoencoder::new().sparsity), extend("examples" = [0.001]))]
    pub sparsity: Option<f64>,
    /// autoencoder: true to train one layer after the other.
    #[schemars(with = "Option<bool>", extend("default" = Autoencoder::new().greedy), extend("examples" = [true]))]
    pub greedy: Option<Value>,
    /// autoencoder: true if each layer of the decoder uses the kernel of the encoder's, turned.
    #[schemars(with = "Option<bool>", extend("default" = Autoencoder::new().tied), extend("examples" = [true]))]
    pub tied: Option<Value>,
    /// siamese: layers that make two versions of an image, labels being ignored. Default none.
    #[schemars(schema_with = "augment_schema")]
    #[schemars(extend("examples" = [[{ "type": "RandomTranslation", "height_factor": 0.1, "width_factor": 0.1 }]]))]
    pub augment: Option<Vec<Value>>,
    /// masked_features: the share of the features that is masked, above 0 and below 1.
    #[schemars(extend("default" = MaskedFeatures::new().rate), extend("examples" = [0.2]))]
    pub rate: Option<f64>,
    /// siamese: true if each row is seen with a like and with another one at once, false for one of the
    /// two.
    #[schemars(with = "Option<bool>", extend("default" = Siamese::new().triplets), extend("examples" = [true]))]
    pub triplets: Option<Value>,
    /// siamese: the distance that others are to keep.
    #[schemars(extend("default" = Siamese::new().margin), extend("examples" = [0.5]))]
    pub margin: Option<f64>,
    /// rbm: the learning rate of contrastive divergence.
    #[schemars(extend("default" = Rbm::new().learning_rate), extend("examples" = [0.05]))]
    pub learning_rate: Option<f64>,
    /// rbm: the momentum after the first five epochs, in which it is 0.5.
    #[schemars(extend("default" = Rbm::new().momentum), extend("examples" = [0.8]))]
    pub momentum: Option<f64>,
    /// rbm: the weight decay of the kernel, which the learning rate multiplies.
    #[schemars(extend("default" = Rbm::new().weight_decay), extend("examples" = [0.001]))]
    pub weight_decay: Option<f64>,
    /// rbm: the number of reconstructions of a step (CD-k).
    #[schemars(with = "Option<NonZeroUsize>", extend("default" = Rbm::new().k), extend("examples" = [3]))]
    pub k: Option<Value>,
}

/// A layer without arguments may be given by its name alone.
fn augment_schema(generator: &mut SchemaGenerator) -> Schema {
    let layer = generator.subschema_for::<LayerTable>();
    let layer = json_schema::table_or(layer, &json!({ "type": "string" }));
    schemars::json_schema!({ "type": "array", "items": layer })
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    let meanings = [
        "the layers learn to encode the input: a decoder is appended, and both reconstruct it",
        "some features of each row are hidden, and predicted from the others",
        "rows of a class, or two versions of a row, come to lie near each other",
        "sigmoid layers learn as a stack of restricted Boltzmann machines",
    ];
    json_schema::words(KINDS.into_iter().zip(meanings))
}
