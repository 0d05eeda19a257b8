//! The operations of a plan. `engine/reference.rs` defines what each computes.

use super::Size;
use crate::rules::activations::Activation;
use crate::rules::augment::{Augment, Image, Resize};
use crate::rules::constraints::Constraint;
use crate::rules::losses::Loss;
use crate::rules::mapping::Mapping;
use crate::rules::noise::Noise;
use crate::rules::optimizers::Method;
use crate::rules::pairwise::Pairwise;
use crate::rules::regularizers::{L1L2, Regularizer};
use std::sync::Arc;

/// A buffer's number in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buffer(pub u32);

impl Buffer {
    /// The number, as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A buffer seen as a matrix of (rows · positions) × width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Matrix rows for each row of the batch.
    pub positions: usize,
    /// Matrix columns.
    pub width: usize,
}

impl View {
    /// Numbers for each row of the batch.
    pub fn per_row(self) -> usize {
        self.positions * self.width
    }
}

/// The three buffers and sizes of a product y = x · w.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Matrix rows for each row of the batch.
    pub positions: usize,
    /// Columns of x, rows of w.
    pub inputs: usize,
    /// Columns of w and of y.
    pub outputs: usize,
}

impl Factors {
    pub(crate) fn input_view(self) -> View {
        View {
            positions: self.positions,
            width: self.inputs,
        }
    }

    pub(crate) fn output_view(self) -> View {
        View {
            positions: self.positions,
            width: self.outputs,
        }
    }
}

/// The sizes of a product of two tensors: (rows × depth) · (depth × columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// What a row of the batch is multiplied by at most to make it of length 1.
pub const LARGEST_INVERSE: f32 = 1e7;

/// Of how many parts of the columns the sums are made that [`Op::NormalizedWeight`] makes:
/// always the same, so that no bit depends on who makes which. More threads than this do not
/// share its work.
pub const PIECES: usize = 8;

/// What clips an update's gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Nothing.
    None,
    /// Each number is cut to ± this.
    Value(f32),
    /// The gradient is scaled down so that the norm in `norm` becomes at most `limit`.
    Norm {
        /// The squared norm.
        norm: Buffer,
        /// The largest norm.
        limit: f32,
    },
}

/// One operation. Where x and y have one view, they may be the same memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// y = x · w.
    Product {
        x: Buffer,
        w: Buffer,
        y: Buffer,
        of: Factors,
    },
    /// dx = dy · wᵀ.
    ProductInput {
        dy: Buffer,
        w: Buffer,
        dx: Buffer,
        of: Factors,
    },
    /// dw = xᵀ · dy.
    ProductWeight {
        x: Buffer,
        dy: Buffer,
        dw: Buffer,
        of: Factors,
    },
    /// y = x + bias, for each matrix row.
    Bias {
        x: Buffer,
        bias: Buffer,
        y: Buffer,
        view: View,
    },
    /// db = the sum of dy over matrix rows.
    BiasGradient { dy: Buffer, db: Buffer, view: View },
    /// y = f(x), each number by itself.
    Activate {
        rule: Activation,
        x: Buffer,
        y: Buffer,
        view: View,
    },
    /// dx = dy · f'(x); x is there only where f' needs it.
    ActivateGradient {
        rule: Activation,
        x: Option<Buffer>,
        y: Buffer,
        dy: Buffer,
        dx: Buffer,
        view: View,
    },
    /// y = softmax of each matrix row of x, or its logarithm.
    Softmax {
        x: Buffer,
        y: Buffer,
        log: bool,
        view: View,
    },
    /// dx = y · (dy - Σ y dy); of the logarithm, dy - e^y Σ dy.
    SoftmaxGradient {
        y: Buffer,
        dy: Buffer,
        dx: Buffer,
        log: bool,
        view: View,
    },
    /// y = x / (1 - rate) where the stream's number is at least `rate`, else 0:
    /// the same mask forward and backward.
    Dropout {
        x: Buffer,
        y: Buffer,
        rate: f32,
        stream: u32,
        view: View,
    },
    /// Batch normalization in training: y = γ (x - mean) / √(variance + ε) + β by
    /// column; mean and 1/√(variance + ε) are kept, the moving ones moved.
    Normalize {
        x: Buffer,
        gamma: Option<Buffer>,
        beta: Option<Buffer>,
        moving_mean: Buffer,
        moving_variance: Buffer,
        mean: Buffer,
        inverse: Buffer,
        y: Buffer,
        momentum: f32,
        epsilon: f32,
        view: View,
    },
    /// The gradients of `Normalize`.
    NormalizeGradient {
        x: Buffer,
        gamma: Option<Buffer>,
        mean: Buffer,
        inverse: Buffer,
        dy: Buffer,
        dx: Buffer,
        dgamma: Option<Buffer>,
        dbeta: Option<Buffer>,
        view: View,
    },
    /// The gradient of a product's weights whose x is γ x̂ + β, from g = x̂ᵀ · dy and the
    /// `sums` of dy over matrix rows: dw = γ g + β sums, row by row. And the sums of w g and
    /// of w sums in each row, by parts of the columns: first all of the former.
    NormalizedWeight {
        g: Buffer,
        w: Buffer,
        gamma: Option<Buffer>,
        beta: Option<Buffer>,
        sums: Buffer,
        dw: Buffer,
        parts: Buffer,
        of: Factors,
    },
    /// dγ and dβ, from those sums.
    NormalizedScale {
        parts: Buffer,
        dgamma: Option<Buffer>,
        dbeta: Option<Buffer>,
        of: Factors,
    },
    /// Batch normalization in inference: y = γ (x - mean) / √(variance + ε) + β.
    Standardize {
        x: Buffer,
        gamma: Option<Buffer>,
        beta: Option<Buffer>,
        mean: Buffer,
        variance: Buffer,
        y: Buffer,
        epsilon: f32,
        view: View,
    },
    /// dx = dy γ / √(variance + ε).
    StandardizeGradient {
        gamma: Option<Buffer>,
        variance: Buffer,
        dy: Buffer,
        dx: Buffer,
        epsilon: f32,
        view: View,
    },
    /// y = x · by, for each matrix row; if `negative_only`, y = x where x is above 0.
    Scale {
        x: Buffer,
        by: Buffer,
        y: Buffer,
        negative_only: bool,
        view: View,
    },
    /// The gradients of `Scale`.
    ScaleGradient {
        x: Buffer,
        by: Buffer,
        dy: Buffer,
        dx: Buffer,
        dby: Option<Buffer>,
        negative_only: bool,
        view: View,
    },
    /// y = (x - mean) / √(variance + ε), of each matrix row by itself;
    /// 1/√(variance + ε) is kept for each.
    StandardizeRows {
        x: Buffer,
        y: Buffer,
        inverse: Buffer,
        epsilon: f32,
        view: View,
    },
    /// dx = (dy - mean dy - y · mean(y dy)) / √(variance + ε), for each matrix row.
    StandardizeRowsGradient {
        y: Buffer,
        inverse: Buffer,
        dy: Buffer,
        dx: Buffer,
        view: View,
    },
    /// y = x under the noise of a stream.
    Noise {
        rule: Noise,
        x: Buffer,
        y: Buffer,
        stream: u32,
        view: View,
    },
    /// The gradient of `Noise`, under the same random numbers.
    NoiseGradient {
        rule: Noise,
        y: Buffer,
        dy: Buffer,
        dx: Buffer,
        stream: u32,
        view: View,
    },
    /// y = x, an image in each row, under the random change of a stream.
    Augment {
        rule: Augment,
        image: Image,
        x: Buffer,
        y: Buffer,
        stream: u32,
    },
    /// The gradient of `Augment`, under the same random numbers; y is there only
    /// where it is needed.
    AugmentGradient {
        rule: Augment,
        image: Image,
        y: Option<Buffer>,
        dy: Buffer,
        dx: Buffer,
        stream: u32,
    },
    /// y = x, an image in each row, in another size; a stream moves all images of a
    /// step alike.
    Resize {
        rule: Arc<Resize>,
        x: Buffer,
        y: Buffer,
        stream: Option<u32>,
    },
    /// The gradient of `Resize`, moved alike.
    ResizeGradient {
        rule: Arc<Resize>,
        dy: Buffer,
        dx: Buffer,
        stream: Option<u32>,
    },
    /// y is x with each row's axes in another order: its n-th is x's `order[n]`-th.
    Permute {
        x: Buffer,
        y: Buffer,
        /// The shape of a row of x.
        dims: Vec<usize>,
        order: Vec<usize>,
        view: View,
    },
    /// y = these numbers, whatever the batch.
    Constant { y: Buffer, values: Vec<f32> },
    /// y = a + b.
    Sum {
        a: Buffer,
        b: Buffer,
        y: Buffer,
        view: View,
    },
    /// y = what becomes of a and b, number by number.
    Combine {
        rule: Pairwise,
        a: Buffer,
        b: Buffer,
        y: Buffer,
        view: View,
    },
    /// dx = dy · the derivative of `Combine` by a, or by b if not `first`.
    CombineGradient {
        rule: Pairwise,
        first: bool,
        a: Buffer,
        b: Buffer,
        dy: Buffer,
        dx: Buffer,
        view: View,
    },
    /// y's rows are made of numbers of x's: the i-th is x's `from[i]`-th of `inputs`.
    Spread {
        x: Buffer,
        y: Buffer,
        from: Vec<u32>,
        inputs: usize,
        view: View,
    },
    /// The gradient of `Spread`: each number of dx gets the sum over its copies.
    SpreadGradient {
        dy: Buffer,
        dx: Buffer,
        from: Vec<u32>,
        inputs: usize,
        view: View,
    },
    /// y's matrix rows are those of the parts, each with its width, side by side.
    Concatenate {
        parts: Vec<(Buffer, usize)>,
        y: Buffer,
        view: View,
    },
    /// y is the columns of x, which has `width`, from `start` on.
    Slice {
        x: Buffer,
        y: Buffer,
        width: usize,
        start: usize,
        view: View,
    },
    /// y = a · b, of each row of the batch by itself.
    BatchProduct {
        a: Buffer,
        b: Buffer,
        y: Buffer,
        of: Inner,
    },
    /// y = x / max(‖x‖, 1e-7), of each matrix row by itself; what x was multiplied
    /// by is kept for each.
    UnitRows {
        x: Buffer,
        y: Buffer,
        inverse: Buffer,
        view: View,
    },
    /// dx = (dy - y · Σ y dy) / ‖x‖, for each matrix row.
    UnitRowsGradient {
        y: Buffer,
        inverse: Buffer,
        dy: Buffer,
        dx: Buffer,
        view: View,
    },
    /// y = what becomes of x, each number by itself.
    Map {
        rule: Mapping,
        x: Buffer,
        y: Buffer,
        view: View,
    },
    /// dx = dy where x is finite, else 0.
    FiniteGradient {
        x: Buffer,
        dy: Buffer,
        dx: Buffer,
        view: View,
    },
    /// Each matrix row of y, of zeros, counts what `indices` numbers of x name:
    /// their columns get 1, or 1 for each if `count`. Others name nothing.
    Encode {
        x: Buffer,
        y: Buffer,
        indices: usize,
        count: bool,
        view: View,
    },
    /// Each matrix row of y is the row of w, which has so many `rows`, that x names;
    /// NaN where it names none.
    Embed {
        x: Buffer,
        w: Buffer,
        y: Buffer,
        rows: usize,
        view: View,
    },
    /// Each row of dw is the sum of the matrix rows of dy for which x names it.
    EmbedGradient {
        x: Buffer,
        dy: Buffer,
        dw: Buffer,
        rows: usize,
        view: View,
    },
    /// y = a + b for the gradients of a variable that is used twice.
    SumGradients {
        a: Buffer,
        b: Buffer,
        y: Buffer,
        size: usize,
    },
    /// The loss of each matrix row, and if wanted the derivative of the mean
    /// weighted loss of the batch, times `share`, by x.
    Loss {
        rule: Loss,
        x: Buffer,
        target: Buffer,
        weight: Option<Buffer>,
        losses: Buffer,
        gradient: Option<Buffer>,
        share: f32,
        view: View,
    },
    /// norm = Σ x² over all of `gradients`, each with its size.
    SquaredNorm {
        gradients: Vec<(Buffer, usize)>,
        norm: Buffer,
    },
    /// penalty = what the regularizer adds to the loss for all of x.
    Penalty {
        rule: Regularizer,
        x: Buffer,
        penalty: Buffer,
        size: Size,
        columns: usize,
    },
    /// dx = the derivative of the penalty for x, divided by the batch's rows if x
    /// has some numbers for each.
    PenaltyGradient {
        rule: Regularizer,
        x: Buffer,
        dx: Buffer,
        size: Size,
        columns: usize,
    },
    /// y = x, rounded to bfloat16: columns of a view if x has some numbers for each row.
    Round {
        x: Buffer,
        y: Buffer,
        size: Size,
        view: View,
    },
    /// y = (gradient + accumulator) / steps, and the accumulator is 0 again; in a
    /// step that only gathers, the accumulator takes the gradient and y is 0.
    Accumulate {
        gradient: Buffer,
        accumulator: Buffer,
        y: Buffer,
        size: usize,
    },
    /// One step of the optimizer on a variable: the gradient and the regularizer's,
    /// gathered with those before, clipped; decay; update; moving average. A step
    /// that only gathers does the first and the last.
    Update {
        rule: Method,
        w: Buffer,
        gradient: Buffer,
        slots: Vec<Buffer>,
        /// The penalty whose derivative belongs to the gradient.
        regularizer: Option<L1L2>,
        /// The gradients since the last update.
        accumulator: Option<Buffer>,
        /// The moving average of w.
        average: Option<Buffer>,
        clip: Clip,
        /// The share, times the learning rate, taken off before the update.
        decay: f32,
        /// What the learning rate is multiplied by.
        rate: f32,
        /// The variable's shape, if the rule's step takes all of it at once. Then
        /// regularizer and gathering are operations of their own.
        whole: Option<Vec<usize>>,
        size: usize,
    },
    /// w is brought back to what it is kept to.
    Constrain {
        rule: Constraint,
        w: Buffer,
        shape: Vec<usize>,
        size: usize,
    },
}
