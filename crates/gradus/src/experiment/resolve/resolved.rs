//! The resolved configuration: complete, so that it repeats the run.

use super::{Run, target};
use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::experiment::config::{Config, Source};
use crate::model::OutputLoss;
use crate::rules::metrics::Metric;
use crate::train::{OnNan, Precision};
use serde_json::{Map, json};
use std::path::Path;

impl Config {
    /// The complete configuration, with defaults; `layers` are the model's, with its outputs if it
    /// is no chain.
    pub(super) fn resolved(
        &self,
        run: &Run,
        (layers, outputs): (Vec<Value>, Option<Vec<String>>),
        base: &Path,
    ) -> Result<Value> {
        let plain = |error: serde_json::Error| Error::Internal(error.to_string());
        let data = serde_json::to_value(self.data.absolute(base)?).map_err(plain)?;
        let mut model = Map::new();
        match &self.model.source {
            Source::File(path) => {
                let path = base.join(path);
                let path = std::path::absolute(&path).map_err(|e| Error::io("find", &path, e))?;
                model.insert("file".into(), path.display().to_string().into());
                let patterns = self.model.trainable.iter().cloned();
                let patterns: Map<_, _> = patterns.map(|(p, t)| (p, t.into())).collect();
                if !patterns.is_empty() {
                    model.insert("trainable".into(), patterns.into());
                }
            }
            _ => {
                model.insert("layers".into(), layers.into());
                if let Some(outputs) = outputs {
                    model.insert("outputs".into(), outputs.into());
                }
            }
        }
        let Some(compiled) = &run.model.compiled else {
            return Err(Error::Internal("the model of a run is not compiled".into()));
        };
        let outputs = run.model.output_names();
        let each = |of: &dyn Fn(&OutputLoss) -> Value| -> Value {
            match &compiled.output_losses[..] {
                [Some(one)] => of(one),
                _ => {
                    let output_losses = compiled.trained();
                    let named =
                        output_losses.map(|(o, output_loss)| (outputs[o].clone(), of(output_loss)));
                    Value::Object(named.collect())
                }
            }
        };
        let mut train = json!({
            "loss": each(&|output_loss| serde_json::to_value(&output_loss.loss).unwrap_or_default()),
            "metrics": each(&|output_loss| metrics(&output_loss.metrics)),
            "weighted_metrics": each(&|output_loss| metrics(&output_loss.weighted_metrics)),
            "epochs": run.epochs,
            "initial_epoch": run.initial_epoch,
            "batch_size": run.batch_size,
            "shuffle": run.shuffle,
        });
        if let Some(alpha) = run.mixup {
            train["mixup"] = alpha.into();
        }
        if let Some(steps) = run.health_every {
            train["health_every"] = steps.into();
        }
        if run.precision != Precision::Float32 {
            train["precision"] = run.precision.name().into();
        }
        if let Some(of) = run.quantization_aware {
            train["quantization_aware"] = serde_json::to_value(of).map_err(plain)?;
        }
        if run.on_nan != OnNan::Stop {
            train["on_nan"] = run.on_nan.name().into();
        }
        if compiled
            .trained()
            .any(|(_, output_loss)| output_loss.weight != 1.0)
        {
            train["loss_weights"] = each(&|output_loss| output_loss.weight.into());
        }
        // A rate beside the file's optimizer keeps the optimizer's state; as part of a configured
        // one it would not.
        match (
            &self.model.source,
            &self.train.optimizer,
            &self.train.learning_rate,
        ) {
            (Source::File(_), None, Some(rate)) => {
                train["learning_rate"] = serde_json::to_value(rate).map_err(plain)?;
            }
            _ => train["optimizer"] = compiled.optimizer()?.to_config(),
        }
        if let Some(schedule) = &run.schedule {
            train["schedule"] = schedule.to_config();
        }
        if !run.class_weight.is_empty() {
            let weights = run.class_weight.iter();
            let weights = weights.map(|(c, w)| (target::class_key(&run.data, *c), *w));
            train["class_weight"] = weights.collect();
        }
        let mut resolved = json!({
            "seed": self.seed,
            "data": data,
            "model": model,
            "train": train,
            "callbacks": serde_json::to_value(&run.callbacks).map_err(plain)?,
        });
        if let Some(pretrain) = &self.pretrain {
            resolved["pretrain"] = pretrain.resolved(base)?;
        }
        let checkpoint = self.checkpoint.given();
        if checkpoint
            .as_object()
            .is_some_and(|given| !given.is_empty())
        {
            resolved["checkpoint"] = checkpoint;
        }
        if let Some(distributed) = self.distributed.given() {
            resolved["distributed"] = distributed;
        }
        Ok(resolved)
    }
}

/// Metrics in the form of a configuration.
fn metrics(metrics: &[(String, Metric)]) -> Value {
    let written = metrics.iter().map(|(name, metric)| {
        let mut config = serde_json::to_value(metric).unwrap_or_default();
        let alias = Metric::from_config("", &name.as_str().into());
        if alias.is_ok_and(|alias| alias == *metric) {
            return name.as_str().into();
        }
        if let Value::String(_) = config {
            config = metric.to_config();
        }
        config["name"] = name.as_str().into();
        config
    });
    written.collect()
}
