//! The zeros of a model's weights, in lines.

use gradus::model::Zeros;
use gradus::{Error, Result};

/// Refuses a threshold of `--zero-below` that means nothing.
pub fn check_threshold(below: Option<f64>) -> Result<()> {
    match below {
        Some(below) if !(below > 0.0 && below.is_finite()) => {
            let expected = "a number above 0, such as 0.001";
            Err(Error::invalid("--zero-below", below, expected))
        }
        _ => Ok(()),
    }
}

/// The share of zeros of each variable, and of all together.
pub fn describe(mut all: Vec<Zeros>) -> Vec<String> {
    let sum = |of: fn(&Zeros) -> usize| all.iter().map(of).sum();
    let (zeros, numbers) = (sum(|z| z.zeros), sum(|z| z.numbers));
    let name = |of: &Zeros| match of.variable {
        "" => of.layer.clone(),
        variable => format!("{}.{variable}", of.layer),
    };
    all.push(Zeros {
        layer: "all".into(),
        variable: "",
        zeros,
        numbers,
    });
    let wide = all.iter().map(|of| name(of).chars().count()).max();
    let wide = wide.unwrap_or_default();
    let line = |of: &Zeros| {
        let (name, share) = (name(of), 100.0 * of.share());
        let (zeros, numbers) = (of.zeros, of.numbers);
        format!("{name:wide$}  {share:5.1}% zeros  ({zeros} of {numbers})")
    };
    all.iter().map(line).collect()
}
