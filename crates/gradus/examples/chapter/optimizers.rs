//! Optimizers on their way down a long valley.

use super::Done;
use super::picture::{Chart, Line, draw};
use gradus::prelude::*;
use gradus::rules::optimizers::Adagrad;
use gradus::train::callbacks::Progress;
use plotters::prelude::SeriesLabelPosition;
use std::path::Path;

/// Steps that are taken.
const STEPS: usize = 60;

/// Notes the two weights after each step.
struct Path2(Vec<(f64, f64)>);

impl Callback for Path2 {
    fn on_train_batch_end(
        &mut self,
        _: &Progress<'_>,
        training: &mut Training<'_>,
    ) -> gradus::Result<()> {
        self.note(training);
        Ok(())
    }

    fn on_train_begin(&mut self, training: &mut Training<'_>) -> gradus::Result<()> {
        self.note(training);
        Ok(())
    }
}

impl Path2 {
    fn note(&mut self, training: &mut Training<'_>) {
        let weights = &training.weights()[0];
        self.0.push((weights[0].into(), weights[1].into()));
    }
}

/// The weights of a model whose loss is a valley: (w₁² + 25 w₂²) / 2, from w = (-2, 1).
fn path(optimizer: impl Into<Optimizer>) -> gradus::Result<Vec<(f64, f64)>> {
    let x = Tensor::from_f32([2], vec![1.0, 0.0, 0.0, 5.0])?;
    let data = Dataset::new(x, Tensor::from_f32([1], vec![0.0, 0.0])?)?;
    let model = Sequential::new().add(Dense::new(1).use_bias(false));
    let mut model = model.compile(optimizer, Loss::MeanSquaredError, &[])?;
    model.build_for(&data)?;
    model.layers[0].weights[0].set(&[-2.0, 1.0])?;
    let mut found = Path2(Vec::new());
    let fit = Fit::new().epochs(STEPS).batch_size(2).health_every(0);
    model.fit(&data, fit.callback(&mut found))?;
    Ok(found.0)
}

pub fn plot(path_of_file: &Path) -> Done<()> {
    let optimizers: [(&str, Optimizer); 5] = [
        ("SGD", SGD::new().learning_rate(0.07).into()),
        (
            "momentum",
            SGD::new().learning_rate(0.01).momentum(0.9).into(),
        ),
        ("AdaGrad", Adagrad::new().learning_rate(0.4).into()),
        ("RMSProp", RMSprop::new().learning_rate(0.05).into()),
        ("Adam", Adam::new().learning_rate(0.1).into()),
    ];
    let (mut ways, mut losses) = (Vec::new(), Vec::new());
    for (name, optimizer) in optimizers {
        let way = path(optimizer)?;
        let loss = |&(a, b): &(f64, f64)| ((a * a + 25.0 * b * b) / 2.0).max(1e-8).log10();
        losses.push(Line::new(
            name,
            (0..).map(f64::from).zip(way.iter().map(loss)),
        ));
        ways.push(Line::new(name, way));
    }
    let first = Chart {
        title: "The way through the valley to (0, 0)",
        x: ("first weight, gentle slope", -2.1, 0.6),
        y: ("second weight, steep slope", -1.1, 1.1),
        lines: &ways,
        log: false,
        legend: SeriesLabelPosition::UpperRight,
    };
    let second = Chart {
        title: "Loss after each step",
        x: ("step", 0.0, STEPS as f64),
        y: ("loss", -8.0, 1.5),
        lines: &losses,
        log: true,
        legend: SeriesLabelPosition::LowerLeft,
    };
    draw(path_of_file, &[first, second])
}
