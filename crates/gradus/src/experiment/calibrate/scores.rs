//! The logits of rows, and what came true.

use super::super::labels::labels;
use super::last_layer::{Kind, LastLayer};
use crate::data::{Data, Dataset, Tensor};
use crate::error::{Error, Result};
use crate::model::Model;

/// The logits of an output. Several answers of yes or no are as many rows.
#[derive(Clone, Debug)]
pub struct Scores {
    pub kind: Kind,
    /// Logits of a row.
    pub size: usize,
    /// Row after row.
    pub logits: Vec<f32>,
    /// The class of each row.
    pub truth: Vec<usize>,
}

/// The scores of each of these outputs.
pub fn of(model: &Model, layers: &[LastLayer], data: &Data) -> Result<Vec<Scores>> {
    let mut of_logits = model.clone();
    for layer in layers {
        layer.without_activation(&mut of_logits);
    }
    let shapes = model.output_shapes()?;
    let empty = layers.iter().map(|layer| Scores {
        kind: layer.kind,
        size: match layer.kind {
            Kind::Softmax => shapes[layer.number].size(),
            Kind::Sigmoid => 1,
        },
        logits: Vec::new(),
        truth: Vec::new(),
    });
    let mut all: Vec<Scores> = empty.collect();
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted: Vec<usize> = layers.iter().map(|layer| layer.number).collect();
    let visit = &mut |rows: &Dataset, outputs: &[Tensor]| {
        let targets = rows.for_targets(&names, &wanted)?;
        for ((scores, layer), target) in all.iter_mut().zip(layers).zip(targets) {
            scores.add(layer, &outputs[layer.number], target)?;
        }
        Ok(())
    };
    of_logits.predictor()?.predict_each(data.clone(), visit)?;
    Ok(all)
}

impl Scores {
    fn add(&mut self, layer: &LastLayer, output: &Tensor, target: &Tensor) -> Result<()> {
        let logits = output.to_f32();
        if logits.iter().any(|x| !x.is_finite()) {
            let found = "NaN or infinite numbers from the model";
            return Err(Error::invalid(&layer.output, found, "probabilities"));
        }
        let truth = match layer.answers {
            1 => labels(target, self.size.max(2)),
            answers => answers_of(target, answers),
        };
        let Some(truth) = truth else {
            let expected = format!("{}", self.size.max(2));
            let expected = format!("class numbers below {expected}, or as many of 0 and 1");
            return Err(Error::invalid(target.name(), "other targets", expected));
        };
        self.logits.extend(logits);
        self.truth.extend(truth);
        Ok(())
    }

    /// The logits of each row with its class.
    pub fn rows(&self) -> impl Iterator<Item = (&[f32], usize)> {
        self.logits
            .chunks(self.size)
            .zip(self.truth.iter().copied())
    }

    /// The probability of each row's predicted class, and true where it was right.
    pub fn predictions(&self) -> Vec<(f64, bool)> {
        let mut of_row = Vec::new();
        let each = self.rows().map(|(logits, truth)| {
            self.probabilities(logits, &mut of_row);
            let higher = |best: usize, n: usize| if of_row[n] > of_row[best] { n } else { best };
            let said = (0..of_row.len()).reduce(higher).unwrap_or(0);
            (of_row[said], said == truth)
        });
        each.collect()
    }

    /// Writes the probability of each class, both of two.
    pub fn probabilities(&self, logits: &[f32], to: &mut Vec<f64>) {
        to.clear();
        match self.kind {
            Kind::Sigmoid => {
                let yes = 1.0 / (1.0 + (-f64::from(logits[0])).exp());
                to.extend([1.0 - yes, yes]);
            }
            Kind::Softmax => {
                let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                to.extend(logits.iter().map(|x| f64::from(x - most).exp()));
                let sum: f64 = to.iter().sum();
                to.iter_mut().for_each(|p| *p /= sum);
            }
        }
    }
}

/// The class of each answer of yes or no, 1 for yes.
fn answers_of(target: &Tensor, answers: usize) -> Option<Vec<usize>> {
    let values = target.to_f32();
    let class = |&x: &f32| (x == 0.0 || x == 1.0).then_some(x as usize);
    (target.size() == answers).then(|| values.iter().map(class).collect())?
}
