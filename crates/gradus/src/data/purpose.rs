//! `Purpose`: the use that rows are opened for.

use crate::base::shape::Shape;
use crate::data::pictures::Pictures;
use crate::data::scale::Scale;
use crate::data::schema::Schema;
use crate::data::table::OnCopy;
use crate::error::Result;

/// The use that rows are opened for: what a model takes of data that can be had in several
/// ways. By default rows to make a model of, wherever they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purpose<'a> {
    /// The shape of a model's input, without the batch: the pictures of a folder come in
    /// this size, and in its colours.
    pub input: Option<&'a Shape>,
    /// The columns of a table that a model knows.
    pub schema: Option<&'a Schema>,
    /// The preparation of pictures that a model knows.
    pub pictures: Option<&'a Pictures>,
    /// Leaves out a table's targets and keeps its ids, as predictions want them.
    pub unlabelled: bool,
    /// Refuses rows that are larger than the memory they may take, which are read from
    /// their files otherwise.
    pub in_memory: bool,
    /// Called with the progress of the copy that is made of a table larger than memory.
    pub on_copy: OnCopy<'a>,
}

impl Purpose<'_> {
    /// The scale of pixels, `unit` by default.
    pub(super) fn scale(&self, unit: Scale) -> Result<Scale> {
        match self.pictures {
            Some(known) => known.scale_of_new(unit),
            None => Ok(unit),
        }
    }
}
