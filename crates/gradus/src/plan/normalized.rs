//! A batch normalized as it is given: its γ and β get their gradients from that of the
//! weights behind it, without a signal that nothing else would need.
//!
//! With y = γ x̂ + β and z = y · w, the gradient of w is that by x̂ of which each row is
//! stretched and moved: dw = γ (x̂ᵀ · dz) + β Σ dz. And since dy = dz · wᵀ, what γ and β need
//! of it is there already: dγ = Σ dy x̂ = Σ w (x̂ᵀ · dz), and dβ = Σ dy = Σ w Σ dz, of each row
//! of w. That is a product less of the three that the first layer has.

use super::backward::Pass;
use super::lower::Lowering;
use super::op::{Factors, PIECES};
use super::{Buffer, Op, Size};

/// The normalization in front of a product.
#[derive(Clone, Copy)]
pub(super) struct Normalized {
    hat: Buffer,
    gamma: Option<Buffer>,
    beta: Option<Buffer>,
}

impl Lowering {
    /// Parts the n-th operation, a normalization, from its γ and β.
    fn part_normalization(&mut self, n: usize) -> Option<Normalized> {
        let Op::Normalize {
            gamma,
            beta,
            y,
            view,
            ..
        } = self.ops[n]
        else {
            return None;
        };
        let mut made = |name| self.temporary(name, Size::PerRow(view.per_row()));
        let hat = made("normalized");
        let mut then = Vec::new();
        let scaled = match (gamma, beta) {
            (Some(_), Some(_)) => made("scaled"),
            (Some(_), None) => y,
            _ => hat,
        };
        then.extend(gamma.map(|by| Op::Scale {
            x: hat,
            by,
            y: scaled,
            negative_only: false,
            view,
        }));
        then.extend(beta.map(|bias| Op::Bias {
            x: scaled,
            bias,
            y,
            view,
        }));
        if let Op::Normalize { gamma, beta, y, .. } = &mut self.ops[n] {
            (*gamma, *beta, *y) = (None, None, hat);
        }
        self.ops.splice(n + 1..n + 1, then);
        Some(Normalized { hat, gamma, beta })
    }

    /// The sum of dy over matrix rows, which a bias may have asked for already.
    fn sums_of(&mut self, dy: Buffer, of: Factors) -> Buffer {
        let known = self.ops.iter().find_map(|op| match op {
            Op::BiasGradient { dy: b, db, .. } if *b == dy => Some(*db),
            _ => None,
        });
        known.unwrap_or_else(|| {
            let db = self.temporary("sums of the signal", Size::Fixed(of.outputs));
            let view = of.output_view();
            self.ops.push(Op::BiasGradient { dy, db, view });
            db
        })
    }
}

impl Pass<'_> {
    /// The normalization that made `x`, if it is one of a batch as it was given, and the
    /// product of these factors, with weights that are trained, all that follows.
    pub(super) fn normalized_input(
        &mut self,
        x: Buffer,
        w: Buffer,
        of: Factors,
    ) -> Option<Normalized> {
        let ops = &self.lowering.ops;
        let n = ops.iter().position(|op| match op {
            Op::Normalize {
                x: given, y, view, ..
            } => *y == x && !self.wanted.contains(given) && *view == of.input_view(),
            _ => false,
        })?;
        let mut readers = 0;
        for op in ops {
            op.reads(&mut |b| readers += usize::from(b == x));
        }
        let alone = readers == 1 && !self.signal.contains_key(&x);
        let trained = self.wanted.contains(&x) && self.wanted.contains(&w);
        // Of a rounded y, the gradient would be another.
        if !alone || !trained || self.lowering.bfloat16 {
            return None;
        }
        self.lowering.part_normalization(n)
    }

    /// The gradients of the weights, and of γ and β in front of them.
    pub(super) fn through_normalized(
        &mut self,
        Normalized { hat, gamma, beta }: Normalized,
        dy: Buffer,
        w: Buffer,
        of: Factors,
    ) {
        let sums = self.lowering.sums_of(dy, of);
        let parts = Size::Fixed(2 * PIECES * of.inputs);
        let parts = self.lowering.temporary("sums by parts", parts);
        let g = self.lowering.gradient_of(w);
        self.later.push(Op::ProductWeight {
            x: hat,
            dy,
            dw: g,
            of,
        });
        self.weight(w, |dw| Op::NormalizedWeight {
            g,
            w,
            gamma,
            beta,
            sums,
            dw,
            parts,
            of,
        });
        let mut gradient = |of: Option<Buffer>| of.map(|b| self.lowering.gradient_of(b));
        let (dgamma, dbeta) = (gradient(gamma), gradient(beta));
        self.later.push(Op::NormalizedScale {
            parts,
            dgamma,
            dbeta,
            of,
        });
        for (variable, part) in [(gamma, dgamma), (beta, dbeta)] {
            if let (Some(variable), Some(part)) = (variable, part) {
                self.gather(variable, part);
            }
        }
    }
}
