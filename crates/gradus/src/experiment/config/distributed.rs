//! `[distributed]`: the way several processes train together.

use super::truth;
use crate::base::registry::{Value, read, table};
use crate::error::Result;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// `[distributed]`, read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistributedConfig {
    /// True if several processes make the bits of one.
    pub exact: bool,
}

/// Several processes that train together, under `mpirun`.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "Distributed", default)]
pub(super) struct Raw {
    /// True to make the bits that one process makes, for any number of processes. False to sum gradients over
    /// each process' own rows, and add these sums up in the order of the processes: fewer bytes are passed on
    /// for convolutions and large batches, and another number of processes gives other bits.
    #[schemars(with = "Option<bool>", extend("default" = true), extend("examples" = [false]))]
    exact: Option<Value>,
}

impl DistributedConfig {
    /// Reads the table; `at` is its path of keys.
    pub fn from_value(at: &str, value: &Value) -> Result<Self> {
        let raw: Raw = read(at, table(at, value)?)?;
        let exact = raw.exact.map(|value| truth(&format!("{at}.exact"), &value));
        Ok(DistributedConfig {
            exact: exact.transpose()?.unwrap_or(true),
        })
    }

    /// The keys that are not as by default; `None` if all are.
    pub fn given(self) -> Option<Value> {
        (!self.exact).then(|| json!({ "exact": false }))
    }
}
