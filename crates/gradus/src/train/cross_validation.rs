//! Results of the folds of a cross-validation: mean and spread.

use super::history::Logs;

/// The results of several trainings, one for each fold.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::data::split;
/// use gradus::train::CrossValidation;
///
/// let data = data::digits(Split::Train)?;
/// let folds = split::stratified_folds(&data.classes()?, 3, 42)?;
/// let mut measured = CrossValidation::new();
/// for n in 0..3 {
///     let (train, held_out) = data.split_by(&split::fold(&folds, n, false)?)?;
///     let mut model = Sequential::new()
///         .add(Flatten::new())
///         .add(Dense::new(10).activation(Activation::Softmax))
///         .compile(
///             Nadam::new().learning_rate(0.01),
///             Loss::SparseCategoricalCrossentropy,
///             &[Metric::Accuracy],
///         )?;
///     model.fit(&train, Fit::new().epochs(5))?;
///     measured.add(model.evaluate(&held_out)?);
/// }
/// println!("accuracy {:?} ± {:?}", measured.mean("accuracy"), measured.std("accuracy"));
/// # assert!(measured.mean("accuracy") > Some(0.8) && measured.std("accuracy") < Some(0.1));
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// [`OutOfFold`](super::OutOfFold) collects the models' predictions for their held-out rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossValidation {
    /// Results of each fold.
    pub folds: Vec<Logs>,
}

impl CrossValidation {
    /// Without folds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next fold's results.
    pub fn add(&mut self, measured: Logs) {
        self.folds.push(measured);
    }

    /// Every name that occurs in a fold, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for name in self.folds.iter().flat_map(Logs::names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The mean over the folds that have this value; `None` if none does.
    pub fn mean(&self, name: &str) -> Option<f64> {
        let all = self.all(name);
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// The sample standard deviation over the folds (divided by their number minus one); `None` for
    /// fewer than two.
    pub fn std(&self, name: &str) -> Option<f64> {
        let (all, mean) = (self.all(name), self.mean(name)?);
        let squares: f64 = all.iter().map(|x| (x - mean).powi(2)).sum();
        (all.len() > 1).then(|| (squares / (all.len() - 1) as f64).sqrt())
    }

    fn all(&self, name: &str) -> Vec<f64> {
        self.folds
            .iter()
            .filter_map(|logs| logs.get(name))
            .collect()
    }

    /// As `.csv`: a line for each fold, from 1, then `mean` and `std`. Every value has the fewest
    /// digits that read back to the same bits; a missing value is empty.
    pub fn to_csv(&self) -> String {
        let names = self.names();
        let mut csv = format!("fold,{}\n", names.join(","));
        let mut line = |first: &str, of: &dyn Fn(&str) -> Option<f64>| {
            let cell = |name: &&str| of(name).map_or(String::new(), |x| format!("{x:?}"));
            let cells: Vec<String> = names.iter().map(cell).collect();
            csv += &format!("{first},{}\n", cells.join(","));
        };
        for (n, logs) in self.folds.iter().enumerate() {
            line(&(n + 1).to_string(), &|name| logs.get(name));
        }
        line("mean", &|name| self.mean(name));
        line("std", &|name| self.std(name));
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_are_those_of_a_sample() {
        let mut measured = CrossValidation::new();
        assert_eq!((measured.mean("loss"), measured.std("loss")), (None, None));
        for (loss, accuracy) in [(1.0, Some(0.5)), (2.0, None), (6.0, Some(1.0))] {
            let mut logs = Logs::default();
            logs.push("loss", loss);
            accuracy.into_iter().for_each(|a| logs.push("accuracy", a));
            measured.add(logs);
        }
        // numpy.std([1, 2, 6], ddof=1)
        assert_eq!(measured.mean("loss"), Some(3.0));
        assert!((measured.std("loss").unwrap() - 2.6457513110645907).abs() < 1e-15);
        let csv = measured.to_csv();
        let known = "fold,loss,accuracy\n1,1.0,0.5\n2,2.0,\n3,6.0,1.0\nmean,3.0,0.75\n";
        assert!(csv.starts_with(known), "{csv}");
        assert!(csv.lines().last().unwrap().starts_with("std,2.645751311"));
    }
}
