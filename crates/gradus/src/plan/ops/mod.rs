//! The registry of operations. A family's file has, of each operation, what it computes, its
//! operand table, how it is cut, and its backward; `engine/reference` and `engine/cpu/ops`
//! have files of the same names, which compute it.

use super::backward::Pass;
use super::buffer::Buffer;
use super::operands::{Layout, Operand, Operands};
use super::operation::{Backward, Operation, Split};

/// Makes of the list of families the modules, the enum of all operations, their names, and
/// `with_op!`, which evaluates an expression with the concrete operation: a trait that one
/// of them lacks is then an error when compiling. Its first argument is a dollar sign, which
/// a macro that makes a macro cannot write itself.
macro_rules! operations {
    ($d:tt $($family:ident: $($name:ident),+;)+) => {
        $(mod $family; pub use $family::*;)+

        /// One operation.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Op {
            $($($name($name),)+)+
        }

        $($(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Op::$name(op)
            }
        })+)+

        impl Op {
            /// The names of all operations.
            #[cfg(test)]
            pub const NAMES: &'static [&'static str] = &[$($(stringify!($name),)+)+];

            /// The name.
            pub fn name(&self) -> &'static str {
                match self {
                    $($(Op::$name(_) => stringify!($name),)+)+
                }
            }
        }

        macro_rules! with_op {
            ($d op:expr, |$d concrete:ident| $d body:expr) => {
                match $d op {
                    $($($crate::plan::Op::$name($d concrete) => $d body,)+)+
                }
            };
        }
        pub(crate) use with_op;
    };
}

operations! { $
    matmul: MatMul, MatMulInput, MatMulWeight;
    normalized_matmul: NormalizedWeight, NormalizedScale;
    batch_matmul: BatchMatMul;
    convolution: Conv, ConvInput, ConvKernel;
    depthwise: Depthwise, DepthwiseInput, DepthwiseKernel;
    kernel_sum: KernelSum;
    pool: MaxPool, MaxPoolGradient, AveragePool, AveragePoolGradient;
    pad: Pad;
    affine: Bias, BiasGradient, BiasSums, Scale, ScaleGradient;
    activation: Activate, ActivateGradient, Softmax, SoftmaxGradient;
    noise: Dropout, ChannelDropout, Noise, NoiseGradient;
    batch_norm: BatchNormTrain, BatchNormTrainGradient, BatchNormInfer, BatchNormInferGradient;
    batch_norm_parts: BatchMoments, MergeMoments, BatchNormApply, BatchNormSums, BatchNormApplyGradient;
    row_norm: LayerNorm, LayerNormGradient, L2Normalize, L2NormalizeGradient;
    image: Augment, AugmentGradient, Resize, ResizeGradient;
    binary: Sum, Binary, BinaryGradient;
    rearrange: Permute, Broadcast, BroadcastGradient, Concatenate, Slice, Constant;
    unary: Unary, FiniteGradient, Cast;
    quantized: QuantizedMatMul;
    fake_quantization: ColumnEnds, MoveRange, FakeQuantize, FakeQuantizeGradient, FakeQuantizeWeights;
    embed: MultiHot, Embed, EmbedGradient;
    loss: Loss;
    penalty: Penalty, PenaltyGradient;
    update: SumGradients, SquaredNorm, Accumulate, Update, Constrain;
    observe: Observe, Keep, Norm, Count;
    gather: Gather;
}

impl Op {
    /// Every buffer that it touches.
    pub fn operands(&self) -> Operands {
        with_op!(self, |op| op.operands())
    }

    /// The axis along which it is cut.
    pub fn split(&self) -> Split {
        with_op!(self, |op| op.split())
    }

    /// See [`Operation::backward`].
    pub fn backward(&self, dy: Buffer, pass: &mut Pass<'_>) -> Backward {
        with_op!(self, |op| op.backward(dy, pass))
    }

    /// See [`Operation::begin_backward`].
    pub fn begin_backward(&self, pass: &mut Pass<'_>) {
        with_op!(self, |op| op.begin_backward(pass));
    }

    /// See [`Operation::factors_mut`].
    pub fn factors_mut(&mut self) -> Vec<&mut Buffer> {
        with_op!(self, |op| op.factors_mut())
    }

    /// See [`Operation::is_by_element`].
    pub fn is_by_element(&self) -> bool {
        with_op!(self, |op| op.is_by_element())
    }

    /// See [`Operation::is_by_rows`].
    pub fn is_by_rows(&self) -> bool {
        with_op!(self, |op| op.is_by_rows())
    }

    /// See [`Operation::row_parts`].
    pub fn row_parts(&self) -> Option<usize> {
        with_op!(self, |op| op.row_parts())
    }

    /// See [`Operation::sums_rows`].
    pub fn sums_rows(&self) -> bool {
        with_op!(self, |op| op.sums_rows())
    }

    /// See [`Operation::check`].
    pub fn check(&self) -> Result<(), String> {
        with_op!(self, |op| op.check())
    }

    /// See [`Operation::work`].
    pub fn work(&self, rows: usize) -> usize {
        with_op!(self, |op| op.work(rows))
    }

    /// The buffers whose values it reads.
    pub fn reads(&self) -> impl Iterator<Item = Buffer> {
        let operands = self.operands().into_iter();
        operands.filter(Operand::is_read).map(|o| o.buffer)
    }

    /// The buffers whose values it changes.
    pub fn writes(&self) -> impl Iterator<Item = Buffer> {
        let operands = self.operands().into_iter();
        operands.filter(Operand::is_written).map(|o| o.buffer)
    }

    /// The input and output that may share their memory.
    pub fn in_place(&self) -> Option<(Buffer, Buffer)> {
        let found = |o: Operand| o.over.map(|input| (input, o.buffer));
        self.operands().into_iter().find_map(found)
    }

    /// True if it is for the eye alone: no value of the model depends on it.
    pub fn observes(&self) -> bool {
        matches!(
            self,
            Op::Observe(_) | Op::Keep(_) | Op::Norm(_) | Op::Count(_)
        )
    }

    /// True if what it makes of some rows or columns is made of others of its inputs, too: a
    /// product, or pooling.
    pub fn reads_around(&self) -> bool {
        match self {
            Op::Conv(Conv { dims, .. }) | Op::ConvInput(ConvInput { dims, .. }) => {
                !dims.is_by_pixel()
            }
            Op::MaxPool(_) | Op::AveragePool(_) => true,
            _ => self.is_product(),
        }
    }

    /// True of a matrix product: the start of a group, never a follower but of one pixel by itself.
    pub fn is_product(&self) -> bool {
        let product = |o: &Operand| o.factor().is_some() || matches!(o.layout, Layout::Int8(_));
        self.operands().iter().any(product)
    }
}
