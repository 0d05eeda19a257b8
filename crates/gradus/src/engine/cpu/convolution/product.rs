//! The product of patches and a kernel: the output of a convolution, or the gradient of its input.

use super::lattice::Lattice;
use super::patches::Source;
use super::turned::{Group, Turned};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::columns::Block;
use crate::engine::cpu::kernels::factors::{Lanes, Right};
use crate::engine::cpu::kernels::product::Product;
use crate::engine::cpu::simd::WIDEST;
use crate::plan::Buffer;
use crate::plan::ops::ConvDims;

/// A convolution of `x` by the kernel `w`, or the gradient of its input, of which `x` is that of
/// the output.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::cpu) struct Convolution {
    pub x: Buffer,
    pub w: Buffer,
    pub y: Buffer,
    pub dims: ConvDims,
    /// True for the gradient.
    pub back: bool,
}

impl Convolution {
    /// Makes pixels `from..to` of the batch's images.
    pub fn run(&self, context: &Context<'_>, (from, to): (usize, usize)) {
        self.lattices(|lattice| {
            let (from, to) = (lattice.before(from), lattice.before(to));
            // SAFETY: the verifier has compared the sizes; the pixels are inside the batch, and
            // this task's. The scratch has the room that is asked for.
            unsafe {
                if from == to {
                } else if lattice.taps() == 0 {
                    self.clear(context, lattice, (from, to));
                } else {
                    self.lattice(context, lattice, (from, to));
                }
            }
        });
    }

    /// Floats of scratch memory that it needs.
    pub fn room(&self) -> usize {
        let mut most = 0;
        self.lattices(|lattice| most = most.max(self.room_of(lattice)));
        most
    }

    fn room_of(&self, lattice: Lattice) -> usize {
        let room = self.source(lattice, std::ptr::null()).rooms().all();
        let [turned, made] = self.sizes(lattice);
        let all = room.saturating_add(turned).saturating_add(made);
        all.saturating_add(WIDEST)
    }

    fn lattices(&self, f: impl FnMut(Lattice)) {
        Lattice::each(self.dims.window, self.back, f);
    }

    /// Channels of the source's pixels and of the result's, of all groups.
    fn channels(&self) -> (usize, usize) {
        match self.back {
            true => (self.dims.filters, self.dims.channels),
            false => (self.dims.channels, self.dims.filters),
        }
    }

    fn source(&self, lattice: Lattice, images: *const f32) -> Source {
        let (channels, _) = self.channels();
        Source {
            images,
            lattice,
            channels,
            depth: channels / self.dims.groups,
        }
    }

    /// Floats of the kernel as it is copied, and of a block of results that lie apart.
    fn sizes(&self, lattice: Lattice) -> [usize; 2] {
        let (_, width) = self.channels();
        let source = self.source(lattice, std::ptr::null());
        let copied = self.back || self.dims.groups > 1;
        [
            if copied {
                source.size() * width + WIDEST
            } else {
                0
            },
            if lattice.is_whole() {
                0
            } else {
                source.block() * width
            },
        ]
    }

    unsafe fn lattice(&self, context: &Context<'_>, lattice: Lattice, (from, to): (usize, usize)) {
        let isa = context.isa;
        let groups = self.dims.groups;
        let (_, width) = self.channels();
        let source = self.source(lattice, context.at(self.x));
        let (rooms, [copied, _]) = (source.rooms().all(), self.sizes(lattice));
        let scratch = context.scratch(self.room_of(lattice));
        // SAFETY: `room_of` has counted them; the kernel's place begins a lane.
        let (turned, made) = unsafe {
            let turned = scratch.add(rooms.next_multiple_of(WIDEST));
            (turned, turned.add(copied))
        };
        // SAFETY: w has the numbers, and there is room for the copies.
        let kernels = unsafe { self.kernels(context, lattice, turned) };
        for start in (from..to).step_by(source.block()) {
            let end = to.min(start + source.block());
            // SAFETY: the pixels are inside the batch.
            unsafe {
                let block = source.patches((start, end), scratch);
                let y = match lattice.is_whole() {
                    true => context.at(self.y).add(start * width),
                    false => made,
                };
                for group in 0..groups {
                    let each = width / groups;
                    isa.run(Product {
                        depth: source.size(),
                        a: block.rows(group),
                        b: Right::Plain(kernels(group)),
                        c: y.add(group * each),
                        block: Block {
                            first: 0,
                            rows: end - start,
                            stride: width,
                            from: 0,
                            to: each,
                            packed: false,
                        },
                        rows: (0, end - start),
                        pack: std::ptr::null_mut(),
                    });
                }
                if !lattice.is_whole() {
                    for pixel in start..end {
                        let from = made.add((pixel - start) * width);
                        let to = context.at(self.y).add(lattice.pixel(pixel) * width);
                        to.copy_from_nonoverlapping(from, width);
                    }
                }
            }
        }
    }

    /// The second factor of each group's product.
    ///
    /// # Safety
    /// There must be room for the copies.
    unsafe fn kernels(
        &self,
        context: &Context<'_>,
        lattice: Lattice,
        copies: *mut f32,
    ) -> impl Fn(usize) -> Lanes {
        let (isa, dims, back) = (context.isa, self.dims, self.back);
        let product = dims.product();
        let w = Lanes {
            from: context.at(self.w),
            rows: product.inputs,
            columns: product.outputs,
        };
        let (_, width) = self.channels();
        let rows = self.source(lattice, std::ptr::null()).size();
        let columns = width / dims.groups;
        let copied = back || dims.groups > 1;
        // SAFETY: the caller's promise.
        let place = move |group: usize| unsafe { copies.add(group * rows * columns) };
        // A copy is read a lane beyond its end: the next one is made behind it.
        for group in (0..dims.groups).filter(|_| copied) {
            let to = place(group);
            match back {
                true => isa.run(Turned {
                    w,
                    dims,
                    lattice,
                    group,
                    to,
                }),
                false => isa.run(Group { w, dims, group, to }),
            }
        }
        move |group| match copied {
            true => Lanes {
                from: place(group),
                rows,
                columns,
            },
            false => w,
        }
    }

    /// Pixels that no tap reaches.
    unsafe fn clear(&self, context: &Context<'_>, lattice: Lattice, (from, to): (usize, usize)) {
        let (_, width) = self.channels();
        for pixel in from..to {
            // SAFETY: the pixel is inside the batch, by the caller's promise.
            unsafe {
                let to = context.at(self.y).add(lattice.pixel(pixel) * width);
                to.write_bytes(0, width);
            }
        }
    }
}
