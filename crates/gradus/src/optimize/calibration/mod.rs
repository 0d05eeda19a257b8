//! Ranges of the inputs of layers, found on given rows, for int8 numbers with fixed scales.
//!
//! `histogram` chooses a range by counts of numbers in bins.

mod histogram;

use crate::base::shape::Shape;
use crate::data::{Data, Tensor};
use crate::error::{Error, Result};
use crate::model::{Model, Source};
use crate::predict::Predictor;
use histogram::{Bounds, Histogram};
use std::str::FromStr;

/// Numbers of all observed outputs that are in memory at once.
const NUMBERS: usize = 1 << 24;

/// The way to choose a range for numbers that were seen.
///
/// Numbers beyond it become its ends, and those within it are told apart the better the smaller it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CalibrationMethod {
    /// From the least to the largest: nothing is cut off.
    #[default]
    MinMax,
    /// The middle part of the numbers, of so many percent, above 50 and up to 100: half of the rest
    /// is cut off at either end. Usually [`CalibrationMethod::PERCENTILE`]. Exact to 1/32,768 of the
    /// least-to-largest range.
    Percentile(f64),
    /// Cut off at the magnitude whose 8-bit form has the smallest Kullback-Leibler divergence from
    /// the numbers (Migacz, "8-bit inference with TensorRT", 2017): by 2,048 bins of magnitudes, and
    /// 128 levels for each sign, or 256 where there is one, as NVIDIA's `pytorch-quantization` has it;
    /// but what is cut off counts in the last bin that is not empty, so that a thin tail can be cut.
    Entropy,
    /// Moved by the batches of a quantization-aware training: [`Calibration::learned`].
    Learned,
}

impl CalibrationMethod {
    /// The usual percentage of [`CalibrationMethod::Percentile`].
    pub const PERCENTILE: f64 = 99.99;

    /// Its name: `min-max`, `percentile`, `entropy`.
    pub fn name(self) -> &'static str {
        match self {
            CalibrationMethod::MinMax => "min-max",
            CalibrationMethod::Percentile(_) => "percentile",
            CalibrationMethod::Entropy => "entropy",
            CalibrationMethod::Learned => "quantization-aware training",
        }
    }

    /// Refuses a percentage out of range.
    pub fn check(self) -> Result<()> {
        match self {
            CalibrationMethod::Percentile(percentile)
                if !(percentile > 50.0 && percentile <= 100.0) =>
            {
                let expected = "a number above 50 and up to 100, such as 99.99";
                Err(Error::invalid("", percentile, expected))
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for CalibrationMethod {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = [
            CalibrationMethod::MinMax,
            CalibrationMethod::Percentile(Self::PERCENTILE),
            CalibrationMethod::Entropy,
        ];
        let found = known.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| {
            let known = known.map(CalibrationMethod::name);
            Error::unknown("", "calibration method", name, known)
        })
    }
}

/// The range of the numbers that a layer takes in one of its uses.
#[derive(Clone, Debug, PartialEq)]
pub struct InputRange {
    /// The layer's name.
    pub layer: String,
    /// The use: a place in [`Model::nodes`].
    pub node: usize,
    /// The least number.
    pub min: f32,
    /// The largest number.
    pub max: f32,
}

/// Ranges of the inputs of a model's products: what int8 numbers with fixed scales need to know
/// beside the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The way in which the ranges were chosen.
    pub method: CalibrationMethod,
    /// The ranges, in the order of the model's nodes.
    pub ranges: Vec<InputRange>,
    /// Names of the layers with weights that have none, each with its Keras class.
    pub left: Vec<(String, String)>,
}

/// Finds the range of the input of each `Dense`, convolution and depthwise convolution on rows like
/// those that the model will be asked about, a few hundred at least. They are gone through once, and
/// for a percentile or by entropy once more.
///
/// An error if the model has no such layer, if there are no rows, or if a number that such a layer
/// takes is NaN or infinite.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::artifacts::onnx::{Inputs, Int8, save_onnx_int8};
/// use gradus::optimize::{CalibrationMethod, calibrate};
///
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-qdq-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let model = Sequential::new()
///     .input([4])
///     .add(Dense::new(16).activation(Activation::Relu))
///     .add(Dense::new(3))
///     .build()?;
/// let x = Tensor::from_f32([4], (0..400).map(|n| (n as f32).sin()).collect())?;
/// let calibration = calibrate(&model, &x.into(), CalibrationMethod::MinMax)?;
/// assert_eq!(calibration.ranges[0].layer, "dense");
/// assert!(calibration.ranges[0].min < -0.99 && calibration.ranges[1].min == 0.0);
/// let int8 = Int8::new(&calibration);
/// save_onnx_int8(&model, folder.join("model.onnx"), Inputs::Raw, int8)?;
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn calibrate(model: &Model, rows: &Data, method: CalibrationMethod) -> Result<Calibration> {
    method.check().map_err(|error| error.under("percentile"))?;
    if method == CalibrationMethod::Learned {
        let expected = "a method that looks at rows: `Calibration::learned` has learned ranges";
        return Err(Error::invalid("method", method.name(), expected));
    }
    super::check(model)?;
    if let Data::Generator(_) = rows {
        let found = "a generator, which gives its rows once";
        return Err(Error::invalid("rows", found, "rows in memory, or a stream"));
    }
    let mut calibration = Calibration::of(model, method)?;
    let mut sources: Vec<Source> = Vec::new();
    // Of each range, the place of its source.
    let mut places = Vec::new();
    for range in &calibration.ranges {
        let source = model.nodes[range.node].inputs[0];
        let place = sources.iter().position(|&other| other == source);
        places.push(place.unwrap_or(sources.len()));
        if place.is_none() {
            sources.push(source);
        }
    }
    let mut looking = model.in_floats();
    looking.compiled = None;
    looking.state = Default::default();
    looking.outputs = sources;
    let looking = Looking {
        predictor: looking.predictor()?,
        sizes: looking.output_shapes()?.iter().map(Shape::size).collect(),
    };
    let layer_of = |place: usize| {
        let range = places.iter().position(|&other| other == place).unwrap_or(0);
        format!("the input of layer {}", calibration.ranges[range].layer)
    };
    let ranges = looking.ranges(rows, method, layer_of)?;
    for (range, &place) in calibration.ranges.iter_mut().zip(&places) {
        let Bounds { min, max } = ranges[place];
        (range.min, range.max) = (min, max);
    }
    Ok(calibration)
}

impl Calibration {
    /// The ranges that quantization-aware training
    /// ([`Fit::quantization_aware`](crate::train::Fit::quantization_aware)) has learned. A layer that is used
    /// several times has one for all of them.
    ///
    /// An error if a product of the model has none, or one that no batch has moved yet.
    pub fn learned(model: &Model) -> Result<Self> {
        super::check(model)?;
        let mut calibration = Calibration::of(model, CalibrationMethod::Learned)?;
        for range in &mut calibration.ranges {
            let layer = &model.layers[model.nodes[range.node].layer];
            match layer.fake_quantized() {
                Some([min, max]) if min <= max => (range.min, range.max) = (min, max),
                _ => {
                    let found = "no range that quantization-aware training has learned";
                    let expected = "one for each Dense and convolution, or a calibration on rows";
                    let at = format!("layer {}", range.layer);
                    return Err(Error::invalid(&at, found, expected));
                }
            }
        }
        Ok(calibration)
    }

    /// A model's products, their ranges yet to be found. An error if it has none.
    fn of(model: &Model, method: CalibrationMethod) -> Result<Self> {
        let mut calibration = Calibration {
            method,
            ranges: Vec::new(),
            left: Vec::new(),
        };
        for (node, of) in model.nodes.iter().enumerate() {
            let layer = &model.layers[of.layer];
            if layer.rule.is_one_product() {
                calibration.ranges.push(InputRange {
                    layer: layer.name.clone(),
                    node,
                    min: 0.0,
                    max: 0.0,
                });
            } else if !layer.weights.is_empty() {
                let class = layer.rule.class().to_owned();
                let left = (layer.name.clone(), class);
                if !calibration.left.contains(&left) {
                    calibration.left.push(left);
                }
            }
        }
        if calibration.ranges.is_empty() {
            let found = "a model without a Dense or a convolution of float numbers";
            return Err(Error::invalid("calibrate", found, "at least one"));
        }
        Ok(calibration)
    }
}

/// A model whose outputs are the numbers to be looked at.
struct Looking {
    predictor: Predictor,
    /// Numbers of each output for one row.
    sizes: Vec<usize>,
}

impl Looking {
    fn ranges(
        &self,
        rows: &Data,
        method: CalibrationMethod,
        called: impl Fn(usize) -> String,
    ) -> Result<Vec<Bounds>> {
        let mut all: Vec<Option<Bounds>> = vec![None; self.sizes.len()];
        self.each(rows, &mut |place, values| {
            let Some(bounds) = Bounds::of(values) else {
                let found = "a NaN or infinity";
                return Err(Error::invalid(&called(place), found, "finite numbers"));
            };
            let before = all[place].replace(bounds);
            all[place] = Some(before.map_or(bounds, |before| before.and(bounds)));
            Ok(())
        })?;
        let Some(all) = all.into_iter().collect::<Option<Vec<Bounds>>>() else {
            return Err(Error::invalid("rows", "none", "a few hundred"));
        };
        let begin: fn(Bounds) -> Histogram = match method {
            CalibrationMethod::MinMax | CalibrationMethod::Learned => return Ok(all),
            CalibrationMethod::Percentile(_) => Histogram::of_values,
            CalibrationMethod::Entropy => Histogram::of_magnitudes,
        };
        let mut counted: Vec<Histogram> = all.into_iter().map(begin).collect();
        self.each(rows, &mut |place, values| {
            counted[place].add(values);
            Ok(())
        })?;
        let range = |counted: &Histogram| match method {
            CalibrationMethod::Percentile(percentile) => counted.middle(percentile),
            _ => counted.least_divergence(),
        };
        Ok(counted.iter().map(range).collect())
    }

    /// Gives the numbers of each source, part by part.
    fn each(&self, rows: &Data, visit: &mut dyn FnMut(usize, &[f32]) -> Result<()>) -> Result<()> {
        let mut outputs = |outputs: &[Tensor]| -> Result<()> {
            for (place, output) in outputs.iter().enumerate() {
                if output.rows() > 0 {
                    visit(place, &output.to_f32())?;
                }
            }
            Ok(())
        };
        match rows {
            Data::Memory(all) => {
                let step = (NUMBERS / self.sizes.iter().sum::<usize>().max(1)).max(1);
                for start in (0..all.rows()).step_by(step) {
                    let part = all.slice(start..all.rows().min(start + step))?;
                    outputs(&self.predictor.predict_all(&part)?)?;
                }
                Ok(())
            }
            _ => {
                let mut visit = |_: &_, made: &[_]| outputs(made);
                self.predictor.predict_each(rows, &mut visit)
            }
        }
    }
}
