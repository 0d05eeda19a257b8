//! Windows of layers: sizes, steps and padding by Keras' rules.

use super::spatial::{Grid, PerAxis, noun, rows_and_columns};
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::rules::window::{Slide, Window};
use serde::{Deserialize, Serialize};

/// Padding of an image whose border a window reaches.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// None: the window stays inside.
    #[default]
    Valid,
    /// On both sides, at most one more behind: an output for each stride of the input.
    Same,
    /// All of it before the first step: an output depends on no later step. For `Conv1D` alone.
    Causal,
}

impl Padding {
    /// Refuses `causal`.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Padding::Valid | Padding::Same => Ok(()),
            Padding::Causal => {
                let expected = "`valid` or `same`: `causal` is for Conv1D";
                Err(Error::invalid("padding", "`causal`", expected))
            }
        }
    }
}

/// A layer's window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sliding<const RANK: usize> {
    /// Taps along each axis.
    pub size: PerAxis<RANK>,
    pub strides: PerAxis<RANK>,
    pub dilation: PerAxis<RANK>,
    pub padding: Padding,
}

impl<const RANK: usize> Sliding<RANK> {
    /// Refuses impossible numbers; `size` is the argument of that name.
    pub fn check(&self, size: &str) -> Result<()> {
        self.size.check(size, 1)?;
        self.strides.check("strides", 1)?;
        self.dilation.check("dilation_rate", 1)?;
        let reach: PerAxis<RANK> = std::array::from_fn(|axis| self.reach(axis)).into();
        reach.check("dilation_rate", 1)
    }

    /// Refuses strides beside a dilation.
    pub fn check_apart(&self) -> Result<()> {
        match self.strides.largest() > 1 && self.dilation.largest() > 1 {
            true => {
                let found = format!("{:?}", self.dilation.0);
                let expected = format!("1 beside strides = {:?}", self.strides.0);
                Err(Error::invalid("dilation_rate", found, expected))
            }
            false => Ok(()),
        }
    }

    /// Pixels from the first tap to the last.
    fn reach(&self, axis: usize) -> usize {
        (self.size.0[axis] - 1) * self.dilation.0[axis] + 1
    }

    /// The windows over an image of that shape; an error if there is no place for one.
    pub fn window(&self, shape: &Shape, grid: Grid<RANK>) -> Result<Window> {
        let reach: [usize; RANK] = std::array::from_fn(|axis| self.reach(axis));
        let fits = |(input, reach): (&usize, &usize)| input >= reach;
        if self.padding == Padding::Valid && !grid.axes.iter().zip(&reach).all(fits) {
            let expected = format!(
                "{} of {} or more, or padding = `same`: a window of {} has no place in {}",
                noun(RANK),
                sizes(&reach),
                sizes(&reach),
                sizes(&grid.axes),
            );
            return Err(Error::shape("", shape, expected));
        }
        Ok(window::<RANK>(|axis| {
            let (input, stride) = (grid.axes[axis], self.strides.0[axis]);
            let reach = reach[axis];
            let same = (input - 1) / stride + 1;
            let (output, before) = match self.padding {
                Padding::Valid => ((input - reach) / stride + 1, 0),
                Padding::Same => {
                    let padded = (same - 1) * stride + reach;
                    (same, padded.saturating_sub(input) / 2)
                }
                Padding::Causal => (same, reach - 1),
            };
            self.slide(axis, input, output, before)
        }))
    }

    /// The windows of the convolution that a transposed one reverses: its input is the result, its
    /// output an image of that shape. An error if the result has no pixels.
    pub fn reversed(
        &self,
        shape: &Shape,
        grid: Grid<RANK>,
        more: Option<PerAxis<RANK>>,
    ) -> Result<Window> {
        let sizes_of = |axis: usize| {
            let (stride, reach) = (self.strides.0[axis], self.reach(axis));
            let from = (grid.axes[axis] - 1) * stride;
            let more = more.map(|more| more.0[axis]);
            // As in Keras: padding of the image with zeros between its pixels, which a flipped
            // kernel slides over.
            match (self.padding, more) {
                (Padding::Same, more) => {
                    let padding = match more {
                        None => stride + reach - 2,
                        Some(more) => reach + reach % 2 + more - 2,
                    };
                    let before = padding.div_ceil(2).min(reach - 1);
                    (
                        (from + 2 + padding).saturating_sub(reach),
                        reach - 1 - before,
                    )
                }
                (_, None) => (from + reach.max(stride), 0),
                (_, Some(more)) => (from + reach + more, 0),
            }
        };
        let result: [usize; RANK] = std::array::from_fn(|axis| sizes_of(axis).0);
        if result.contains(&0) {
            let expected = format!(
                "{} of more than {}, or a larger output_padding: the result has {} pixels",
                noun(RANK),
                sizes(&grid.axes),
                sizes(&result),
            );
            return Err(Error::shape("", shape, expected));
        }
        Ok(window::<RANK>(|axis| {
            let (input, before) = sizes_of(axis);
            self.slide(axis, input, grid.axes[axis], before)
        }))
    }

    fn slide(&self, axis: usize, input: usize, output: usize, before: usize) -> Slide {
        Slide {
            input,
            output,
            taps: self.size.0[axis],
            stride: self.strides.0[axis],
            dilation: self.dilation.0[axis],
            before,
        }
    }
}

/// A window of these slides along the axes.
pub(super) fn window<const RANK: usize>(slide: impl FnMut(usize) -> Slide) -> Window {
    let slides: [Slide; RANK] = std::array::from_fn(slide);
    let [rows, columns] = rows_and_columns(slides, Slide::ONE);
    Window { rows, columns }
}

/// The numbers of outputs along the axes.
pub(super) fn outputs<const RANK: usize>(window: Window) -> [usize; RANK] {
    along(window, |slide| slide.output)
}

/// The numbers of inputs along the axes.
pub(super) fn inputs<const RANK: usize>(window: Window) -> [usize; RANK] {
    along(window, |slide| slide.input)
}

fn along<const RANK: usize>(window: Window, of: fn(Slide) -> usize) -> [usize; RANK] {
    let both = [window.rows, window.columns];
    std::array::from_fn(|axis| of(both[axis + 2 - RANK]))
}

/// Sizes as text: `28 × 28`.
fn sizes(axes: &[usize]) -> String {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    axes.join(" × ")
}
