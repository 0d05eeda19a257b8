//! Tables of a configuration beside a recipe, whose keys they replace.

use crate::base::registry::{Value, table};
use crate::error::{Error, Result};
use crate::model::Recipe;
use crate::train::EarlyStopping;
use serde_json::Map;

/// Fills the tables beside a recipe with its values: the optimizer's if they name no other type,
/// the schedule's if they name none, and early stopping's. Returns true if the recipe's learning
/// rate is kept, too. `of_table` is true for the rows of a table.
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

/// True if a table has the type of `own`, or none.
fn is_of(given: &Value, own: &Value) -> bool {
    let (name, own) = (given.get("type"), own["type"].as_str().unwrap_or_default());
    let same = |name: &Value| name.as_str().is_some_and(|n| n.eq_ignore_ascii_case(own));
    given.is_object() && name.is_none_or(same)
}

/// Merges a table into another one, whose other keys stay.
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
