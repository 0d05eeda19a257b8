//! Convolutions, pooling, padding and cuts of sequences and images, whose channels ONNX has first.

use super::super::messages::Node;
use super::functions::samples_of;
use super::geometry::{Geometry, lengths};
use super::names::name_of;
use super::network::{attribute, int};
use super::reader::Reader;
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{
    AveragePooling, Conv, ConvTranspose, Cropping1D, Cropping2D, DepthwiseConv,
    GlobalAveragePooling, GlobalMaxPooling, Layer, Margins, MaxPooling, Padding, ZeroPadding,
};
use crate::rules::activations::{Activation, Form};
use std::collections::HashSet;

/// The layers for sequences, or those for images.
trait Rank<const R: usize> {
    fn crop(margins: [[usize; 2]; R]) -> Layer;
}

struct Of;

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

/// Does something for sequences or for images, by the axes of a row.
macro_rules! by_rank {
    ($self:ident, $x:expr, $R:ident => $make:expr) => {
        match $self.shape($x).rank() {
            2 => {
                const $R: usize = 1;
                $make
            }
            3 => {
                const $R: usize = 2;
                $make
            }
            rank => Err(format!(
                "its input has {} axes, expected 3 (sequences) or 4 (images)",
                rank + 1
            )
            .into()),
        }
    };
}

impl Reader {
    /// The result of a node that works on sequences or images.
    pub fn image(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        match &*node.op_type {
            "Conv" => by_rank!(self, x, R => self.convolution::<R>(node, x)),
            "ConvTranspose" => by_rank!(self, x, R => self.transposed_convolution::<R>(node, x)),
            "MaxPool" => by_rank!(self, x, R => self.max_pool::<R>(node, x)),
            "AveragePool" => by_rank!(self, x, R => self.average_pool::<R>(node, x)),
            "GlobalMaxPool" | "ReduceMax" => by_rank!(self, x, R => {
                let layer = GlobalMaxPooling::<R>::new().keepdims(true);
                self.turned_layer(node, layer.into(), x)
            }),
            _ => by_rank!(self, x, R => {
                let layer = GlobalAveragePooling::<R>::new().keepdims(true);
                self.turned_layer(node, layer.into(), x)
            }),
        }
    }

    /// A layer without weights on an input with the channels last, its result turned back.
    fn turned_layer(&mut self, node: &Node, layer: Layer, x: Source) -> Result<Source, Trouble> {
        let x = self.channels_last(x)?;
        let name = name_of(node, None, layer.class());
        let made = self.push(name, What::Layer(layer), Vec::new(), vec![x])?;
        self.channels_first(made)
    }

    fn convolution<const R: usize>(&mut self, node: &Node, x: Source) -> Result<Source, Trouble>
    where
        Conv<R>: Into<Layer>,
        DepthwiseConv<R>: Into<Layer>,
        ZeroPadding<R>: Into<Layer>,
    {
        let kernel = self.needed(node, 1)?;
        let (&[filters, depth, ref taps @ ..], channels) =
            (&kernel.dims[..], self.shape(x).dims()[0])
        else {
            return Err("its kernel has too few axes".into());
        };
        let taps = lengths::<R>(taps).ok_or("its kernel has other axes than its input")?;
        let groups = int(node, "group").unwrap_or(1);
        let groups = usize::try_from(groups).ok().filter(|&groups| groups > 0);
        let groups = groups.ok_or("its group is no number above 0")?;
        if depth.checked_mul(groups) != Some(channels) || kernel.len() == 0 {
            let found = format!(
                "its kernel is of shape {:?}, in {groups} groups",
                kernel.dims
            );
            return Err(format!("{found}, the input has {channels} channels").into());
        }
        let geometry = Geometry::of(node, taps, &self.shape(x).dims()[1..])?;
        let bias = self.bias(node, filters)?;
        let x = self.channels_last(x)?;
        let (x, padding) = self.padded(x, &geometry)?;
        let [strides, dilations] = [geometry.strides, geometry.dilations];
        let is_square = strides.iter().all(|&stride| stride == strides[0]);
        // ONNX: (filters, channels, taps); Keras: (taps, channels, filters).
        let by_taps = kernel.permuted(&(2..R + 2).chain([1, 0]).collect::<Vec<_>>());
        let layer: Layer = match depth == 1 && groups > 1 && is_square && filters % channels == 0 {
            // A channel's filters are one behind the other in either.
            true => DepthwiseConv::<R>::new(taps)
                .depth_multiplier(filters / channels)
                .strides(strides)
                .dilation_rate(dilations)
                .padding(padding)
                .use_bias(bias.is_some())
                .into(),
            false => Conv::<R>::new(filters, taps)
                .groups(groups)
                .strides(strides)
                .dilation_rate(dilations)
                .padding(padding)
                .use_bias(bias.is_some())
                .into(),
        };
        let weights = std::iter::once(by_taps.floats()).chain(bias).collect();
        let name = name_of(node, node.input.get(1).map(String::as_str), layer.class());
        let made = self.push(name, What::Layer(layer), weights, vec![x])?;
        self.channels_first(made)
    }

    fn transposed_convolution<const R: usize>(
        &mut self,
        node: &Node,
        x: Source,
    ) -> Result<Source, Trouble>
    where
        ConvTranspose<R>: Into<Layer>,
        Of: Rank<R>,
    {
        let kernel = self.needed(node, 1)?;
        let &[channels, filters, ref taps @ ..] = &kernel.dims[..] else {
            return Err("its kernel has too few axes".into());
        };
        let taps = lengths::<R>(taps).ok_or("its kernel has other axes than its input")?;
        if int(node, "group").unwrap_or(1) != 1 {
            return Err("it has groups, which Keras' transposed convolution has not".into());
        }
        if channels != self.shape(x).dims()[0] || kernel.len() == 0 {
            let found = format!("its kernel is of shape {:?}", kernel.dims);
            return Err(format!("{found}, the input of {}", self.shape(x)).into());
        }
        let automatic = attribute(node, "auto_pad").and_then(|given| given.s.as_deref());
        if !matches!(automatic, None | Some(b"NOTSET" | b"VALID"))
            || attribute(node, "output_shape").is_some()
        {
            return Err("its padding is left to the runtime: export it with `pads`".into());
        }
        let geometry = Geometry::of(node, taps, &self.shape(x).dims()[1..])?;
        let bias = self.bias(node, filters)?;
        let more = geometry.given(node, "output_padding", 0)?;
        let mut layer = ConvTranspose::<R>::new(filters, taps)
            .strides(geometry.strides)
            .dilation_rate(geometry.dilations)
            .use_bias(bias.is_some());
        layer = layer.output_padding(more);
        // ONNX: (channels, filters, taps); Keras: (taps, filters, channels).
        let by_taps = kernel.permuted(&(2..R + 2).chain([1, 0]).collect::<Vec<_>>());
        let weights = std::iter::once(by_taps.floats()).chain(bias).collect();
        let x = self.channels_last(x)?;
        let layer: Layer = layer.into();
        let name = name_of(node, node.input.get(1).map(String::as_str), layer.class());
        let mut made = self.push(name, What::Layer(layer), weights, vec![x])?;
        let margins = geometry.margins();
        if margins != [[0; 2]; R] {
            made = self.push(
                "crop".into(),
                What::Layer(Of::crop(margins)),
                Vec::new(),
                vec![made],
            )?;
        }
        self.channels_first(made)
    }

    /// The bias of a convolution.
    fn bias(&self, node: &Node, filters: usize) -> Result<Option<Vec<f32>>, Trouble> {
        let Some(bias) = self.argument(node, 2)? else {
            return Ok(None);
        };
        match bias.dims == [filters] {
            true => Ok(Some(bias.floats())),
            false => Err(format!("its bias is not one for each of {filters} filters").into()),
        }
    }

    /// The input, behind a layer that pads it with zeros where the padding is none of Keras', and
    /// the padding to ask for.
    fn padded<const R: usize>(
        &mut self,
        x: Source,
        geometry: &Geometry<R>,
    ) -> Result<(Source, Padding), Trouble>
    where
        ZeroPadding<R>: Into<Layer>,
    {
        match geometry.padding() {
            Some(padding) => Ok((x, padding)),
            None => {
                let layer = ZeroPadding::<R>::new(Margins(geometry.margins())).into();
                let x = self.push("pad".into(), What::Layer(layer), Vec::new(), vec![x])?;
                Ok((x, Padding::Valid))
            }
        }
    }

    fn max_pool<const R: usize>(&mut self, node: &Node, x: Source) -> Result<Source, Trouble>
    where
        MaxPooling<R>: Into<Layer>,
        ZeroPadding<R>: Into<Layer>,
    {
        let (geometry, _) = self.pool::<R>(node, x)?;
        let x = self.channels_last(x)?;
        if geometry.padding().is_none() && !self.is_never_negative(x) {
            let why = "its padding is none of Keras' (`valid`, `same`), and its input may be \
                       negative, so that padding with zeros would be something else";
            return Err(why.into());
        }
        let (x, padding) = self.padded(x, &geometry)?;
        let layer = MaxPooling::<R>::new(geometry.taps)
            .strides(geometry.strides)
            .padding(padding);
        self.pooled(node, layer.into(), x)
    }

    fn average_pool<const R: usize>(&mut self, node: &Node, x: Source) -> Result<Source, Trouble>
    where
        AveragePooling<R>: Into<Layer>,
        ZeroPadding<R>: Into<Layer>,
    {
        let (geometry, given) = self.pool::<R>(node, x)?;
        let counts_padding = int(node, "count_include_pad").unwrap_or(0) != 0;
        let counts_padding = counts_padding && given != [[0; 2]; R];
        let mut x = self.channels_last(x)?;
        let padding = match geometry.padding() {
            // Keras leaves the padding out of its means.
            Some(padding) if !counts_padding => padding,
            _ if counts_padding && given == geometry.margins() => {
                let layer = ZeroPadding::<R>::new(Margins(geometry.margins())).into();
                x = self.push("pad".into(), What::Layer(layer), Vec::new(), vec![x])?;
                Padding::Valid
            }
            _ => {
                let why = "its means leave out a padding that is none of Keras' (`valid`, `same`)";
                return Err(why.into());
            }
        };
        let layer = AveragePooling::<R>::new(geometry.taps)
            .strides(geometry.strides)
            .padding(padding);
        self.pooled(node, layer.into(), x)
    }

    fn pooled(&mut self, node: &Node, layer: Layer, x: Source) -> Result<Source, Trouble> {
        let name = name_of(node, None, layer.class());
        let made = self.push(name, What::Layer(layer), Vec::new(), vec![x])?;
        self.channels_first(made)
    }

    /// The windows of a pooling, and the padding that its node names: `ceil_mode` adds to it.
    fn pool<const R: usize>(
        &self,
        node: &Node,
        x: Source,
    ) -> Result<(Geometry<R>, [[usize; 2]; R]), Trouble> {
        let taps = attribute(node, "kernel_shape").map_or(&[][..], |given| &given.ints);
        let taps: Option<Vec<usize>> = taps.iter().map(|&n| usize::try_from(n).ok()).collect();
        let taps = taps.and_then(|taps| lengths::<R>(&taps));
        let taps = taps.ok_or("its kernel_shape has other axes than its input")?;
        let mut geometry = Geometry::of(node, taps, &self.shape(x).dims()[1..])?;
        if geometry.dilations != [1; R] {
            return Err("its windows are dilated, which Keras' are not".into());
        }
        let given = geometry.margins();
        if int(node, "ceil_mode").unwrap_or(0) != 0 {
            geometry.reach_up();
        }
        Ok((geometry, given))
    }

    /// True if what a layer gives is 0 or more.
    fn is_never_negative(&self, source: Source) -> bool {
        let (mut open, mut seen) = (vec![source], HashSet::new());
        while let Some(source) = open.pop() {
            let Source::Node(n) = source else {
                return false;
            };
            let step = &self.steps[n];
            let What::Layer(layer) = &step.what else {
                return false;
            };
            let ends_here = match (layer.as_activation(), layer.class()) {
                (Some(rule), _) => rule.form() == Form::Element && is_positive(rule),
                (None, "ReLU") => layer.to_config()["negative_slope"].as_f64() == Some(0.0),
                _ => false,
            };
            let passes_on = [
                "Permute",
                "Dropout",
                "Add",
                "Concatenate",
                "MaxPooling1D",
                "MaxPooling2D",
                "ZeroPadding1D",
                "ZeroPadding2D",
            ];
            match ends_here {
                true => {}
                false if passes_on.contains(&layer.class()) => {
                    open.extend(step.inputs.iter().filter(|&&of| seen.insert(of)));
                }
                false => return false,
            }
        }
        true
    }

    /// Zeros around images, or pixels cut off, along two axes of a row at most.
    pub fn framed(
        &mut self,
        node: &Node,
        x: Source,
        sides: &[[i64; 2]],
    ) -> Result<Source, Trouble> {
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
        let layer = match middle {
            &[only] => frame::<1>([only]),
            &[rows, columns] => frame::<2>([rows, columns]),
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
}

/// True if no value of an activation is below 0.
fn is_positive(rule: &Activation) -> bool {
    samples_of(rule).iter().all(|&y| y >= 0.0)
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
