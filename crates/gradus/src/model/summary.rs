//! Keras' table of layers, shapes and parameters.

use super::graph::{Model, Source};
use super::order::{Element, keras_order};
use super::parts::Unit;
use super::weights::Weight;
use super::zeros::Zeros;
use crate::base::shown::visible;
use crate::error::Result;
use std::borrow::Cow;
use std::fmt::Write;

/// The share of zeros from which on a model counts as pruned; of int8 numbers some are 0 by rounding.
const PRUNED: f64 = 0.1;
/// The number of shapes and connections of a layer that are named.
const LISTED: usize = 8;

impl Model {
    /// Keras' table: layer, output shape, parameters, and, unless the layers are a chain,
    /// connections; then the totals. An error if an input's shape is not known yet.
    pub fn summary(&self) -> Result<String> {
        let rows = self.rows()?;
        let columns = if self.chain { 3 } else { 4 };
        let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |left: char, middle: char, right: char| {
            let bars: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
            format!("{left}{}{right}\n", bars.join(&middle.to_string()))
        };
        let mut text = format!("Model: \"{}\"\n", visible(&self.name));
        text += &line('┌', '┬', '┐');
        for (i, row) in rows.iter().enumerate() {
            for (c, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match c {
                    2 => write!(text, "│ {cell:>width$} "),
                    _ => write!(text, "│ {cell:width$} "),
                };
            }
            text += "│\n";
            if i == 0 {
                text += &line('├', '┼', '┤');
            }
        }
        text += &line('└', '┴', '┘');
        let [trained, others] = [true, false].map(|trainable| {
            let bytes = self.weights_of(trainable).map(Weight::bytes).sum();
            (self.count_weights(trainable), bytes)
        });
        let totals: [(&str, (usize, usize)); 3] = [
            ("Total", (trained.0 + others.0, trained.1 + others.1)),
            ("Trainable", trained),
            ("Non-trainable", others),
        ];
        for (name, (n, bytes)) in totals {
            let _ = writeln!(text, "{name} params: {} ({})", thousands(n), size(bytes));
        }
        let zeros = self.zeros().unwrap_or_default();
        let share = Zeros::total(&zeros);
        if share >= PRUNED {
            let layers = zeros.iter().filter(|of| of.share() >= PRUNED);
            let layers =
                layers.map(|of| format!("{} {:.1}%", visible(&of.layer), 100.0 * of.share()));
            let layers = listed(&layers.collect::<Vec<_>>());
            let _ = writeln!(text, "Zeros: {:.1}% ({layers})", 100.0 * share);
        }
        let rounded = self
            .layers
            .iter()
            .filter(|of| of.fake_quantized().is_some());
        let rounded: Vec<String> = rounded.map(|of| visible(&of.name).into_owned()).collect();
        if !rounded.is_empty() {
            let layers = listed(&rounded);
            let _ = writeln!(text, "Quantization-aware: {layers}");
        }
        Ok(text)
    }

    /// The number of parameters that are trained, or are not.
    pub(crate) fn count_weights(&self, trainable: bool) -> usize {
        let weights = self.weights_of(trainable);
        weights.map(|weight| weight.values.len()).sum()
    }

    /// The weights that are trained, or are not.
    fn weights_of(&self, trainable: bool) -> impl Iterator<Item = &Weight> {
        let layers = self.layers.iter();
        let weights = layers.flat_map(|l| l.weights.iter().map(move |w| (l, w)));
        weights
            .filter(move |(l, w)| (l.trainable && w.trainable) == trainable)
            .map(|(_, weight)| weight)
    }

    /// The table's cells, the header first.
    fn rows(&self) -> Result<Vec<[String; 4]>> {
        let shapes = self.shapes()?;
        let units = self.units(None);
        let calls = units.calls();
        let shape = |source: Source| match source {
            Source::Input(i) => self.inputs[i].shape.clone().unwrap_or_default(),
            Source::Node(n) => shapes[n].1.clone(),
        };
        let history = |source: &Source| match *source {
            Source::Input(i) => format!("{}[0][0]", self.inputs[i].name),
            Source::Node(n) => {
                let c = calls.maker(n);
                let output = units.maker(&calls, n).map_or(0, |(_, output)| output);
                let name = units.name(calls.all[c].unit);
                format!("{name}[{}][{output}]", calls.number(c))
            }
        };
        let head = ["Layer (type)", "Output Shape", "Param #", "Connected to"];
        let mut rows = vec![head.map(String::from)];
        let places = match self.chain {
            true => units.all().into_iter().map(Element::Unit).collect(),
            false => keras_order(&calls, &self.outputs),
        };
        for place in places {
            let unit = match place {
                Element::Unit(unit) => unit,
                Element::Input(i) => {
                    let name = format!("{} (InputLayer)", self.inputs[i].name);
                    let shape = shape(Source::Input(i)).to_string();
                    rows.push([name, shape, "0".into(), "-".into()]);
                    continue;
                }
            };
            let Some(first) = calls.of(unit).next() else {
                continue;
            };
            let (class, layers, outputs) = match unit {
                Unit::Layer(l) => {
                    let output = Source::Node(first.nodes.start);
                    (self.layers[l].rule.class(), l..l + 1, vec![output])
                }
                Unit::Part(p) => {
                    let part = &self.parts[p];
                    let class = if part.chain {
                        "Sequential"
                    } else {
                        "Functional"
                    };
                    let outputs = part.outputs.iter().map(|output| match *output {
                        Source::Node(n) => Source::Node(first.nodes.start + n),
                        Source::Input(i) => first.inputs[i],
                    });
                    (class, part.layers.clone(), outputs.collect())
                }
            };
            let layers = &self.layers[layers];
            let weights = layers.iter().flat_map(|l| &l.weights);
            let parameters = weights.map(|w| w.values.len()).sum();
            let frozen = layers.iter().all(|l| !l.trainable);
            let mark = if frozen { " [frozen]" } else { "" };
            let shapes = outputs.iter().map(|&output| shape(output).to_string());
            let shapes: Vec<String> = shapes.collect();
            let connected = calls.of(unit).flat_map(|call| &call.inputs).map(history);
            let connected: Vec<String> = connected.collect();
            rows.push([
                format!("{} ({class}){mark}", units.name(unit)),
                match &shapes[..] {
                    [one] => one.clone(),
                    several => format!("[{}]", listed(several)),
                },
                thousands(parameters),
                listed(&connected),
            ]);
        }
        for cell in rows.iter_mut().flatten() {
            if let Cow::Owned(escaped) = visible(cell) {
                *cell = escaped;
            }
        }
        Ok(rows)
    }
}

/// A list for a cell: every row is as wide as the widest one.
fn listed(all: &[String]) -> String {
    match all.get(LISTED..) {
        Some(rest) if rest.len() > 1 => {
            let rest = thousands(rest.len());
            format!("{}, and {rest} more", all[..LISTED].join(", "))
        }
        _ => all.join(", "),
    }
}

/// A number with commas: `266,610`.
pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.2} KB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.2} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GB", bytes as f64 / 1_073_741_824.0),
    }
}
