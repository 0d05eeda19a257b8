//! Convolutions and pooling of sequences and images, whose channels ONNX has first.

use super::super::messages::Node;
use super::frames::{Of, Rank};
use super::geometry::{Geometry, lengths};
use super::names::name_of;
use super::network::{attribute, int};
use super::reader::Reader;
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{
    Conv, ConvTranspose, DepthwiseConv, GlobalAveragePooling, GlobalMaxPooling, Layer, Margins,
    Padding, ZeroPadding,
};

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
    pub fn turned_layer(
        &mut self,
        node: &Node,
        layer: Layer,
        x: Source,
    ) -> Result<Source, Trouble> {
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
    pub fn padded<const R: usize>(
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
}
