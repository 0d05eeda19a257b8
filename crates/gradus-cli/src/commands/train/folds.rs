//! `gradus train CONFIG --folds K`: cross-validation.

use super::report::{kept, seconds};
use super::{Trained, train_one};
use crate::args::Train;
use crate::config::Document;
use crate::output::{self, number};
use crate::progress::Reporter;
use crate::run_folder::{FOLDS, PREDICTIONS, Place, fold_folder, write_text};
use gradus::artifacts::whole::write_whole;
use gradus::data::Data;
use gradus::train::{CrossValidation, Logs, OutOfFold};
use gradus::{Error, Result};
use std::path::{Path, PathBuf};

/// Trains on the rows outside each fold, and measures on those in it.
pub fn run(args: &Train, folds: usize, document: Document, place: Place) -> Result<()> {
    if args.resume {
        let found = "--folds with --resume";
        let expected = "one of the two: each fold is a run, which `gradus train \
                        RUN/fold-2/config.toml --out RUN/fold-2 --resume` goes on with";
        return Err(Error::invalid("", found, expected));
    }
    if folds < 2 {
        return Err(Error::invalid("--folds", folds, "2 or more"));
    }
    place.check_free()?;
    let (mut measured, mut predictions) = (CrossValidation::new(), OutOfFold::new());
    let (mut run_folder, mut time) = (None::<PathBuf>, 0.0);
    let document = document.of_folds(folds);
    let config = document.read()?;
    for fold in 1..=folds {
        let config = config.with_fold(fold, folds);
        let config = config.map_err(|error| document.locate(error))?;
        let reporter = Reporter::new(args.quiet);
        reporter.say(&format!("fold {fold} of {folds}"));
        let place = match &run_folder {
            None => Place::Fold(Box::new(place.clone()), fold),
            Some(run) => Place::Named(fold_folder(run, fold)),
        };
        let trained = train_one(&document, config, place, None, reporter)?;
        let run = trained.folder.parent().unwrap_or(Path::new(""));
        run_folder = Some(run.to_owned());
        time += seconds(&trained.watch.0.borrow());
        measured.add(trained.measured()?);
        // Folds of rows that stay in their files were refused.
        if let Some(Data::Memory(held_out)) = &trained.run.data.validation {
            predictions.add(fold, &trained.run.model, held_out)?;
        }
    }
    let run = run_folder.unwrap_or_default();
    write_text(&run.join(FOLDS), &measured.to_csv())?;
    let predictions = predictions.scored();
    write_whole(&run.join(PREDICTIONS), |file| predictions.write_csv(file))?;
    let mut text = format!("trained     {folds} folds in {time:.1} s\n\n");
    text += &table(&measured);
    text += &format!("\nfolds       {}\n", run.join(FOLDS).display());
    text += &format!("predictions {}\n", run.join(PREDICTIONS).display());
    text += &format!("run folder  {}\n", run.display());
    output::result(&text)
}

impl Trained {
    /// What a fold's line says: rows and epochs, the training's measurements of the
    /// epoch that was kept, those of the rows in the fold, and of the test.
    fn measured(&self) -> Result<Logs> {
        let (data, watch) = (&self.run.data, self.watch.0.borrow());
        let mut all = vec![("epochs".to_owned(), watch.history.epochs.len() as f64)];
        let held_out = data.validation.as_ref();
        for (name, part) in [("rows", Some(&data.train)), ("val_rows", held_out)] {
            let rows = part.and_then(Data::rows);
            all.extend(rows.map(|rows| (name.to_owned(), rows as f64)));
        }
        let is_training = |name: &str| !name.starts_with("val_") && name != "learning_rate";
        let kept = kept(&watch).map(|epoch| &epoch.logs);
        let kept = kept.into_iter().flat_map(|logs| logs.iter());
        all.extend(
            kept.filter(|(name, _)| is_training(name))
                .map(|(name, value)| (name.to_owned(), value)),
        );
        for (part, prefix) in [(held_out, "val_"), (data.test.as_ref(), "test_")] {
            if let Some(part) = part {
                let logs = self.run.model.evaluate(part)?;
                all.extend(logs.iter().map(|(n, v)| (format!("{prefix}{n}"), v)));
            }
        }
        Ok(all.into_iter().collect())
    }
}

/// A line for each fold, and the mean with its spread.
fn table(measured: &CrossValidation) -> String {
    let names = measured.names().into_iter();
    let names: Vec<&str> = names
        .filter(|name| name.starts_with("val_") || name.starts_with("test_"))
        .filter(|name| *name != "val_rows")
        .collect();
    let mut lines = vec![vec!["fold".to_owned()]];
    // What was held out is what is looked at: it needs no word.
    let title = |name: &&str| name.trim_start_matches("val_").to_owned();
    lines[0].extend(names.iter().map(title));
    for (n, logs) in measured.folds.iter().enumerate() {
        let cell = |name: &&str| logs.get(name).map_or(String::new(), number);
        let first = (n + 1).to_string();
        lines.push([first].into_iter().chain(names.iter().map(cell)).collect());
    }
    let spread = |name: &&str| match (measured.mean(name), measured.std(name)) {
        (Some(mean), Some(std)) => format!("{} ± {}", number(mean), number(std)),
        (mean, _) => mean.map_or(String::new(), number),
    };
    let last = ["mean".to_owned()].into_iter();
    lines.push(last.chain(names.iter().map(spread)).collect());
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..=names.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        text += &format!("{}\n", cells.join("  ").trim_end());
    }
    text
}
