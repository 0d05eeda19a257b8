//! Loads a `.keras` file and saves it again: what Keras wrote, as gradus writes it.
//!
//! ```text
//! cargo run --example copy_keras -- theirs.keras ours.keras
//! ```

use gradus::artifacts::keras::{load_keras, save_keras};

fn main() -> gradus::Result<()> {
    let mut paths = std::env::args_os().skip(1);
    let (Some(from), Some(to)) = (paths.next(), paths.next()) else {
        eprintln!("usage: copy_keras FROM.keras TO.keras");
        std::process::exit(2);
    };
    let model = load_keras(from)?;
    print!("{}", model.summary()?);
    save_keras(&model, to)
}
