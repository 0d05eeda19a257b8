//! Words of Keras 1 and 2, of PyTorch and of scikit-learn, and what to write in their place.
//!
//! Asked where a key or a name is refused, so that no word here can shadow one that is known.

use crate::base::registry::Value;
use serde_json::Map;

/// Keys that have another name, or another place, here.
struct Key {
    /// The family of those that have it, or `table` for a part of a configuration.
    family: &'static str,
    /// Their classes, or the part's path of keys; empty for the whole family.
    owners: &'static [&'static str],
    words: &'static [&'static str],
    /// The advice. `{word}` and `{value}` are the key's own, `{learning_rate}` is another key's value.
    advice: &'static str,
}

const fn key(
    family: &'static str,
    owners: &'static [&'static str],
    words: &'static [&'static str],
    advice: &'static str,
) -> Key {
    Key {
        family,
        owners,
        words,
        advice,
    }
}

const MOMENTS: &[&str] = &["Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Lion"];
const DROPOUTS: &[&str] = &[
    "Dropout",
    "AlphaDropout",
    "GaussianDropout",
    "MCDropout",
    "MCAlphaDropout",
];
const STOPPING: &[&str] = &[
    "patience",
    "monitor",
    "restore_best_weights",
    "min_delta",
    "baseline",
    "start_from_epoch",
    "early_stopping_patience",
    "n_iter_no_change",
];
const EPOCHS: &[&str] = &[
    "nb_epoch",
    "nb_epochs",
    "n_epochs",
    "num_epochs",
    "max_epochs",
    "max_iter",
];
const BATCH: &[&str] = &["batch", "batchsize", "bs", "mini_batch_size", "minibatch"];

#[rustfmt::skip]
const KEYS: &[Key] = &[
    // Optimizers.
    key("optimizer", &[], &["lr", "learning_rate_init", "eta0", "step_size", "rate"], "write `learning_rate = {value}`"),
    key("optimizer", &[], &["decay"], "write `learning_rate = { type = \"InverseTimeDecay\", initial_learning_rate = {learning_rate}, decay_steps = 1, decay_rate = {value} }`"),
    key("optimizer", MOMENTS, &["momentum"], "its momentum is `beta_1 = {value}`"),
    key("optimizer", MOMENTS, &["nesterov"], "Adam with Nesterov's step is `type = \"Nadam\"`; with momentum, `type = \"SGD\"`"),
    key("optimizer", MOMENTS, &["betas"], "write `beta_1` and `beta_2`, a number each"),
    key("optimizer", &["SGD", "Lion"], &["eps", "epsilon"], "leave it out: it divides by nothing"),
    key("optimizer", &[], &["eps"], "write `epsilon = {value}`"),
    key("optimizer", &["RMSprop", "Adadelta"], &["alpha", "beta"], "write `rho = {value}`"),
    key("optimizer", &["Nadam"], &["schedule_decay"], "leave it out: Keras 3 has the usual one of 0.004 for all"),
    key("optimizer", &["SGD"], &["dampening"], "leave it out: Keras' momentum has none"),
    key("optimizer", &[], &["clip", "clip_value", "clip_grad_value"], "write `clipvalue = {value}`"),
    key("optimizer", &[], &["clip_norm", "max_norm"], "write `clipnorm = {value}`"),
    key("optimizer", &[], &["grad_clip", "max_grad_norm", "clip_grad_norm", "gradient_clip"], "write `global_clipnorm = {value}`"),
    key("optimizer", &[], &["schedule", "scheduler", "lr_scheduler"], "a Keras schedule goes in place of the number `learning_rate`, others under `train.schedule`"),
    // Layers.
    key("layer", &["LeakyReLU", "ReLU"], &["alpha", "leak", "slope"], "write `negative_slope = {value}`"),
    key("layer", &["ELU"], &["negative_slope"], "write `alpha = {value}`"),
    key("layer", &["PReLU"], &["init", "alpha", "negative_slope"], "write `alpha_initializer = { type = \"Constant\", value = {value} }`"),
    key("layer", DROPOUTS, &["p", "prob", "dropout", "dropout_rate", "probability", "stddev"], "write `rate = {value}`"),
    key("layer", DROPOUTS, &["keep_prob", "keep"], "write `rate`, the share that is dropped: 1 less the share that is kept"),
    key("layer", &["GaussianNoise"], &["rate", "sigma", "std", "scale"], "write `stddev = {value}`"),
    key("layer", &["Dense", "Activation"], &["rate", "dropout"], "dropout is a layer of its own behind it: `{ type = \"Dropout\", rate = {value} }`"),
    key("layer", &["BatchNormalization", "LayerNormalization"], &["eps"], "write `epsilon = {value}`"),
    key("layer", &["BatchNormalization"], &["decay"], "write `momentum = {value}`"),
    key("layer", &["BatchNormalization", "LayerNormalization"], &["affine", "elementwise_affine"], "write `scale` and `center`"),
    key("layer", &["BatchNormalization", "LayerNormalization"], &["num_features", "normalized_shape", "fused", "renorm", "mode", "virtual_batch_size", "track_running_stats"], "leave it out: it has no meaning here"),
    key("layer", &["Dense", "DenseTranspose"], &["output_dim", "out_features", "num_units", "neurons", "n_units", "nodes", "size"], "write `units = {value}`"),
    key("layer", &["Dense", "DenseTranspose"], &["in_features"], "leave it out: the number of inputs is known"),
    key("layer", &["Dense", "DenseTranspose"], &["init", "initializer", "W_initializer", "weight_initializer"], "write `kernel_initializer = {value}`"),
    key("layer", &["Dense", "DenseTranspose"], &["regularizer", "W_regularizer", "weight_regularizer"], "write `kernel_regularizer = {value}`"),
    key("layer", &["Dense", "DenseTranspose"], &["constraint", "W_constraint", "weight_constraint"], "write `kernel_constraint = {value}`"),
    key("layer", &["Dense", "DenseTranspose"], &["bias"], "write `use_bias = {value}`"),
    key("layer", &["Dense", "DenseTranspose"], &["weight_decay", "l2"], "write `kernel_regularizer = { type = \"L2\", l2 = {value} }`"),
    key("layer", &["Dense", "DenseTranspose"], &["act", "activation_function", "nonlinearity"], "write `activation = {value}`"),
    key("layer", &["Activation"], &["function", "name_of"], "write `activation = {value}`"),
    key("layer", &["Embedding"], &["num_embeddings", "vocab_size", "vocabulary_size"], "write `input_dim = {value}`"),
    key("layer", &["Embedding"], &["embedding_dim", "dim", "units"], "write `output_dim = {value}`"),
    key("layer", &[], &["input_shape"], "leave it out, shapes come from the data; or begin with `{ type = \"Input\", shape = {value} }`"),
    key("layer", &[], &["batch_input_shape", "batch_shape"], "leave it out, shapes come from the data; or begin with `{ type = \"Input\", shape = [...] }`, the sizes of a row without the batch"),
    key("layer", &[], &["input_dim"], "leave it out, shapes come from the data; or begin with `{ type = \"Input\", shape = [{value}] }`"),
    key("layer", &[], &["batch_size"], "leave it out: it is `train.batch_size`"),
    key("layer", &[], &["input", "from", "after"], "write `inputs = [\"NAME\"]`"),
    key("layer", &[], &["freeze", "frozen"], "write `trainable = false`"),
    // Functions of layers.
    key("activation", &["LeakyRelu", "GeneralRelu"], &["alpha", "leak", "slope"], "write `negative_slope = {value}`"),
    key("activation", &["Elu", "Celu"], &["negative_slope"], "write `alpha = {value}`"),
    key("initializer", &["RandomNormal", "TruncatedNormal"], &["std", "sigma", "scale"], "write `stddev = {value}`"),
    key("initializer", &["RandomUniform"], &["low", "a", "min"], "write `minval = {value}`"),
    key("initializer", &["RandomUniform"], &["high", "b", "max"], "write `maxval = {value}`"),
    key("initializer", &[], &["scale", "mode", "distribution"], "these are arguments of `type = \"VarianceScaling\"`"),
    key("regularizer", &["L1"], &["l", "lambda", "alpha", "rate", "factor", "weight", "weight_decay"], "write `l1 = {value}`"),
    key("regularizer", &["L2"], &["l", "lambda", "alpha", "rate", "factor", "weight", "weight_decay"], "write `l2 = {value}`"),
    key("constraint", &["MaxNorm"], &["m", "max", "max_norm", "c", "value", "r"], "write `max_value = {value}`"),
    key("schedule", &["OneCycle"], &["max_lr", "max_learning_rate", "learning_rate", "lr"], "write `max_rate = {value}`"),
    key("schedule", &["OneCycleLR"], &["max_rate", "max_learning_rate", "learning_rate", "lr"], "write `max_lr = {value}`"),
    key("schedule", &["PiecewiseConstantDecay"], &["milestones"], "write `boundaries = {value}`"),
    key("schedule", &["CosineDecay"], &["T_max"], "write `decay_steps = {value}`, in steps"),
    key("schedule", &[], &["gamma", "decay"], "write `decay_rate = {value}`"),
    key("schedule", &[], &["step_size", "steps", "s"], "write `decay_steps = {value}`, in steps"),
    key("schedule", &[], &["lr", "learning_rate", "initial_lr", "rate", "initial_rate", "base_lr"], "write `initial_learning_rate = {value}`"),
    key("loss", &[], &["ignore_index"], "write `ignore_class = {value}`"),
    key("loss", &[], &["weight", "class_weight", "pos_weight"], "weights of classes are `train.class_weight`"),
    key("loss", &[], &["logits"], "write `from_logits = {value}`"),
    // `[train]`.
    key("table", &["train"], EPOCHS, "write `epochs = {value}`"),
    key("table", &["train"], BATCH, "write `batch_size = {value}`"),
    key("table", &["train", ""], &["lr", "learning_rate_init", "rate"], "write `train.learning_rate = {value}`"),
    key("table", &["train"], &["decay"], "write `train.optimizer.learning_rate = { type = \"InverseTimeDecay\", initial_learning_rate = {learning_rate}, decay_steps = 1, decay_rate = {value} }`"),
    key("table", &["train", "data", ""], &["validation_split", "val_split", "validation_fraction", "val_fraction", "test_size"], "write `data.validation = { fraction = {value} }`"),
    key("table", &["train", "data", ""], &["validation_data", "val_data"], "write `data.validation = { x = \"FILE\", y = \"FILE\" }`, or `{ table = \"FILE\" }`"),
    key("table", &["train"], &["validation", "test"], "write `data.{word} = {value}`"),
    key("table", &["train", "data", "model", "callbacks", ""], STOPPING, "it belongs to a callback: `callbacks.early_stopping = { {word} = {value} }`"),
    key("table", &["train", "data", "model", "callbacks", ""], &["factor", "cooldown", "min_lr"], "it belongs to a callback: `callbacks.reduce_lr_on_plateau = { {word} = {value} }`"),
    key("table", &["train", "data", "model", "callbacks", "pretrain"], &["checkpoint"], "`[checkpoint]` is a table of its own, beside `[{owner}]`: checkpoint = { every = \"5m\", keep = 3 }"),
    key("table", &["train", "model", "data", ""], &["early_stopping", "reduce_lr_on_plateau", "gradual_unfreezing", "pruning", "model_checkpoint", "csv_logger", "terminate_on_nan"], "write `callbacks.{word}`"),
    key("table", &["train"], &["callbacks"], "`[callbacks]` is a table of its own, beside `[train]`"),
    key("table", &["train"], &["criterion", "objective", "loss_fn", "loss_function"], "write `loss = {value}`"),
    key("table", &["train"], &["solver", "optim", "optimiser"], "write `optimizer = {value}`"),
    key("table", &["train"], &["scheduler", "lr_scheduler", "lr_schedule"], "write `schedule`, or a Keras schedule in place of the number `train.optimizer.learning_rate`"),
    key("table", &["train"], &["momentum", "nesterov", "clipnorm", "clipvalue", "global_clipnorm", "weight_decay", "beta_1", "beta_2", "use_ema"], "write `train.optimizer.{word} = {value}`"),
    key("table", &["train"], &["mixed_precision", "dtype"], "write `precision = \"mixed_bfloat16\"`"),
    key("table", &["train", "data", "model"], &["seed", "random_state", "random_seed"], "write `seed = {value}` at the top, outside of any table"),
    key("table", &[""], &["random_state", "random_seed"], "write `seed = {value}`"),
    key("table", &["train"], &["scale", "dataset", "table", "x", "y", "target"], "write `data.{word} = {value}`"),
    key("table", &["train"], &["layers", "recipe", "hidden", "trainable"], "write `model.{word}`"),
    key("table", &["train", ""], &["verbose"], "leave it out; `--quiet` prints the result alone"),
    // The other parts.
    key("table", &["data", "model", ""], &["epochs", "batch_size", "optimizer", "loss", "metrics", "shuffle", "learning_rate", "schedule", "class_weight", "mixup", "precision"], "write `train.{word} = {value}`"),
    key("table", &["data", "model", ""], BATCH, "write `train.batch_size = {value}`"),
    key("table", &["data", "model", ""], EPOCHS, "write `train.epochs = {value}`"),
    key("table", &["data"], &["normalize", "standardize", "rescale"], "write `scale = \"standard\"`, or \"unit\" for pixels"),
    key("table", &["data"], &["label", "y_column", "label_column", "target_column"], "write `target = {value}`"),
    key("table", &["data"], &["csv", "parquet", "file", "filename"], "write `table = {value}`"),
    key("table", &["data"], &["name", "set"], "write `dataset = {value}`"),
    key("table", &["model"], &["hidden_layer_sizes", "units", "hidden_units"], "write `recipe = \"default\"` and `hidden = {value}`"),
    key("table", &["model"], &["path", "load", "weights", "checkpoint_path"], "write `file = {value}`"),
    key("table", &["model"], &["freeze", "frozen"], "write `trainable = { \"NAME\" = false }`"),
    key("table", &[""], &["dataset", "table", "target", "x", "y", "validation", "scale"], "write `data.{word} = {value}`"),
    key("table", &[""], &["layers", "recipe", "hidden"], "write `model.{word}`"),
    key("table", &[""], &["training", "fit", "compile"], "write `[train]`"),
    key("table", &["callbacks.early_stopping", "callbacks.reduce_lr_on_plateau"], &["epsilon", "delta", "tol", "threshold"], "write `min_delta = {value}`"),
    key("table", &["callbacks.early_stopping"], &["n_iter_no_change"], "write `patience = {value}`"),
    key("table", &["callbacks.early_stopping"], &["restore_best", "save_best", "save_best_only"], "write `restore_best_weights = {value}`"),
    key("table", &["callbacks.reduce_lr_on_plateau"], &["gamma"], "write `factor = {value}`"),
    key("table", &["callbacks.early_stopping", "callbacks.reduce_lr_on_plateau", "callbacks.model_checkpoint"], &["verbose"], "leave it out: what happens is said"),
    key("table", &["callbacks.model_checkpoint"], &["filename", "path", "file"], "write `filepath = {value}`"),
    key("table", &["data.validation", "data.test"], &["split", "size", "rate", "share", "test_size", "validation_split"], "write `fraction = {value}`"),
    key("table", &["data.validation", "data.test"], &["rows", "n", "count"], "write `first = {value}`"),
];

/// Names of other versions and libraries, by family, and the names here.
#[rustfmt::skip]
const NAMES: &[(&str, &[&str], &str)] = &[
    ("layer", &["Linear", "FullyConnected", "FC"], "Dense"),
    ("layer", &["BatchNorm", "BatchNorm1d", "BatchNorm2d"], "BatchNormalization"),
    ("layer", &["LayerNorm"], "LayerNormalization"),
    ("layer", &["Concat"], "Concatenate"),
    ("activation", &["identity", "none", "None"], "linear"),
    ("activation", &["logistic"], "sigmoid"),
    ("activation", &["lrelu", "leakyrelu"], "leaky_relu"),
    ("initializer", &["kaiming", "kaiming_normal", "kaiming_normal_", "he"], "he_normal"),
    ("initializer", &["kaiming_uniform", "kaiming_uniform_"], "he_uniform"),
    ("initializer", &["xavier", "xavier_uniform", "xavier_uniform_", "glorot"], "glorot_uniform"),
    ("initializer", &["xavier_normal", "xavier_normal_"], "glorot_normal"),
    ("initializer", &["lecun"], "lecun_normal"),
    ("regularizer", &["ridge", "weight_decay"], "l2"),
    ("regularizer", &["lasso"], "l1"),
    ("regularizer", &["elasticnet", "elastic_net"], "l1_l2"),
    ("loss", &["cross_entropy", "crossentropy", "CrossEntropyLoss", "log_loss", "nll_loss", "NLLLoss"], "sparse_categorical_crossentropy"),
    ("loss", &["BCELoss", "BCEWithLogitsLoss"], "binary_crossentropy"),
    ("loss", &["l2", "l2_loss", "MSELoss", "squared_error"], "mean_squared_error"),
    ("loss", &["l1", "l1_loss", "L1Loss", "absolute_error"], "mean_absolute_error"),
    ("loss", &["smooth_l1", "SmoothL1Loss"], "huber"),
    ("schedule", &["StepLR", "ExponentialLR", "exponential"], "ExponentialDecay"),
    ("schedule", &["CosineAnnealingLR", "cosine"], "CosineDecay"),
    ("schedule", &["CosineAnnealingWarmRestarts"], "CosineDecayRestarts"),
    ("schedule", &["MultiStepLR", "piecewise"], "PiecewiseConstantDecay"),
    ("schedule", &["PolynomialLR", "polynomial"], "PolynomialDecay"),
    ("optimizer", &["momentum", "nesterov", "gd", "sgdm"], "sgd"),
];

/// Advice in place of a key that `owner`, of a family or a table, does not have; `fields` are its
/// own.
pub(crate) fn successor(
    family: &str,
    owner: &str,
    word: &str,
    fields: &Map<String, Value>,
) -> Option<String> {
    let is_it = |key: &&Key| {
        key.family == family
            && (key.owners.is_empty() || key.owners.contains(&owner))
            && key.words.contains(&word)
    };
    let key = KEYS.iter().find(is_it)?;
    let text = |name: &str| fields.get(name).map_or("...".to_owned(), in_toml);
    let advice = key.advice.replace("{word}", word).replace("{owner}", owner);
    let advice = advice.replace("{learning_rate}", &text("learning_rate"));
    Some(advice.replace("{value}", &text(word)))
}

/// The name here of a member of a family.
pub(crate) fn renamed(family: &str, word: &str) -> Option<&'static str> {
    let is_it = |(of, words, _): &&(&str, &[&str], &str)| *of == family && words.contains(&word);
    NAMES.iter().find(is_it).map(|(.., name)| *name)
}

/// A value as it is typed.
fn in_toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{key} = {}", in_toml(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(in_toml);
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_names_what_the_registries_have() {
        use crate::base::registry::Member;
        use crate::model::layers::Layer;
        use crate::rules::activations::Activation;
        use crate::rules::constraints::Constraint;
        use crate::rules::initializers::Initializer;
        use crate::rules::losses::Loss;
        use crate::rules::optimizers::{Method, Optimizer};
        use crate::rules::regularizers::Regularizer;
        use crate::rules::schedules::Schedule;
        let members = |family: &str| -> &[Member] {
            match family {
                "layer" => Layer::MEMBERS,
                "activation" => Activation::MEMBERS,
                "constraint" => Constraint::MEMBERS,
                "initializer" => Initializer::MEMBERS,
                "loss" => Loss::MEMBERS,
                "optimizer" => Method::MEMBERS,
                "regularizer" => Regularizer::MEMBERS,
                "schedule" => Schedule::MEMBERS,
                other => panic!("no family {other}"),
            }
        };
        for key in KEYS.iter().filter(|key| key.family != "table") {
            for owner in key.owners {
                let member = members(key.family).iter().find(|m| m.class == *owner);
                let known = (member.unwrap_or_else(|| panic!("no {owner}")).fields)();
                for word in key.words {
                    let shared = Optimizer::shared_arguments().contains(word);
                    let is_key = known.contains(word) || key.family == "optimizer" && shared;
                    assert!(!is_key, "{owner} has a key {word}");
                }
            }
        }
        for (family, words, name) in NAMES {
            let called = |name: &str| members(family).iter().any(|m| m.is_called(name));
            assert!(called(name), "{family} {name}");
            let shadowed = words.iter().find(|word| called(word));
            assert_eq!(shadowed, None, "{family}");
        }
    }

    #[test]
    fn a_successor_has_the_numbers_that_were_given() {
        let fields = json!({ "decay": 1e-4, "learning_rate": 0.02, "alpha": [1, "a"] });
        let fields = fields.as_object().unwrap();
        let advice = successor("optimizer", "SGD", "decay", fields).unwrap();
        assert!(
            advice.contains("initial_learning_rate = 0.02, decay_steps = 1, decay_rate = 0.0001"),
            "{advice}"
        );
        let of = |owner| successor("layer", owner, "alpha", fields);
        assert_eq!(
            of("LeakyReLU").unwrap(),
            "write `negative_slope = [1, \"a\"]`"
        );
        assert_eq!(of("ELU"), None);
        assert_eq!(renamed("initializer", "xavier"), Some("glorot_uniform"));
        assert_eq!(renamed("layer", "xavier"), None);
    }
}
