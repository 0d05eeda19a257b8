//! Keras' table of layers, shapes and parameters.

use super::graph::Model;
use crate::error::Result;
use std::fmt::Write;

impl Model {
    /// Keras' table: layer, output shape, parameters, and their totals.
    /// An error if the input's shape is not known yet.
    pub fn summary(&self) -> Result<String> {
        let shapes = self.shapes()?;
        let header = ["Layer (type)", "Output Shape", "Param #"].map(String::from);
        let mut rows = vec![header];
        for (node, (_, shape)) in self.nodes.iter().zip(&shapes) {
            let layer = &self.layers[node.layer];
            let parameters: usize = layer.weights.iter().map(|w| w.values.len()).sum();
            let mark = if layer.trainable { "" } else { " [frozen]" };
            rows.push([
                format!("{} ({}){mark}", layer.name, layer.rule.class()),
                shape.to_string(),
                thousands(parameters),
            ]);
        }
        let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        let line = |left: char, middle: char, right: char| {
            let bars: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
            format!("{left}{}{right}\n", bars.join(&middle.to_string()))
        };
        let mut text = format!("Model: \"{}\"\n", self.name);
        text += &line('┌', '┬', '┐');
        for (i, [name, shape, count]) in rows.iter().enumerate() {
            let [a, b, c] = widths;
            let _ = writeln!(text, "│ {name:a$} │ {shape:b$} │ {count:>c$} │");
            if i == 0 {
                text += &line('├', '┼', '┤');
            }
        }
        text += &line('└', '┴', '┘');
        let count = |trainable: bool| -> usize {
            self.layers
                .iter()
                .flat_map(|l| l.weights.iter().map(move |w| (l, w)))
                .filter(|(l, w)| (l.trainable && w.trainable) == trainable)
                .map(|(_, w)| w.values.len())
                .sum()
        };
        let totals = [
            ("Total", count(true) + count(false)),
            ("Trainable", count(true)),
            ("Non-trainable", count(false)),
        ];
        for (name, n) in totals {
            let _ = writeln!(text, "{name} params: {} ({})", thousands(n), size(n * 4));
        }
        Ok(text)
    }
}

fn thousands(n: usize) -> String {
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
