//! `gradus convert IN OUT [--model MODEL] [--layout LAYOUT] [--zero-below THRESHOLD]
//! [--core] [--quantize int8 [--data SPEC]]`.

use super::zeros::{check_threshold, describe};
use crate::args::Convert;
use crate::models;
use crate::output;
use gradus::artifacts::keras::{is_weights, save_keras};
use gradus::artifacts::onnx::{Inputs, Int8, is_onnx, save_onnx, save_onnx_int8};
use gradus::artifacts::weights::{Format, Layout, save_weights};
use gradus::error::visible;
use gradus::layers::Quantization;
use gradus::optimize::{Calibration, CalibrationMethod, calibrate};
use gradus::{Error, Model, Result};

/// Runs the command. Mistakes in the arguments are reported before any file is opened.
pub fn run(args: Convert) -> Result<()> {
    let to = Format::of(&args.output);
    let to_onnx = is_onnx(&args.output);
    if to.is_none() && !to_onnx && !models::is_keras(&args.output) {
        let expected = "found as OUT, expected a name that ends in .keras, .onnx, .weights.h5, \
                        .safetensors or .npz";
        return Err(Error::file(&args.output, expected));
    }
    let layout = match &args.layout {
        None => Layout::Keras,
        Some(name) => name
            .parse()
            .map_err(|error: Error| error.under("--layout"))?,
    };
    if layout != Layout::Keras && !matches!(to, Some(Format::Safetensors | Format::Npz)) {
        let expected = "`keras`, unless OUT ends in .safetensors or .npz";
        return Err(Error::invalid("--layout", layout, expected));
    }
    if args.core && !to_onnx {
        let expected = "nothing, unless OUT ends in .onnx";
        return Err(Error::invalid("--core", "the option", expected));
    }
    let method = method(&args, to_onnx)?;
    check_threshold(args.zero_below)?;
    let mut model = read(&args)?;
    let zeros = args.zero_below.map(|below| model.zero_below(below));
    let zeros = zeros.transpose()?;
    let inputs = match args.core {
        true => Inputs::Core,
        false => Inputs::Raw,
    };
    let calibration = match (method, &args.data) {
        (Some(method), Some(spec)) => {
            Some(calibrate(&model, &super::data_for(&model, spec)?, method)?)
        }
        (Some(_), None) if model.is_quantization_aware() => Some(Calibration::learned(&model)?),
        (Some(_), None) => {
            let found = "no rows, and a model that was not trained quantization-aware";
            let expected = "rows that show the ranges of inputs, such as the training rows";
            return Err(Error::invalid("--data", found, expected));
        }
        (None, _) => None,
    };
    match to {
        None if let Some(calibration) = &calibration => {
            let int8 = Int8::new(calibration).reduce_range(args.reduce_range);
            save_onnx_int8(&model, &args.output, inputs, int8)?;
        }
        None if to_onnx => save_onnx(&model, &args.output, inputs)?,
        None => save_keras(&model, &args.output)?,
        Some(_) => save_weights(&model, &args.output, layout)?,
    }
    let arrays = model.weights().count();
    let numbers: usize = model.weights().map(|weight| weight.values.len()).sum();
    let path = args.output.display();
    let mut said = format!("{path}: {arrays} arrays, {numbers} numbers\n");
    if let Some(zeros) = zeros {
        said += &format!("{}\n", describe(zeros).join("\n"));
    }
    if let Some(calibration) = &calibration {
        said += &lines(calibration);
    }
    output::result(&said)
}

/// The way to choose ranges of int8 numbers, if OUT is to have such.
fn method(args: &Convert, to_onnx: bool) -> Result<Option<CalibrationMethod>> {
    let Some(numbers) = &args.quantize else {
        return Ok(None);
    };
    let Quantization::Int8 = numbers.parse().map_err(|e: Error| e.under("--quantize"))?;
    if !to_onnx {
        let expected = "nothing, unless OUT ends in .onnx: Keras' files have no place for fixed \
                        scales of inputs; `gradus optimize MODEL OUT --quantize int8` writes \
                        Keras' own int8";
        return Err(Error::invalid("--quantize", numbers, expected));
    }
    let method = args.calibrate.as_deref().map(str::parse).transpose();
    let method = method.map_err(|error: Error| error.under("--calibrate"))?;
    match (method.unwrap_or_default(), args.percentile) {
        (CalibrationMethod::Percentile(_), Some(percentile)) => {
            let method = CalibrationMethod::Percentile(percentile);
            method
                .check()
                .map_err(|error| error.under("--percentile"))?;
            Ok(Some(method))
        }
        (method, Some(percentile)) => {
            let expected = format!(
                "nothing beside `--calibrate {}`; it belongs to `--calibrate percentile`",
                method.name()
            );
            Err(Error::invalid("--percentile", percentile, expected))
        }
        (method, None) => Ok(Some(method)),
    }
}

/// A line for each range, and for each layer without one.
fn lines(calibration: &Calibration) -> String {
    let method = calibration.method.name();
    let ranges = calibration.ranges.iter().map(|of| {
        let layer = visible(&of.layer);
        format!(
            "  {layer}: int8, inputs from {:.4} to {:.4}\n",
            of.min, of.max
        )
    });
    let left = calibration
        .left
        .iter()
        .map(|(layer, class)| format!("  {} ({class}) stays as it is\n", visible(layer)));
    let lines: String = ranges.chain(left).collect();
    format!("ranges by {method}\n{lines}")
}

/// The model of IN, or the one that the weights of IN were loaded into.
fn read(args: &Convert) -> Result<Model> {
    match (is_weights(&args.input), &args.model) {
        (false, None) => models::load(&args.input),
        (false, Some(_)) => {
            let expected = "nothing: IN is no file of weights alone, it would be the model itself";
            Err(Error::invalid("--model", "a model", expected))
        }
        (true, None) => {
            let problem = "holds weights alone: name the model that they belong to with \
                           `--model MODEL.keras`";
            Err(Error::file(&args.input, problem))
        }
        (true, Some(model)) => {
            let mut model = models::load(model)?;
            let notes = model.load_weights_with_notes(&args.input)?;
            models::say_not_read(&args.input, &notes);
            Ok(model)
        }
    }
}
