//! A starter configuration: what `gradus init` writes for data that it looks at.
//!
//! One file for each kind of data; `text` puts the configuration together.

mod arrays;
mod built_in;
mod pictures;
mod table;
mod text;

use crate::data::{HOUSING, housing, is_table};
use crate::error::{Error, Result};
use std::path::Path;
use text::{Rows, configuration};

/// A commented configuration for data, as TOML: a table (`.csv`, `.tsv`, `.parquet`), arrays
/// (`x.npy`, with `y.npy` beside it, or `x.npy,y.npy`), a folder of pictures with a folder for each
/// class, or a built-in set.
///
/// It trains as it is. A table's target is a guess, its last column, and the text says so.
///
/// # Errors
/// Data that is not there or that nothing can be learned from, and a name that no set has.
pub fn starter(data: &str) -> Result<String> {
    let rows = rows(data)?;
    Ok(configuration(data, &rows))
}

fn rows(data: &str) -> Result<Rows> {
    if data.to_ascii_lowercase().ends_with(".toml") {
        let expected = "data: a table, arrays, a folder of pictures, or a built-in set";
        let found = format!("`{data}`, a configuration");
        return Err(Error::invalid("init", found, expected));
    }
    if data == HOUSING {
        return table::look(data, &housing()?);
    }
    if let Some(rows) = built_in::look(data)? {
        return Ok(rows);
    }
    if Path::new(data).is_dir() {
        return pictures::look(data);
    }
    match is_table(data)? {
        true => table::look(data, Path::new(data)),
        false => arrays::look(data),
    }
}
