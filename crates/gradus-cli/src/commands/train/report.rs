//! The report of `gradus train`, in colours: names and values are escaped here.

use super::sparkline::sparkline;
use crate::output::{best, measurements, number, quoted};
use gradus::error::{visible, visible_lines};
use gradus::experiment::run_folder::{CONFIG, MODEL};
use gradus::experiment::{BetterEpoch, Outcome};

/// The results of a training.
pub fn report(trained: &Outcome) -> String {
    let results = &trained.results;
    let epochs = trained.history.epochs.len();
    let mut text = format!("trained     {epochs} epochs in {:.1} s", results.seconds);
    if let Some(best) = results.restored {
        text += &format!(", kept the weights of epoch {}", best + 1);
    }
    text.push('\n');
    let kept = results.kept.map_or(0, |epoch| epoch + 1);
    if let Some(better) = &results.better {
        text += &not_kept(better, kept);
    }
    if let Some(share) = results.pruned {
        text += &format!("pruned      {:.1}% of the weights are 0\n", 100.0 * share);
    }
    if let Some(logs) = &results.training {
        text += &format!("training    {}", measurements(logs.iter()));
        if !results.training_evaluated {
            text += &format!("  (as epoch {kept} measured it while it trained)");
        }
        text.push('\n');
    }
    if let Some(logs) = &results.validation {
        let line = format!("validation  {}", measurements(logs.iter()));
        text += &format!("{}\n", best().apply_to(line));
    }
    if let Some((logs, rows)) = &results.test {
        text += &format!("test        {}  ({rows} rows)\n", measurements(logs.iter()));
    }
    let folder = trained.folder.to_string_lossy();
    text + &format!("run folder  {}\n", visible(&folder))
}

/// The course of the loss, of the validation if there is one; nothing of a single epoch.
pub fn curve(trained: &Outcome) -> String {
    let losses = ["val_loss", "loss"].map(|name| (name, trained.history.get(name)));
    let Some((name, losses)) = losses.into_iter().find(|(_, losses)| losses.len() > 1) else {
        return String::new();
    };
    let (first, last) = (number(losses[0]), number(losses[losses.len() - 1]));
    format!(
        "curve       {}  {name} {first} to {last}\n",
        sparkline(&losses)
    )
}

/// A line that says that another epoch than the one that was kept, from 1, was the best.
fn not_kept(better: &BetterEpoch, kept: usize) -> String {
    let BetterEpoch {
        epoch,
        monitor,
        value,
        kept: now,
        reason,
    } = better;
    let (epoch, value, now) = (epoch + 1, number(*value), number(*now));
    let (monitor, reason) = (visible(monitor), visible(reason));
    format!(
        "not kept    epoch {epoch} was better than epoch {kept}: {monitor} {value} against {now}; \
         {reason}\n"
    )
}

/// Commands to type next.
pub fn next(trained: &Outcome) -> String {
    let gradus = std::env::args().next().unwrap_or("gradus".into());
    let (gradus, model) = (
        quoted(&gradus),
        quoted(&trained.folder.join(MODEL).to_string_lossy()),
    );
    let config = trained.folder.join(CONFIG).to_string_lossy().into_owned();
    let data = quoted(trained.test_data.as_ref().unwrap_or(&config));
    let text = format!(
        "\nnext\n  {gradus} evaluate {model} --data {data}\n  \
         {gradus} predict {model} --data {data} --out predictions.csv\n  \
         {gradus} summary {model}\n"
    );
    visible_lines(&text).into_owned()
}
