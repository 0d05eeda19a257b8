//! Values of real Keras and PyTorch, made by `tests/golden_rules/make.py`.

use crate::base::registry::Value;

/// One rule with its arguments and results.
pub(crate) struct Case {
    /// The rule's configuration.
    pub config: Value,
    all: Value,
}

/// The cases of a file.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let all: Vec<Value> = serde_json::from_str(text).expect("the file was made by make.py");
    assert!(!all.is_empty());
    let case = |all: Value| Case {
        config: all["config"].clone(),
        all,
    };
    all.into_iter().map(case).collect()
}

/// NaN is written as null.
fn number(value: &Value) -> f32 {
    assert!(value.is_number() || value.is_null());
    value.as_f64().unwrap_or(f64::NAN) as f32
}

impl Case {
    /// The value at a key.
    pub fn get(&self, key: &str) -> &Value {
        &self.all[key]
    }

    /// A list of floats.
    pub fn row(&self, key: &str) -> Vec<f32> {
        self.all[key]
            .as_array()
            .expect(key)
            .iter()
            .map(number)
            .collect()
    }

    /// A list of lists of floats.
    pub fn rows(&self, key: &str) -> Vec<Vec<f32>> {
        let rows = self.all[key].as_array().expect(key).iter();
        let row = |row: &Value| row.as_array().expect(key).iter().map(number).collect();
        rows.map(row).collect()
    }

    /// A list of counts.
    pub fn counts(&self, key: &str) -> Vec<usize> {
        let counts = self.all[key].as_array().expect(key).iter();
        counts.map(|n| n.as_u64().expect(key) as usize).collect()
    }
}

/// Fails unless two values differ by at most the relative or absolute bound.
#[track_caller]
pub(crate) fn close(found: f32, want: f32, relative: f32, absolute: f32, what: &Value) {
    let bound = (relative * want.abs()).max(absolute);
    assert!((found - want).abs() <= bound, "{what}: {found} for {want}");
}
