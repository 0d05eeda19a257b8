//! Facts about data that a model keeps beside its network, for its file and its words.

use super::graph::Model;
use crate::data::{Pictures, Schema};

/// Facts about the data that a model was made for, or trained on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputFacts {
    /// The meaning of a table's columns, of a model that was trained on one.
    pub schema: Option<Schema>,
    /// The preparation of pictures, of a model that was trained on a folder of such, or on
    /// some that are not scaled as usual.
    pub pictures: Option<Pictures>,
    /// Names of the classes in the order of their labels, if the rows of the last training have
    /// names that neither a table nor a folder of pictures gives.
    pub classes: Vec<String>,
}

impl Model {
    /// Facts about the data that it was made for.
    pub fn facts(&self) -> &InputFacts {
        &self.facts
    }

    /// Facts about the data that it was made for, to be changed.
    pub fn facts_mut(&mut self) -> &mut InputFacts {
        &mut self.facts
    }
}
