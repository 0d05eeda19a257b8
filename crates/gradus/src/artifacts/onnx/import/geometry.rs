//! The windows of convolutions and pooling, as a node describes them.

use super::super::messages::Node;
use super::network::attribute;
use super::trouble::Trouble;
use crate::model::layers::Padding;

/// Numbers of pixels, above any honest network's.
const MOST: i64 = 1 << 24;

/// Windows along the axes of a sequence or an image.
pub(super) struct Geometry<const R: usize> {
    input: [usize; R],
    pub taps: [usize; R],
    pub strides: [usize; R],
    pub dilations: [usize; R],
    before: [usize; R],
    behind: [usize; R],
}

/// Lengths of so many axes.
pub(super) fn lengths<const R: usize>(all: &[usize]) -> Option<[usize; R]> {
    all.try_into().ok()
}

impl<const R: usize> Geometry<R> {
    /// The windows of a node with so many taps, over an input of these lengths.
    pub fn of(node: &Node, taps: [usize; R], input: &[usize]) -> Result<Self, Trouble> {
        let input = lengths(input).ok_or("its kernel has other axes than its input")?;
        if taps.iter().any(|&n| n == 0 || n as i64 > MOST) {
            return Err(format!("its kernel is of size {taps:?}").into());
        }
        let mut geometry = Geometry {
            input,
            taps,
            strides: [1; R],
            dilations: [1; R],
            before: [0; R],
            behind: [0; R],
        };
        geometry.strides = geometry.given(node, "strides", 1)?;
        geometry.dilations = geometry.given(node, "dilations", 1)?;
        let both = [geometry.strides, geometry.dilations];
        if both.iter().flatten().any(|&n| n == 0) {
            return Err("its strides or dilations are 0".into());
        }
        let automatic = attribute(node, "auto_pad").and_then(|given| given.s.as_deref());
        match automatic {
            None | Some(b"NOTSET") => {
                if let Some(pads) = attribute(node, "pads") {
                    let Some((before, behind)) = pads.ints.split_at_checked(R) else {
                        return Err(format!("its pads are {:?}", pads.ints).into());
                    };
                    (geometry.before, geometry.behind) =
                        (numbers("pads", before)?, numbers("pads", behind)?);
                }
            }
            Some(b"VALID") => {}
            Some(same @ (b"SAME_UPPER" | b"SAME_LOWER")) => {
                for axis in 0..R {
                    let sides = geometry.same(axis);
                    let upper = same == b"SAME_UPPER";
                    let [before, behind] = if upper { sides } else { [sides[1], sides[0]] };
                    (geometry.before[axis], geometry.behind[axis]) = (before, behind);
                }
            }
            Some(other) => {
                let found = String::from_utf8_lossy(other);
                return Err(format!("its auto_pad is `{}`", crate::error::visible(&found)).into());
            }
        }
        Ok(geometry)
    }

    /// A list of a node with a number for each axis.
    pub fn given(&self, node: &Node, name: &str, default: usize) -> Result<[usize; R], Trouble> {
        match attribute(node, name) {
            Some(given) if !given.ints.is_empty() => numbers(name, &given.ints),
            _ => Ok([default; R]),
        }
    }

    /// Pixels from the first tap to the last.
    fn reach(&self, axis: usize) -> usize {
        (self.taps[axis] - 1) * self.dilations[axis] + 1
    }

    /// The padding that Keras calls `same`, before and behind.
    fn same(&self, axis: usize) -> [usize; 2] {
        let stride = self.strides[axis];
        let padded = (self.input[axis].max(1) - 1) / stride * stride + self.reach(axis);
        let more = padded.saturating_sub(self.input[axis]);
        [more / 2, more - more / 2]
    }

    /// Pixels of padding before and behind, along each axis.
    pub fn margins(&self) -> [[usize; 2]; R] {
        std::array::from_fn(|axis| [self.before[axis], self.behind[axis]])
    }

    /// The padding by Keras' rules, if it is one.
    pub fn padding(&self) -> Option<Padding> {
        let margins = self.margins();
        if margins == [[0; 2]; R] {
            return Some(Padding::Valid);
        }
        let is_same = (0..R).all(|axis| margins[axis] == self.same(axis));
        is_same.then_some(Padding::Same)
    }

    /// Pads behind for windows that begin inside but have no full place, as `ceil_mode` asks for.
    pub fn reach_up(&mut self) {
        for axis in 0..R {
            let (stride, reach) = (self.strides[axis], self.reach(axis));
            let padded = self.input[axis] + self.before[axis] + self.behind[axis];
            let Some(left) = padded.checked_sub(reach) else {
                continue;
            };
            let last = left.div_ceil(stride) * stride;
            if last + reach > padded && last < self.input[axis] + self.before[axis] {
                self.behind[axis] += last + reach - padded;
            }
        }
    }
}

/// A number for each axis, none of them far too large.
fn numbers<const R: usize>(name: &str, all: &[i64]) -> Result<[usize; R], Trouble> {
    let fits = |n: &&i64| (0..=MOST).contains(*n);
    let found: Vec<usize> = all.iter().filter(fits).map(|&n| n as usize).collect();
    match lengths(&found) {
        Some(found) if all.len() == R => Ok(found),
        _ => Err(format!("its {name} are {all:?}, expected {R} numbers from 0 to {MOST}").into()),
    }
}
