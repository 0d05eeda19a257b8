//! Learning-rate schedules, and 1cycle beside a constant rate.

use super::Done;
use super::picture::{Chart, Line, draw};
use gradus::prelude::*;
use gradus::rules::schedules::{ExponentialByEpoch, PiecewiseByEpoch, PowerScheduling};
use plotters::prelude::SeriesLabelPosition;
use std::path::Path;

const EPOCHS: usize = 25;

/// A network on the digits, trained with a schedule.
fn trained(schedule: Option<Schedule>, rate: f64) -> gradus::Result<History> {
    let mut model = Sequential::new().seed(42).add(Flatten::new());
    model = model.add(layers::Rescaling::new(1.0 / 16.0));
    for units in [60, 30] {
        let dense = Dense::new(units).activation(Activation::Elu);
        model = model.add(dense.kernel_initializer(Initializer::HeNormal));
    }
    let model = model.add(Dense::new(10).activation(Activation::Softmax));
    let optimizer = SGD::new().momentum(0.9).learning_rate(rate);
    let loss = Loss::SparseCategoricalCrossentropy;
    let mut model = model.compile(optimizer, loss, &[Metric::Accuracy])?;
    let digits = data::digits(Split::Train)?;
    let (train, held_out) = (digits.slice(0..1000)?, digits.slice(1000..digits.rows())?);
    let mut fit = Fit::new()
        .epochs(EPOCHS)
        .health_every(0)
        .validation_data(&held_out);
    if let Some(schedule) = schedule {
        fit = fit.schedule(schedule);
    }
    model.fit(&train, fit)
}

/// A value of each epoch.
fn line(name: &str, history: &History, value: &str) -> Line {
    Line::new(name, (1..).map(f64::from).zip(history.get(value)))
}

pub fn plot_schedules(path: &Path) -> Done<()> {
    let rate = 0.05;
    let power = PowerScheduling {
        initial_learning_rate: rate,
        decay_steps: 200.0,
        power: 1.0,
    };
    let exponential = ExponentialByEpoch {
        initial_learning_rate: rate,
        decay_epochs: 10.0,
        decay_rate: 0.1,
    };
    let piecewise = PiecewiseByEpoch {
        boundaries: vec![8, 16],
        values: vec![rate, rate / 5.0, rate / 20.0],
    };
    let schedules: [(&str, Schedule); 4] = [
        ("power", power.into()),
        ("exponential", exponential.into()),
        ("piecewise constant", piecewise.into()),
        ("1cycle", OneCycle::new(rate).into()),
    ];
    let mut lines = Vec::new();
    for (name, schedule) in schedules {
        lines.push(line(name, &trained(Some(schedule), rate)?, "learning_rate"));
    }
    let chart = Chart {
        title: "The learning rate at the end of each epoch",
        x: ("epoch", 1.0, EPOCHS as f64),
        y: ("learning rate", 0.0, rate * 1.05),
        lines: &lines,
        log: false,
        legend: SeriesLabelPosition::UpperRight,
    };
    draw(path, &[chart])
}

pub fn plot_one_cycle(path: &Path) -> Done<()> {
    let constant = trained(None, 0.01)?;
    let one_cycle = trained(Some(OneCycle::new(0.05).into()), 0.05)?;
    let lines = |value: &str| {
        [
            line("constant, 0.01", &constant, value),
            line("1cycle, up to 0.05", &one_cycle, value),
        ]
    };
    let (loss, accuracy) = (lines("loss"), lines("val_accuracy"));
    let chart = |title, y, lines, legend| Chart {
        title,
        x: ("epoch", 1.0, EPOCHS as f64),
        y,
        lines,
        log: false,
        legend,
    };
    let right = SeriesLabelPosition::UpperRight;
    let first = chart("Training loss", ("loss", 0.0, 1.0), &loss[..], right);
    let right = SeriesLabelPosition::LowerRight;
    let second = chart(
        "Validation accuracy",
        ("accuracy", 0.85, 1.0),
        &accuracy[..],
        right,
    );
    draw(path, &[first, second])
}
