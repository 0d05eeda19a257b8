//! The gradient of a kernel: the product of patches, transposed, and the gradient of the output.
//!
//! It is summed over parts of the batch, whose number depends on the sizes alone, so that threads
//! may share them out without a change of the sums.

use super::lattice::Lattice;
use super::patches::Source;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::factors::{Lanes, Left};
use crate::engine::cpu::kernels::pack::PackLanes;
use crate::engine::cpu::kernels::product::WeightBlock;
use crate::engine::cpu::packed::PanelPacked;
use crate::engine::cpu::simd::WIDEST;
use crate::plan::Buffer;
use crate::plan::ops::ConvDims;

/// The gradient of a kernel, summed over each of so many parts of the batch.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct KernelGradient {
    pub x: Buffer,
    pub dy: Buffer,
    pub dw: Buffer,
    pub dims: ConvDims,
}

impl KernelGradient {
    fn source(&self, images: *const f32) -> Source {
        Source {
            images,
            lattice: Lattice::forward(self.dims.window),
            channels: self.dims.channels,
            depth: self.dims.depth(),
        }
    }

    /// Floats of packed dy, and of the gradient of a part where groups lie apart.
    fn sizes(&self) -> [usize; 2] {
        let product = self.dims.product();
        [
            self.source(std::ptr::null()).block() * self.dims.filters + WIDEST,
            match self.dims.groups {
                1 => 0,
                _ => product.inputs * product.outputs,
            },
        ]
    }

    /// Floats of scratch memory that it needs.
    pub fn room(&self) -> usize {
        let [packed, apart] = self.sizes();
        let rooms = self.source(std::ptr::null()).rooms().all();
        let all = rooms.saturating_add(packed).saturating_add(apart);
        all.saturating_add(WIDEST)
    }

    /// Makes units `from..to`: some rows of the gradient of each part.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        let pieces = self.dims.pieces();
        let rows = self.dims.product().inputs;
        let mut unit = from;
        while unit < to {
            let (part, piece) = (unit / pieces, unit % pieces);
            let end = pieces.min(piece + to - unit);
            let cut = |piece: usize| rows * piece / pieces;
            // SAFETY: the verifier has compared the sizes; the rows are this task's.
            unsafe { self.part(context, part, (cut(piece), cut(end))) };
            unit += end - piece;
        }
    }

    /// Some rows of a part's gradient.
    unsafe fn part(&self, context: &Context<'_>, part: usize, (first, end): (usize, usize)) {
        let dims = self.dims;
        let (isa, product, groups) = (context.isa, dims.product(), dims.groups);
        let (size, each) = (product.inputs * product.outputs, dims.filters / groups);
        let source = self.source(context.at(self.x));
        let rooms = source.rooms().all();
        let [packed_room, _] = self.sizes();
        let scratch = context.scratch(self.room());
        // SAFETY: `room` has counted them.
        let (packed, apart, dw) = unsafe {
            let packed = scratch.add(rooms.next_multiple_of(WIDEST));
            let dw = context.at(self.dw).add(part * size);
            (packed, packed.add(packed_room), dw)
        };
        let images = |part: usize| context.rows * part / dims.parts();
        let pixels = dims.window.outputs();
        let (from, to) = (images(part) * pixels, images(part + 1) * pixels);
        let whole = PanelPacked::new(product);
        let matrix = PanelPacked {
            rows: product.inputs,
            columns: each,
        };
        let place = |group: usize| match groups {
            1 => dw,
            // SAFETY: there is room for all groups.
            _ => unsafe { apart.add(group * matrix.rows * each) },
        };
        if from == to {
            // SAFETY: the rows are inside.
            unsafe { clear(context, matrix, (first, end), groups, place) };
        }
        for start in (from..to).step_by(source.block()) {
            let stop = to.min(start + source.block());
            // SAFETY: the pixels are inside the batch.
            unsafe {
                let block = source.patches((start, stop), scratch);
                for group in 0..groups {
                    let dy = context.at(self.dy);
                    isa.run(PackLanes {
                        rows: stop - start,
                        dy: dy.add(start * dims.filters + group * each),
                        dy_stride: dims.filters,
                        width: each,
                        to: packed,
                    });
                    let dy = Lanes {
                        from: packed,
                        rows: stop - start,
                        columns: each,
                    };
                    let x = block.columns(group);
                    for (lane, lanes) in isa.panels(each.div_ceil(isa.width())) {
                        let column = lane * isa.width();
                        let columns = (lanes * isa.width()).min(each - column);
                        isa.run(WeightBlock {
                            batch: stop - start,
                            x: Left::PatchColumns(x.behind(first)),
                            rows: end - first,
                            dy,
                            lane,
                            lanes,
                            dw: matrix.target(isa, place(group), first, (column, columns)),
                            add: start > from,
                        });
                    }
                }
            }
        }
        if groups > 1 {
            for row in first..end {
                for column in 0..dims.filters {
                    let (group, column_there) = (column / each, column % each);
                    // SAFETY: both matrices have the number.
                    unsafe {
                        let from = at(context, matrix, row, column_there);
                        let to = at(context, whole, row, column);
                        *dw.add(to) = *place(group).add(from);
                    }
                }
            }
        }
    }
}

/// The place of a number in a panel-packed matrix.
fn at(context: &Context<'_>, matrix: PanelPacked, row: usize, column: usize) -> usize {
    let width = context.isa.width();
    matrix.at(context.isa, row, column / width * width).0 + column % width
}

/// Writes zeros to rows of each group's gradient.
///
/// # Safety
/// They must have them.
unsafe fn clear(
    context: &Context<'_>,
    matrix: PanelPacked,
    (first, end): (usize, usize),
    groups: usize,
    place: impl Fn(usize) -> *mut f32,
) {
    for group in 0..groups {
        for row in first..end {
            for column in 0..matrix.columns {
                // SAFETY: the caller's promise.
                unsafe { *place(group).add(at(context, matrix, row, column)) = 0.0 };
            }
        }
    }
}
