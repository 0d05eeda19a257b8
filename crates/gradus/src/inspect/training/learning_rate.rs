//! Learning rates that blow up, or change nothing: of an optimizer, or in the course of a schedule.

use crate::data::checks::{Finding, Where};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::steps;
use crate::rules::optimizers::{LearningRate, Optimizer};
use crate::rules::schedules::{Progress, Schedule, StepParameters};

const NAME: &str = "learning_rate";
/// Rate below which float32 weights hardly change.
const LEAST: f64 = 1e-7;
/// Factor of a large rate at which steps are too large that momentum adds up.
const ADDED_UP: f64 = 3.0;
/// Share of a schedule's highest rate below which a step is lost, and share of the steps that may be.
const LOST: (f64, f64) = (1e-4, 0.5);
/// Steps at which a schedule is looked at.
const SAMPLED: u64 = 400;

/// A rate that is given or reached, and its place.
struct Rates {
    place: &'static str,
    /// The beginning of a sentence about a rate.
    words: String,
    steps: Vec<StepParameters>,
}

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let optimizer = planned.optimizer().filter(|_| !planned.find_rate);
    let Some((optimizer, rates)) = optimizer.map(|o| (o, rates(planned, o))) else {
        return Vec::new();
    };
    let warn = |found: String, advice: &str| {
        vec![Finding::warning(
            NAME,
            Where::of(rates.place),
            found,
            advice,
        )]
    };
    let (class, words) = (optimizer.method.class(), &rates.words);
    let highest = rates.steps.iter().map(|s| s.rate).fold(0.0, f64::max);
    let size = |step: &StepParameters| step.rate * optimizer.method.gain(step.momentum);
    let largest = rates.steps.iter().map(size).fold(0.0, f64::max);
    let usual = optimizer.method.default_rate();
    let advice =
        format!("the loss will probably blow up; {usual} is usual, and `gradus lr-find` finds one");
    match optimizer.method.large_rate() {
        Some(large) if highest >= large => {
            return warn(format!("{words} a rate of {highest} for {class}"), &advice);
        }
        Some(large) if largest >= ADDED_UP * large => {
            let found = format!(
                "{words} a rate of {highest} with momentum: steps add up to those of a rate of \
                 {largest:.1}"
            );
            return warn(found, &advice);
        }
        _ => {}
    }
    let lost = rates.steps.iter().filter(|s| s.rate < LOST.0 * highest);
    let lost = lost.count() as f64 / rates.steps.len() as f64;
    if highest < LEAST {
        let advice = "weights hardly move: `gradus lr-find` finds a rate";
        return warn(format!("{words} a rate of {highest}"), advice);
    }
    if lost > LOST.1 {
        let found = format!(
            "in {:.0}% of the steps less than a ten-thousandth of the highest rate is left",
            100.0 * lost
        );
        let advice = "hardly anything is learned in them: it counts steps (or epochs), and decays \
                      too fast";
        return warn(found, advice);
    }
    Vec::new()
}

impl PlannedTraining<'_> {
    /// The optimizer, if the model is compiled with one.
    pub(super) fn optimizer(&self) -> Option<&Optimizer> {
        self.model.compiled.as_ref()?.optimizer.as_ref()
    }
}

/// The rates of a training, one if it stays the same.
fn rates(planned: &PlannedTraining<'_>, optimizer: &Optimizer) -> Rates {
    let place = "train.optimizer.learning_rate";
    match (planned.schedule, &optimizer.learning_rate) {
        (Some(schedule), _) => course(planned, "train.schedule", schedule),
        (None, LearningRate::Schedule(schedule)) => course(planned, place, schedule),
        (None, LearningRate::Constant(rate)) => Rates {
            place,
            words: "found".into(),
            steps: vec![(*rate).into()],
        },
    }
}

fn course(planned: &PlannedTraining<'_>, place: &'static str, schedule: &Schedule) -> Rates {
    let (per_epoch, total) = steps(
        planned.data.train_rows(),
        planned.batch_size,
        planned.epochs,
    );
    let at = |n: u64| {
        let step = (u128::from(n) * u128::from(total) / u128::from(SAMPLED)) as u64;
        schedule.at(Progress {
            iteration: planned.model.state.iteration + step,
            step,
            total,
            per_epoch,
        })
    };
    Rates {
        place,
        words: format!("{} reaches", schedule.class()),
        steps: (0..SAMPLED).map(at).collect(),
    }
}
