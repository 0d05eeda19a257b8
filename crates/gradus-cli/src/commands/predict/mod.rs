//! `gradus predict MODEL|RUN --data SPEC --out FILE|- [--mc-samples N]`.

mod blocks;
pub mod json;
mod sink;

use crate::args::Predict;
use crate::models;
use crate::ranks;
use gradus::data::{Data, Dataset};
use gradus::experiment::{ModelFile, unfamiliar};
use gradus::model::{Model, Scored};
use gradus::ranks::Collective;
use gradus::train::{McPrediction, Predictor};
use gradus::{Error, Result, Tensor, data};
use sink::{Format, beside, format, written};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model, and the processes that share out what it is asked, if there are several.
#[derive(Clone, Copy)]
struct Asked<'a> {
    model: &'a Model,
    ranks: &'a Option<Arc<dyn Collective>>,
}

impl Asked<'_> {
    fn predictor(self) -> Result<Predictor> {
        let predictor = self.model.predictor()?;
        Ok(match self.ranks {
            Some(ranks) => predictor.on_ranks(Arc::clone(ranks)),
            None => predictor,
        })
    }
}

/// Runs the command.
pub fn run(args: Predict) -> Result<()> {
    let of_columns = format(&args.out)? != Format::Npy;
    if args.out.is_dir() {
        let problem = "is a folder, expected the name of a file for the outputs as --out";
        return Err(Error::file(&args.out, problem));
    }
    let to_output = sink::is_standard_output(&args.out);
    if to_output && args.mc_samples.is_some() {
        let expected = "a file with --mc-samples: one beside it gets the standard deviation";
        return Err(Error::invalid("--out", "`-`", expected));
    }
    let ranks = ranks::join()?;
    let ModelFile { model, path, .. } = models::open(&args.model)?;
    super::warn_of_nan(&model, &path);
    check_noise(&model, &args.model, args.mc_samples)?;
    check_rejection(&model, args.reject_below)?;
    if args.reject_below.is_some() && !of_columns {
        let expected = "--out with the ending .csv or .json, which have a column of classes";
        return Err(Error::invalid("--reject-below", "a .npy file", expected));
    }
    let data = super::data_for(&model, &args.data)?;
    if let Some(ranks) = &ranks {
        model.agrees_on_ranks(&data, &**ranks)?;
    }
    let asked = Asked {
        model: &model,
        ranks: &ranks,
    };
    let has_columns =
        data::is_table(&args.data)? || !data.sample().ids().is_empty() || model.is_classifier();
    let has_columns = of_columns && has_columns;
    let names = model.output_names();
    if to_output && names.len() > 1 && !has_columns {
        let expected = format!("a file: each of {} outputs has one of its own", names.len());
        return Err(Error::invalid("--out", "`-`", expected));
    }
    let mut unfamiliar = unfamiliar(&model, &args.data)?;
    let data = match data {
        Data::Memory(data) => data,
        Data::Stream(rows) => {
            blocks::run(&args, asked, &rows, has_columns, unfamiliar.as_mut())?;
            super::say(unfamiliar, rows.sample().name());
            return Ok(());
        }
        Data::Generator(_) => return Err(Error::Internal("a generator of predictions".into())),
    };
    if let Some(unfamiliar) = &mut unfamiliar {
        unfamiliar.add(&data)?;
    }
    super::say(unfamiliar, data.name());
    if has_columns {
        return score(&args, asked, &data);
    }
    let file = |name: &str| file_of(&args.out, name, names.len());
    let Some(samples) = args.mc_samples else {
        let outputs = asked.predictor()?.predict_all(&data)?;
        let mut each = outputs.iter().zip(&names);
        return each.try_for_each(|(output, name)| write(&file(name), output, ""));
    };
    let of = format!(" of {samples} samples");
    let found = sample(&args, asked, &data, samples.get())?;
    for (found, name) in found.iter().zip(&names) {
        let (mean, std) = (file(name), beside(&file(name), "std"));
        write(&mean, &found.mean, &format!(", the mean{of}"))?;
        write(&std, &found.std, &format!(", the standard deviation{of}"))?;
    }
    Ok(())
}

/// Refuses samples of a model that predicts the same each time.
pub fn check_noise(model: &Model, path: &Path, samples: Option<NonZeroUsize>) -> Result<()> {
    if samples.is_some() && !model.is_noisy() {
        let problem = "has no dropout, which --mc-samples leaves on: all samples would be equal";
        return Err(Error::file(path, problem));
    }
    Ok(())
}

/// Refuses a threshold for a model without classes.
pub fn check_rejection(model: &Model, below: Option<f32>) -> Result<()> {
    match below {
        Some(below) if !model.predicts_classes() => {
            let expected = "no threshold for a model that predicts no classes";
            Err(Error::invalid("--reject-below", below, expected))
        }
        _ => Ok(()),
    }
}

/// The predicted columns, without classes whose probability is below the threshold.
pub fn scored(
    model: &Model,
    data: &Dataset,
    outputs: &[Tensor],
    reject_below: Option<f32>,
) -> Result<Scored> {
    match reject_below {
        Some(least) => model.scored_rejecting(data, outputs, least),
        None => model.scored(data, outputs),
    }
}

/// Predicts this many times with dropout on, and writes every sample if they are kept.
fn sample(
    args: &Predict,
    Asked { model, ranks }: Asked<'_>,
    data: &Dataset,
    samples: usize,
) -> Result<Vec<McPrediction>> {
    let found = match ranks {
        Some(ranks) => model.predict_mc_on_ranks(data, samples, args.keep, Arc::clone(ranks))?,
        None if args.keep => model.predict_mc_samples(data, samples)?,
        None => model.predict_mc_all(data, samples)?,
    };
    if !args.keep {
        return Ok(found);
    }
    let names = model.output_names();
    for (found, name) in found.iter().zip(&names) {
        let file = beside(&file_of(&args.out, name, names.len()), "samples");
        if let Some(kept) = &found.samples {
            let path = file.with_extension("npy");
            let values = kept.to_f32();
            sink::fill(&path, |mut to| {
                written(&path, data::write_npy(&mut to, kept.shape(), &values))
            })?;
            let dims = kept.shape().dims().iter().map(|dim| format!(", {dim}"));
            let dims = dims.collect::<String>();
            sink::say(&path, &format!("every sample, shape ({samples}{dims})"))?;
        }
    }
    Ok(found)
}

/// The file of an output: each of several has its own.
fn file_of(out: &Path, output: &str, outputs: usize) -> PathBuf {
    match outputs {
        1 => out.to_owned(),
        _ => beside(out, output),
    }
}

/// Writes the predicted columns for a table's rows, a folder's pictures, or classes.
fn score(args: &Predict, asked: Asked<'_>, data: &Dataset) -> Result<()> {
    let model = asked.model;
    let write = |path: &Path, scored: Scored, what: &str| {
        let format = format(path)?;
        sink::fill(path, |mut to| {
            written(
                path,
                match format {
                    Format::Json => {
                        let mut list = json::List::default();
                        list.scored(to, &scored).and_then(|()| list.end(to))
                    }
                    _ => scored.write_csv(&mut to),
                },
            )
        })?;
        let names = scored.columns.iter().map(|column| column.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        sink::say(path, &format!("{} rows of {names}{what}", data.rows()))
    };
    let Some(samples) = args.mc_samples else {
        let outputs = asked.predictor()?.predict_all(data)?;
        let scored = scored(model, data, &outputs, args.reject_below)?;
        return write(&args.out, scored, "");
    };
    let of = format!(" of {samples} samples");
    let found = sample(args, asked, data, samples.get())?.into_iter();
    let (means, deviations): (Vec<_>, Vec<_>) = found.map(|each| (each.mean, each.std)).unzip();
    let mean = scored(model, data, &means, args.reject_below)?;
    write(&args.out, mean, &format!(", the mean{of}"))?;
    let std = model.scored_about(data, &deviations)?;
    let what = format!(", the standard deviation{of}");
    write(&beside(&args.out, "std"), std, &what)
}

/// Writes the outputs, and reports it.
fn write(path: &Path, outputs: &Tensor, what: &str) -> Result<()> {
    let (shape, values) = (outputs.shape(), outputs.to_f32());
    let format = format(path)?;
    sink::fill(path, |mut to| {
        written(
            path,
            match format {
                Format::Csv => data::write_csv(&mut to, shape.size(), &values),
                Format::Npy => data::write_npy(&mut to, shape, &values),
                Format::Json => {
                    let mut list = json::List::default();
                    list.rows(to, shape.dims(), &values)
                        .and_then(|()| list.end(to))
                }
            },
        )
    })?;
    sink::say(
        path,
        &format!("{} rows of shape {shape}{what}", outputs.rows()),
    )
}
