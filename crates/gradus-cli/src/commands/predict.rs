//! `gradus predict MODEL --data SPEC --out FILE`.

use crate::args::Predict;
use crate::output;
use gradus::artifacts::keras::load_keras;
use gradus::artifacts::whole::write_whole;
use gradus::{Error, Result, Split, data};

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
    let outputs = model.predict(&data)?;
    let (shape, values) = (outputs.shape(), outputs.to_f32());
    write_whole(&args.out, |file| match as_csv {
        true => data::write_csv(file, shape.size(), &values),
        false => data::write_npy(file, shape, &values),
    })?;
    let (rows, out) = (outputs.rows(), args.out.display());
    output::result(&format!("{out}: {rows} rows of shape {shape}\n"))
}
