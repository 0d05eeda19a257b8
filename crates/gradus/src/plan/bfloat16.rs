//! Mixed precision: every product multiplies operands rounded to bfloat16, and accumulates in
//! single precision, as processors with instructions for it do.

use super::lower::Lowering;
use super::ops::Cast;
use super::{Buffer, Op, Role};
use std::collections::HashMap;

impl Lowering {
    /// Rounds every operand of a product, once, as soon as it exists.
    pub fn round_factors(&mut self) {
        let ops = std::mem::take(&mut self.ops);
        let mut rounded: HashMap<Buffer, (Buffer, Op)> = HashMap::new();
        let mut first = Vec::new();
        let factors = |op: &Op| {
            let operands = op.operands().into_iter();
            operands.filter_map(|o| Some((o.buffer, o.factor()?)))
        };
        for (x, view) in ops.iter().flat_map(factors) {
            if rounded.contains_key(&x) {
                continue;
            }
            let info = self.buffers[x.index()].clone();
            let y = self.temporary(&format!("{} as bfloat16", info.name), info.size);
            let op = Op::from(Cast {
                x,
                y,
                size: info.size,
                view,
            });
            if info.role != Role::Temporary {
                first.push(op.clone());
            }
            rounded.insert(x, (y, op));
        }
        self.ops = first;
        for mut op in ops {
            let count = factors(&op).count();
            let buffers = op.factors_mut();
            assert_eq!(buffers.len(), count, "factors that its table does not name");
            for x in buffers {
                *x = rounded[x].0;
            }
            let temporary = |b: &Buffer| self.buffers[b.index()].role == Role::Temporary;
            let written = op.writes().filter(temporary);
            let made: Vec<Op> = written
                .filter_map(|b| rounded.get(&b).map(|(_, op)| op.clone()))
                .collect();
            self.ops.push(op);
            self.ops.extend(made);
        }
    }
}
