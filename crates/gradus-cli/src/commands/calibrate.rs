//! `gradus calibrate MODEL OUT --data SPEC [--accuracy SHARE]`.

use super::labelled;
use crate::args::Calibrate;
use crate::models;
use crate::output::{self, message, number, quoted};
use gradus::data::Data;
use gradus::error::visible;
use gradus::experiment::calibrate::{
    BINS, CalibratedOutput, Confidence, Rejection, calibrate, wilson,
};
use gradus::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// Runs the command.
pub fn run(args: Calibrate) -> Result<()> {
    models::check_output(&args.output)?;
    let opened = models::open(&args.model)?;
    super::warn_of_nan(&opened.model, &opened.path);
    let model = opened.into_evaluable()?;
    let (data, name) = labelled::rows(&model, &args.model, &args.data)?;
    if labelled::are_trained_on(&args.model, &args.data) {
        message(&format!(
            "warning: {name}: the model was trained on these rows, or some of them: it is surer of \
             them than of new ones, and the temperature comes out too low"
        ));
    }
    if let Data::Generator(_) = data {
        return Err(Error::Internal(
            "a generator of rows to calibrate by".into(),
        ));
    }
    let found = calibrate(&model, &data)?;
    found.model.save(&args.output)?;
    for output in &found.outputs {
        doubts(output).iter().for_each(|doubt| message(doubt));
    }
    if !found.others.is_empty() {
        let others = found.others.iter().map(|name| visible(name));
        message(&format!(
            "note: without probabilities of classes, and left as they are: {}",
            others.collect::<Vec<_>>().join(", ")
        ));
    }
    let wanted = args.accuracy.map(|accuracy| {
        // As it was typed.
        accuracy.to_string().parse().unwrap_or(f64::from(accuracy))
    });
    if args.json {
        let outputs = found.outputs.iter().map(|output| object(output, wanted));
        let outputs: Vec<Value> = outputs.collect();
        let path = args.output.to_string_lossy();
        return output::json(&json!({ "model": path, "outputs": outputs }));
    }
    let mut text = String::new();
    for output in &found.outputs {
        text += &describe(output, &name);
        if let Some(accuracy) = wanted {
            text += &rejection(output, accuracy, &args.output);
        }
    }
    output::result(&format!("{text}{}\n", args.output.display()))
}

/// Reasons to doubt a temperature.
fn doubts(output: &CalibratedOutput) -> Vec<String> {
    let mut doubts = Vec::new();
    let (name, temperature) = (&output.name, output.temperature);
    if temperature.may_be_one() {
        doubts.push(format!(
            "warning: {name}: the rows do not tell the temperature {} from 1, which changes \
             nothing: its 95% interval is {} to {}",
            number(temperature.value),
            number(temperature.low),
            number(temperature.high)
        ));
    }
    let (before, after) = (&output.before, &output.after);
    if after.calibration_error > before.calibration_error {
        doubts.push(format!(
            "warning: {name}: the expected calibration error has grown, from {} to {}: a \
             temperature does not mend what is wrong with these probabilities",
            number(before.calibration_error),
            number(after.calibration_error)
        ));
    }
    doubts
}

fn describe(output: &CalibratedOutput, rows: &str) -> String {
    let CalibratedOutput {
        name,
        layer,
        temperature,
        before,
        after,
        ..
    } = output;
    let line = |what: &str, of: &dyn Fn(&Confidence) -> f64| {
        [what.to_owned(), number(of(before)), number(of(after))].to_vec()
    };
    let head = ["", "before", "after"].map(str::to_owned).to_vec();
    let table = output::table(&[
        head,
        line("negative log-likelihood", &|of| of.loss),
        line("Brier score", &|of| of.brier),
        line(
            &format!("expected calibration error ({BINS} bins)"),
            &|of| of.calibration_error,
        ),
        line("accuracy", &|of| of.accuracy),
    ]);
    let curve = ["probability", "came true", "rows"]
        .map(str::to_owned)
        .to_vec();
    let bins = after.curve.iter().map(|(predicted, observed, rows)| {
        [number(*predicted), number(*observed), rows.to_string()].to_vec()
    });
    let curve: Vec<Vec<String>> = std::iter::once(curve).chain(bins).collect();
    format!(
        "{}: temperature {} (95%: {} to {}), by {} rows of {rows}; layer {} was divided by it\n\
         {table}calibrated:\n{}",
        visible(name),
        number(temperature.value),
        number(temperature.low),
        number(temperature.high),
        before.rows,
        visible(layer),
        output::table(&curve),
    )
}

/// The threshold for an accuracy, and the command that uses it.
fn rejection(output: &CalibratedOutput, accuracy: f64, model: &Path) -> String {
    let Some(found) = Rejection::of(&output.predictions, accuracy) else {
        return "no threshold: each row has several answers of yes or no\n".to_owned();
    };
    let percent = |share: f64| format!("{:.2}%", 100.0 * share);
    let (low, high) = wilson(found.right, found.accepted);
    let reached = match found.reached {
        true => format!("an accuracy of {}", percent(accuracy)),
        false => format!(
            "no threshold gives an accuracy of {}; the best one",
            percent(accuracy)
        ),
    };
    format!(
        "{reached}: --reject-below {}: {} of these rows are accepted ({} of {}), with an accuracy \
         of {} (95%: {} to {}), somewhat less on others, since it was chosen by these\n  \
         gradus predict {} --reject-below {} --data SPEC --out FILE\n",
        found.threshold,
        percent(found.share()),
        found.accepted,
        found.rows,
        percent(found.accuracy()),
        percent(low),
        percent(high),
        quoted(&model.to_string_lossy()),
        found.threshold,
    )
}

fn object(output: &CalibratedOutput, accuracy: Option<f64>) -> Value {
    let confidence = |of: &Confidence| {
        let curve = of.curve.iter().map(|(predicted, observed, rows)| {
            json!({ "predicted": predicted, "observed": observed, "rows": rows })
        });
        json!({
            "loss": of.loss,
            "brier": of.brier,
            "calibration_error": of.calibration_error,
            "accuracy": of.accuracy,
            "curve": curve.collect::<Vec<_>>(),
        })
    };
    let found = accuracy.and_then(|accuracy| Rejection::of(&output.predictions, accuracy));
    let rejection = found.map(|found| {
        json!({
            "threshold": found.threshold,
            "reached": found.reached,
            "accepted": found.accepted,
            "share": found.share(),
            "accuracy": found.accuracy(),
            "interval": wilson(found.right, found.accepted),
        })
    });
    let temperature = output.temperature;
    json!({
        "name": output.name,
        "layer": output.layer,
        "rows": output.before.rows,
        "temperature": temperature.value,
        "interval": [temperature.low, temperature.high],
        "bins": BINS,
        "before": confidence(&output.before),
        "after": confidence(&output.after),
        "rejection": rejection,
    })
}
