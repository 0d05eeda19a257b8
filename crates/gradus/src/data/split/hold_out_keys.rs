//! The keys of rows that are held out, as they are written.

use crate::base::registry::Value;
use crate::data::files::Files;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// Rows that are held out: `first`, `fraction`, `fold` and `folds`, or rows of their own. A column is
/// named, or beside array files a file with one number a row.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "HoldOut", default)]
pub struct Raw {
    /// The first rows: their number. Default none.
    #[schemars(extend("examples" = [5000]))]
    pub first: Option<usize>,
    /// A share of the rows, between 0 and 1: the last ones, unless `shuffle`, `stratify`, `group` or
    /// `time` says otherwise. Default none.
    #[schemars(extend("examples" = [0.1]))]
    pub fraction: Option<f64>,
    /// One of several folds: its number, from 1. (`gradus train --folds` trains on each.) Default none.
    #[schemars(extend("examples" = [2]))]
    pub fold: Option<usize>,
    /// The number of folds, with `fold`. Default none.
    #[schemars(range(min = 2), extend("examples" = [5]))]
    pub folds: Option<usize>,
    /// True to choose rows at random, false for neighbours. Default false for `fraction`, true for
    /// folds.
    #[schemars(extend("examples" = [true]))]
    pub shuffle: Option<bool>,
    /// True to choose at random, with the same share of each class of the target; or a column, for the
    /// same share of each of its values.
    #[schemars(schema_with = "stratify_schema", extend("default" = false), extend("examples" = [true]))]
    pub stratify: Option<Value>,
    /// A column of groups, which are held out as a whole. Default none.
    #[schemars(extend("examples" = ["patient"]))]
    pub group: Option<String>,
    /// A column of times, the latest rows of which are held out. Default none.
    #[schemars(extend("examples" = ["date"]))]
    pub time: Option<String>,
    /// Inputs of rows of their own, as `data.x`. Default none.
    #[schemars(with = "Files", extend("examples" = ["xv.npy"]))]
    pub x: Option<Value>,
    /// Targets of rows of their own, as `data.y`. Default none.
    #[schemars(with = "Files", extend("examples" = ["yv.npy"]))]
    pub y: Option<Value>,
    /// A weight for each of the rows of `x` and `y`. Default 1 for all.
    #[schemars(extend("examples" = ["wv.npy"]))]
    pub sample_weight: Option<String>,
    /// A table of their own, with the columns of `data.table`. Default none.
    #[schemars(extend("examples" = ["validation.csv"]))]
    pub table: Option<String>,
    /// A folder of pictures of their own, with the class folders of `data.images`. Default none.
    #[schemars(extend("examples" = ["flowers-validation"]))]
    pub images: Option<String>,
}

fn stratify_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["boolean", "string"] })
}
