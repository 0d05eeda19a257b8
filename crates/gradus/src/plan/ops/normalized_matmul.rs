//! The first layer behind a normalized batch: γ and β get their gradients from that of the
//! weights behind them, without a gradient of the input that nothing else would need.
//!
//! With y = γ x̂ + β and z = y · w, the gradient of w is that by x̂ of which each row is
//! stretched and moved: dw = γ (x̂ᵀ · dz) + β Σ dz. And since dy = dz · wᵀ, what γ and β need
//! of it is there already: dγ = Σ dy x̂ = Σ w (x̂ᵀ · dz), and dβ = Σ dy = Σ w Σ dz, of each row
//! of w. That is a product less of the three that the first layer has.

use super::{BatchNormTrain, Bias, BiasGradient, MatMulDims, MatMulWeight, Op, Scale};
use crate::plan::backward::Pass;
use crate::plan::lower::Lowering;
use crate::plan::operands::{Operands, elements, fixed};
use crate::plan::operation::{Backward, NOT_FORWARD, Operation, Split};
use crate::plan::{Buffer, Size, View};

/// The number of chunks of the columns of which [`NormalizedWeight`] makes the sums: always the
/// same, so that no bit depends on the thread that makes one. More threads than this do not
/// share its work.
pub const CHUNKS: usize = 8;

/// The gradient of a product's weights whose x is γ x̂ + β, from g = x̂ᵀ · dy and the
/// `sums` of dy over matrix rows: dw = γ g + β sums, row by row. And the sums of w g and
/// of w sums in each row, by chunks of the columns: first all of the former.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizedWeight {
    pub g: Buffer,
    pub w: Buffer,
    pub gamma: Option<Buffer>,
    pub beta: Option<Buffer>,
    pub sums: Buffer,
    pub dw: Buffer,
    pub parts: Buffer,
    pub dims: MatMulDims,
}

impl Operation for NormalizedWeight {
    fn operands(&self) -> Operands {
        let MatMulDims {
            inputs, outputs, ..
        } = self.dims;
        let matrix = elements(inputs * outputs);
        Operands::new()
            .read(self.gamma, fixed(inputs))
            .read(self.beta, fixed(inputs))
            .read(self.g, matrix)
            .read(self.w, matrix)
            .read(self.sums, fixed(outputs))
            .write(self.dw, matrix)
            .over(self.g)
            .write(self.parts, fixed(2 * CHUNKS * inputs))
    }

    fn split(&self) -> Split {
        Split::Weight(self.dims.inputs, self.dims.outputs)
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        4 * self.dims.inputs * self.dims.outputs
    }
}

/// dγ and dβ, from those sums.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizedScale {
    pub parts: Buffer,
    pub dgamma: Option<Buffer>,
    pub dbeta: Option<Buffer>,
    pub dims: MatMulDims,
}

impl Operation for NormalizedScale {
    fn operands(&self) -> Operands {
        let inputs = self.dims.inputs;
        Operands::new()
            .read(self.parts, fixed(2 * CHUNKS * inputs))
            .write(self.dgamma, fixed(inputs))
            .write(self.dbeta, fixed(inputs))
    }

    fn split(&self) -> Split {
        Split::Columns(View::row(self.dims.inputs))
    }

    fn backward(&self, _dy: Buffer, _pass: &mut Pass<'_>) -> Backward {
        NOT_FORWARD
    }

    fn work(&self, _rows: usize) -> usize {
        4 * CHUNKS * self.dims.inputs
    }
}

/// The normalization before a product.
#[derive(Clone, Copy)]
pub(super) struct Normalized {
    hat: Buffer,
    gamma: Option<Buffer>,
    beta: Option<Buffer>,
}

impl Lowering {
    /// Splits the n-th operation, a normalization, from its γ and β.
    fn part_normalization(&mut self, n: usize) -> Option<Normalized> {
        let Op::BatchNormTrain(BatchNormTrain {
            gamma,
            beta,
            y,
            view,
            ..
        }) = self.ops[n]
        else {
            return None;
        };
        let mut made = |name| self.temporary(name, Size::PerRow(view.per_row()));
        let hat = made("normalized");
        let mut then: Vec<Op> = Vec::new();
        let scaled = match (gamma, beta) {
            (Some(_), Some(_)) => made("scaled"),
            (Some(_), None) => y,
            _ => hat,
        };
        if let Some(by) = gamma {
            let scale = Scale {
                x: hat,
                by,
                y: scaled,
                negative_only: false,
                view,
            };
            then.push(scale.into());
        }
        if let Some(bias) = beta {
            let bias = Bias {
                x: scaled,
                bias,
                y,
                view,
            };
            then.push(bias.into());
        }
        if let Op::BatchNormTrain(norm) = &mut self.ops[n] {
            (norm.gamma, norm.beta, norm.y) = (None, None, hat);
        }
        self.ops.splice(n + 1..n + 1, then);
        Some(Normalized { hat, gamma, beta })
    }

    /// The sum of dy over matrix rows, which a bias may have computed already.
    fn sums_of(&mut self, dy: Buffer, dims: MatMulDims) -> Buffer {
        let known = self.ops.iter().find_map(|op| match op {
            Op::BiasGradient(bias) if bias.dy == dy => Some(bias.db),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let db = self.temporary("sums of the gradient", Size::Fixed(dims.outputs));
            let view = dims.output_view();
            self.push(BiasGradient { dy, db, view });
            db
        })
    }
}

impl Pass<'_> {
    /// The normalization that made `x`, if it is one of a batch as it was given, and the
    /// product of these sizes, with weights that are trained, all that follows.
    pub(super) fn normalized_input(
        &mut self,
        x: Buffer,
        w: Buffer,
        dims: MatMulDims,
    ) -> Option<Normalized> {
        let ops = &self.lowering.ops;
        let n = ops.iter().position(|op| match op {
            Op::BatchNormTrain(norm) => {
                norm.y == x && !self.wants(norm.x) && norm.view == dims.input_view()
            }
            _ => false,
        })?;
        let computing = ops.iter().filter(|op| !op.observes());
        let readers = computing.flat_map(Op::reads).filter(|&b| b == x).count();
        let alone = readers == 1 && self.gradient(x).is_none();
        let trained = self.wants(x) && self.wants(w);
        // For a rounded y, the gradient would differ.
        if !alone || !trained || self.lowering.bfloat16 {
            return None;
        }
        self.lowering.part_normalization(n)
    }

    /// The gradients of the weights, and of γ and β before them.
    pub(super) fn through_normalized(
        &mut self,
        Normalized { hat, gamma, beta }: Normalized,
        dy: Buffer,
        w: Buffer,
        dims: MatMulDims,
    ) {
        let sums = self.lowering.sums_of(dy, dims);
        let parts = Size::Fixed(2 * CHUNKS * dims.inputs);
        let parts = self.lowering.temporary("sums by parts", parts);
        let g = self.lowering.gradient_of(w);
        self.push_later(MatMulWeight {
            x: hat,
            dy,
            dw: g,
            dims,
        });
        self.weight(w, |dw| NormalizedWeight {
            g,
            w,
            gamma,
            beta,
            sums,
            dw,
            parts,
            dims,
        });
        let mut gradient = |of: Option<Buffer>| of.map(|b| self.lowering.gradient_of(b));
        let (dgamma, dbeta) = (gradient(gamma), gradient(beta));
        self.push_later(NormalizedScale {
            parts,
            dgamma,
            dbeta,
            dims,
        });
        for (variable, part) in [(gamma, dgamma), (beta, dbeta)] {
            if let (Some(variable), Some(part)) = (variable, part) {
                self.gather(variable, part);
            }
        }
    }
}
