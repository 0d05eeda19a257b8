//! Convolutions by channels, of the same patches.

use super::lattice::Lattice;
use super::patches::Source;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::depthwise;
use crate::engine::cpu::simd::WIDEST;
use crate::plan::Buffer;
use crate::plan::ops::DepthwiseDims;

/// A depthwise convolution of `x` by `w`, or the gradient of its input, of which `x` is that of
/// the output.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Depthwise {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: DepthwiseDims,
    /// True for the gradient.
    pub back: bool,
}

/// A source whose channels are each a group.
fn source(lattice: Lattice, images: *const f32, channels: usize) -> Source {
    Source {
        images,
        lattice,
        channels,
        depth: 1,
        tap_by_tap: true,
    }
}

impl Depthwise {
    /// Channels of the source's pixels and of the result's.
    fn channels(&self) -> (usize, usize) {
        match self.back {
            true => (self.dims.filters(), self.dims.channels),
            false => (self.dims.channels, self.dims.filters()),
        }
    }

    /// Makes pixels `from..to` of the batch's images.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        self.lattices(|lattice| {
            let (from, to) = (lattice.before(from), lattice.before(to));
            // SAFETY: the verifier has compared the sizes; the pixels are inside the batch, and
            // this task's. The scratch has the room that is asked for.
            unsafe { self.lattice(context, lattice, (from, to)) };
        });
    }

    /// Floats of scratch memory that it needs.
    pub fn room(&self) -> usize {
        let mut most = 0;
        self.lattices(|lattice| most = most.max(self.room_of(lattice)));
        most
    }

    fn room_of(&self, lattice: Lattice) -> usize {
        let source = source(lattice, std::ptr::null(), self.channels().0);
        let [kernel, made] = self.sizes(lattice);
        let all = source.rooms().all().saturating_add(kernel);
        all.saturating_add(made).saturating_add(WIDEST)
    }

    fn lattices(&self, f: impl FnMut(Lattice)) {
        Lattice::each(self.dims.window, self.back, f);
    }

    /// Floats of the lattice's part of the kernel, and of a block's results.
    fn sizes(&self, lattice: Lattice) -> [usize; 2] {
        let filters = self.dims.filters();
        match self.back {
            true => {
                let block = source(lattice, std::ptr::null(), filters).block();
                [lattice.taps() * filters, block * filters]
            }
            false => [0, 0],
        }
    }

    unsafe fn lattice(&self, context: &Context<'_>, lattice: Lattice, (from, to): (usize, usize)) {
        let (channels, width) = self.channels();
        let DepthwiseDims { multiplier, .. } = self.dims;
        let filters = self.dims.filters();
        let source = source(lattice, context.at(self.x), channels);
        let [kernel_room, _] = self.sizes(lattice);
        let scratch = context.scratch(self.room_of(lattice));
        // SAFETY: `room_of` has counted them.
        let (kernel, made) = unsafe {
            let kernel = scratch.add(source.rooms().all().next_multiple_of(WIDEST));
            (kernel, kernel.add(kernel_room))
        };
        let w = match self.back {
            // SAFETY: w has the taps, and there is room for them.
            true => unsafe {
                self.taps(lattice, context.at(self.w), kernel);
                kernel.cast_const()
            },
            false => context.at(self.w).cast_const(),
        };
        for start in (from..to).step_by(source.block()) {
            let end = to.min(start + source.block());
            // SAFETY: the pixels are inside the batch.
            unsafe {
                let y = context.at(self.y);
                let into = match self.back {
                    true => made,
                    false => y.add(start * width),
                };
                if lattice.taps() > 0 {
                    context.isa.run(depthwise::Depthwise {
                        patches: source.patches((start, end), scratch).taps(),
                        taps: lattice.taps(),
                        pixels: end - start,
                        filters,
                        multiplier: if self.back { 1 } else { multiplier },
                        w,
                        y: into,
                    });
                } else {
                    into.write_bytes(0, (end - start) * filters);
                }
                for pixel in (start..end).filter(|_| self.back) {
                    let from = made.add((pixel - start) * filters);
                    let to = y.add(lattice.pixel(pixel) * width);
                    if multiplier == 1 {
                        to.copy_from_nonoverlapping(from, width);
                        continue;
                    }
                    for channel in 0..width {
                        let of = (0..multiplier).map(|i| *from.add(channel * multiplier + i));
                        *to.add(channel) = of.sum();
                    }
                }
            }
        }
    }

    /// Copies the rows of w for the lattice's taps.
    ///
    /// # Safety
    /// w must have them, and `to` the room.
    unsafe fn taps(&self, lattice: Lattice, w: *const f32, to: *mut f32) {
        let filters = self.dims.filters();
        for tap in 0..lattice.taps() {
            let from = lattice.tap(tap, self.dims.window);
            // SAFETY: the caller's promise.
            unsafe {
                let from = w.add(from * filters);
                to.add(tap * filters)
                    .copy_from_nonoverlapping(from, filters);
            }
        }
    }
}

/// The gradient of a depthwise kernel, summed over each of some parts of the batch.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct DepthwiseGradient {
    pub x: Buffer,
    pub dy: Buffer,
    pub dw: Buffer,
    pub dims: DepthwiseDims,
}

impl DepthwiseGradient {
    fn source(&self, images: *const f32) -> Source {
        source(
            Lattice::forward(self.dims.window),
            images,
            self.dims.channels,
        )
    }

    /// Floats of scratch memory that it needs.
    pub fn room(&self) -> usize {
        self.source(std::ptr::null()).rooms().all()
    }

    /// Makes the gradients of parts `from..to`.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        let filters = self.dims.filters();
        let size = self.dims.window.taps() * filters;
        let source = self.source(context.at(self.x));
        let scratch = context.scratch(self.room());
        let pixels = self.dims.window.outputs();
        for part in from..to {
            let begin = |part: usize| context.rows * part / self.dims.parts() * pixels;
            let (from, to) = (begin(part), begin(part + 1));
            // SAFETY: the verifier has compared the sizes; the parts are this task's.
            unsafe {
                let dw = context.at(self.dw).add(part * size);
                if from == to {
                    dw.write_bytes(0, size);
                }
                for start in (from..to).step_by(source.block()) {
                    let end = to.min(start + source.block());
                    context.isa.run(depthwise::DepthwiseKernel {
                        patches: source.patches((start, end), scratch).taps(),
                        taps: self.dims.window.taps(),
                        pixels: end - start,
                        filters,
                        multiplier: self.dims.multiplier,
                        dy: context.at(self.dy).add(start * filters),
                        dw,
                        add: start > from,
                    });
                }
            }
        }
    }
}
