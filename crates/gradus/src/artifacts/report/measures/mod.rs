//! Figures about predictions, from plain numbers: each file has one subject.

mod binned;
mod confusion;
mod rejection;
mod reliability;
mod residuals;
mod threshold;

pub use binned::{binned, finite_range};
pub use confusion::Confusion;
pub use rejection::accepted;
pub use reliability::Reliability;
pub use residuals::Residuals;
pub use threshold::Thresholds;

/// The numbers of scikit-learn that `tests/golden_rules/report.py` writes.
#[cfg(test)]
mod golden {
    use serde_json::Value;

    pub fn read() -> Value {
        let text = include_str!("../../../../tests/golden_rules/report.json");
        serde_json::from_str(text).unwrap()
    }

    pub fn numbers(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(all) => all.iter().map(|x| x.as_f64().unwrap()).collect(),
            one => vec![one.as_f64().unwrap()],
        }
    }

    pub fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?}, {expected:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found}, {expected}");
        }
    }
}
