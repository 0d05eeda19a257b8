//! The report of `gradus train CONFIG --folds K`.

use crate::output::{self, number};
use gradus::experiment::CrossValidated;
use gradus::experiment::run_folder::{FOLDS, PREDICTIONS};
use gradus::train::CrossValidation;

/// The table of the folds, and where everything is.
pub fn report(trained: &CrossValidated) -> String {
    let CrossValidated {
        measured,
        folder,
        seconds,
        ..
    } = trained;
    let folds = measured.folds.len();
    let mut text = format!("trained     {folds} folds in {seconds:.1} s\n\n");
    text += &table(measured);
    text += &format!("\nfolds       {}\n", folder.join(FOLDS).display());
    text += &format!("predictions {}\n", folder.join(PREDICTIONS).display());
    text += &format!("run folder  {}\n", folder.display());
    text
}

/// A line for each fold, and the mean with its spread.
fn table(measured: &CrossValidation) -> String {
    let names = measured.names().into_iter();
    let names: Vec<&str> = names
        .filter(|name| name.starts_with("val_") || name.starts_with("test_"))
        .filter(|name| *name != "val_rows")
        .collect();
    let mut lines = vec![vec!["fold".to_owned()]];
    // All results are of held-out rows: `val_` is dropped.
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
    output::table(&lines)
}
