//! The progress of a training on standard error.

use crate::copies::Copies;
use crate::models::say_not_read;
use crate::output::{measurements, message, number};
use gradus::Result;
use gradus::experiment::Event;
use gradus::train::Epoch;
use gradus::train::callbacks::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Shows the events of a training; of `quiet` ones only what is wrong with a model's file.
#[derive(Debug)]
pub struct Screen {
    quiet: bool,
    reporter: Reporter,
    copies: Copies,
}

impl Screen {
    /// Nothing shown yet.
    pub fn new(quiet: bool) -> Self {
        Screen {
            quiet,
            reporter: Reporter::new(quiet),
            copies: Copies::default(),
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event<'_>) -> Result<()> {
        let reporter = &mut self.reporter;
        match event {
            Event::FoldBegin { fold, folds } => {
                *self = Screen::new(self.quiet);
                self.reporter.say(&format!("fold {fold} of {folds}"));
            }
            Event::CopyTable { table, done, all } if !self.quiet => {
                self.copies.show(table, *done, *all);
            }
            Event::ModelNotes { path, notes } => say_not_read(path, notes),
            Event::DataOpened { description } => reporter.say(description),
            Event::Warning(finding) => reporter.say(&finding.to_string()),
            Event::LearningRateFound(found) => {
                let (key, rate, turning) = (&found.key, found.rate, found.turning_point);
                reporter.say(&format!(
                    "learning rate found: {key} = {rate} (the loss climbs from {turning} on)"
                ));
            }
            Event::PretrainResumed { epochs } => {
                reporter.say(&format!("resuming the pretraining after epoch {epochs}"));
            }
            Event::Pretrained { history, rows } => {
                let losses = history.get("loss");
                if let (Some(first), Some(last)) = (losses.first(), losses.last()) {
                    let epochs = losses.len();
                    reporter.say(&format!(
                        "pretrained {epochs} epochs on {rows} rows: loss {first:.4} to {last:.4}"
                    ));
                }
            }
            Event::CheckpointDamaged { path, problem } => reporter.warn(&format!(
                "warning: {}: {problem}; the checkpoint before it is taken",
                path.display()
            )),
            Event::CheckpointNotFinite {
                file,
                layer,
                weight,
            } => reporter.say(&format!(
                "warning: the checkpoint of {file}: layer {layer}: its {weight} has NaN or infinite \
                 numbers"
            )),
            Event::ChangesAllowed { changes } => {
                for change in *changes {
                    reporter.warn(&format!("warning: changed since the run began: {change}"));
                }
            }
            Event::Resumed {
                epochs,
                steps,
                finished,
            } => reporter.say(&match (finished, steps) {
                (true, _) => format!("all {epochs} epochs are done"),
                (false, 0) => format!("resuming after epoch {epochs}"),
                (false, steps) => format!("resuming after epoch {epochs} and {steps} steps"),
            }),
            Event::NotLocked { problem } => reporter.warn(&format!(
                "warning: {problem}; another process that trains there would not be noticed"
            )),
            Event::NotWritten { kind, problem } => reporter.warn(&format!(
                "warning: {kind}: {problem}; the training goes on, and it is tried again"
            )),
            Event::TrainBegin { folder } => {
                reporter.say(&format!("run folder: {}", folder.display()));
            }
            Event::BatchEnd(progress) => reporter.step(progress),
            Event::EpochEnd { epoch, epochs } => reporter.epoch(epoch, *epochs),
            Event::TrainEnd => reporter.finish(),
            _ => {}
        }
        Ok(())
    }

    /// Clears what is left of a training that has ended, in whatever way.
    pub fn finish(&self) {
        self.reporter.finish();
    }
}

/// The way in which progress is shown.
#[derive(Debug)]
enum Reporter {
    /// Nowhere.
    Quiet,
    /// One line per epoch.
    Lines,
    /// On a terminal, the same lines with a bar below them.
    Bar {
        /// The bar of the current epoch.
        bar: ProgressBar,
        /// Time of its last update.
        shown: Option<Instant>,
        /// Validation values of the last epoch, in the order of the previous values: their names
        /// would not fit in 80 columns.
        validation: String,
    },
}

/// Update interval: faster is unreadable.
const PAUSE: Duration = Duration::from_millis(80);

impl Reporter {
    /// A bar on a terminal, otherwise lines; nothing if `quiet`.
    fn new(quiet: bool) -> Self {
        if quiet {
            return Reporter::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Reporter::Lines;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{prefix} {bar:10} {eta} left  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Reporter::Bar {
            bar,
            shown: None,
            validation: String::new(),
        }
    }

    /// Prints a message without disturbing the bar.
    fn say(&self, text: &str) {
        match self {
            Reporter::Quiet => {}
            Reporter::Lines => message(text),
            Reporter::Bar { bar, .. } => bar.suspend(|| message(text)),
        }
    }

    /// Prints a message that also who wants only results has to see.
    fn warn(&self, text: &str) {
        match self {
            Reporter::Quiet => message(text),
            _ => self.say(text),
        }
    }

    /// After a step.
    fn step(&mut self, progress: &Progress<'_>) {
        let Reporter::Bar {
            bar,
            shown,
            validation,
        } = self
        else {
            return;
        };
        let last = progress.batch + 1 == progress.batches;
        if !last && shown.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *shown = Some(Instant::now());
        let loss = std::iter::once(("loss", progress.loss()));
        let now = measurements(loss.chain(progress.metrics()));
        bar.set_length(progress.batches as u64);
        bar.set_prefix(format!("epoch {}/{}", progress.epoch + 1, progress.epochs));
        bar.set_message(match is_narrow() {
            true => format!("{validation}  {now}").trim_start().to_owned(),
            false => format!("{now}  {validation}"),
        });
        bar.set_position(progress.batch as u64 + 1);
    }

    /// After an epoch.
    fn epoch(&mut self, epoch: &Epoch, epochs: usize) {
        match self {
            Reporter::Quiet => {}
            Reporter::Lines => message(&line(epoch, epochs, false)),
            Reporter::Bar {
                bar, validation, ..
            } => {
                let logs = epoch.logs.iter();
                let values = logs.filter(|(name, _)| name.starts_with("val_"));
                let values: Vec<String> = values.map(|(_, value)| number(value)).collect();
                if !values.is_empty() {
                    *validation = format!("val {}", values.join(" "));
                }
                bar.suspend(|| message(&line(epoch, epochs, is_narrow())));
                bar.reset();
            }
        }
    }

    /// At the end.
    fn finish(&self) {
        if let Reporter::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

/// An epoch's line; on a narrow terminal its validation comes first.
fn line(epoch: &Epoch, epochs: usize, narrow: bool) -> String {
    let mut logs: Vec<(&str, f64)> = epoch.logs.iter().collect();
    if narrow {
        logs.sort_by_key(|(name, _)| !name.starts_with("val_"));
    }
    format!(
        "epoch {}/{epochs}  {}  {:.2} s",
        epoch.epoch + 1,
        measurements(logs.into_iter()),
        epoch.seconds
    )
}

/// True if the terminal has fewer than 60 columns.
fn is_narrow() -> bool {
    let (_, columns) = console::Term::stderr().size();
    columns < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_line_begins_with_the_validation() {
        let logs = [
            ("loss", 0.5),
            ("mae", 0.25),
            ("val_loss", 0.75),
            ("val_mae", 0.125),
        ];
        let epoch = Epoch {
            epoch: 2,
            logs: logs.into_iter().collect(),
            seconds: 1.0,
        };
        let wide = "epoch 3/9  loss 0.5000  mae 0.2500  val_loss 0.7500  val_mae 0.1250  1.00 s";
        assert_eq!(line(&epoch, 9, false), wide);
        let narrow = "epoch 3/9  val_loss 0.7500  val_mae 0.1250  loss 0.5000  mae 0.2500  1.00 s";
        assert_eq!(line(&epoch, 9, true), narrow);
    }
}
