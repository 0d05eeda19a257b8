//! Images and sequences with another frame or of another size: padding, cuts, larger ones.

use super::super::messages::Node;
use super::names::name_of;
use super::network::{attribute, float};
use super::reader::Reader;
use super::steps::What;
use super::trouble::Trouble;
use crate::error::visible;
use crate::model::Source;
use crate::model::layers::{
    Cropping1D, Cropping2D, Layer, Margins, Resampling, UpSampling2D, ZeroPadding,
};

/// The layers for sequences, or those for images.
pub(super) trait Rank<const R: usize> {
    fn crop(margins: [[usize; 2]; R]) -> Layer;
}

/// Sequences or images.
pub(super) struct Of;

impl Rank<1> for Of {
    fn crop([sides]: [[usize; 2]; 1]) -> Layer {
        Cropping1D::new(sides).into()
    }
}

impl Rank<2> for Of {
    fn crop(margins: [[usize; 2]; 2]) -> Layer {
        Cropping2D::new(margins).into()
    }
}

impl Reader {
    /// Zeros put around each row, or numbers cut off.
    pub fn pad(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let mode = attribute(node, "mode").and_then(|mode| mode.s.as_deref());
        if !matches!(mode, None | Some(b"constant")) {
            return Err("it pads with other numbers than zeros".into());
        }
        let value = match self.argument(node, 2)? {
            Some(value) => value.scalar().unwrap_or(f64::NAN),
            None => float(node, "value", 0.0),
        };
        if value != 0.0 {
            return Err(format!("it pads with {value}, expected 0").into());
        }
        let pads = match self.argument(node, 1)? {
            Some(pads) => pads.whole().map(<[i64]>::to_vec),
            None => attribute(node, "pads").map(|pads| pads.ints.clone()),
        };
        let pads = pads.ok_or("its pads are not read")?;
        let axes = self.argument(node, 3)?;
        let axes = axes.as_ref().map(|axes| axes.whole().unwrap_or_default());
        let count = axes.map_or(self.rank(x), <[i64]>::len);
        let Some((before, behind)) = pads.split_at_checked(count) else {
            return Err(format!("its pads are {pads:?}").into());
        };
        let mut sides = vec![[0; 2]; self.rank(x)];
        for (n, (&before, &behind)) in before.iter().zip(behind).enumerate() {
            let axis = axes.map_or(n as i64, |axes| axes[n]);
            sides[self.axis(axis, x)?] = [before, behind];
        }
        if before.len() != behind.len() || sides[0] != [0; 2] {
            return Err(format!("its pads are {pads:?}").into());
        }
        self.framed(node, x, &sides[1..])
    }

    /// Parts of each row, without gaps.
    pub fn slice(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let given = |n: usize, name: &str| -> Result<Option<Vec<i64>>, Trouble> {
            Ok(match self.argument(node, n)? {
                Some(all) => all.whole().map(<[i64]>::to_vec),
                None => attribute(node, name).map(|all| all.ints.clone()),
            })
        };
        let (starts, ends) = (given(1, "starts")?, given(2, "ends")?);
        let (axes, steps) = (given(3, "axes")?, given(4, "steps")?);
        let (Some(starts), Some(ends)) = (starts, ends) else {
            return Err("its starts and ends are not read".into());
        };
        let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
        if starts.len() != ends.len() || starts.len() != axes.len() {
            return Err("its starts, ends and axes are of different number".into());
        }
        if steps.is_some_and(|steps| steps.iter().any(|&step| step != 1)) {
            return Err("its steps are not 1".into());
        }
        let mut sides = vec![[0; 2]; self.rank(x)];
        for ((&start, &end), &axis) in starts.iter().zip(&ends).zip(&axes) {
            let axis = self.axis(axis, x)?;
            if axis == 0 {
                // The number of rows is unknown, so that only a cut of all of them can be read.
                match (start, end >= i64::from(i32::MAX)) {
                    (0, true) => continue,
                    _ => return Err("it leaves out rows".into()),
                }
            }
            let length = self.shape(x).dims()[axis - 1] as i64;
            let place =
                |n: i64| (if n < 0 { n.saturating_add(length) } else { n }).clamp(0, length);
            let (start, end) = (place(start), place(end));
            if start >= end {
                return Err("it leaves nothing".into());
            }
            sides[axis] = [-start, end - length];
        }
        self.framed(node, x, &sides[1..])
    }

    /// Zeros around images, or pixels cut off, along two axes of a row at most.
    fn framed(&mut self, node: &Node, x: Source, sides: &[[i64; 2]]) -> Result<Source, Trouble> {
        let rank = sides.len();
        let is_still = |side: &[i64; 2]| *side == [0; 2];
        if sides.iter().all(is_still) {
            return Ok(x);
        }
        // Channels are the first axis of a row, or the last.
        let (first, middle) = match (sides.first(), sides.last()) {
            (Some(first), _) if is_still(first) => (true, &sides[1..]),
            (_, Some(last)) if is_still(last) => (false, &sides[..rank - 1]),
            _ => return Err("it changes the number of channels".into()),
        };
        let layer = match *middle {
            [only] => frame::<1>([only]),
            [rows, columns] => frame::<2>([rows, columns]),
            _ => return Err(format!("its input has {} axes, expected 3 or 4", rank + 1).into()),
        };
        let layers = layer.ok_or("it pads with more than fits into memory")?;
        let mut made = match first {
            true => self.channels_last(x)?,
            false => x,
        };
        for layer in layers {
            let name = name_of(node, None, layer.class());
            made = self.push(name, What::Layer(layer), Vec::new(), vec![made])?;
        }
        match first {
            true => self.channels_first(made),
            false => Ok(made),
        }
    }

    /// Larger images by whole factors.
    pub fn resized(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let &[channels, rows, columns] = self.shape(x).dims() else {
            let rank = self.rank(x);
            return Err(format!("its input has {rank} axes, expected 4 (images)").into());
        };
        let text = |name: &str, default: &'static str| {
            let given = attribute(node, name).and_then(|given| given.s.as_deref());
            String::from_utf8_lossy(given.unwrap_or(default.as_bytes())).into_owned()
        };
        let mode = text("mode", "nearest");
        let places = text("coordinate_transformation_mode", "half_pixel");
        let rounding = text("nearest_mode", "round_prefer_floor");
        let interpolation = match (&*mode, &*places, &*rounding) {
            ("nearest", "asymmetric", "floor")
            | ("nearest", "half_pixel" | "pytorch_half_pixel", "round_prefer_floor") => {
                Resampling::Nearest
            }
            // Older ones count from the corner of an image.
            ("linear", "half_pixel" | "pytorch_half_pixel", _) if self.network.opset > 10 => {
                Resampling::Bilinear
            }
            _ => {
                let found = [mode, places, rounding].map(|text| visible(&text).into_owned());
                return Err(format!("its modes are {}", found.join(", ")).into());
            }
        };
        // ONNX's Upsample, and Resize of opset 10, have the factors second.
        let scales = if node.input.len() > 2 { 2 } else { 1 };
        let scales = match self.argument(node, scales)? {
            Some(scales) if scales.len() > 0 => Some(scales.floats()),
            _ => None,
        };
        let sizes = self.argument(node, 3)?;
        let sizes = sizes.as_ref().and_then(|sizes| sizes.whole());
        let factors = match (scales.as_deref(), sizes) {
            (Some(&[one, same, height, width]), _) => (one == 1.0 && same == 1.0)
                .then_some([height, width])
                .filter(|both| {
                    both.iter()
                        .all(|x| x.fract() == 0.0 && (1.0..=4096.0).contains(x))
                })
                .map(|both| both.map(|x| x as usize)),
            (None, Some(&[_, same, height, width])) => {
                let times = |to: i64, from: usize| {
                    let to = usize::try_from(to).ok()?;
                    (to > 0 && to.is_multiple_of(from)).then(|| to / from)
                };
                let fits = same == channels as i64;
                let both = times(height, rows).zip(times(width, columns));
                both.filter(|_| fits).map(|(height, width)| [height, width])
            }
            _ => None,
        };
        let factors = factors.ok_or("its factors are no whole numbers for rows and columns")?;
        let layer = UpSampling2D::new(factors).interpolation(interpolation);
        self.turned_layer(node, layer.into(), x)
    }
}

/// Layers that cut off where sides are below 0, and pad where they are above.
fn frame<const R: usize>(sides: [[i64; 2]; R]) -> Option<Vec<Layer>>
where
    Of: Rank<R>,
    ZeroPadding<R>: Into<Layer>,
{
    let part = |sign: i64| {
        let each = sides.map(|side| side.map(|n| (n.saturating_mul(sign)).max(0)));
        let fits = each.iter().flatten().all(|&n| n < 1 << 30);
        fits.then(|| each.map(|side| side.map(|n| n as usize)))
    };
    let (cut, more) = (part(-1)?, part(1)?);
    let mut layers = Vec::new();
    if cut != [[0; 2]; R] {
        layers.push(Of::crop(cut));
    }
    if more != [[0; 2]; R] {
        layers.push(ZeroPadding::<R>::new(Margins(more)).into());
    }
    Some(layers)
}
