//! The zeros of a model's weights, in lines.

use gradus::model::Zeros;

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
