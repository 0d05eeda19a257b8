//! `gradus predict MODEL --data SPEC --out FILE`.

use crate::args::Predict;
use crate::output;
use gradus::artifacts::keras::load_keras;
use gradus::artifacts::whole::write_whole;
use gradus::{Error, Result, Split, data};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Runs the command.
pub fn run(args: Predict) -> Result<()> {
    let extension = args.out.extension().and_then(|e| e.to_str());
    let as_csv = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => true,
        Some("npy") => false,
        _ => {
            let problem = "found as --out, expected a name that ends in .npy or .csv";
            return Err(Error::file(&args.out, problem));
        }
    };
    let model = load_keras(&args.model)?;
    let data = data::load(&args.data, Split::Test)?;
    let names = model.output_names();
    let mut text = String::new();
    for (outputs, name) in model.predict_all(&data)?.iter().zip(&names) {
        // Each of several outputs has a file of its own: `FILE_name.npy`.
        let out = match names.len() {
            1 => args.out.clone(),
            _ => with_name(&args.out, name),
        };
        let (shape, values) = (outputs.shape(), outputs.to_f32());
        write_whole(&out, |file| match as_csv {
            true => data::write_csv(file, shape.size(), &values),
            false => data::write_npy(file, shape, &values),
        })?;
        let (rows, out) = (outputs.rows(), out.display());
        text += &format!("{out}: {rows} rows of shape {shape}\n");
    }
    output::result(&text)
}

/// The path with an output's name before its extension.
fn with_name(path: &Path, name: &str) -> PathBuf {
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (part(path.file_stem()), part(path.extension()));
    path.with_file_name(format!("{stem}_{name}.{extension}"))
}
