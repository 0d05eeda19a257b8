//! The gradients of weights behind a normalized batch.

use super::{Execute, Part};
use crate::engine::cpu::chunks;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::normalized;
use crate::plan::Buffer;
use crate::plan::ops::{CHUNKS, NormalizedScale, NormalizedWeight};

impl Execute for NormalizedWeight {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Panel(panel) = part else {
            unreachable!("it follows its product, panel by panel")
        };
        let columns = (panel.lanes - 1) * context.isa.width() + panel.dw.last_width;
        // SAFETY: the verifier has compared the sizes of the matrix, the sums and the parts;
        // the panel's rows and columns are inside.
        unsafe {
            let w = context.at(self.w);
            let at_row = |b: Buffer| context.at(b).add(panel.row).cast_const();
            let sums = context.at(self.parts);
            let chunk = sums.add(panel.chunk * self.dims.inputs + panel.row);
            context.isa.run(normalized::NormalizedWeight {
                rows: panel.rows,
                lanes: panel.lanes,
                g: panel.dw,
                w: panel
                    .matrix
                    .target(context.isa, w, panel.row, (panel.column, columns)),
                sums: context.at(self.sums).add(panel.column),
                gamma: self.gamma.map_or(std::ptr::null(), at_row),
                beta: self.beta.map_or(std::ptr::null(), at_row),
                scales: chunk,
                shifts: chunk.add(CHUNKS * self.dims.inputs),
                add: panel.column > panel.chunk_start,
            });
        }
    }
}

impl Execute for NormalizedScale {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let block = part.columns();
        for (first, to) in [(0, self.dgamma), (CHUNKS, self.dbeta)] {
            let Some(to) = to else { continue };
            context.isa.run(normalized::SumParts {
                // SAFETY: there are twice as many rows.
                parts: unsafe { context.at(self.parts).add(first * self.dims.inputs) },
                count: chunks::count(self.dims, context.isa.width()),
                stride: self.dims.inputs,
                to: context.at(to),
                columns: (block.from, block.to),
            });
        }
    }
}
