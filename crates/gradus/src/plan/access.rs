//! What the scheduling of operations asks of them: what each reads and writes, what
//! may share memory, how it can be cut.

use super::Size;
use super::op::{Buffer, Clip, Op, View};
use crate::rules::regularizers;

/// How an operation can be cut into pieces that need nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// By columns of the view.
    Columns(View),
    /// By matrix rows of the view.
    Rows(View),
    /// By rows of a weight matrix of this many rows and columns.
    Weight(usize, usize),
    /// By numbers of a variable of this size.
    Elements(usize),
    /// Not at all.
    Whole,
}

impl Op {
    /// How it can be cut into independent pieces.
    pub fn split(&self) -> Split {
        match *self {
            Op::Product { of, .. } => Split::Columns(of.output_view()),
            Op::ProductInput { of, .. } => Split::Columns(of.input_view()),
            Op::ProductWeight { of, .. } | Op::NormalizedWeight { of, .. } => {
                Split::Weight(of.inputs, of.outputs)
            }
            Op::NormalizedScale { of, .. } => Split::Columns(View {
                positions: 1,
                width: of.inputs,
            }),
            Op::Bias { view, .. }
            | Op::BiasGradient { view, .. }
            | Op::Activate { view, .. }
            | Op::ActivateGradient { view, .. }
            | Op::Dropout { view, .. }
            | Op::Normalize { view, .. }
            | Op::NormalizeGradient { view, .. }
            | Op::Standardize { view, .. }
            | Op::StandardizeGradient { view, .. }
            | Op::Scale { view, .. }
            | Op::ScaleGradient { view, .. }
            | Op::Noise { view, .. }
            | Op::NoiseGradient { view, .. }
            | Op::Combine { view, .. }
            | Op::CombineGradient { view, .. }
            | Op::EmbedGradient { view, .. }
            | Op::Sum { view, .. } => Split::Columns(view),
            Op::Softmax { view, .. }
            | Op::SoftmaxGradient { view, .. }
            | Op::StandardizeRows { view, .. }
            | Op::StandardizeRowsGradient { view, .. }
            | Op::Permute { view, .. }
            | Op::Spread { view, .. }
            | Op::SpreadGradient { view, .. }
            | Op::Concatenate { view, .. }
            | Op::Slice { view, .. }
            | Op::Map { view, .. }
            | Op::FiniteGradient { view, .. }
            | Op::Encode { view, .. }
            | Op::Embed { view, .. }
            | Op::UnitRows { view, .. }
            | Op::UnitRowsGradient { view, .. }
            | Op::Loss { view, .. } => Split::Rows(view),
            Op::Augment { image, .. } | Op::AugmentGradient { image, .. } => Split::Rows(View {
                positions: 1,
                width: image.size(),
            }),
            Op::Resize { ref rule, .. } | Op::ResizeGradient { ref rule, .. } => {
                Split::Rows(View {
                    positions: 1,
                    width: rule.to.size(),
                })
            }
            Op::BatchProduct { of, .. } => Split::Rows(View {
                positions: 1,
                width: of.rows * of.columns,
            }),
            Op::PenaltyGradient {
                ref rule,
                size,
                columns,
                ..
            } if rule.form() == regularizers::Form::Element => match size {
                Size::Fixed(size) => Split::Elements(size),
                Size::PerRow(size) => Split::Columns(View {
                    positions: size / columns.max(1),
                    width: columns,
                }),
            },
            Op::Round { size, view, .. } => match size {
                Size::Fixed(size) => Split::Elements(size),
                Size::PerRow(_) => Split::Columns(view),
            },
            Op::Update { whole: Some(_), .. }
            | Op::SquaredNorm { .. }
            | Op::Constant { .. }
            | Op::Penalty { .. }
            | Op::PenaltyGradient { .. }
            | Op::Constrain { .. } => Split::Whole,
            Op::SumGradients { size, .. }
            | Op::Accumulate { size, .. }
            | Op::Update { size, .. } => Split::Elements(size),
        }
    }

    /// Whether it is a matrix product: the start of a group, never a follower.
    pub fn is_product(&self) -> bool {
        matches!(
            self,
            Op::Product { .. } | Op::ProductInput { .. } | Op::ProductWeight { .. }
        )
    }

    /// Calls `f` with every buffer that is read.
    pub fn reads(&self, f: &mut dyn FnMut(Buffer)) {
        let mut all = |buffers: &[Buffer]| buffers.iter().copied().for_each(&mut *f);
        match self {
            Op::Product { x, w, .. } => all(&[*x, *w]),
            Op::ProductInput { dy, w, .. } => all(&[*dy, *w]),
            Op::ProductWeight { x, dy, .. } => all(&[*x, *dy]),
            Op::NormalizedWeight {
                g,
                w,
                gamma,
                beta,
                sums,
                ..
            } => {
                all(gamma.as_slice());
                all(beta.as_slice());
                all(&[*g, *w, *sums]);
            }
            Op::NormalizedScale { parts, .. } => all(&[*parts]),
            Op::Bias { x, bias, .. } => all(&[*x, *bias]),
            Op::BiasGradient { dy, .. } => all(&[*dy]),
            Op::Activate { x, .. } | Op::Softmax { x, .. } | Op::Dropout { x, .. } => all(&[*x]),
            Op::ActivateGradient { x, y, dy, .. } => {
                all(x.as_slice());
                all(&[*y, *dy]);
            }
            Op::SoftmaxGradient { y, dy, .. } | Op::NoiseGradient { y, dy, .. } => all(&[*y, *dy]),
            Op::Scale { x, by, .. } => all(&[*x, *by]),
            Op::ScaleGradient { x, by, dy, .. } => all(&[*x, *by, *dy]),
            Op::StandardizeRows { x, .. }
            | Op::Noise { x, .. }
            | Op::Augment { x, .. }
            | Op::Resize { x, .. }
            | Op::Permute { x, .. }
            | Op::Spread { x, .. }
            | Op::Slice { x, .. }
            | Op::Map { x, .. }
            | Op::Encode { x, .. }
            | Op::UnitRows { x, .. } => all(&[*x]),
            Op::Embed { x, w, .. } => all(&[*x, *w]),
            Op::FiniteGradient { x, dy, .. } | Op::EmbedGradient { x, dy, .. } => all(&[*x, *dy]),
            Op::StandardizeRowsGradient { y, inverse, dy, .. }
            | Op::UnitRowsGradient { y, inverse, dy, .. } => all(&[*y, *inverse, *dy]),
            Op::SpreadGradient { dy, .. } | Op::ResizeGradient { dy, .. } => all(&[*dy]),
            Op::AugmentGradient { y, dy, .. } => {
                all(y.as_slice());
                all(&[*dy]);
            }
            Op::Concatenate { parts, .. } => parts.iter().for_each(|&(part, _)| all(&[part])),
            Op::CombineGradient { a, b, dy, .. } => all(&[*a, *b, *dy]),
            Op::Constant { .. } => {}
            Op::Normalize {
                x,
                gamma,
                beta,
                moving_mean,
                moving_variance,
                ..
            } => {
                all(gamma.as_slice());
                all(beta.as_slice());
                all(&[*x, *moving_mean, *moving_variance]);
            }
            Op::NormalizeGradient {
                x,
                gamma,
                mean,
                inverse,
                dy,
                ..
            } => {
                all(gamma.as_slice());
                all(&[*x, *mean, *inverse, *dy]);
            }
            Op::Standardize {
                x,
                gamma,
                beta,
                mean,
                variance,
                ..
            } => {
                all(gamma.as_slice());
                all(beta.as_slice());
                all(&[*x, *mean, *variance]);
            }
            Op::StandardizeGradient {
                gamma,
                variance,
                dy,
                ..
            } => {
                all(gamma.as_slice());
                all(&[*variance, *dy]);
            }
            Op::Sum { a, b, .. }
            | Op::Combine { a, b, .. }
            | Op::BatchProduct { a, b, .. }
            | Op::SumGradients { a, b, .. } => all(&[*a, *b]),
            Op::Loss {
                x, target, weight, ..
            } => {
                all(weight.as_slice());
                all(&[*x, *target]);
            }
            Op::SquaredNorm { gradients, .. } => gradients.iter().for_each(|&(g, _)| all(&[g])),
            Op::Penalty { x, .. } | Op::PenaltyGradient { x, .. } | Op::Round { x, .. } => {
                all(&[*x]);
            }
            Op::Accumulate {
                gradient,
                accumulator,
                ..
            } => all(&[*gradient, *accumulator]),
            Op::Constrain { w, .. } => all(&[*w]),
            Op::Update {
                w,
                gradient,
                slots,
                accumulator,
                average,
                clip,
                ..
            } => {
                all(slots);
                all(accumulator.as_slice());
                all(average.as_slice());
                all(&[*w, *gradient]);
                if let Clip::Norm { norm, .. } = clip {
                    all(&[*norm]);
                }
            }
        }
    }

    /// Calls `f` with every buffer that is written.
    pub fn writes(&self, f: &mut dyn FnMut(Buffer)) {
        let mut all = |buffers: &[Buffer]| buffers.iter().copied().for_each(&mut *f);
        match self {
            Op::Product { y, .. }
            | Op::Bias { y, .. }
            | Op::Activate { y, .. }
            | Op::Softmax { y, .. }
            | Op::Dropout { y, .. }
            | Op::Standardize { y, .. }
            | Op::Scale { y, .. }
            | Op::Noise { y, .. }
            | Op::Augment { y, .. }
            | Op::Resize { y, .. }
            | Op::Permute { y, .. }
            | Op::Constant { y, .. }
            | Op::Sum { y, .. }
            | Op::Combine { y, .. }
            | Op::Spread { y, .. }
            | Op::Concatenate { y, .. }
            | Op::Slice { y, .. }
            | Op::Map { y, .. }
            | Op::Encode { y, .. }
            | Op::Embed { y, .. }
            | Op::BatchProduct { y, .. }
            | Op::SumGradients { y, .. } => all(&[*y]),
            Op::StandardizeRows { y, inverse, .. } | Op::UnitRows { y, inverse, .. } => {
                all(&[*y, *inverse]);
            }
            Op::ScaleGradient { dx, dby, .. } => {
                all(dby.as_slice());
                all(&[*dx]);
            }
            Op::ProductInput { dx, .. }
            | Op::ActivateGradient { dx, .. }
            | Op::SoftmaxGradient { dx, .. }
            | Op::StandardizeRowsGradient { dx, .. }
            | Op::NoiseGradient { dx, .. }
            | Op::AugmentGradient { dx, .. }
            | Op::ResizeGradient { dx, .. }
            | Op::CombineGradient { dx, .. }
            | Op::SpreadGradient { dx, .. }
            | Op::UnitRowsGradient { dx, .. }
            | Op::FiniteGradient { dx, .. }
            | Op::StandardizeGradient { dx, .. } => all(&[*dx]),
            Op::ProductWeight { dw, .. } | Op::EmbedGradient { dw, .. } => all(&[*dw]),
            Op::BiasGradient { db, .. } => all(&[*db]),
            Op::NormalizedWeight { dw, parts, .. } => all(&[*dw, *parts]),
            Op::NormalizedScale { dgamma, dbeta, .. } => {
                all(dgamma.as_slice());
                all(dbeta.as_slice());
            }
            Op::Normalize {
                moving_mean,
                moving_variance,
                mean,
                inverse,
                y,
                ..
            } => {
                all(&[*moving_mean, *moving_variance, *mean, *inverse, *y]);
            }
            Op::NormalizeGradient {
                dx, dgamma, dbeta, ..
            } => {
                all(dgamma.as_slice());
                all(dbeta.as_slice());
                all(&[*dx]);
            }
            Op::Loss {
                losses, gradient, ..
            } => {
                all(gradient.as_slice());
                all(&[*losses]);
            }
            Op::SquaredNorm { norm, .. } => all(&[*norm]),
            Op::Penalty { penalty, .. } => all(&[*penalty]),
            Op::PenaltyGradient { dx, .. } => all(&[*dx]),
            Op::Round { y, .. } => all(&[*y]),
            Op::Accumulate { accumulator, y, .. } => all(&[*accumulator, *y]),
            Op::Constrain { w, .. } => all(&[*w]),
            Op::Update {
                w,
                slots,
                accumulator,
                average,
                ..
            } => {
                all(slots);
                all(accumulator.as_slice());
                all(average.as_slice());
                all(&[*w]);
            }
        }
    }

    /// The input and output that may share their memory.
    pub fn in_place(&self) -> Option<(Buffer, Buffer)> {
        match *self {
            Op::Bias { x, y, .. }
            | Op::Activate { x, y, .. }
            | Op::Softmax { x, y, .. }
            | Op::Dropout { x, y, .. }
            | Op::Standardize { x, y, .. }
            | Op::Scale { x, y, .. }
            | Op::StandardizeRows { x, y, .. }
            | Op::UnitRows { x, y, .. }
            | Op::Noise { x, y, .. }
            | Op::Normalize { x, y, .. } => Some((x, y)),
            Op::Sum { a, y, .. } | Op::Combine { a, y, .. } => Some((a, y)),
            Op::NormalizedWeight { g, dw, .. } => Some((g, dw)),
            Op::ActivateGradient { dy, dx, .. }
            | Op::SoftmaxGradient { dy, dx, .. }
            | Op::NormalizeGradient { dy, dx, .. }
            | Op::ScaleGradient { dy, dx, .. }
            | Op::StandardizeRowsGradient { dy, dx, .. }
            | Op::NoiseGradient { dy, dx, .. }
            | Op::CombineGradient { dy, dx, .. }
            | Op::UnitRowsGradient { dy, dx, .. }
            | Op::StandardizeGradient { dy, dx, .. } => Some((dy, dx)),
            _ => None,
        }
    }
}
