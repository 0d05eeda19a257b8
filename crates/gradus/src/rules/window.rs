//! Windows that slide over an image: the geometry of convolutions and pooling.
//!
//! An image lies row by row, pixel by pixel, a pixel's channels side by side. A sequence is an
//! image of one row.

/// The size of a window's padded image or of its taps, above any honest one's.
const MOST: usize = 1 << 31;

/// A window that slides along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Pixels of the input.
    pub input: usize,
    /// Pixels of the output: places of the window.
    pub output: usize,
    /// Taps: pixels that the window takes.
    pub taps: usize,
    /// Pixels from a place to the next.
    pub stride: usize,
    /// Pixels from a tap to the next.
    pub dilation: usize,
    /// Pixels of padding before the first of the input.
    pub before: usize,
}

impl Slide {
    /// An axis of one pixel, which every window takes whole.
    pub const ONE: Self = Slide {
        input: 1,
        output: 1,
        taps: 1,
        stride: 1,
        dilation: 1,
        before: 0,
    };

    /// One place that takes all pixels.
    pub fn whole(input: usize) -> Self {
        Slide {
            input,
            taps: input,
            ..Self::ONE
        }
    }

    /// Pixels from the first tap to the last, both included.
    pub fn reach(self) -> usize {
        (self.taps - 1) * self.dilation + 1
    }

    /// True if no pixel is at two places.
    pub fn is_apart(self) -> bool {
        self.output == 1 || self.reach() <= self.stride
    }

    /// True if each pixel of the input is at one place, and nothing else is.
    pub fn is_a_partition(self) -> bool {
        let close = self.output == 1 || self.stride == self.taps;
        let whole = self.before == 0 && self.input == self.output * self.taps;
        close && whole && (self.dilation == 1 || self.taps == 1)
    }

    /// The input's pixel at a place and tap; none in the padding.
    pub fn pixel(self, place: usize, tap: usize) -> Option<usize> {
        let padded = place * self.stride + tap * self.dilation;
        let pixel = padded.checked_sub(self.before)?;
        (pixel < self.input).then_some(pixel)
    }

    /// Pixels of the padded input, as far as a tap reaches.
    pub fn padded(self) -> usize {
        (self.output - 1) * self.stride + self.reach()
    }

    fn check(self) -> Result<(), String> {
        let all = [
            self.input,
            self.output,
            self.taps,
            self.stride,
            self.dilation,
        ];
        let sizes = [
            (self.taps - self.taps.min(1), self.dilation),
            (self.output, self.stride),
        ];
        let fits = |&(n, step): &(usize, usize)| n.checked_mul(step).is_some_and(|n| n <= MOST);
        match all.iter().all(|&n| (1..=MOST).contains(&n)) && sizes.iter().all(fits) {
            true => Ok(()),
            false => Err(format!("{self:?} slides nowhere")),
        }
    }
}

/// A window that slides over the rows and columns of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From row to row.
    pub rows: Slide,
    /// Along a row.
    pub columns: Slide,
}

impl Window {
    /// Pixels of the input.
    pub fn inputs(self) -> usize {
        self.rows.input * self.columns.input
    }

    /// Pixels of the output.
    pub fn outputs(self) -> usize {
        self.rows.output * self.columns.output
    }

    /// The dimensions of an input of so many channels.
    pub fn inputs_of(self, channels: usize) -> [usize; 3] {
        [self.rows.input, self.columns.input, channels]
    }

    /// The dimensions of an output of so many channels.
    pub fn outputs_of(self, channels: usize) -> [usize; 3] {
        [self.rows.output, self.columns.output, channels]
    }

    /// Taps of the window.
    pub fn taps(self) -> usize {
        self.rows.taps * self.columns.taps
    }

    /// The input's pixel at a place and tap, each numbered row by row; none in the padding.
    #[cfg(test)]
    pub fn pixel(self, place: usize, tap: usize) -> Option<usize> {
        let Window { rows, columns } = self;
        let row = rows.pixel(place / columns.output, tap / columns.taps)?;
        let column = columns.pixel(place % columns.output, tap % columns.taps)?;
        Some(row * columns.input + column)
    }

    /// True if it takes each pixel by itself: what is done to a pixel is a product.
    pub fn is_a_pixel(self) -> bool {
        let one = |slide: Slide| slide.taps == 1 && slide.stride == 1 && slide.before == 0;
        one(self.rows) && one(self.columns) && self.inputs() == self.outputs()
    }

    /// An error if no such window can be.
    pub fn check(self) -> Result<(), String> {
        self.rows.check()?;
        self.columns.check()
    }
}
