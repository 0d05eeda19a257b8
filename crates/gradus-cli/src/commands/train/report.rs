//! What `gradus train` prints at the end.

use super::Trained;
use crate::output::{measurements, quoted};
use crate::run_folder::{CONFIG, MODEL};
use crate::watch::Watch;
use gradus::Result;
use gradus::train::Epoch;

impl Trained {
    /// What came out.
    pub fn report(&self) -> Result<String> {
        let (run, watch) = (&self.run, self.watch.0.borrow());
        let mut text = String::new();
        text += &format!(
            "trained     {} epochs in {:.1} s",
            watch.history.epochs.len(),
            seconds(&watch)
        );
        if let Some(best) = restored(&watch) {
            text += &format!(", kept the weights of epoch {}", best + 1);
        }
        text.push('\n');
        if let Some(kept) = kept(&watch) {
            let of = |validation: bool| {
                let logs = kept
                    .logs
                    .iter()
                    .filter(|(name, _)| *name != "learning_rate");
                let logs = logs.filter(|(name, _)| name.starts_with("val_") == validation);
                measurements(logs.map(|(name, value)| (name.trim_start_matches("val_"), value)))
            };
            text += &format!("training    {}\n", of(false));
            if run.data.validation().is_some() {
                text += &format!("validation  {}\n", of(true));
            }
        }
        if let Some(test) = run.data.test() {
            let logs = run.model.evaluate(&test)?;
            let rows = test.rows().unwrap_or_default();
            text += &format!("test        {}  ({rows} rows)\n", measurements(logs.iter()));
        }
        Ok(text + &format!("run folder  {}\n", self.folder.display()))
    }

    /// What to type next.
    pub fn next(&self) -> String {
        let gradus = std::env::args().next().unwrap_or("gradus".into());
        let (gradus, model) = (
            quoted(&gradus),
            quoted(&self.folder.join(MODEL).to_string_lossy()),
        );
        let config = self.folder.join(CONFIG).to_string_lossy().into_owned();
        let data = quoted(self.run.test_spec.as_ref().unwrap_or(&config));
        format!(
            "\nnext\n  {gradus} evaluate {model} --data {data}\n  \
             {gradus} predict {model} --data {data} --out predictions.csv\n  \
             {gradus} summary {model}\n"
        )
    }
}

/// How long all epochs took.
pub fn seconds(watch: &Watch) -> f64 {
    watch.history.epochs.iter().map(|epoch| epoch.seconds).sum()
}

/// The epoch whose weights were taken back, if early stopping did that.
fn restored(watch: &Watch) -> Option<usize> {
    let early_stopping = watch.callbacks.early_stopping.as_ref();
    let restores = early_stopping.filter(|e| e.restore_best_weights);
    restores.and_then(|e| e.progress().best_epoch)
}

/// The epoch that the model is of.
pub fn kept(watch: &Watch) -> Option<&Epoch> {
    let epochs = &watch.history.epochs;
    match restored(watch) {
        Some(best) => epochs.iter().find(|epoch| epoch.epoch == best),
        None => epochs.last(),
    }
}
