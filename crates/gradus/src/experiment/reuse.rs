//! Saved models that a configuration's layers are taken from: `reuse = "model_a.keras"`.

use super::config::problem_at;
use super::event::Progress;
use super::model_file::{self, Start};
use crate::base::registry::Value;
use crate::error::{Error, Result};
use crate::model::Saved;
use std::collections::BTreeMap;
use std::path::Path;

/// Loads each model that the tables name, once. Paths are relative to `base`; `at` is the layers'
/// path of keys. Returns the models by the paths that tables name, and their files.
pub fn load(
    at: &str,
    layers: &[Value],
    base: &Path,
    progress: &Progress<'_>,
) -> Result<(BTreeMap<String, Saved>, Vec<Start>)> {
    let (mut saved, mut files) = (BTreeMap::new(), Vec::<Start>::new());
    for (i, layer) in layers.iter().enumerate() {
        let Some(file) = layer.get("reuse").and_then(Value::as_str) else {
            continue;
        };
        if saved.contains_key(file) {
            continue;
        }
        let loaded = model_file::load(&base.join(file), progress);
        let (model, mut start) = loaded.map_err(|error| match error {
            Error::Io { path, cause, .. } => {
                let problem = format!("cannot read {}: {cause}", path.display());
                problem_at(&format!("{at}[{i}].reuse"), &problem)
            }
            other => other,
        })?;
        let full = std::path::absolute(&start.path);
        let full = full.map_err(|cause| Error::io("find", &start.path, cause))?;
        let path = full.display().to_string();
        if files.iter().all(|known| known.path != full) {
            start.name = match files.len() {
                0 => "reused model".to_owned(),
                others => format!("reused model {}", others + 1),
            };
            start.path = full;
            files.push(start);
        }
        saved.insert(file.to_owned(), Saved { model, path });
    }
    Ok((saved, files))
}
