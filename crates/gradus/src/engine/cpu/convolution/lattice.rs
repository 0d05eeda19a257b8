//! Lattices: some pixels of an image, and the pixels of another of which each is made.
//!
//! A forward convolution makes each pixel of the output of the window's taps. Backward, with a
//! stride of s, the pixels of the input fall into s · s lattices: those of one are reached by the
//! same taps.

use crate::rules::window::{Slide, Window};

/// Pixels along an axis, and those of the source of which they are made: the n-th of the t-th tap
/// of it is `n · step + at + t · by`, or a zero where that is outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// The first pixel, the distance to the next, and their number.
    pub first: usize,
    pub every: usize,
    pub count: usize,
    /// Pixels of the source.
    pub source: usize,
    pub step: usize,
    /// The first tap of the window, the distance to the next, and their number.
    pub tap: usize,
    pub next_tap: usize,
    pub taps: usize,
    pub at: isize,
    pub by: isize,
}

impl Axis {
    fn forward(slide: Slide) -> Self {
        Axis {
            first: 0,
            every: 1,
            count: slide.output,
            source: slide.input,
            step: slide.stride,
            tap: 0,
            next_tap: 1,
            taps: slide.taps,
            at: -(slide.before as isize),
            by: slide.dilation as isize,
        }
    }

    /// Every `stride`-th pixel of the input from `first` on.
    fn backward(slide: Slide, first: usize) -> Self {
        let Slide {
            stride, dilation, ..
        } = slide;
        // A tap reaches the pixel from a place: (first + before - tap · dilation) / stride.
        let reaches = |&tap: &usize| {
            let there = (first + slide.before) as isize - (tap * dilation) as isize;
            there.rem_euclid(stride as isize) == 0
        };
        let mut all = (0..slide.taps).filter(reaches);
        let tap = all.next();
        let after = all.next().zip(tap).map(|(next, tap)| next - tap);
        let next_tap = after.unwrap_or(slide.taps);
        let start = tap.unwrap_or(0);
        Axis {
            first,
            every: stride,
            count: (slide.input - first).div_ceil(stride),
            source: slide.output,
            step: 1,
            tap: start,
            next_tap,
            taps: tap.map_or(0, |tap| (slide.taps - tap).div_ceil(next_tap)),
            at: ((first + slide.before) as isize - (start * dilation) as isize) / stride as isize,
            by: -((next_tap * dilation / stride) as isize),
        }
    }

    /// The source's pixels that the taps of pixels `from..to` reach, outside included.
    pub fn reach(self, from: usize, to: usize) -> (isize, isize) {
        let last = self.by * (self.taps as isize - 1);
        let start = (from * self.step) as isize + self.at + last.min(0);
        let end = ((to - 1) * self.step) as isize + self.at + last.max(0) + 1;
        (start, end)
    }

    /// Pixels that the taps of one reach.
    pub fn span(self) -> usize {
        let (start, end) = self.reach(0, 1);
        (end - start) as usize
    }

    /// The first of a pixel's taps inside the source, and the number of them, which are neighbours.
    pub fn inside(self, n: usize) -> (usize, usize) {
        let there = |&tap: &usize| {
            let place = (n * self.step) as isize + self.at + tap as isize * self.by;
            (0..self.source as isize).contains(&place)
        };
        let first = (0..self.taps).find(there).unwrap_or(0);
        (first, (first..self.taps).take_while(there).count())
    }

    /// The first of the pixels all of whose taps are inside, and the end of them.
    pub fn interior(self) -> (usize, usize) {
        let whole = |&n: &usize| {
            let (start, end) = self.reach(n, n + 1);
            start >= 0 && end <= self.source as isize
        };
        let first = (0..self.count).find(whole).unwrap_or(self.count);
        let last = (first..self.count).rev().find(whole);
        (first, last.map_or(first, |last| last + 1))
    }

    /// The pixel of the source that a pixel's tap reaches, which is inside.
    pub fn reached(self, n: usize, tap: usize) -> usize {
        ((n * self.step) as isize + self.at + tap as isize * self.by) as usize
    }

    /// The number, among the window's taps along the axis, of the n-th that reaches these pixels.
    pub fn window_tap(self, n: usize) -> usize {
        self.tap + n * self.next_tap
    }

    fn is_inside(self) -> bool {
        let (start, end) = self.reach(0, self.count);
        start >= 0 && end <= self.source as isize
    }

    /// The number of its pixels below `pixel`.
    fn below(self, pixel: usize) -> usize {
        (pixel.saturating_sub(self.first))
            .div_ceil(self.every)
            .min(self.count)
    }

    fn has(self, pixel: usize) -> bool {
        pixel >= self.first && (pixel - self.first).is_multiple_of(self.every)
    }
}

/// Pixels of an image, row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    pub rows: Axis,
    pub columns: Axis,
    /// Rows and columns of the image.
    size: (usize, usize),
}

impl Lattice {
    /// The pixels of a convolution's output.
    pub fn forward(window: Window) -> Self {
        Lattice {
            rows: Axis::forward(window.rows),
            columns: Axis::forward(window.columns),
            size: (window.rows.output, window.columns.output),
        }
    }

    /// The pixels of its input, as lattices.
    pub fn backward(window: Window) -> impl Iterator<Item = Self> {
        let Window { rows, columns } = window;
        // Of a stride beyond the image, most lattices would have no pixel.
        let firsts = |slide: Slide| 0..slide.stride.min(slide.input);
        firsts(rows).flat_map(move |row| {
            firsts(columns).map(move |column| Lattice {
                rows: Axis::backward(rows, row),
                columns: Axis::backward(columns, column),
                size: (window.rows.input, window.columns.input),
            })
        })
    }

    /// Calls `f` with each lattice of the pixels that are made: of the input's gradient if `back`.
    pub fn each(window: Window, back: bool, f: impl FnMut(Self)) {
        match back {
            true => Self::backward(window).for_each(f),
            false => std::iter::once(Self::forward(window)).for_each(f),
        }
    }

    /// The number, among the window's taps, of the n-th that reaches these pixels.
    pub fn tap(self, n: usize, window: Window) -> usize {
        let row = self.rows.tap + n / self.columns.taps * self.rows.next_tap;
        let column = self.columns.tap + n % self.columns.taps * self.columns.next_tap;
        row * window.columns.taps + column
    }

    /// Pixels of an image's lattice.
    pub fn count(self) -> usize {
        self.rows.count * self.columns.count
    }

    /// Taps of each.
    pub fn taps(self) -> usize {
        self.rows.taps * self.columns.taps
    }

    /// True if they are all pixels of the image.
    pub fn is_whole(self) -> bool {
        self.rows.every == 1 && self.columns.every == 1
    }

    /// True if each pixel is made of the same pixel of the source, and of no other.
    pub fn is_identity(self) -> bool {
        let same = |axis: Axis| {
            let one = axis.every == 1 && axis.step == 1 && axis.taps == 1;
            one && axis.at == 0 && axis.count == axis.source
        };
        same(self.rows) && same(self.columns)
    }

    /// True if no tap is outside of the source.
    pub fn is_inside(self) -> bool {
        self.rows.is_inside() && self.columns.is_inside()
    }

    /// The number of pixels before one of a batch of images.
    pub fn before(self, pixel: usize) -> usize {
        let (height, width) = self.size;
        let (image, pixel) = (pixel / (height * width), pixel % (height * width));
        let (row, column) = (pixel / width, pixel % width);
        let rows = image * self.rows.count + self.rows.below(row);
        let beside = match self.rows.has(row) {
            true => self.columns.below(column),
            false => 0,
        };
        rows * self.columns.count + beside
    }

    /// The n-th, as a pixel of a batch of images.
    pub fn pixel(self, n: usize) -> usize {
        let (row, column) = (n / self.columns.count, n % self.columns.count);
        let (image, row) = (row / self.rows.count, row % self.rows.count);
        let row = image * self.size.0 + self.rows.first + row * self.rows.every;
        row * self.size.1 + self.columns.first + column * self.columns.every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slides() -> Vec<Slide> {
        let mut all = Vec::new();
        for (input, taps, stride, dilation, before) in [
            (7, 3, 1, 1, 0),
            (7, 3, 1, 1, 1),
            (8, 3, 2, 1, 1),
            (9, 2, 3, 1, 0),
            (9, 3, 2, 2, 2),
            (10, 3, 4, 3, 2),
            (5, 5, 1, 1, 0),
            (6, 1, 2, 1, 0),
            (12, 4, 2, 3, 3),
            (3, 2, 5, 1, 1),
        ] {
            let reach = (taps - 1) * dilation + 1;
            let output = (input + 2 * before - reach) / stride + 1;
            all.push(Slide {
                input,
                output,
                taps,
                stride,
                dilation,
                before,
            });
        }
        all
    }

    /// Each pixel, its source's pixel, and the tap between.
    fn pairs(axis: Axis) -> Vec<(usize, usize, usize)> {
        let mut all = Vec::new();
        for n in 0..axis.count {
            for t in 0..axis.taps {
                let source = (n * axis.step) as isize + axis.at + t as isize * axis.by;
                if (0..axis.source as isize).contains(&source) {
                    let tap = axis.tap + t * axis.next_tap;
                    all.push((axis.first + n * axis.every, source as usize, tap));
                }
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn lattices_have_the_pairs_of_the_window() {
        for slide in slides() {
            let mut wanted = Vec::new();
            for place in 0..slide.output {
                for tap in 0..slide.taps {
                    wanted.extend(slide.pixel(place, tap).map(|pixel| (place, pixel, tap)));
                }
            }
            wanted.sort_unstable();
            assert_eq!(pairs(Axis::forward(slide)), wanted);
            let turned = wanted
                .iter()
                .map(|&(place, pixel, tap)| (pixel, place, tap));
            let mut wanted: Vec<_> = turned.collect();
            wanted.sort_unstable();
            let backward =
                (0..slide.stride.min(slide.input)).map(|first| Axis::backward(slide, first));
            let mut found: Vec<_> = backward.flat_map(pairs).collect();
            found.sort_unstable();
            assert_eq!(found, wanted, "{slide:?}");
        }
    }

    #[test]
    fn a_cut_between_pixels_cuts_each_lattice() {
        let slides = slides();
        for (rows, columns) in slides.iter().zip(slides.iter().rev()) {
            let (rows, columns) = (*rows, *columns);
            let window = Window { rows, columns };
            let size = 2 * window.inputs();
            for lattice in Lattice::backward(window) {
                let pixels: Vec<_> = (0..2 * lattice.count()).map(|n| lattice.pixel(n)).collect();
                assert!(pixels.is_sorted());
                for cut in 0..=size {
                    let before = pixels.iter().filter(|&&pixel| pixel < cut).count();
                    assert_eq!(lattice.before(cut), before, "{cut} of {lattice:?}");
                }
            }
        }
    }
}
