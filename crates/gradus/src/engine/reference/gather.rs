//! Parts of several ranks: this engine is always alone, and has all of them.

use super::{Compute, Run};
use crate::plan::ops::Gather;

impl Compute for Gather {
    fn compute(&self, _run: &mut Run<'_>) {}
}
