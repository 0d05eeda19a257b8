//! `gradus lr-find [CONFIG.toml]`.

use crate::args::LrFind;
use crate::copies;
use crate::curve;
use crate::output::{self, quoted};
use gradus::artifacts::atomic_file::write_atomic;
use gradus::experiment::SuggestedRates;
use gradus::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Runs the command.
pub fn run(args: LrFind) -> Result<()> {
    let experiment = super::experiment(args.config.as_deref(), &args.set)?;
    let name = format!("{}-lr-find", experiment.name());
    let folder = args.out.unwrap_or_else(|| Path::new("runs").join(name));
    if folder.exists() && !folder.is_dir() {
        let problem = "is a file, expected a folder for the curve";
        return Err(Error::file(&folder, problem));
    }
    let curve = experiment.find_learning_rate(copies::shown())?;
    let found = SuggestedRates::of(&curve);
    std::fs::create_dir_all(&folder).map_err(|cause| Error::io("create", &folder, cause))?;
    let (csv, svg) = (folder.join("lr-find.csv"), folder.join("lr-find.svg"));
    let write =
        |path: &Path, text: String| write_atomic(path, |file| file.write_all(text.as_bytes()));
    write(&csv, curve.to_csv())?;
    write(&svg, curve::svg(&curve, found))?;

    let mut text = curve::text(&curve, found);
    text += &match found {
        Some(found) => format!(
            "learning rate   {}  (a tenth of {}, from where the loss climbs)\n\
             1cycle maximum  {}  (half of it)\n",
            found.rate, found.turning_point, found.max_rate
        ),
        None => "no suggestion: the loss never fell. Is the data right, and its scale?\n".into(),
    };
    if !curve.blew_up {
        text += "the loss did not blow up\n";
    }
    text += &format!("curve           {}, {}\n", csv.display(), svg.display());
    if found.is_some() {
        text += &format!("\nnext\n  {}\n", next(args.config.as_deref(), &args.set));
    }
    output::result(&text)
}

/// The command to type next.
fn next(config: Option<&Path>, sets: &[String]) -> String {
    let gradus = std::env::args().next().unwrap_or("gradus".into());
    let mut words = vec![gradus, "train".to_owned()];
    words.extend(config.map(|path| path.to_string_lossy().into_owned()));
    let sets = sets.iter().map(String::as_str);
    for set in sets.chain(["train.learning_rate=auto"]) {
        words.extend(["--set".to_owned(), set.to_owned()]);
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}
