//! Groups that are cut by columns: a product, and what follows it column by
//! column while its numbers are in the cache.

use super::indices;
use super::kernels::columns::*;
use super::kernels::combine::{Combine, CombineGradient};
use super::kernels::factors::{Lanes, Left, Right};
use super::kernels::few::{FEW, FewRows};
use super::kernels::noise::{Noise, NoiseGradient};
use super::kernels::normalize::*;
use super::kernels::normalized::SumParts;
use super::kernels::product::Product;
use super::kernels::scale::{Scale, ScaleGradient};
use super::session::Context;
use super::simd::{Isa, PANEL};
use super::{pairs, pieces, sparse, weights};
use crate::base::random::{Key, Stream};
use crate::plan::op::{Factors, PIECES};
use crate::plan::{Buffer, Op, Size, View};
use crate::rules::activations;

/// Numbers of a matrix that the operations of a group go over before the next
/// columns: 32 KiB, the first cache.
const CACHED: usize = 8192;

/// With more rows than this, a product is made for all of a task's columns before what
/// follows, some rows at a time.
const MANY: usize = 256;

/// Numbers of the first factor that a product of many rows goes over again and again:
/// 384 KiB, which stay in the second cache.
const KEPT: usize = 98_304;

/// Does the operations on columns `from..to`.
pub(super) fn run(context: &Context<'_>, ops: &[Op], view: View, from: usize, to: usize) {
    let rows = context.rows * view.positions;
    let width = (CACHED / rows.max(1) / PANEL).max(1) * PANEL;
    let whole = Block {
        rows,
        stride: view.width,
        from,
        to,
        laned: context.is_laned(&ops[0]),
    };
    let ops = match whole_product(context, &ops[0], whole) {
        true => &ops[1..],
        false => ops,
    };
    let mut start = from;
    while start < to {
        let end = (start + width).min(to);
        for op in ops {
            let block = Block {
                rows,
                stride: view.width,
                from: start,
                to: end,
                laned: context.is_laned(op),
            };
            column_op(context, op, block);
        }
        start = end;
    }
}

pub(super) fn column_op(context: &Context<'_>, op: &Op, block: Block) {
    let isa = context.isa;
    match op {
        Op::Product { .. } | Op::ProductInput { .. } => product(context, op, block),
        Op::Bias { x, bias, y, .. } => isa.run(Bias {
            x: context.at(*x),
            bias: context.at(*bias),
            y: context.at(*y),
            block,
        }),
        Op::BiasGradient { dy, db, .. } => isa.run(BiasGradient {
            dy: context.at(*dy),
            db: context.at(*db),
            block,
        }),
        Op::Activate { rule, x, y, .. } => rule.visit(Forward {
            isa,
            x: context.at(*x),
            y: context.at(*y),
            block,
        }),
        Op::ActivateGradient {
            rule, x, y, dy, dx, ..
        } => rule.visit(Backward {
            isa,
            x: context.at(x.unwrap_or(*y)),
            y: context.at(*y),
            dy: context.at(*dy),
            dx: context.at(*dx),
            block,
        }),
        Op::Dropout {
            x, y, rate, stream, ..
        } => isa.run(Dropout {
            key: key(context, *stream),
            rate: *rate,
            x: context.at(*x),
            y: context.at(*y),
            block,
        }),
        Op::Scale {
            x,
            by,
            y,
            negative_only,
            ..
        } => isa.run(Scale {
            x: context.at(*x),
            by: context.at(*by),
            y: context.at(*y),
            negative_only: *negative_only,
            block,
        }),
        Op::ScaleGradient {
            x,
            by,
            dy,
            dx,
            dby,
            negative_only,
            ..
        } => isa.run(ScaleGradient {
            x: context.at(*x),
            by: context.at(*by),
            dy: context.at(*dy),
            dx: context.at(*dx),
            dby: context.at_some(*dby),
            negative_only: *negative_only,
            block,
        }),
        Op::Noise {
            rule, x, y, stream, ..
        } => isa.run(Noise {
            rule: *rule,
            key: key(context, *stream),
            x: context.at(*x),
            y: context.at(*y),
            block,
        }),
        Op::NoiseGradient {
            rule,
            y,
            dy,
            dx,
            stream,
            ..
        } => isa.run(NoiseGradient {
            rule: *rule,
            key: key(context, *stream),
            y: context.at(*y),
            dy: context.at(*dy),
            dx: context.at(*dx),
            block,
        }),
        Op::Sum { a, b, y, .. } => isa.run(Sum {
            a: context.at(*a),
            b: context.at(*b),
            y: context.at(*y),
            block,
        }),
        Op::Combine { rule, a, b, y, .. } => isa.run(Combine {
            rule: *rule,
            a: context.at(*a),
            b: context.at(*b),
            y: context.at(*y),
            block,
        }),
        Op::CombineGradient {
            rule,
            first,
            a,
            b,
            dy,
            dx,
            ..
        } => isa.run(CombineGradient {
            rule: *rule,
            first: *first,
            a: context.at(*a),
            b: context.at(*b),
            dy: context.at(*dy),
            dx: context.at(*dx),
            block,
        }),
        Op::Normalize {
            x,
            gamma,
            beta,
            moving_mean,
            moving_variance,
            mean,
            inverse,
            y,
            momentum,
            epsilon,
            ..
        } => isa.run(Normalize {
            x: context.at(*x),
            gamma: context.at_some(*gamma),
            beta: context.at_some(*beta),
            moving_mean: context.at(*moving_mean),
            moving_variance: context.at(*moving_variance),
            mean: context.at(*mean),
            inverse: context.at(*inverse),
            y: context.at(*y),
            momentum: *momentum,
            epsilon: *epsilon,
            block,
            alike: context.lies_laned(*x) == context.lies_laned(*y),
        }),
        Op::NormalizeGradient {
            x,
            gamma,
            mean,
            inverse,
            dy,
            dx,
            dgamma,
            dbeta,
            ..
        } => {
            isa.run(NormalizeGradient {
                x: context.at(*x),
                gamma: context.at_some(*gamma),
                mean: context.at(*mean),
                inverse: context.at(*inverse),
                dy: context.at(*dy),
                dx: context.at(*dx),
                dgamma: context.at_some(*dgamma),
                dbeta: context.at_some(*dbeta),
                block,
            });
        }
        Op::NormalizedScale {
            parts,
            dgamma,
            dbeta,
            of,
        } => {
            for (first, to) in [(0, dgamma), (PIECES, dbeta)] {
                let Some(to) = to else { continue };
                isa.run(SumParts {
                    // SAFETY: there are twice as many rows.
                    parts: unsafe { context.at(*parts).add(first * of.inputs) },
                    count: pieces::count(of, isa.width()),
                    stride: of.inputs,
                    to: context.at(*to),
                    columns: (block.from, block.to),
                });
            }
        }
        Op::Standardize {
            x,
            gamma,
            beta,
            mean,
            variance,
            y,
            epsilon,
            ..
        } => {
            isa.run(Standardize {
                x: context.at(*x),
                gamma: context.at_some(*gamma),
                beta: context.at_some(*beta),
                mean: context.at(*mean),
                variance: context.at(*variance),
                y: context.at(*y),
                epsilon: *epsilon,
                block,
            });
        }
        Op::StandardizeGradient {
            gamma,
            variance,
            dy,
            dx,
            epsilon,
            ..
        } => {
            isa.run(Standardize {
                x: context.at(*dy),
                gamma: context.at_some(*gamma),
                beta: std::ptr::null(),
                mean: std::ptr::null(),
                variance: context.at(*variance),
                y: context.at(*dx),
                epsilon: *epsilon,
                block,
            });
        }
        Op::EmbedGradient {
            x, dy, dw, rows, ..
        } => indices::embed_gradient(context, (*x, *dy, *dw), *rows, block),
        Op::Round { x, y, .. } => isa.run(Round {
            x: context.at(*x),
            y: context.at(*y),
            block,
        }),
        Op::PenaltyGradient {
            rule, x, dx, size, ..
        } => {
            let Some(rule) = rule.l1_l2() else {
                unreachable!("a penalty of a whole matrix is not cut");
            };
            isa.run(PenaltyGradient {
                rule: &rule,
                scale: match size {
                    Size::PerRow(_) => 1.0 / context.rows as f32,
                    Size::Fixed(_) => 1.0,
                },
                x: context.at(*x),
                dx: context.at(*dx),
                block,
            });
        }
        update @ Op::Update { .. } => weights::elements(context, update, block.from, block.to),
        other => unreachable!("{other:?} is not cut by columns"),
    }
}

/// The random numbers of a stream at this step.
fn key(context: &Context<'_>, stream: u32) -> Key {
    let step = context.step;
    Key::new(step.seed, Stream::Layer(stream), step.iteration)
}

/// The factors of a product of the batch's rows: the first and its columns, the second, and
/// what they make.
fn factors(context: &Context<'_>, op: &Op, rows: usize) -> ((Left, usize), Right, *mut f32) {
    let weights = |w: &Buffer, of: &Factors| Lanes {
        from: context.at(*w),
        rows: of.inputs,
        columns: of.outputs,
    };
    let (a, depth, b, c) = match op {
        Op::Product { x, w, y, of } => (x, of.inputs, Right::Plain(weights(w, of)), y),
        Op::ProductInput { dy, w, dx, of } => {
            (dy, of.outputs, Right::Transposed(weights(w, of)), dx)
        }
        other => unreachable!("{other:?} is no product of the batch's rows"),
    };
    ((context.left(*a, rows, depth), depth), b, context.at(*c))
}

/// c = a · b for all columns of a task, if that pays: where a has so many zeros that the
/// others are listed, once for all columns, or is joined to pairs, or is so large that it is
/// read in parts.
fn whole_product(context: &Context<'_>, op: &Op, block: Block) -> bool {
    if !matches!(op, Op::Product { .. } | Op::ProductInput { .. }) {
        return false;
    }
    let ((a, depth), b, c) = factors(context, op, block.rows);
    let (isa, scratch) = (context.isa, context.scratch);
    // SAFETY: the matrices have the rows and columns, and the session's scratch the room.
    unsafe {
        if sparse::pays(isa, a, block.rows, depth, block.width()) {
            sparse::product(isa, (a, depth), b, c, block, scratch);
        } else if pairs::pays(context, block.rows, block.width()) {
            pairs::product(isa, (a, depth), b, c, block, scratch);
        } else if block.rows > MANY {
            product(context, op, block);
        } else {
            return false;
        }
    }
    true
}

/// c = a · b for the block's columns.
fn product(context: &Context<'_>, op: &Op, block: Block) {
    let ((a, depth), b, c) = factors(context, op, block.rows);
    if let (..=FEW, Left::Plain(a, a_stride), Right::Plain(b), false) =
        (block.rows, a, b, block.laned)
    {
        return context.isa.run(FewRows {
            rows: block.rows,
            depth,
            a,
            a_stride,
            b,
            c,
            c_stride: block.stride,
            from: block.from,
            to: block.to,
        });
    }
    let rows = match block.rows {
        ..=MANY => block.rows,
        _ => (KEPT / depth.max(1) / 24).max(2) * 24,
    };
    for row in (0..block.rows).step_by(rows.max(1)) {
        context.isa.run(Product {
            depth,
            a,
            b,
            c,
            block,
            rows: (row, rows.min(block.rows - row)),
            pack: context.scratch,
        });
    }
}

struct Forward {
    isa: Isa,
    x: *const f32,
    y: *mut f32,
    block: Block,
}

impl activations::Visit for Forward {
    type Output = ();
    fn visit<R: activations::Formula>(self, rule: &R) {
        let Forward { isa, x, y, block } = self;
        isa.run(Activate { rule, x, y, block });
    }
}

struct Backward {
    isa: Isa,
    x: *const f32,
    y: *const f32,
    dy: *const f32,
    dx: *mut f32,
    block: Block,
}

impl activations::Visit for Backward {
    type Output = ();
    fn visit<R: activations::Formula>(self, rule: &R) {
        let Backward {
            isa,
            x,
            y,
            dy,
            dx,
            block,
        } = self;
        isa.run(ActivateGradient {
            rule,
            x,
            y,
            dy,
            dx,
            block,
        });
    }
}
