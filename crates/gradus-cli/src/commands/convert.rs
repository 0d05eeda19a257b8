//! `gradus convert IN OUT [--model MODEL] [--layout LAYOUT] [--zero-below THRESHOLD]
//! [--core]`.

use super::zeros::{check_threshold, describe};
use crate::args::Convert;
use crate::models;
use crate::output;
use gradus::artifacts::keras::{is_weights, save_keras};
use gradus::artifacts::onnx::{Inputs, is_onnx, save_onnx};
use gradus::artifacts::weights::{Format, Layout, save_weights};
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
    check_threshold(args.zero_below)?;
    let mut model = read(&args)?;
    let zeros = args.zero_below.map(|below| model.zero_below(below));
    let zeros = zeros.transpose()?;
    let inputs = match args.core {
        true => Inputs::Core,
        false => Inputs::Raw,
    };
    match to {
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
    output::result(&said)
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
