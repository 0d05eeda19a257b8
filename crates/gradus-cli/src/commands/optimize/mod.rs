//! `gradus optimize MODEL OUT`: a model made smaller and faster, step by step, each measured.

mod measure;
mod report;

use super::zeros::{check_threshold, describe};
use crate::args::Optimize;
use crate::models;
use crate::output;
use gradus::artifacts::keras::{Storage, keras_bytes, save_keras_as};
use gradus::data::Data;
use gradus::layers::Quantization;
use gradus::model::Prune;
use gradus::optimize::{Folding, fold, prune_units};
use gradus::{Error, Model, Result};
use measure::{Measured, measure};

/// A step that was taken, and what it made of the model.
struct Step {
    /// Its name: `folded`.
    name: &'static str,
    measured: Measured,
    /// Lines about the layers that it changed.
    details: Vec<String>,
}

/// The model on its way, and how it is to be stored.
struct Work<'a> {
    model: Model,
    storage: Storage,
    rows: Option<&'a Data>,
    labelled: bool,
    steps: Vec<Step>,
}

/// Runs the command. Mistakes in the arguments are reported before any file is opened.
pub fn run(args: Optimize) -> Result<()> {
    check(&args)?;
    let opened = models::open(&args.model)?;
    super::warn_of_nan(&opened.model, &opened.path);
    let mut model = opened.model;
    // A file for deployment has no use for the optimizer's slots.
    model.state = Default::default();
    let labelled = model.compiled.is_some();
    let rows = match &args.data {
        Some(spec) if labelled => Some(super::labelled_for(&model, spec)?),
        Some(spec) => Some(super::data_for(&model, spec)?),
        None => None,
    };
    let mut work = Work {
        model,
        storage: Storage::default(),
        rows: rows.as_ref(),
        labelled,
        steps: Vec::new(),
    };
    let given = opened.path.metadata();
    let given = given.map_err(|cause| Error::io("read", &opened.path, cause))?;
    work.measured("given", given.len(), Vec::new())?;
    if args.fold_batch_norm || !args.has_step() {
        work.fold()?;
    }
    if let Some(share) = args.prune_units {
        work.prune_units(share)?;
    }
    if let Some(below) = args.zero_below {
        let zeros = work.model.zero_below(below)?;
        work.done("zeroed", describe(zeros))?;
    }
    if let Some(sparsity) = args.prune {
        let mut how = Prune::new(sparsity).global(args.global);
        how.block_size = args.block.unwrap_or(how.block_size);
        let zeros = work.model.prune(&how)?;
        work.done("pruned", describe(zeros))?;
    }
    match args.quantize {
        None => {}
        Some(Quantize::F16) => {
            work.model.to_half()?;
            work.storage.half = true;
            work.done("float16", Vec::new())?;
        }
        Some(Quantize::Int8) => work.quantize()?,
    }
    save_keras_as(&work.model, &args.output, work.compressed())?;
    match args.json {
        true => output::json(&report::json(&work.steps, &args.output)),
        false => output::result(&report::text(&work.steps, &args.output)),
    }
}

fn check(args: &Optimize) -> Result<()> {
    models::check_output(&args.output)?;
    if let Some(sparsity) = args.prune
        && !(sparsity > 0.0 && sparsity < 1.0)
    {
        let expected = "a share of zeros above 0 and below 1, such as 0.8";
        return Err(Error::invalid("--prune", sparsity, expected));
    }
    check_threshold(args.zero_below)?;
    match args.prune_units {
        Some(share) if !(0.0..1.0).contains(&share) => {
            let expected = "a share from 0 (only dead units) to below 1, such as 0.3";
            Err(Error::invalid("--prune-units", share, expected))
        }
        _ => Ok(()),
    }
}

impl Work<'_> {
    /// Measures the model behind a step, as it would be saved.
    fn done(&mut self, name: &'static str, details: Vec<String>) -> Result<()> {
        let bytes = keras_bytes(&self.model, self.compressed())?.len() as u64;
        self.measured(name, bytes, details)
    }

    /// Measures the model, whose file has this size.
    fn measured(&mut self, name: &'static str, bytes: u64, details: Vec<String>) -> Result<()> {
        let measured = measure(&self.model, bytes, self.rows, self.labelled)?;
        self.steps.push(Step {
            name,
            measured,
            details,
        });
        Ok(())
    }

    /// Zeros, and rounded numbers, are small once they are compressed.
    fn compressed(&self) -> Storage {
        Storage {
            deflate: true,
            ..self.storage
        }
    }

    fn fold(&mut self) -> Result<()> {
        let (model, folded) = fold(&self.model)?;
        self.model = model;
        let details = folded.iter().map(|of| {
            let (layer, class) = (&of.layer, of.class);
            match &of.how {
                Folding::Removed => format!("{layer} ({class}) does nothing in inference"),
                Folding::Into(layers) => format!("{layer} ({class}) into {}", layers.join(", ")),
            }
        });
        let mut details: Vec<String> = details.collect();
        if details.is_empty() {
            details.push("nothing to fold".into());
        }
        self.done("folded", details)
    }

    fn quantize(&mut self) -> Result<()> {
        let quantized = self.model.quantize(Quantization::Int8)?;
        if quantized.layers.is_empty() {
            let expected = "a Dense or an Embedding that is not quantized yet";
            let left = quantized.left.iter();
            let left = left.map(|(layer, why)| format!("{layer}: {why}"));
            let found = left.collect::<Vec<_>>().join("; ");
            return Err(Error::invalid("--quantize int8", found, expected));
        }
        let layers = quantized
            .layers
            .into_iter()
            .map(|layer| format!("{layer} to int8"));
        let left = quantized.left.into_iter();
        let left = left.map(|(layer, why)| format!("{layer} stays as it is: {why}"));
        self.done("int8", layers.chain(left).collect())
    }

    fn prune_units(&mut self, share: f64) -> Result<()> {
        let (model, shrunk) = prune_units(&self.model, share, self.rows)?;
        self.model = model;
        let details = shrunk.iter().map(|of| {
            let (layer, before, after) = (&of.layer, of.before, of.after);
            format!("{layer}: {after} of {before} units")
        });
        self.done("shrunk", details.collect())
    }
}

/// The numbers that weights are stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Quantize {
    /// Half-precision floats, in half of the bytes; computing stays in single precision
    F16,
    /// Keras' int8: whole numbers with a scale for each unit, in a quarter of the bytes, and products
    /// of whole numbers; such a layer is not trained any more
    Int8,
}
