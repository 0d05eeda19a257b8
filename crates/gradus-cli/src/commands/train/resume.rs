//! The command that goes on with a run.

use crate::args::Train;
use crate::output::quoted;
use crate::ranks;
use std::path::Path;

/// The whole command, for a shell. `folder` is the run's, or that of one of its folds.
pub fn command(args: &Train, folder: &Path) -> String {
    let folds = args.folds.map(|folds| folds.to_string());
    let folder = match (&args.out, folds.is_some()) {
        (Some(out), _) => out,
        (None, true) => folder.parent().unwrap_or(folder),
        (None, false) => folder,
    };
    let mut words = vec![std::env::args().next().unwrap_or("gradus".into())];
    words.push("train".into());
    let path = |path: &Path| path.to_string_lossy().into_owned();
    words.extend(args.config.as_deref().map(path));
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([name.to_owned(), value]);
        }
    };
    for set in &args.set {
        option("--set", Some(set.clone()));
    }
    option("--seed", args.seed.map(|seed| seed.to_string()));
    option("--threads", args.threads.map(|threads| threads.to_string()));
    option("--folds", folds);
    option("--out", Some(path(folder)));
    words.extend(args.quiet.then(|| "--quiet".to_owned()));
    words.extend(args.json.then(|| "--json".to_owned()));
    words.push("--resume".into());
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let command = words.join(" ");
    match ranks::launcher() {
        Some(launcher) => format!("{launcher} {command}"),
        None => command,
    }
}
