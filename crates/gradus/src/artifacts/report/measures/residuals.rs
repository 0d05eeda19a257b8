//! Errors of predicted numbers.

/// The errors of predicted numbers: predicted minus true.
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals {
    /// The error of each row.
    pub errors: Vec<f64>,
    /// Mean of the errors: above 0 if predictions are too high.
    pub mean: f64,
    /// Mean of their absolute values.
    pub mean_absolute: f64,
    /// Root of the mean of their squares.
    pub root_mean_square: f64,
    /// Coefficient of determination (R²): 1 is perfect, 0 is no better than the mean. `None` if all
    /// true values are the same.
    pub r2: Option<f64>,
}

impl Residuals {
    /// Those of predicted and true values. `None` without rows, or if one is not finite.
    pub fn of(predicted: &[f64], truth: &[f64]) -> Option<Self> {
        let pairs = || predicted.iter().zip(truth);
        let errors: Vec<f64> = pairs()
            .map(|(predicted, truth)| predicted - truth)
            .collect();
        if errors.is_empty() || errors.iter().any(|error| !error.is_finite()) {
            return None;
        }
        let rows = errors.len() as f64;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows;
        let squares = mean(&mut errors.iter().map(|error| error * error));
        let centre = mean(&mut pairs().map(|(_, truth)| *truth));
        let variance = mean(&mut pairs().map(|(_, truth)| (truth - centre) * (truth - centre)));
        Some(Residuals {
            mean: mean(&mut errors.iter().copied()),
            mean_absolute: mean(&mut errors.iter().map(|error| error.abs())),
            root_mean_square: squares.sqrt(),
            r2: (variance > 0.0).then(|| 1.0 - squares / variance),
            errors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    /// Expected: `r2_score`, `mean_absolute_error` and `mean_squared_error` of scikit-learn.
    #[test]
    fn errors_are_those_of_scikit_learn() {
        let golden = golden::read();
        let of = |name: &str| golden::numbers(&golden["numbers"][name]);
        let found = Residuals::of(&of("predicted"), &of("truth")).unwrap();
        golden::assert_close(&[found.r2.unwrap()], &of("r2"));
        golden::assert_close(&[found.mean_absolute], &of("mean_absolute_error"));
        let squares = found.root_mean_square * found.root_mean_square;
        golden::assert_close(&[squares], &of("mean_squared_error"));
    }

    #[test]
    fn a_mean_too_high_is_above_0() {
        let found = Residuals::of(&[2.0, 4.0], &[1.0, 1.0]).unwrap();
        assert_eq!((found.mean, found.r2), (2.0, None));
        assert_eq!(Residuals::of(&[f64::NAN], &[1.0]), None);
        assert_eq!(Residuals::of(&[], &[]), None);
    }
}
