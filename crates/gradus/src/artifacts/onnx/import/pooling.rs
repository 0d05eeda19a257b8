//! Pooling of sequences and images: the largest number or the mean of each window.

use super::super::messages::Node;
use super::functions::samples_of;
use super::geometry::{Geometry, lengths};
use super::names::name_of;
use super::network::{attribute, int};
use super::reader::Reader;
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{AveragePooling, Layer, Margins, MaxPooling, Padding, ZeroPadding};
use crate::rules::activations::{Activation, Form};
use std::collections::HashSet;

impl Reader {
    pub fn max_pool<const R: usize>(&mut self, node: &Node, x: Source) -> Result<Source, Trouble>
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

    pub fn average_pool<const R: usize>(
        &mut self,
        node: &Node,
        x: Source,
    ) -> Result<Source, Trouble>
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
}

/// True if no value of an activation is below 0.
fn is_positive(rule: &Activation) -> bool {
    samples_of(rule).iter().all(|&y| y >= 0.0)
}
