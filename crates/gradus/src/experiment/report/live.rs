//! The page of a run while it is trained: a browser loads it again by itself.

use super::Known;
use crate::artifacts::report::{Report, RunPage};
use crate::error::Result;
use crate::experiment::config::from_toml;
use crate::experiment::run_folder::{REPORT, write_text};
use crate::train::health::HealthView;
use crate::train::{Callback, Epoch, History, Logs, Training};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The least time between two pages, and the part of the time that they may take.
const EVERY: Duration = Duration::from_secs(5);
const PART: u32 = 50;

/// Writes `report.html` behind an epoch, if the last one is some seconds old: history and health, no
/// predictions, since those take time.
#[derive(Debug)]
pub struct Live {
    folder: PathBuf,
    config: String,
    history: History,
    epochs: usize,
    epoch: Instant,
    /// The time from which on the next page is due.
    due: Instant,
}

impl Live {
    /// For a training in that folder, which goes on behind a history.
    pub fn new(folder: &Path, config: &str, before: &History) -> Self {
        let epochs = from_toml(config).ok();
        let epochs = epochs.and_then(|config| config["train"].get("epochs")?.as_u64());
        Live {
            folder: folder.to_owned(),
            config: config.to_owned(),
            history: before.clone(),
            epochs: epochs.unwrap_or_default() as usize,
            epoch: Instant::now(),
            due: Instant::now() + EVERY,
        }
    }

    fn write(&self) -> Result<()> {
        let mut page = of_history(&self.folder, &self.config, &self.history);
        page.running = Some(self.epochs);
        write_page(&self.folder, page)
    }
}

/// The page of a training that was interrupted no longer says that it goes on. There is none of a
/// training that took a few seconds.
pub fn interrupted(folder: &Path, config: &str, history: &History) -> Result<()> {
    if !folder.join(REPORT).is_file() {
        return Ok(());
    }
    let mut page = of_history(folder, config, history);
    page.notes
        .push("The training was interrupted; --resume goes on with it.".into());
    write_page(folder, page)
}

fn of_history(folder: &Path, config: &str, history: &History) -> RunPage {
    let known = Known {
        folder,
        config,
        history,
        model: None,
        data: None,
        trained_here: true,
    };
    super::page(&known, false)
}

fn write_page(folder: &Path, page: RunPage) -> Result<()> {
    let report = Report {
        runs: vec![page],
        differences: None,
    };
    write_text(&folder.join(REPORT), &report.html()?)
}

impl Callback for Live {
    fn on_epoch_begin(&mut self, _epoch: usize, _training: &mut Training<'_>) -> Result<()> {
        self.epoch = Instant::now();
        Ok(())
    }

    fn on_health(&mut self, health: &HealthView<'_>, _training: &mut Training<'_>) -> Result<()> {
        let kept = &mut self.history.health;
        if kept.layers != health.layers {
            (kept.layers, kept.samples) = (health.layers.to_vec(), Vec::new());
        }
        kept.samples.push(health.sample.clone());
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &Logs,
        _training: &mut Training<'_>,
    ) -> Result<()> {
        self.history.epochs.push(Epoch {
            epoch,
            logs: logs.clone(),
            seconds: self.epoch.elapsed().as_secs_f64(),
        });
        let began = Instant::now();
        if began < self.due {
            return Ok(());
        }
        let written = self.write();
        self.due = Instant::now() + EVERY.max(began.elapsed() * PART);
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Tensor};
    use crate::model::Sequential;
    use crate::model::layers::Dense;
    use crate::rules::losses::Loss;
    use crate::rules::optimizers::Adam;
    use crate::train::Fit;

    #[test]
    fn a_page_that_is_due_says_that_it_is_in_training() {
        let folder = tempfile::tempdir().unwrap();
        let mut live = Live::new(folder.path(), "[train]\nepochs = 9\n", &History::default());
        let page = folder.path().join(REPORT);
        let x = Tensor::from_f32([2], vec![0.5; 16]).unwrap();
        let y = Tensor::from_column(vec![1.0; 8]).unwrap();
        let data = Dataset::new(x, y).unwrap();
        let model = Sequential::new().add(Dense::new(1));
        let mut model = model
            .compile(Adam::new(), Loss::MeanSquaredError, &[])
            .unwrap();
        model.fit(&data, Fit::new().callback(&mut live)).unwrap();
        assert!(!page.exists(), "the first page is due after some seconds");
        live.due = Instant::now();
        model.fit(&data, Fit::new().callback(&mut live)).unwrap();
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(
            html.contains("In training: epoch 1 of up to 9 is done"),
            "{html}"
        );
        assert!(html.contains("<meta http-equiv=\"refresh\""));
        assert!(live.due > Instant::now());

        interrupted(folder.path(), &live.config, &live.history).unwrap();
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(html.contains("was interrupted") && !html.contains("http-equiv=\"refresh\""));
        std::fs::remove_file(&page).unwrap();
        interrupted(folder.path(), &live.config, &live.history).unwrap();
        assert!(!page.exists());
    }
}
