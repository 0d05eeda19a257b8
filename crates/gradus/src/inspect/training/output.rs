//! The last layer, the loss, and the targets.

use crate::data::checks::{Finding, Severity};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::{Graph, InPlace, at, called, effect, targets};
use crate::model::layers::Effect;
use crate::model::{OutputLoss, Source};

const NAME: &str = "output";

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let model = planned.model;
    let Some(compiled) = &model.compiled else {
        return Vec::new();
    };
    let graph = Graph::of(model);
    let known = targets(model, planned.data.train.sample());
    let mut findings = Vec::new();
    for (output, output_loss) in compiled.trained() {
        let Some(layer) = last(planned, &graph, model.outputs[output]) else {
            continue;
        };
        findings.extend(with_loss(layer, output_loss));
        if let Some(target) = known.get(&output) {
            findings.extend(with_targets(layer, output_loss, &target.to_f32()));
        }
    }
    findings
}

/// The dense layer that an output comes from.
fn last<'a, 'b>(
    planned: &PlannedTraining<'_>,
    graph: &'b Graph<'a>,
    output: Source,
) -> Option<&'b InPlace<'a>> {
    let model = planned.model;
    let Source::Node(mut node) = output else {
        return None;
    };
    loop {
        if let Some(layer) = graph.product_at(node) {
            return Some(layer);
        }
        let (Effect::KeepsScale | Effect::Activates(_)) = effect(model, node) else {
            return None;
        };
        match model.nodes[node].inputs[..] {
            [Source::Node(before)] => node = before,
            _ => return None,
        }
    }
}

fn with_loss(layer: &InPlace<'_>, output_loss: &OutputLoss) -> Vec<Finding> {
    let (loss, units) = (output_loss.loss.class(), layer.product.units);
    let logits = output_loss.loss.to_config()["from_logits"].as_bool();
    let of_classes = ["SparseCategoricalCrossentropy", "CategoricalCrossentropy"].contains(&loss);
    let (activation, (lowest, highest)) = (layer.activation.class(), layer.activation.range());
    let problem = match (activation, logits) {
        ("Softmax", Some(true)) => Some((
            format!("softmax, and a {loss} that takes logits"),
            "the softmax is taken twice: leave one of them out (`from_logits = false`)".to_owned(),
        )),
        ("Sigmoid", Some(true)) => Some((
            format!("sigmoid, and a {loss} that takes logits"),
            "the sigmoid is taken twice: leave one of them out (`from_logits = false`)".to_owned(),
        )),
        ("Softmax", _) if units == 1 => Some((
            "softmax over one unit".to_owned(),
            "that is always 1: `activation = \"sigmoid\"`".to_owned(),
        )),
        ("Linear", Some(false)) => Some((
            format!("no activation, and a {loss} that takes probabilities"),
            match of_classes {
                true => {
                    "`activation = \"softmax\"`, or `from_logits = true` in the loss".to_owned()
                }
                false => {
                    "`activation = \"sigmoid\"`, or `from_logits = true` in the loss".to_owned()
                }
            },
        )),
        (name, Some(_)) if name != "Linear" && (lowest < 0.0 || highest > 1.0) => Some((
            format!("{} before a {loss}", called(&layer.activation)),
            match of_classes {
                true => {
                    "what comes out are no probabilities: `activation = \"softmax\"`".to_owned()
                }
                false => {
                    "what comes out are no probabilities: `activation = \"sigmoid\"`".to_owned()
                }
            },
        )),
        ("Sigmoid", Some(false)) if of_classes && units > 1 => Some((
            format!("sigmoid before a {loss}"),
            "one class of several: `activation = \"softmax\"`".to_owned(),
        )),
        ("Softmax", Some(false)) if loss.starts_with("Binary") => Some((
            format!("softmax before a {loss}"),
            "one class of several: the loss is `categorical_crossentropy`; several at a time: \
             `activation = \"sigmoid\"`"
                .to_owned(),
        )),
        _ => None,
    };
    let problem = problem.into_iter();
    problem
        .map(|(found, advice)| Finding::warning(NAME, at(&layer.entry.name), found, advice))
        .collect()
}

fn with_targets(layer: &InPlace<'_>, output_loss: &OutputLoss, targets: &[f32]) -> Vec<Finding> {
    let place = || at(&layer.entry.name);
    let finite = targets.iter().copied().filter(|x| x.is_finite());
    let (least, most) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), x| {
        (least.min(x), most.max(x))
    });
    let loss = output_loss.loss.class();
    if loss == "SparseCategoricalCrossentropy" {
        let used = most as usize + 1;
        if most.fract() == 0.0 && layer.product.units > used {
            let found = format!("{} units, and classes up to {most}", layer.product.units);
            let advice = format!("no row is of the others: {used} units would do");
            let finding = Finding::warning(NAME, place(), found, advice);
            return vec![finding.severity(Severity::Note)];
        }
    } else if loss.starts_with("Binary") && (least < 0.0 || most > 1.0) {
        let found = format!("targets from {least} to {most} for a {loss}");
        let advice = "it takes numbers from 0 to 1: label classes so, or of more than two take \
                      `sparse_categorical_crossentropy`";
        return vec![Finding::warning(NAME, place(), found, advice)];
    } else if !output_loss.loss.of_classes() && least <= most {
        let (lowest, highest) = layer.activation.range();
        if f64::from(least) >= lowest && f64::from(most) <= highest {
            return Vec::new();
        }
        let range = match (lowest.is_finite(), highest.is_finite()) {
            (true, false) => format!("{lowest} or more"),
            (false, true) => format!("{highest} or less"),
            _ => format!("from {lowest} to {highest}"),
        };
        let activation = called(&layer.activation);
        let found = format!("targets from {least} to {most}, and {activation} gives {range}");
        let advice = "it never reaches them: leave the last layer's activation out";
        return vec![Finding::warning(NAME, place(), found, advice)];
    }
    Vec::new()
}
