//! Predictions of rows that are larger than memory, written as they come.

use super::{Format, beside, format};
use crate::args::Predict;
use crate::output;
use gradus::artifacts::whole::fill_whole;
use gradus::data::{self, Stream, Unfamiliar};
use gradus::model::Model;
use gradus::{Dataset, Error, Result, Tensor};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Predicts block by block, each of which is added to what is `unfamiliar`.
pub fn run(
    args: &Predict,
    model: &Model,
    rows: &Stream,
    mut unfamiliar: Option<&mut Unfamiliar>,
) -> Result<()> {
    if args.mc_samples.is_some() {
        let expected = "rows in memory: these are larger than it (`data.memory`, or half of the \
                        machine's)";
        return Err(Error::invalid("--mc-samples", "several samples", expected));
    }
    let has_columns = data::is_table(&args.data)? || !rows.sample().ids().is_empty();
    if let (Format::Csv, true) = (format(&args.out)?, has_columns) {
        return score(&args.out, model, rows, unfamiliar);
    }
    let (names, shapes) = (model.output_names(), model.output_shapes()?);
    let format = format(&args.out)?;
    let paths: Vec<PathBuf> = match names.len() {
        1 => vec![args.out.clone()],
        _ => names.iter().map(|name| beside(&args.out, name)).collect(),
    };
    files(&paths, Vec::new(), &mut |files| {
        if let Format::Npy = format {
            let each = files.iter_mut().zip(&shapes).zip(&paths);
            for ((file, shape), path) in each {
                written(path, data::write_npy_header(file, rows.rows(), shape))?;
            }
        }
        model.predictor()?.predict_each(rows, &mut |rows, outputs| {
            if let Some(unfamiliar) = &mut unfamiliar {
                unfamiliar.add(rows)?;
            }
            for ((file, output), path) in files.iter_mut().zip(outputs).zip(&paths) {
                written(path, block(format, file, output))?;
            }
            Ok(())
        })
    })?;
    paths.iter().zip(&shapes).try_for_each(|(path, shape)| {
        let (rows, path) = (rows.rows(), path.display());
        output::result(&format!("{path}: {rows} rows of shape {shape}\n"))
    })
}

fn block(format: Format, file: &mut BufWriter<File>, output: &Tensor) -> io::Result<()> {
    let values = output.to_f32();
    match format {
        Format::Csv => data::write_csv(file, output.shape().size(), &values),
        Format::Npy => data::write_npy_rows(file, &values),
    }
}

/// Calls `fill` with all files at once, which get their names when it is done.
fn files(
    paths: &[PathBuf],
    mut open: Vec<&mut BufWriter<File>>,
    fill: &mut dyn FnMut(&mut [&mut BufWriter<File>]) -> Result<()>,
) -> Result<()> {
    match paths {
        [] => fill(&mut open),
        [path, rest @ ..] => fill_whole(path, |file| {
            let mut open: Vec<&mut BufWriter<File>> = open;
            open.push(file);
            files(rest, open, fill)
        }),
    }
}

/// Writes the columns that the rows of a table become.
fn score(
    path: &Path,
    model: &Model,
    rows: &Stream,
    mut unfamiliar: Option<&mut Unfamiliar>,
) -> Result<()> {
    let mut names = None;
    fill_whole(path, |file| {
        let mut visit = |rows: &Dataset, outputs: &[Tensor]| {
            let scored = model.scored(rows, outputs)?;
            if let Some(unfamiliar) = &mut unfamiliar {
                unfamiliar.add(rows)?;
            }
            if names.is_none() {
                let columns = scored.columns.iter().map(|column| column.name.as_str());
                names = Some(columns.collect::<Vec<_>>().join(", "));
                written(path, scored.write_csv_header(file))?;
            }
            written(path, scored.write_csv_rows(file))
        };
        model.predictor()?.predict_each(rows, &mut visit)
    })?;
    let (rows, path, names) = (rows.rows(), path.display(), names.unwrap_or_default());
    output::result(&format!("{path}: {rows} rows of {names}\n"))
}

fn written(path: &Path, written: io::Result<()>) -> Result<()> {
    written.map_err(|cause| Error::io("write", path, cause))
}
