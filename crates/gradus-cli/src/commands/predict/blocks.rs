//! Predictions of rows larger than memory, written as they come.

use super::json::List;
use super::sink::{self, Format, format, written};
use super::{Asked, file_of, scored};
use crate::args::Predict;
use gradus::data::{self, Stream, Unfamiliar};
use gradus::{Dataset, Error, Result, Tensor};
use std::io::{self, Write};
use std::path::PathBuf;

/// Predicts block by block, adding each to `unfamiliar`; with column names if needed.
pub fn run(
    args: &Predict,
    asked: Asked<'_>,
    rows: &Stream,
    has_columns: bool,
    mut unfamiliar: Option<&mut Unfamiliar>,
) -> Result<()> {
    if args.mc_samples.is_some() {
        let expected = "rows in memory: these are larger than it (`data.memory`, or half of the \
                        machine's)";
        return Err(Error::invalid("--mc-samples", "several samples", expected));
    }
    if has_columns {
        return score(args, asked, rows, unfamiliar);
    }
    let model = asked.model;
    let (names, shapes) = (model.output_names(), model.output_shapes()?);
    let format = format(&args.out)?;
    let paths = names
        .iter()
        .map(|name| file_of(&args.out, name, names.len()));
    let paths: Vec<PathBuf> = paths.collect();
    files(&paths, Vec::new(), &mut |files| {
        if let Format::Npy = format {
            let each = files.iter_mut().zip(&shapes).zip(&paths);
            for ((file, shape), path) in each {
                written(path, data::write_npy_header(file, rows.rows(), shape))?;
            }
        }
        let mut lists: Vec<List> = paths.iter().map(|_| List::default()).collect();
        asked
            .predictor()?
            .predict_each(rows, &mut |rows, outputs| {
                if let Some(unfamiliar) = &mut unfamiliar {
                    unfamiliar.add(rows)?;
                }
                let each = files.iter_mut().zip(&mut lists).zip(outputs).zip(&paths);
                for (((file, list), output), path) in each {
                    written(path, block(format, file, list, output))?;
                }
                Ok(())
            })?;
        if let Format::Json = format {
            for ((file, list), path) in files.iter_mut().zip(&mut lists).zip(&paths) {
                written(path, list.end(file))?;
            }
        }
        Ok(())
    })?;
    paths.iter().zip(&shapes).try_for_each(|(path, shape)| {
        sink::say(path, &format!("{} rows of shape {shape}", rows.rows()))
    })
}

fn block(
    format: Format,
    mut file: &mut dyn Write,
    list: &mut List,
    output: &Tensor,
) -> io::Result<()> {
    let values = output.to_f32();
    match format {
        Format::Csv => data::write_csv(&mut file, output.shape().size(), &values),
        Format::Npy => data::write_npy_rows(&mut file, &values),
        Format::Json => list.rows(file, output.shape().dims(), &values),
    }
}

/// Calls `fill` with all files at once, and renames them when it is done.
fn files(
    paths: &[PathBuf],
    mut open: Vec<&mut dyn Write>,
    fill: &mut dyn FnMut(&mut [&mut dyn Write]) -> Result<()>,
) -> Result<()> {
    match paths {
        [] => fill(&mut open),
        [path, rest @ ..] => sink::fill(path, |file| {
            let open = open.into_iter().map(|file| file as &mut dyn Write);
            let mut open: Vec<&mut dyn Write> = open.collect();
            open.push(file);
            files(rest, open, fill)
        }),
    }
}

/// Writes the predicted columns.
fn score(
    args: &Predict,
    asked: Asked<'_>,
    rows: &Stream,
    mut unfamiliar: Option<&mut Unfamiliar>,
) -> Result<()> {
    let path = &args.out;
    let is_json = format(path)? == Format::Json;
    let mut names = None;
    sink::fill(path, |mut file| {
        let mut list = List::default();
        let mut visit = |rows: &Dataset, outputs: &[Tensor]| {
            let scored = scored(asked.model, rows, outputs, args.reject_below)?;
            if let Some(unfamiliar) = &mut unfamiliar {
                unfamiliar.add(rows)?;
            }
            if names.is_none() {
                let columns = scored.columns.iter().map(|column| column.name.as_str());
                names = Some(columns.collect::<Vec<_>>().join(", "));
                if !is_json {
                    written(path, scored.write_csv_header(&mut file))?;
                }
            }
            written(
                path,
                match is_json {
                    true => list.scored(file, &scored),
                    false => scored.write_csv_rows(&mut file),
                },
            )
        };
        asked.predictor()?.predict_each(rows, &mut visit)?;
        match is_json {
            true => written(path, list.end(file)),
            false => Ok(()),
        }
    })?;
    let names = names.unwrap_or_default();
    sink::say(path, &format!("{} rows of {names}", rows.rows()))
}
