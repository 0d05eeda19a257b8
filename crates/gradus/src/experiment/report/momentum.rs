//! The momentum of each epoch, if a schedule sets it.

use super::Known;
use crate::base::registry::Value;
use crate::experiment::config::from_toml;
use crate::rules::schedules::{Progress, Schedule};

/// Each epoch's number, from 0, with the momentum of its last step. `None` unless the schedule of
/// the configuration sets it, and gives the learning rates of the history: a callback may have
/// changed them, or the number of epochs.
pub fn of(known: &Known<'_>) -> Option<Vec<(usize, f64)>> {
    let config = from_toml(known.config).ok()?;
    let train = &config["train"];
    let schedule = train
        .get("schedule")
        .filter(|schedule| !schedule.is_null())?;
    let schedule = Schedule::from_config("train.schedule", schedule).ok()?;
    if !schedule.moves_momentum() {
        return None;
    }
    let whole = |key: &str| train.get(key).and_then(Value::as_u64);
    let rows = known.data?.train_rows() as u64;
    let steps = rows.div_ceil(whole("batch_size")?.max(1)).max(1);
    let total = whole("epochs")?.checked_mul(steps)?;
    let momentum = |epoch: &crate::train::Epoch| {
        let step = (epoch.epoch as u64)
            .checked_add(1)?
            .checked_mul(steps)?
            .checked_sub(1)?;
        let found = schedule.at(Progress {
            iteration: step,
            step,
            total,
            per_epoch: steps,
        });
        let rate = epoch.logs.get("learning_rate")?;
        let agrees = (found.rate - rate).abs() <= 1e-5 * rate.abs();
        agrees.then_some((epoch.epoch, found.momentum?))
    };
    known.history.epochs.iter().map(momentum).collect()
}
