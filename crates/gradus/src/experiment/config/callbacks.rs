//! `[callbacks]`: the callbacks of a training.

use super::problem_at;
use crate::artifacts::callbacks::{CSVLogger, ModelCheckpoint};
use crate::base::json_schema;
use crate::base::registry::{Value, read, table};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::train::callbacks::Direction;
use crate::train::{
    Callback, EarlyStopping, GradualUnfreezing, Pruning, ReduceLROnPlateau, TerminateOnNaN,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

/// The callbacks of a run, in the order of their calls.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Callbacks {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruning: Option<Pruning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate_on_nan: Option<TerminateOnNaN>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduce_lr_on_plateau: Option<ReduceLROnPlateau>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradual_unfreezing: Option<GradualUnfreezing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_checkpoint: Option<ModelCheckpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv_logger: Option<CSVLogger>,
}

/// `[callbacks]` as given.
#[derive(Clone, Debug)]
pub struct CallbacksConfig {
    pub given: Callbacks,
    /// True if there is to be no early stopping, also with a recipe.
    pub never_stop_early: bool,
}

/// Callbacks, each with a table of its arguments.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Callbacks", default)]
pub(super) struct Raw {
    /// Sets ever more of the smallest weights to zero; `true` keeps the zeros that a model has.
    /// Default none.
    #[schemars(schema_with = "or_on::<Pruning>", extend("examples" = [{ "final_sparsity": 0.9 }]))]
    pruning: Option<Value>,
    /// Ends the training when a value stops improving; `false` turns off a recipe's. Default none,
    /// or the recipe's.
    #[schemars(schema_with = "or_off::<EarlyStopping>")]
    #[schemars(extend("examples" = [{ "patience": 10, "restore_best_weights": true }]))]
    early_stopping: Option<Value>,
    /// Lowers the learning rate when a value stops improving. Default none.
    #[schemars(with = "ReduceLROnPlateau", extend("examples" = [{ "factor": 0.5, "patience": 5 }]))]
    reduce_lr_on_plateau: Option<Value>,
    /// Trains the top layers first, and the lower ones from later epochs on; `true` begins with the top
    /// layer and adds one with each epoch. Default none.
    #[schemars(schema_with = "or_on::<GradualUnfreezing>", extend("examples" = [true]))]
    gradual_unfreezing: Option<Value>,
    /// Saves the model during the training: after each epoch, or only the best. Default none.
    #[schemars(with = "ModelCheckpoint", extend("examples" = [{ "filepath": "best.keras", "save_best_only": true }]))]
    model_checkpoint: Option<Value>,
    /// Writes what was measured in each epoch to a CSV file. Default none.
    #[schemars(with = "CSVLogger", extend("examples" = [{ "filename": "log.csv" }]))]
    csv_logger: Option<Value>,
    /// Ends the training as soon as the loss is NaN or infinite, without an error. Default none.
    #[schemars(schema_with = "or_on::<TerminateOnNaN>", extend("examples" = [true]))]
    terminate_on_nan: Option<Value>,
}

fn or_off<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema::table_or(generator.subschema_for::<T>(), &json!({ "const": false }))
}

fn or_on<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema::table_or(
        generator.subschema_for::<T>(),
        &json!({ "type": "boolean" }),
    )
}

impl CallbacksConfig {
    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let never = Some(Value::Bool(false));
        let given = Callbacks {
            pruning: match raw.pruning {
                Some(Value::Bool(on)) => on.then(Pruning::keep_zeros),
                given => one(at, "pruning", given)?,
            },
            terminate_on_nan: match raw.terminate_on_nan {
                Some(Value::Bool(on)) => on.then(TerminateOnNaN::new),
                given => one(at, "terminate_on_nan", given)?,
            },
            reduce_lr_on_plateau: one(at, "reduce_lr_on_plateau", raw.reduce_lr_on_plateau)?,
            early_stopping: match &raw.early_stopping {
                given if *given == never => None,
                given => one(at, "early_stopping", given.clone())?,
            },
            gradual_unfreezing: match raw.gradual_unfreezing {
                Some(Value::Bool(on)) => on.then(GradualUnfreezing::new),
                given => one(at, "gradual_unfreezing", given)?,
            },
            model_checkpoint: one(at, "model_checkpoint", raw.model_checkpoint)?,
            csv_logger: one(at, "csv_logger", raw.csv_logger)?,
        };
        if let Some(reduce) = &given.reduce_lr_on_plateau
            && !(reduce.factor > 0.0 && reduce.factor < 1.0)
        {
            let at = format!("{at}.reduce_lr_on_plateau.factor");
            let expected = "a number between 0 and 1";
            return Err(Error::invalid(&at, reduce.factor, expected));
        }
        if let Some(logger) = &given.csv_logger {
            let checked = logger.check();
            checked.map_err(|error| error.under(&format!("{at}.csv_logger")))?;
        }
        Ok(CallbacksConfig {
            given,
            never_stop_early: raw.early_stopping == never,
        })
    }
}

/// A callback's table, if present.
fn one<T: DeserializeOwned>(at: &str, key: &str, value: Option<Value>) -> Result<Option<T>> {
    let at = format!("{at}.{key}");
    let read_table = |value: Value| read(&at, table(&at, &value)?);
    value.map(read_table).transpose()
}

impl Callbacks {
    /// The configured callbacks, with their names.
    pub fn each(&mut self) -> impl Iterator<Item = (&'static str, &mut dyn Callback)> {
        fn any<C: Callback>(callback: &mut Option<C>) -> Option<&mut dyn Callback> {
            callback
                .as_mut()
                .map(|callback| callback as &mut dyn Callback)
        }
        let all = [
            ("pruning", any(&mut self.pruning)),
            ("terminate_on_nan", any(&mut self.terminate_on_nan)),
            ("reduce_lr_on_plateau", any(&mut self.reduce_lr_on_plateau)),
            ("early_stopping", any(&mut self.early_stopping)),
            ("gradual_unfreezing", any(&mut self.gradual_unfreezing)),
            ("model_checkpoint", any(&mut self.model_checkpoint)),
            ("csv_logger", any(&mut self.csv_logger)),
        ];
        all.into_iter()
            .filter_map(|(name, callback)| Some((name, callback?)))
    }

    /// Refuses names of values that no epoch has, and of layers that the model does not have.
    pub fn check(&self, model: &Model, measured: &[String]) -> Result<()> {
        if let Some(unfreezing) = &self.gradual_unfreezing {
            let checked = unfreezing.check(model);
            checked.map_err(|error| error.under("callbacks.gradual_unfreezing"))?;
        }
        if let Some(pruning) = &self.pruning {
            let checked = pruning.check(model);
            checked.map_err(|error| error.under("callbacks.pruning"))?;
        }
        let check_monitor = |callback: &str, monitor: &str, mode: Direction| {
            check_monitor(callback, monitor, measured)?;
            let better = mode.of(monitor, model);
            better.map_err(|error| error.under(&format!("callbacks.{callback}")))
        };
        if let Some(early_stopping) = &self.early_stopping {
            check_monitor(
                "early_stopping",
                &early_stopping.monitor,
                early_stopping.mode,
            )?;
        }
        if let Some(reduce) = &self.reduce_lr_on_plateau {
            check_monitor("reduce_lr_on_plateau", &reduce.monitor, reduce.mode)?;
        }
        if let Some(checkpoint) = &self.model_checkpoint {
            let checked = checkpoint.check(measured.iter().map(String::as_str));
            checked.map_err(|error| error.under("callbacks.model_checkpoint"))?;
            if checkpoint.save_best_only {
                check_monitor("model_checkpoint", &checkpoint.monitor, checkpoint.mode)?;
            }
        }
        Ok(())
    }

    /// True if a stage of the unfreezing comes with a rate of its own.
    pub fn unfreezing_sets_rate(&self) -> bool {
        let unfreezing = self.gradual_unfreezing.as_ref();
        unfreezing.is_some_and(|u| u.stages.iter().any(|stage| stage.learning_rate.is_some()))
    }

    /// Inserts a word before the extension of each file's name.
    pub fn write_beside(&mut self, word: &str) {
        let beside = |path: &Path| {
            let mut name = path.file_stem().unwrap_or_default().to_os_string();
            name.push(word);
            if let Some(ending) = path.extension() {
                name.push(".");
                name.push(ending);
            }
            path.with_file_name(name)
        };
        if let Some(checkpoint) = &mut self.model_checkpoint {
            // Keras' extension of weights has two parts.
            checkpoint.filepath = match checkpoint.filepath.strip_suffix(".weights.h5") {
                Some(stem) => format!("{stem}{word}.weights.h5"),
                None => {
                    let path = beside(Path::new(&checkpoint.filepath));
                    path.display().to_string()
                }
            };
        }
        if let Some(logger) = &mut self.csv_logger {
            logger.filename = beside(&logger.filename);
        }
    }

    /// Makes paths absolute that are relative to `base`.
    pub fn make_absolute(&mut self, base: &Path) -> Result<()> {
        let base = std::path::absolute(base).map_err(|e| Error::io("find", base, e))?;
        if let Some(checkpoint) = &mut self.model_checkpoint
            && !Path::new(&checkpoint.filepath).is_absolute()
        {
            // Braces in the folder's name are no placeholders.
            let folder = base.display().to_string();
            let folder = folder.replace('{', "{{").replace('}', "}}");
            let path = Path::new(&folder).join(&checkpoint.filepath);
            checkpoint.filepath = path.display().to_string();
        }
        if let Some(logger) = &mut self.csv_logger {
            logger.filename = base.join(&logger.filename);
        }
        Ok(())
    }
}

fn check_monitor(callback: &str, monitor: &str, measured: &[String]) -> Result<()> {
    if measured.iter().any(|name| name == monitor) {
        return Ok(());
    }
    let at = format!("callbacks.{callback}.monitor");
    let known = || measured.iter().map(String::as_str);
    if let Some(name) = monitor.strip_prefix("val_")
        && known().any(|n| n == name)
    {
        let problem = format!("`{monitor}` is measured only with `data.validation`");
        return Err(problem_at(&at, &problem));
    }
    Err(Error::unknown(&at, "measurement", monitor, known()))
}
