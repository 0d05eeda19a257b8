//! The patches of some pixels, as the first factor of a product.

use super::lattice::Lattice;
use crate::engine::cpu::kernels::factors::{Left, PatchColumns, Patches};

/// Pixels that are gone over together, about: their patches stay in the second cache, and some
/// columns of the kernel in the first.
const PIXELS: usize = 192;

/// Numbers of a tap below which patches are copied to lie side by side.
const SHORT: usize = 16;

/// Images of which patches are taken: a lattice of pixels that are each made of some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub images: *const f32,
    pub lattice: Lattice,
    /// Channels of a pixel, and of a group.
    pub channels: usize,
    pub depth: usize,
}

/// Sizes of the memory that patches need, in floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rooms {
    pixels: usize,
    taps: usize,
    columns: usize,
    padded: usize,
    copied: usize,
}

impl Rooms {
    pub fn all(self) -> usize {
        let tables = self.pixels + self.taps + self.columns;
        tables
            .saturating_add(self.padded)
            .saturating_add(self.copied)
    }
}

impl Source {
    /// Pixels that are gone over together.
    pub fn block(&self) -> usize {
        let width = self.lattice.columns.count;
        match width <= 2 * PIXELS {
            true => (PIXELS / width).max(1) * width,
            false => PIXELS,
        }
    }

    /// True if the patches lie side by side as they are: each is a pixel.
    fn is_plain(&self) -> bool {
        self.is_one() && self.lattice.is_identity()
    }

    /// Numbers of a patch, of one group.
    pub fn size(&self) -> usize {
        self.lattice.taps() * self.depth
    }

    /// Numbers of a source's row, zeros included, as far as taps reach.
    fn pitch(&self) -> usize {
        let (start, end) = self.reach();
        (end - start) as usize * self.channels
    }

    /// Columns of the source that taps reach, or all of them if none is outside.
    fn reach(&self) -> (isize, isize) {
        let columns = self.lattice.columns;
        match self.lattice.is_inside() {
            true => (0, columns.source as isize),
            false => columns.reach(0, columns.count),
        }
    }

    /// Numbers side by side at a tap: of a row of taps that are neighbours, if there is one group.
    fn length(&self) -> usize {
        let columns = self.lattice.columns;
        match self.is_one() && columns.by == 1 {
            true => columns.taps * self.depth,
            false => self.depth,
        }
    }

    /// True if patches are copied.
    fn is_short(&self) -> bool {
        self.is_one() && self.length() < SHORT && !self.is_plain()
    }

    /// True if a pixel's channels are multiplied as one.
    fn is_one(&self) -> bool {
        self.depth == self.channels
    }

    pub fn rooms(&self) -> Rooms {
        let (rows, columns) = (self.lattice.rows, self.lattice.columns);
        let pixels = self.block();
        let padded = match self.lattice.is_inside() {
            true => 0,
            false => {
                let over = pixels.div_ceil(columns.count) + 1;
                let images = pixels.div_ceil(self.lattice.count()) + 1;
                let rows = (over * rows.step).saturating_add(images.saturating_mul(rows.span()));
                rows.saturating_mul(self.pitch())
            }
        };
        // An offset takes two floats' room.
        Rooms {
            pixels: 2 * pixels,
            taps: 2 * self.lattice.taps(),
            columns: 2 * self.size(),
            padded,
            copied: match self.is_short() {
                true => pixels * self.size(),
                false => 0,
            },
        }
    }

    /// The patches of pixels `from..to` of the batch, no more than a block.
    ///
    /// # Safety
    /// The images must have the pixels' source, and `scratch` the rooms.
    pub unsafe fn patches(&self, (from, to): (usize, usize), scratch: *mut f32) -> Block {
        let rooms = self.rooms();
        assert!(from < to && to - from <= self.block());
        // SAFETY: the rooms are one behind the other.
        let (pixels, taps, columns, padded, copied) = unsafe {
            let taps = scratch.add(rooms.pixels);
            let columns = taps.add(rooms.taps);
            let padded = columns.add(rooms.columns);
            let copied = padded.add(rooms.padded);
            (scratch, taps, columns, padded, copied)
        };
        let mut block = Block {
            source: *self,
            from: std::ptr::null(),
            pixels: pixels.cast(),
            taps: taps.cast(),
            columns: columns.cast(),
            first: from % self.lattice.columns.count,
            copied: std::ptr::null(),
        };
        if self.is_plain() {
            // SAFETY: the table has a pixel at least; the pixels are inside the batch.
            unsafe {
                *block.pixels = 0;
                block.copied = self.images.add(from * self.channels);
                self.columns(&block, columns.cast());
            }
            return block;
        }
        // SAFETY: the caller's promise; the tables have the room.
        unsafe {
            block.from = match self.lattice.is_inside() {
                true => self.in_place((from, to), pixels.cast()),
                false => {
                    self.pad((from, to), pixels.cast(), padded);
                    padded
                }
            };
            self.taps(taps.cast());
            if self.is_short() {
                block.copy(to - from, copied);
            }
            self.columns(&block, columns.cast());
        }
        block
    }

    /// The offsets of pixels in the images themselves, and the first image that they are in.
    unsafe fn in_place(&self, (from, to): (usize, usize), pixels: *mut isize) -> *const f32 {
        let Lattice { rows, columns, .. } = self.lattice;
        let image = rows.source * columns.source * self.channels;
        let first = from / self.lattice.count();
        self.each_row((from, to), |n, row, (start, end)| {
            let (at, row) = (row / rows.count - first, row % rows.count);
            let row = at * image + row * rows.step * columns.source * self.channels;
            for column in start..end {
                let offset = row + column * columns.step * self.channels;
                // SAFETY: the table has the pixels.
                unsafe { *pixels.add(n + column - start) = offset as isize };
            }
        });
        // SAFETY: the caller's promise.
        unsafe { self.images.add(first * image) }
    }

    /// Copies the rows of the source that the pixels are made of, with zeros around them.
    unsafe fn pad(&self, (from, to): (usize, usize), pixels: *mut isize, padded: *mut f32) {
        let Lattice { rows, columns, .. } = self.lattice;
        let pitch = self.pitch();
        let (left, right) = self.reach();
        let last = (to - 1) / columns.count;
        let mut end = 0;
        let mut offset = 0;
        let mut start_row = 0;
        self.each_row((from, to), |n, row, (start, stop)| {
            let (image, row) = (row / rows.count, row % rows.count);
            if n == 0 || row == 0 {
                let of_image = (last - image * rows.count).min(rows.count - 1);
                let (above, below) = rows.reach(row, of_image + 1);
                offset = end;
                start_row = row;
                // SAFETY: the caller's promise, and the room.
                unsafe { self.copy_rows(image, (above, below), (left, right), padded.add(end)) };
                end += (below - above) as usize * pitch;
            }
            let row = offset + (row - start_row) * rows.step * pitch;
            for column in start..stop {
                let offset = row + column * columns.step * self.channels;
                // SAFETY: the table has the pixels.
                unsafe { *pixels.add(n + column - start) = offset as isize };
            }
        });
    }

    /// Copies rows and columns of an image, with zeros where there are none.
    unsafe fn copy_rows(
        &self,
        image: usize,
        (above, below): (isize, isize),
        (left, right): (isize, isize),
        mut to: *mut f32,
    ) {
        let (height, width) = (self.lattice.rows.source, self.lattice.columns.source);
        let channels = self.channels;
        let before = (-left).max(0) as usize * channels;
        let (start, end) = (
            left.max(0) as usize,
            (right.min(width as isize)).max(0) as usize,
        );
        let there = end.saturating_sub(start) * channels;
        let pitch = (right - left) as usize * channels;
        for row in above..below {
            // SAFETY: the caller's promise.
            unsafe {
                if (0..height as isize).contains(&row) {
                    let row = image * height + row as usize;
                    let from = self.images.add((row * width + start) * channels);
                    to.write_bytes(0, before);
                    to.add(before).copy_from_nonoverlapping(from, there);
                    to.add(before + there)
                        .write_bytes(0, pitch - before - there);
                } else {
                    to.write_bytes(0, pitch);
                }
                to = to.add(pitch);
            }
        }
    }

    /// Calls `f` with each row of the pixels: the number of pixels before it, its number, and its
    /// columns.
    fn each_row(
        &self,
        (from, to): (usize, usize),
        mut f: impl FnMut(usize, usize, (usize, usize)),
    ) {
        let width = self.lattice.columns.count;
        let mut at = from;
        while at < to {
            let (row, start) = (at / width, at % width);
            let end = width.min(start + to - at);
            f(at - from, row, (start, end));
            at += end - start;
        }
    }

    /// The offset of a tap from its pixel.
    fn tap(&self, row: usize, column: usize) -> isize {
        let Lattice { rows, columns, .. } = self.lattice;
        let (left, _) = self.reach();
        // Copied rows begin with the first that is reached.
        let above = match self.lattice.is_inside() {
            true => 0,
            false => rows.reach(0, 1).0,
        };
        let row = rows.at + row as isize * rows.by - above;
        let column = columns.at + column as isize * columns.by - left;
        row * self.pitch() as isize + column * self.channels as isize
    }

    unsafe fn taps(&self, taps: *mut isize) {
        let Lattice { rows, columns, .. } = self.lattice;
        let each = match self.length() == self.depth {
            true => columns.taps,
            false => 1,
        };
        for row in 0..rows.taps {
            for column in 0..each {
                // SAFETY: there is room for all taps.
                unsafe { *taps.add(row * each + column) = self.tap(row, column) };
            }
        }
    }

    unsafe fn columns(&self, block: &Block, to: *mut isize) {
        let columns = self.lattice.columns.taps;
        for tap in 0..self.lattice.taps() {
            let offset = self.tap(tap / columns, tap % columns);
            for channel in 0..self.depth {
                let at = tap * self.depth + channel;
                let offset = match block.copied.is_null() {
                    true => offset + channel as isize,
                    false => at as isize,
                };
                // SAFETY: there is room for all numbers of a patch.
                unsafe { *to.add(at) = offset };
            }
        }
    }
}

/// Patches of a block of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    source: Source,
    from: *const f32,
    pixels: *mut isize,
    taps: *const isize,
    columns: *const isize,
    first: usize,
    copied: *const f32,
}

impl Block {
    /// A row for each pixel, of a group's channels.
    pub fn rows(&self, group: usize) -> Left {
        let size = self.source.size();
        match self.copied.is_null() {
            true => Left::Patches(Patches {
                // SAFETY: the group is inside a pixel.
                from: unsafe { self.from.add(group * self.source.depth) },
                pixels: self.pixels,
                taps: self.taps,
                length: self.source.length(),
            }),
            false => Left::Plain(self.copied, size),
        }
    }

    /// A row for each tap and channel of a group.
    pub fn columns(&self, group: usize) -> PatchColumns {
        let source = &self.source;
        let columns = source.lattice.columns;
        match self.copied.is_null() {
            true => PatchColumns {
                // SAFETY: the group is inside a pixel.
                from: unsafe { self.from.add(group * source.depth) },
                pixels: self.pixels,
                columns: self.columns,
                width: columns.count,
                step: columns.step * source.channels,
                first: self.first,
            },
            false => PatchColumns {
                from: self.copied,
                pixels: self.pixels,
                columns: self.columns,
                width: usize::MAX,
                step: source.size(),
                first: 0,
            },
        }
    }

    /// Copies patches of few numbers at a tap side by side.
    unsafe fn copy(&mut self, pixels: usize, copied: *mut f32) {
        let (size, length) = (self.source.size(), self.source.length());
        for pixel in 0..pixels {
            // SAFETY: the tables have the pixels and taps, and there is room for the patches.
            unsafe {
                let from = self.from.offset(*self.pixels.add(pixel));
                let mut to = copied.add(pixel * size);
                for tap in 0..size / length {
                    let from = from.offset(*self.taps.add(tap));
                    for i in 0..length {
                        *to.add(i) = *from.add(i);
                    }
                    to = to.add(length);
                }
            }
        }
        // SAFETY: the table has the pixels; the copy begins with the first.
        unsafe { *self.pixels = 0 };
        self.copied = copied;
    }
}
