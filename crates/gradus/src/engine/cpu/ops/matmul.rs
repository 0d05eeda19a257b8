//! Products of matrices of the batch and weights, in the way that pays: for few rows, for
//! many, without the zeros of either factor, by pairs of bfloat16. The gradient of the
//! weights is made panel by panel: see [`gradient`].

use super::{Execute, Part, run};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns::Block;
use crate::engine::cpu::kernels::factors::{Lanes, Left, Right};
use crate::engine::cpu::kernels::few::{FEW, FewRows};
use crate::engine::cpu::kernels::product::{PACK_SIZE, Product};
use crate::engine::cpu::pruned::PrunedProduct;
use crate::engine::cpu::{gradient, pairs, sparse};
use crate::plan::ops::{MatMul, MatMulDims, MatMulInput, MatMulWeight};
use crate::plan::{Buffer, Plan};

/// Number of rows above which a product is computed for all of a task's columns, some rows at a
/// time, before the operations after it.
const MANY: usize = 256;

/// Elements of the first factor that a product of many rows goes over again and again:
/// 384 KiB, which stay in the second cache.
const KEPT: usize = 98_304;

/// Speed of a product without the zeros of its first factor, where it has many, in that of the dense one.
const LISTED: f32 = 2.0;

impl Execute for MatMul {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let block = part.columns();
        self.factors(context, block.rows).product(context, block);
    }

    fn run_ahead(&self, context: &Context<'_>, block: Block) -> bool {
        self.run_pruned(context, block)
            || self.factors(context, block.rows).run_ahead(context, block)
    }

    fn scratch(&self, plan: &Plan) -> usize {
        scratch(plan, self.dims, self.dims.inputs)
    }
}

impl MatMul {
    /// The product without the zeros of the weights, if these were pruned so far that it pays.
    fn run_pruned(&self, context: &Context<'_>, block: Block) -> bool {
        let (isa, rows, depth) = (context.isa, block.rows, self.dims.inputs);
        let left = context.left(self.x, rows, depth);
        let (Some(pruned), Left::Plain(a, _), false) = (context.pruned(self.w), left, block.packed)
        else {
            return false;
        };
        let gain = pruned.gain(isa, rows);
        let listed = || sparse::pays(isa, left, rows, depth, block.width());
        if gain < 1.0 || gain < LISTED && listed() {
            return false;
        }
        let product = PrunedProduct {
            pruned,
            b: weights(context, self.w, self.dims),
            a,
            c: context.at(self.y),
            block,
            scratch: context.scratch(pruned.room(isa)),
        };
        // SAFETY: the verifier has compared the sizes of the matrices.
        unsafe { product.run(isa) };
        true
    }

    fn factors(&self, context: &Context<'_>, rows: usize) -> Factors {
        let depth = self.dims.inputs;
        Factors {
            a: context.left(self.x, rows, depth),
            depth,
            b: Right::Plain(weights(context, self.w, self.dims)),
            c: context.at(self.y),
        }
    }
}

impl Execute for MatMulInput {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let block = part.columns();
        self.factors(context, block.rows).product(context, block);
    }

    fn run_ahead(&self, context: &Context<'_>, block: Block) -> bool {
        self.factors(context, block.rows).run_ahead(context, block)
    }

    fn scratch(&self, plan: &Plan) -> usize {
        scratch(plan, self.dims, self.dims.outputs)
    }
}

impl MatMulInput {
    fn factors(&self, context: &Context<'_>, rows: usize) -> Factors {
        let depth = self.dims.outputs;
        Factors {
            a: context.left(self.dy, rows, depth),
            depth,
            b: Right::Transposed(weights(context, self.w, self.dims)),
            c: context.at(self.dx),
        }
    }
}

impl Execute for MatMulWeight {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Weights {
            from,
            to,
            followers,
        } = part
        else {
            unreachable!("the gradient of weights is cut by their columns")
        };
        let follow = |panel: &gradient::Panel| {
            for op in followers {
                run(op, context, Part::Panel(panel));
            }
        };
        gradient::run(context, self, followers, &follow, (from, to));
    }

    fn scratch(&self, plan: &Plan) -> usize {
        gradient::room(plan.rows * self.dims.positions, self.dims)
    }
}

fn weights(context: &Context<'_>, w: Buffer, dims: MatMulDims) -> Lanes {
    Lanes {
        from: context.at(w),
        rows: dims.inputs,
        columns: dims.outputs,
    }
}

/// The elements of scratch that a product needs whose first factor has `depth` columns.
fn scratch(plan: &Plan, dims: MatMulDims, depth: usize) -> usize {
    let rows = plan.rows * dims.positions;
    let joined = match plan.bfloat16 {
        true => pairs::room(rows, depth),
        false => 0,
    };
    PACK_SIZE.max(sparse::room(rows)).max(joined)
}

/// c = a · b for rows of the batch.
struct Factors {
    a: Left,
    /// Columns of a, rows of b.
    depth: usize,
    b: Right,
    c: *mut f32,
}

impl Factors {
    /// The product for all columns of a task, if that pays: where a has so many zeros that the
    /// others are listed, once for all columns, or is joined to pairs, or is so large that it
    /// is read in parts.
    fn run_ahead(&self, context: &Context<'_>, block: Block) -> bool {
        let &Factors { a, depth, b, c } = self;
        let isa = context.isa;
        // SAFETY: the matrices have the rows and columns, and the scratch the room that is
        // asked for.
        unsafe {
            if sparse::pays(isa, a, block.rows, depth, block.width()) {
                let scratch = context.scratch(sparse::room(block.rows));
                sparse::product(isa, (a, depth), b, c, block, scratch);
            } else if pairs::pays(context, block.rows, block.width()) {
                let scratch = context.scratch(pairs::room(block.rows, depth));
                pairs::product(isa, (a, depth), b, c, block, scratch);
            } else if block.rows > MANY {
                self.product(context, block);
            } else {
                return false;
            }
        }
        true
    }

    /// The product for the block's columns.
    fn product(&self, context: &Context<'_>, block: Block) {
        let &Factors { a, depth, b, c } = self;
        if let (..=FEW, Left::Plain(a, a_stride), Right::Plain(b), false) =
            (block.rows, a, b, block.packed)
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
                pack: context.scratch(PACK_SIZE),
            });
        }
    }
}
