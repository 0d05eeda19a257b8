//! Tables of a configuration beside a recipe: they replace the keys that they name.

use crate::base::registry::{Value, table};
use crate::error::{Error, Result};
use crate::model::Recipe;
use crate::train::EarlyStopping;
use serde_json::Map;

/// Fills the tables that stand beside a recipe with what the recipe says: the optimizer's if
/// it names no other type, the schedule's if it names none, and early stopping's. Gives
/// whether the recipe's learning rate stays, too. `of_table` is whether its rows are a table's.
pub fn fill(config: &mut Value, recipe: &Recipe, of_table: bool) -> Result<bool> {
    let named = |key: &str| config.pointer(key)?.as_u64()?.try_into().ok();
    let epochs = named("/train/epochs").unwrap_or(recipe.epochs);
    let batch_size = named("/train/batch_size").unwrap_or(recipe.batch_size);
    let recipe = &Recipe {
        batch_size,
        ..recipe.clone()
    };
    let mut keeps_rate = false;
    if let Some(given) = config.pointer_mut("/train/optimizer") {
        let own = match of_table {
            true => recipe.table_optimizer(),
            false => recipe.optimizer(),
        };
        let mut own = own.to_config();
        if is_of(given, &own) {
            keeps_rate = given.get("learning_rate").is_none();
            own["learning_rate"].take();
            put_over(given, &own)?;
        }
    }
    if let Some(given) = config.pointer_mut("/train/schedule")
        && given.get("type").is_none()
    {
        put_over(given, &recipe.schedule().to_config())?;
    }
    if let Some(given) = config.pointer_mut("/callbacks/early_stopping") {
        let own = serde_json::to_value(EarlyStopping::recipe(epochs));
        put_over(
            given,
            &own.map_err(|error| Error::Internal(error.to_string()))?,
        )?;
    }
    Ok(keeps_rate)
}

/// True if a table is of the same type as `own`, or says nothing of its type.
fn is_of(given: &Value, own: &Value) -> bool {
    let (name, own) = (given.get("type"), own["type"].as_str().unwrap_or_default());
    let same = |name: &Value| name.as_str().is_some_and(|n| n.eq_ignore_ascii_case(own));
    given.is_object() && name.is_none_or(same)
}

/// Puts a table over another one, whose other keys stay.
fn put_over(given: &mut Value, own: &Value) -> Result<()> {
    let Value::Object(named) = given else {
        return Ok(());
    };
    let mut all: Map<String, Value> = table("", own)?;
    all.retain(|_, value| !value.is_null());
    all.extend(std::mem::take(named));
    *named = all;
    Ok(())
}
