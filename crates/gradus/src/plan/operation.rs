//! The facts of an operation that everything else asks for.

use super::backward::Pass;
use super::buffer::{Buffer, View};
use super::operands::Operands;

/// The axis along which an operation can be cut into chunks that need nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// By columns of the view.
    Columns(View),
    /// By matrix rows of the view.
    Rows(View),
    /// By columns of a weight matrix of this many rows and columns.
    Weight(usize, usize),
    /// By so many units of its own.
    Units(usize),
    /// By elements of a variable of this size.
    Elements(usize),
    /// Nowhere: it is done as a whole.
    Whole,
}

/// An operation's answer to a gradient of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backward {
    /// Every input that is to have its part of the gradient has been given it.
    Passed,
    /// The derivative is 0 or undefined everywhere, as of a lookup. As in Keras, nothing is
    /// passed on: variables that reach the loss by no other way are not trained.
    Zero,
    /// There is no rule, for this reason. Lowering fails if a trained variable needs it.
    None(&'static str),
}

/// The reason why an operation that stands in no forward pass has no backward.
pub const NOT_FORWARD: Backward = Backward::None("it stands in no forward pass");

/// One operation of a plan. The methods without a default are those that it would be wrong to
/// forget.
pub trait Operation: Sized {
    /// Every buffer that it touches.
    fn operands(&self) -> Operands;

    /// The axis along which it is cut.
    fn split(&self) -> Split;

    /// Emits the gradients of the inputs, given `dy`, that of the output.
    fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward;

    /// Emits the gradient that begins here: of what is added to the loss. By default none
    /// does.
    fn begin_backward(&self, pass: &mut Pass<'_>) {
        let _ = pass;
    }

    /// The buffers of the factors that its table names, to be replaced by rounded ones. By
    /// default none; the two are compared.
    fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        Vec::new()
    }

    /// True if each element of its columns is made of the inputs' same element, so that it may be
    /// cut by matrix rows as well. By default no.
    fn is_by_element(&self) -> bool {
        false
    }

    /// True if each row of the batch that it makes is made of the same row of its inputs and of
    /// variables, with the same bits whatever rows are beside it, so that several ranks may do some rows each.
    /// By default only if it goes element by element.
    fn is_by_rows(&self) -> bool {
        self.is_by_element()
    }

    /// The number of parts of the matrix rows over each of which it sums by itself, if it does so: a task
    /// has whole ones. By default none.
    fn row_parts(&self) -> Option<usize> {
        None
    }

    /// True if what it makes of no row are sums over the batch's rows, of terms that are each made of one
    /// row and of variables: the sums of several parts of the batch add up to that of all. By default no.
    fn sums_rows(&self) -> bool {
        false
    }

    /// Checks that its numbers fit each other. By default the operands' sizes say all.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// About how many multiply-adds it takes for a batch of `rows`. By default 32 for each
    /// element of a view, which is what most elementwise ones take in all.
    fn work(&self, rows: usize) -> usize {
        match self.split() {
            Split::Columns(view) | Split::Rows(view) => 32 * rows * view.per_row(),
            _ => 0,
        }
    }
}
