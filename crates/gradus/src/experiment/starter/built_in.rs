//! A built-in set of pictures.

use super::text::{Rows, sizes};
use crate::data::BuiltIn;
use crate::error::{Error, Result};
use std::path::Path;

/// Looks at a built-in set, or a split of one; `None` if the words are a path's.
pub fn look(data: &str) -> Result<Option<Rows>> {
    let (name, split) = data.split_once(':').unwrap_or((data, ""));
    let set = match BuiltIn::find("init", name) {
        Ok(set) => set,
        Err(_) if Path::new(data).exists() || data.contains(['.', '/', '\\', ',']) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if !["", "train", "test"].contains(&split) {
        return Err(Error::unknown("init", "split", split, ["train", "test"]));
    }
    let mut rows = Rows::default();
    let [train, test] = set.rows;
    rows.seen.push(format!(
        "{}: {train} rows of {} and {test} for the test, {} classes",
        set.description,
        sizes(set.shape),
        set.classes.len()
    ));
    if set.found().is_none() {
        rows.seen.push(format!(
            "It is not on this machine yet: gradus data fetch {}",
            set.files()
        ));
    }
    rows.key("dataset", data);
    rows.remark("Rows held out, to watch the training; the test rows are the set's own.");
    rows.data
        .push("validation = { fraction = 0.1, shuffle = true }".into());
    rows.layers = layers(set.classes.len());
    Ok(Some(rows))
}

/// Layers for pictures of so many classes.
fn layers(classes: usize) -> Vec<String> {
    vec![
        "{ type = \"Flatten\" }".into(),
        "{ type = \"Dense\", units = 100, activation = \"elu\", kernel_initializer = \"he_normal\" }".into(),
        format!("{{ type = \"Dense\", units = {classes}, activation = \"softmax\" }}"),
    ]
}
