//! The differences of several runs' configurations.

use crate::artifacts::report::Table;
use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::experiment::changes::flatten;
use crate::experiment::config::from_toml;
use std::collections::{BTreeMap, BTreeSet};

/// The keys whose values differ, with the value of each run: its name and its configuration.
pub fn differences(runs: &[(&str, &str)]) -> Result<Table> {
    let read = |(name, config): &(&str, &str)| {
        let config = from_toml(config).map_err(|problem| Error::invalid(name, problem, "TOML"))?;
        let mut keys = BTreeMap::new();
        flatten("", &config, &mut keys);
        Ok(keys)
    };
    let configs: Vec<BTreeMap<String, Value>> = runs.iter().map(read).collect::<Result<_>>()?;
    let keys: BTreeSet<&String> = configs.iter().flat_map(BTreeMap::keys).collect();
    let row = |key: &String| {
        let values = configs.iter().map(|config| config.get(key));
        let mut row = vec![key.clone()];
        row.extend(values.map(|value| value.map_or("none".into(), Value::to_string)));
        let first = &row[1];
        row[1..].iter().any(|value| value != first).then_some(row)
    };
    let names = runs.iter().map(|(name, _)| (*name).to_owned());
    Ok(Table {
        columns: ["key".to_owned()].into_iter().chain(names).collect(),
        rows: keys.into_iter().filter_map(row).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_listed() {
        let a = "seed = 1\n[train]\nepochs = 3\n[model]\nlayers = [{ units = 3 }]\n";
        let b =
            "seed = 1\n[train]\nepochs = 4\nshuffle = false\n[model]\nlayers = [{ units = 3 }]\n";
        let found = differences(&[("a", a), ("b", b)]).unwrap();
        assert_eq!(found.columns, ["key", "a", "b"]);
        let rows = [
            ["train.epochs", "3", "4"],
            ["train.shuffle", "none", "false"],
        ];
        assert_eq!(found.rows, rows);
        assert!(differences(&[("a", "="), ("b", b)]).is_err());
    }
}
