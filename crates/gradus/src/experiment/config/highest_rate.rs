//! The highest rate of a schedule, which `learning_rate = "auto"` finds.

use super::excluded;
use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::rules::schedules::Schedule;

/// The argument with the peak rate, of the schedules that have one.
const MAXIMA: [(&str, &str); 2] = [("OneCycle", "max_rate"), ("OneCycleLR", "max_lr")];

/// A schedule whose peak rate will be found, and may be left out.
pub fn read_schedule(at: &str, value: &Value) -> Result<Schedule> {
    let table = match value {
        Value::String(name) => serde_json::json!({ "type": name }),
        other => other.clone(),
    };
    let filled = MAXIMA.iter().find_map(|(_, key)| {
        let mut filled = table.clone();
        let fields = filled.as_object_mut()?;
        fields.entry(*key).or_insert(1.0.into());
        Schedule::from_config(at, &filled).ok()
    });
    let schedule = match filled {
        Some(schedule) => schedule,
        None => Schedule::from_config(at, value)?,
    };
    match maximum(&schedule) {
        Some(_) => Ok(schedule),
        None => Err(no_maximum(&schedule)),
    }
}

/// The argument that is a schedule's highest rate.
pub fn maximum(schedule: &Schedule) -> Option<&'static str> {
    let of = MAXIMA.iter().find(|(class, _)| *class == schedule.class());
    of.map(|(_, key)| *key)
}

/// The error of a schedule without one.
pub fn no_maximum(schedule: &Schedule) -> Error {
    let why = format!(
        "`{}` has rates of its own, of which none is the highest",
        schedule.class()
    );
    excluded("train.learning_rate = \"auto\"", "train.schedule", &why)
}
