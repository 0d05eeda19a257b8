//! The course of loss and validation loss.

use super::{Seen, short};
use crate::data::checks::{Finding, Where};
use crate::inspect::graph::at;
use crate::train::Epoch;

/// Times the least loss from which a loss has climbed again.
const CLIMBED: f64 = 2.0;
/// Epochs after which a loss should have fallen,
const PATIENCE: usize = 5;
/// by this share of the first.
const FALLEN: f64 = 1e-3;
/// A loss that needs to fall no more.
const SMALL: f64 = 0.01;
/// Epochs that have to predict one class each.
const ONE_CLASS: usize = 3;
/// Times the least validation loss from which it has turned up.
const TURNED: f64 = 1.1;

fn place(epoch: &Epoch) -> Where {
    Where::of(format!("epoch {}", epoch.epoch + 1))
}

/// The epoch with the least value, and that.
fn least<'a>(epochs: &'a [Epoch], name: &str) -> Option<(&'a Epoch, f64)> {
    let all = epochs
        .iter()
        .filter_map(|epoch| Some((epoch, epoch.logs.get(name)?)));
    all.filter(|(_, value)| value.is_finite())
        .min_by(|a, b| a.1.total_cmp(&b.1))
}

/// A training that goes on with numbers that are NaN or infinite.
pub(super) fn broke(seen: &Seen) -> Option<Finding> {
    let sample = seen
        .samples
        .iter()
        .find(|sample| sample.layers.iter().any(|l| l.is_broken()))?;
    let layers = || sample.layers.iter().zip(&seen.layers);
    let of_outputs = layers().find(|(layer, _)| layer.has_broken_outputs());
    // A gradient spreads from the last layer to the first.
    let (_, name) = of_outputs.or_else(|| layers().rev().find(|(layer, _)| layer.is_broken()))?;
    let what = if of_outputs.is_some() {
        "outputs"
    } else {
        "gradients"
    };
    let found = format!("step {}: its {what} are NaN or infinite", sample.step);
    let advice = "a smaller rate or `clipnorm = 1.0` may hold it; `on_nan = \"stop\"` keeps the last finite \
                  weights";
    Some(Finding::warning("not_finite", at(name), found, advice))
}

/// A loss that has climbed to twice its least value, and climbs.
pub(super) fn diverges(seen: &Seen) -> Option<Finding> {
    let [.., before, last] = &seen.epochs[..] else {
        return None;
    };
    let (best, least) = least(&seen.epochs, "loss")?;
    let (now, earlier) = (last.logs.get("loss")?, before.logs.get("loss")?);
    if least <= 0.0 || !(now > CLIMBED * least && now > earlier && earlier > least) {
        return None;
    }
    let found = format!(
        "the loss climbs: {} in epoch {}, {} now",
        short(least),
        best.epoch + 1,
        short(now)
    );
    let rate = |epoch: &Epoch| {
        epoch
            .logs
            .get("learning_rate")
            .filter(|rate| rate.is_finite())
    };
    let advice = match (rate(best), rate(last)) {
        (Some(then), Some(now)) if then < now / 1.5 => {
            format!("`learning_rate` is too high: {} still held", short(then))
        }
        (_, Some(now)) => format!(
            "`learning_rate` is too high: {} may hold",
            short(now / 10.0)
        ),
        _ => "the learning rate is too high".to_owned(),
    };
    Some(Finding::warning("diverging", place(last), found, advice))
}

/// A loss that has not fallen for some epochs from the beginning.
pub(super) fn stalls(seen: &Seen) -> Option<Finding> {
    let (first, last) = (seen.epochs.first()?, seen.epochs.last()?);
    let start = first.logs.get("loss")?;
    let (_, least) = least(&seen.epochs, "loss")?;
    if seen.epochs.len() <= PATIENCE || start < SMALL || start - least > FALLEN * start {
        return None;
    }
    let found = format!(
        "the loss does not fall: {} after {} epochs, {} after the first",
        short(last.logs.get("loss")?),
        seen.epochs.len(),
        short(start)
    );
    let advice = "another `learning_rate` (`gradus lr-find`); scaled inputs; `gradus check` with --data looks \
                  at signal and gradients";
    Some(Finding::warning("stalled", place(last), found, advice))
}

/// The same class for every validation row, in each of the last epochs.
pub(super) fn says_one_class(seen: &Seen) -> Option<Finding> {
    let last = seen.epochs.last()?;
    let (_, class) = seen.one_class.filter(|(epochs, _)| *epochs >= ONE_CLASS)?;
    let found = format!(
        "each of the last {ONE_CLASS} epochs ends with one class for every validation row, now class {class}"
    );
    let advice = "a rare class needs `class_weight = \"balanced\"`; else the network tells no rows apart: \
                  scaled inputs, another `learning_rate`, a look at `gradus check --data`";
    Some(Finding::warning("one_class", place(last), found, advice))
}

/// A validation loss that has climbed for some epochs while the training loss fell.
pub(super) fn overfits(seen: &Seen) -> Option<Finding> {
    let last = seen.epochs.last()?;
    let (best, least) = least(&seen.epochs, "val_loss")?;
    let now = last.logs.get("val_loss")?;
    let falls = last.logs.get("loss")? < 0.95 * best.logs.get("loss")?;
    if least <= 0.0 || last.epoch < best.epoch + PATIENCE || now < TURNED * least || !falls {
        return None;
    }
    let found = format!(
        "the validation loss climbs: {} in epoch {}, {} now, while the training loss falls",
        short(least),
        best.epoch + 1,
        short(now)
    );
    let advice = "it learns the rows by heart: `callbacks.early_stopping` with restore_best_weights = true \
                  keeps the best epoch; dropout, ℓ2, or more rows let it learn more";
    Some(Finding::warning("overfitting", place(last), found, advice))
}
