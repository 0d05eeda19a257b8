//! Predictions of a run's rows, output by output.

use super::super::labels::labels;
use super::importance::importance;
use super::rows::sample;
use super::uncertainty::Noisy;
use crate::artifacts::report::{OutputPage, Pictures, Predicted, RunPage};
use crate::base::shape::Shape;
use crate::data::{Dataset, RunData, Tensor};
use crate::error::Result;
use crate::model::{Model, OutputLoss};
use crate::train::History;

/// Adds to the page the predictions of some of the run's rows, with loss and metrics of these, and
/// the importance of a table's columns.
pub fn add(page: &mut RunPage, model: &Model, data: &RunData, history: &History) -> Result<()> {
    // Noise is drawn by the number of predictions: the next ones are as they would be without a page.
    let asked = model.asked.clone();
    let added = add_all(page, model, data, history);
    model.asked.go_back(&asked);
    added
}

fn add_all(page: &mut RunPage, model: &Model, data: &RunData, history: &History) -> Result<()> {
    let sizes = model.output_shapes()?;
    let sample = sample(data, sizes.iter().map(Shape::size).sum())?;
    page.rows = sample.words;
    page.measured = model.evaluate(&sample.rows)?;
    let passes = passes(data, history);
    let predictions = model.predictor()?.predict_all(&sample.rows)?;
    let noisy = Noisy::of(model, &sample.rows, passes);
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let trained: Vec<(usize, &OutputLoss)> = model.compiled()?.trained().collect();
    let wanted: Vec<usize> = trained.iter().map(|(output, _)| *output).collect();
    let targets = sample.rows.for_targets(&names, &wanted)?;
    for ((output, loss), target) in trained.into_iter().zip(targets) {
        let one = Output {
            model,
            number: output,
            name: names[output],
            loss,
        };
        match one.page(&predictions[output], target, &sample.rows, &noisy) {
            Ok(found) => page.outputs.push(found),
            Err(problem) => page.notes.push(format!("Output {}: {problem}", one.name)),
        }
    }
    if let Some(why) = noisy.left_out {
        page.notes
            .push(format!("Accuracy against rejected rows: {why}"));
    }
    match importance(model, data, &sample.rows, passes) {
        Ok(found) => page.importance = found,
        Err(problem) => page.notes.push(format!("Importance of columns: {problem}")),
    }
    Ok(())
}

/// The number of rows that may be predicted for one picture, so that a page takes a small part of
/// the time of the training.
fn passes(data: &RunData, history: &History) -> usize {
    let trained = data.train_rows().saturating_mul(history.epochs.len());
    (trained / 10).clamp(6000, 100_000)
}

/// One trained output of a model.
struct Output<'a> {
    model: &'a Model,
    number: usize,
    name: &'a str,
    loss: &'a OutputLoss,
}

impl Output<'_> {
    /// Its predictions for rows, or the reason why there is no picture of them.
    fn page(
        &self,
        output: &Tensor,
        target: &Tensor,
        rows: &Dataset,
        noisy: &Noisy,
    ) -> std::result::Result<OutputPage, String> {
        if output.to_f32().iter().any(|x| !x.is_finite()) {
            return Err("the model predicts NaN or infinite numbers".into());
        }
        let scores = self.model.class_scores(self.number, output);
        let (predicted, uncertainty) = match scores.map_err(|error| error.to_string())? {
            Some((classes, scores)) => {
                let truth = labels(target, classes.classes.len());
                let truth = truth.ok_or("its targets are no class numbers")?;
                let pictures = self.pictures(rows);
                let predicted = Predicted::Classes {
                    names: classes.classes,
                    scores,
                    truth,
                    pictures,
                };
                (predicted, noisy.of_classes(self.model, self.number))
            }
            None => (self.values(output, target)?, noisy.of_numbers(self.number)),
        };
        Ok(OutputPage {
            name: self.name.to_owned(),
            predicted,
            uncertainty,
        })
    }

    /// Numbers, or answers of yes or no.
    fn values(&self, output: &Tensor, target: &Tensor) -> std::result::Result<Predicted, String> {
        let (size, wanted) = (output.size(), target.size());
        if size != wanted || target.is_text() {
            return Err(format!(
                "it has {size} numbers a row and its target {wanted}, which cannot be compared"
            ));
        }
        let (predicted, truth) = (output.to_f32(), target.to_f32());
        if truth.iter().any(|x| !x.is_finite()) {
            return Err("its targets have NaN or infinite numbers".into());
        }
        let yes_or_no = self.loss.loss.class().starts_with("Binary") && size > 1;
        if yes_or_no && truth.iter().all(|&x| x == 0.0 || x == 1.0) {
            let logits = self.loss.loss.to_config()["from_logits"] == true;
            let share = |x: f32| if logits { 1.0 / (1.0 + (-x).exp()) } else { x };
            return Ok(Predicted::Labels {
                scores: predicted.into_iter().map(share).collect(),
                truth: truth.into_iter().map(|x| x == 1.0).collect(),
                count: size,
            });
        }
        let known = self.model.known_targets().into_iter().nth(self.number);
        let name = known.flatten().map_or(self.name.to_owned(), |t| t.name);
        let names = match size {
            1 => vec![name],
            _ => (0..size).map(|n| format!("{name}_{n}")).collect(),
        };
        Ok(Predicted::Numbers {
            names,
            predicted,
            truth,
        })
    }

    fn pictures(&self, rows: &Dataset) -> Option<Pictures> {
        let [input] = rows.inputs() else {
            return None;
        };
        Pictures::of(input, self.model.facts().pictures.is_some())
    }
}
