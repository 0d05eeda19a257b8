//! `[callbacks]`: what happens between epochs.

use gradus::config::{Value, read, table};
use gradus::train::{EarlyStopping, ReduceLROnPlateau};
use gradus::{Error, Result};
use serde::Deserialize;

/// What happens between epochs.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// Nothing where the key is not there; `false` is none, also with a recipe.
    pub early_stopping: Option<Option<EarlyStopping>>,
    pub reduce_lr_on_plateau: Option<ReduceLROnPlateau>,
}

#[derive(Deserialize)]
struct Raw {
    early_stopping: Option<Value>,
    reduce_lr_on_plateau: Option<Value>,
}

impl Callbacks {
    /// Reads the table; `at` is where it stands.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let early_stopping = match raw.early_stopping {
            None => None,
            Some(Value::Bool(false)) => Some(None),
            Some(value) => {
                let at = format!("{at}.early_stopping");
                Some(Some(read(&at, table(&at, &value)?)?))
            }
        };
        let reduce_lr_on_plateau: Option<ReduceLROnPlateau> = match raw.reduce_lr_on_plateau {
            None => None,
            Some(value) => {
                let at = format!("{at}.reduce_lr_on_plateau");
                let reduce: ReduceLROnPlateau = read(&at, table(&at, &value)?)?;
                if !(reduce.factor > 0.0 && reduce.factor < 1.0) {
                    let at = format!("{at}.factor");
                    return Err(Error::invalid(
                        &at,
                        reduce.factor,
                        "a number between 0 and 1",
                    ));
                }
                Some(reduce)
            }
        };
        Ok(Callbacks {
            early_stopping,
            reduce_lr_on_plateau,
        })
    }
}
