//! `gradus runs [DIR] [--sort KEY] [--json]`.

use crate::args::Runs;
use crate::output::{self, measurements, number};
use console::{Term, truncate_str};
use gradus::error::visible;
use gradus::experiment::{RunList, RunSummary, runs};
use gradus::{Error, Result};
use serde_json::{Map, Value, json};

/// Runs the command.
pub fn run(args: Runs) -> Result<()> {
    if !args.folder.exists() {
        let problem = "is not there, expected a folder with runs, which `gradus train` makes";
        return Err(Error::file(&args.folder, problem));
    }
    let mut list = runs(&args.folder)?;
    list.sort(&args.sort)?;
    if args.json {
        return output::json(&as_json(&list));
    }
    for problem in &list.problems {
        output::message(&format!("warning: {problem}"));
    }
    if list.runs.is_empty() {
        output::message(&format!("no runs in {}", args.folder.display()));
        return Ok(());
    }
    output::styled(&table(&list.runs))
}

fn table(runs: &[RunSummary]) -> String {
    let head = [
        "run", "best", "epoch", "last", "epochs", "time", "date", "network",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(runs.iter().map(line));
    let terminal = Term::stdout();
    let width = match terminal.is_term() {
        true => terminal.size_checked().map(|(_, columns)| columns.into()),
        false => None,
    };
    let text = output::table(&lines);
    let lines = text.lines().map(|line| match width {
        Some(width) => format!("{}\n", truncate_str(line, width, "…")),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// The cells of a run.
fn line(run: &RunSummary) -> Vec<String> {
    let monitor = run.best.as_ref().map(|best| best.monitor.as_str());
    let best = run.best.as_ref().map(|best| {
        let value = format!("{} {}", visible(&best.monitor), number(best.value));
        (
            output::best().apply_to(value).to_string(),
            (best.epoch + 1).to_string(),
        )
    });
    let (best, epoch) = best.unwrap_or_default();
    let epochs = run.history.epochs.len();
    let epochs = match (run.finished, run.epochs) {
        (true, _) => epochs.to_string(),
        (false, Some(all)) => format!("{epochs} of {all}"),
        (false, None) => format!("{epochs} of ?"),
    };
    let date: String = run.date.chars().take("2026-11-30 13:40".len()).collect();
    vec![
        visible(&run.name).into_owned(),
        best,
        epoch,
        last(run, monitor),
        epochs,
        duration(run.seconds()),
        date,
        visible(run.network.as_deref().unwrap_or_default()).into_owned(),
    ]
}

/// The other figures of the last epoch: of the validation, if there was one.
fn last(run: &RunSummary, monitor: Option<&str>) -> String {
    let Some(epoch) = run.history.epochs.last() else {
        return String::new();
    };
    let validated = epoch.logs.names().any(|name| name.starts_with("val_"));
    let logs = epoch.logs.iter().filter(|(name, _)| {
        let is_other = Some(*name) != monitor && *name != "learning_rate";
        is_other && name.starts_with("val_") == validated
    });
    measurements(logs)
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0) as u64;
    match minutes {
        0 => format!("{seconds:.1} s"),
        1..60 => format!("{minutes} min {:.0} s", seconds % 60.0),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn as_json(list: &RunList) -> Value {
    let run = |run: &RunSummary| {
        let last = run.history.epochs.last();
        let last = last.into_iter().flat_map(|epoch| epoch.logs.iter());
        let last: Map<String, Value> = last.map(|(n, v)| (n.to_owned(), v.into())).collect();
        let best = run.best.as_ref().map(
            |best| json!({ "monitor": best.monitor, "value": best.value, "epoch": best.epoch }),
        );
        json!({
            "name": run.name,
            "folder": run.folder.to_string_lossy(),
            "best": best,
            "last": last,
            "epochs": run.history.epochs.len(),
            "epochs_asked": run.epochs,
            "finished": run.finished,
            "seconds": run.seconds(),
            "network": run.network,
            "parameters": run.parameters,
            "date": run.date,
        })
    };
    let runs: Vec<Value> = list.runs.iter().map(run).collect();
    let problems: Vec<String> = list.problems.iter().map(Error::to_string).collect();
    json!({ "runs": runs, "problems": problems })
}
