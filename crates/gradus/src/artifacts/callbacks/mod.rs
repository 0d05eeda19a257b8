//! Callbacks that write files. Those that only control training are in [`crate::train::callbacks`].

mod csv_logger;
mod filepath;
mod model_checkpoint;
mod tensorboard;

pub use csv_logger::CSVLogger;
pub use model_checkpoint::{ModelCheckpoint, ModelCheckpointProgress, SaveFreq};
pub use tensorboard::TensorBoard;

/// A number as Python prints it, the form in Keras' files.
fn python(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        _ if number.is_nan() => "nan".into(),
        Some((digits, power)) => format!("{digits}e{}", exponent(power)),
        None => text,
    }
}

/// A power of ten with its sign and at least two digits.
fn exponent(power: &str) -> String {
    match power.strip_prefix('-') {
        Some(power) => format!("-{power:0>2}"),
        None => format!("+{power:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `repr(x)` in Python 3.11.
    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (number, expected) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1.0, "1.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.2345e-7, "1.2345e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-2.5e-120, "-2.5e-120"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(python(number), expected);
        }
    }
}
