//! `gradus predict MODEL --data SPEC --out FILE [--mc-samples N]`.

mod blocks;

use crate::args::Predict;
use crate::output;
use gradus::artifacts::keras::load_keras;
use gradus::artifacts::whole::write_whole;
use gradus::data::{Data, Dataset};
use gradus::model::{Model, Scored};
use gradus::{Error, Result, Tensor, data};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Runs the command.
pub fn run(args: Predict) -> Result<()> {
    format(&args.out)?;
    let model = load_keras(&args.model)?;
    if args.mc_samples.is_some() && !model.is_noisy() {
        let problem = "has no dropout, which --mc-samples leaves on: all samples would be equal";
        return Err(Error::file(&args.model, problem));
    }
    let data = super::data_for(&model, &args.data)?;
    let mut unfamiliar = super::unfamiliar(&model, &args.data)?;
    let data = match data {
        Data::Memory(data) => data,
        Data::Stream(rows) => {
            blocks::run(&args, &model, &rows, unfamiliar.as_mut())?;
            super::say(unfamiliar, rows.sample().name());
            return Ok(());
        }
        Data::Generator(_) => return Err(Error::Internal("a generator of predictions".into())),
    };
    if let Some(unfamiliar) = &mut unfamiliar {
        unfamiliar.add(&data)?;
    }
    super::say(unfamiliar, data.name());
    let has_columns = data::is_table(&args.data)? || !data.ids().is_empty();
    if let (Format::Csv, true) = (format(&args.out)?, has_columns) {
        return score(&args, &model, &data);
    }
    let names = model.output_names();
    // Each of several outputs has a file of its own.
    let file = |name: &str| match names.len() {
        1 => args.out.clone(),
        _ => beside(&args.out, name),
    };
    let Some(samples) = args.mc_samples else {
        let outputs = model.predict_all(&data)?;
        let mut each = outputs.iter().zip(&names);
        return each.try_for_each(|(output, name)| write(&file(name), output, ""));
    };
    let of = format!(" of {samples} samples");
    let found = model.predict_mc_all(&data, samples.get())?;
    for (found, name) in found.iter().zip(&names) {
        let (mean, std) = (file(name), beside(&file(name), "std"));
        write(&mean, &found.mean, &format!(", the mean{of}"))?;
        write(&std, &found.std, &format!(", the standard deviation{of}"))?;
    }
    Ok(())
}

/// Writes the columns that the rows of a table, or a folder's pictures, become.
fn score(args: &Predict, model: &Model, data: &Dataset) -> Result<()> {
    let write = |path: &Path, scored: Scored, what: &str| {
        write_whole(path, |file| scored.write_csv(file))?;
        let names = scored.columns.iter().map(|column| column.name.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        let (rows, path) = (data.rows(), path.display());
        output::result(&format!("{path}: {rows} rows of {names}{what}\n"))
    };
    let Some(samples) = args.mc_samples else {
        return write(
            &args.out,
            model.scored(data, &model.predict_all(data)?)?,
            "",
        );
    };
    let of = format!(" of {samples} samples");
    let found = model.predict_mc_all(data, samples.get())?.into_iter();
    let (means, deviations): (Vec<_>, Vec<_>) = found.map(|each| (each.mean, each.std)).unzip();
    let mean = model.scored(data, &means)?;
    write(&args.out, mean, &format!(", the mean{of}"))?;
    let std = model.scored_about(data, &deviations)?;
    let what = format!(", the standard deviation{of}");
    write(&beside(&args.out, "std"), std, &what)
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Npy,
}

/// The ending says what a file is.
fn format(path: &Path) -> Result<Format> {
    let extension = path.extension().and_then(|e| e.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("npy") => Ok(Format::Npy),
        _ => {
            let problem = "found as --out, expected a name that ends in .npy or .csv";
            Err(Error::file(path, problem))
        }
    }
}

/// Writes the outputs, and says so.
fn write(path: &Path, outputs: &Tensor, what: &str) -> Result<()> {
    let (shape, values) = (outputs.shape(), outputs.to_f32());
    let format = format(path)?;
    write_whole(path, |file| match format {
        Format::Csv => data::write_csv(file, shape.size(), &values),
        Format::Npy => data::write_npy(file, shape, &values),
    })?;
    let (rows, path) = (outputs.rows(), path.display());
    output::result(&format!("{path}: {rows} rows of shape {shape}{what}\n"))
}

/// The file for something more: `p.csv` becomes `p_std.csv`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_os_string();
    let mut name = part(path.file_stem());
    name.push(format!("_{what}."));
    name.push(part(path.extension()));
    path.with_file_name(name)
}
