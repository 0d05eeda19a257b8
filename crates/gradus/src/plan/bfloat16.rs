//! Mixed precision: every product multiplies factors that are rounded to bfloat16, and sums
//! in single precision, as processors with instructions for it do.

use super::lower::Lowering;
use super::{Buffer, Op, Role, View};
use std::collections::HashMap;

impl Lowering {
    /// Rounds every factor of a product, once, as soon as it is there.
    pub fn round_factors(&mut self) {
        let ops = std::mem::take(&mut self.ops);
        let mut rounded: HashMap<Buffer, (Buffer, Op)> = HashMap::new();
        let mut first = Vec::new();
        for (x, view) in ops.iter().flat_map(factors) {
            if rounded.contains_key(&x) {
                continue;
            }
            let info = self.buffers[x.index()].clone();
            let y = self.temporary(&format!("{} as bfloat16", info.name), info.size);
            let op = Op::Round {
                x,
                y,
                size: info.size,
                view,
            };
            if info.role != Role::Temporary {
                first.push(op.clone());
            }
            rounded.insert(x, (y, op));
        }
        self.ops = first;
        for mut op in ops {
            let of = |x: &mut Buffer| *x = rounded[x].0;
            match &mut op {
                Op::Product { x, w, .. } => [x, w].into_iter().for_each(of),
                Op::ProductInput { dy, w, .. } => [dy, w].into_iter().for_each(of),
                Op::ProductWeight { x, dy, .. } => [x, dy].into_iter().for_each(of),
                _ => {}
            }
            let mut made = Vec::new();
            op.writes(&mut |b| {
                let temporary = self.buffers[b.index()].role == Role::Temporary;
                made.extend(
                    rounded
                        .get(&b)
                        .filter(|_| temporary)
                        .map(|(_, op)| op.clone()),
                );
            });
            self.ops.push(op);
            self.ops.extend(made);
        }
    }
}

/// The factors of a product, and how each is a matrix.
fn factors(op: &Op) -> Vec<(Buffer, View)> {
    let matrix = |of: &super::op::Factors| View {
        positions: 1,
        width: of.inputs * of.outputs,
    };
    match op {
        Op::Product { x, w, of, .. } => vec![(*x, of.input_view()), (*w, matrix(of))],
        Op::ProductInput { dy, w, of, .. } => vec![(*dy, of.output_view()), (*w, matrix(of))],
        Op::ProductWeight { x, dy, of, .. } => {
            vec![(*x, of.input_view()), (*dy, of.output_view())]
        }
        _ => Vec::new(),
    }
}
