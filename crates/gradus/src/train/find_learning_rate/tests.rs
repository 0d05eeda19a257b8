//! Tests of the rule on known curves, and of the search's lack of side effects.

use super::*;
use crate::data::{Split, digits};
use crate::model::Sequential;
use crate::model::layers::{BatchNormalization, Dense, Dropout, Flatten};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::optimizers::Nadam;
use crate::train::Fit;

/// The result of the search for a loss that is this function of the rate.
fn found(finder: LearningRateFinder, loss: impl Fn(f64) -> f64) -> LearningRateCurve {
    watch(&finder, |_, rate| Ok(loss(rate))).unwrap()
}

/// A loss that falls by 0.3 a decade up to `turn`, and then climbs.
fn valley(turn: f64) -> impl Fn(f64) -> f64 {
    move |rate: f64| match (rate / turn).log10() {
        below if below < 0.0 => 1.0 - 0.3 * below,
        above => 1.0 + 5.0 * above,
    }
}

#[test]
fn the_rate_rises_by_the_same_factor_from_the_first_to_the_last() {
    let curve = found(LearningRateFinder::new(), |_| 1.0);
    assert_eq!((curve.points.len(), curve.blew_up), (500, false));
    assert_eq!(curve.points[0].rate, 1e-5);
    assert!((curve.points[499].rate - 10.0).abs() < 1e-12);
    let factor = (1e6_f64.ln() / 499.0).exp();
    for pair in curve.points.windows(2) {
        assert!((pair[1].rate / pair[0].rate / factor - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_suggestions_are_a_tenth_and_half_of_where_the_loss_starts_to_climb() {
    for turn in [1e-3, 0.02, 0.5] {
        // Unsmoothed, the turning point is exact up to the grid.
        let curve = found(LearningRateFinder::new().smoothing(0.0), valley(turn));
        let near = |found: Option<f64>, expected: f64| {
            let ratio = found.unwrap() / expected;
            assert!((0.97..1.03).contains(&ratio), "{turn}: {ratio}");
        };
        near(curve.turning_point(), turn);
        near(curve.suggested_rate(), turn / 10.0);
        near(curve.suggested_max_rate(), turn / 2.0);
        // The smoothed curve turns a little later: less than a fifth of a decade.
        let curve = found(LearningRateFinder::new(), valley(turn));
        let late = curve.turning_point().unwrap() / turn;
        assert!((1.0..1.6).contains(&late), "{turn}: {late}");
    }
}

#[test]
fn smoothing_averages_with_weights_that_fall_and_sum_to_one() {
    let finder = LearningRateFinder::new().steps(3).smoothing(0.9);
    let losses = [3.0, 1.0, 2.0];
    let curve = watch(&finder, |step, _| Ok(losses[step])).unwrap();
    let last = (0.81 * 3.0 + 0.9 * 1.0 + 2.0) / (0.81 + 0.9 + 1.0);
    assert_eq!(curve.points[0].smoothed, 3.0);
    assert!((curve.points[2].smoothed - last).abs() < 1e-12);
}

#[test]
fn it_stops_when_the_loss_blows_up() {
    let finder = LearningRateFinder::new().smoothing(0.0);
    // Minimum 1, fallen by 0.9: blown up above 1 + 3 · 1.
    let curve = found(finder.clone(), valley(0.01));
    let last = curve.points.last().unwrap();
    assert!(curve.blew_up && last.loss > 4.0 && last.loss < 4.1);
    // Minimum 0, or negative: blown up when it has climbed by 3 · 0.9.
    for below in [1.0, 1.2] {
        let curve = found(finder.clone(), |rate| valley(0.01)(rate) - below);
        let climbed = curve.points.last().unwrap().loss - (1.0 - below);
        let fallen = 0.9_f64;
        assert!(curve.blew_up, "{below}");
        assert!(
            (3.0 * fallen..3.0 * fallen + 0.1).contains(&climbed),
            "{climbed}"
        );
    }
    // NaN ends it at once and is not a point.
    let curve = found(
        finder,
        |rate| if rate < 0.1 { 1.0 / rate } else { f64::NAN },
    );
    assert!(curve.blew_up && curve.points.iter().all(|p| p.loss.is_finite()));
    assert!((0.09..0.1).contains(&curve.turning_point().unwrap()));
}

#[test]
fn a_loss_that_never_falls_suggests_nothing() {
    for loss in [|rate: f64| rate, |_| 1.0, |_| f64::NAN] {
        let curve = found(LearningRateFinder::new(), loss);
        assert_eq!(curve.turning_point(), None);
        assert_eq!(
            (curve.suggested_rate(), curve.suggested_max_rate()),
            (None, None)
        );
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let new = LearningRateFinder::new;
    for (wrong, name) in [
        (new().min_rate(0.0), "min_rate"),
        (new().max_rate(1e-5), "max_rate"),
        (new().max_rate(f64::INFINITY), "max_rate"),
        (new().steps(1), "steps"),
        (new().smoothing(1.0), "smoothing"),
        (new().blow_up(0.0), "blow_up"),
    ] {
        let error = wrong.check().unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    }
}

#[test]
fn the_model_stays_as_it_is_to_the_bit() {
    let train = digits(Split::Train).unwrap();
    let mut model = Sequential::new()
        .add(Flatten::new())
        .add(Dense::new(20).activation(Activation::Elu))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(Nadam::new(), Loss::SparseCategoricalCrossentropy, &[])
        .unwrap();
    let fresh = model.clone();
    let curve = model.find_learning_rate(&train, LearningRateFinder::new());
    assert_eq!(model, fresh);
    // The search repeats exactly, also once there are weights and optimizer state, and training is
    // unaffected by it.
    assert_eq!(
        model
            .find_learning_rate(&train, LearningRateFinder::new())
            .unwrap(),
        curve.unwrap()
    );
    model.fit(&train, Fit::new()).unwrap();
    let trained = model.clone();
    let curve = model
        .find_learning_rate(&train, LearningRateFinder::new().steps(60))
        .unwrap();
    assert!(curve.points.len() > 30 && model == trained);
    let mut other = trained;
    model.fit(&train, Fit::new()).unwrap();
    other.fit(&train, Fit::new()).unwrap();
    assert!(model == other && model.state.iteration == 2 * 46);
}
