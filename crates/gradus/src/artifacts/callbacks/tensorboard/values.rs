//! Summaries as TensorFlow 2 writes them: tensors, each with the name of the plugin that shows it.

use super::messages::{Dim, Metadata, PluginData, Shape, Tensor, Value};
use crate::train::health::Histogram;

/// A scalar, as `tf.summary.scalar` writes it: in single precision.
pub fn scalar(tag: String, value: f64) -> Value {
    let tensor = Tensor {
        dtype: Tensor::FLOAT,
        shape: Some(Shape::default()),
        floats: vec![value as f32],
        ..Tensor::default()
    };
    of_plugin("scalars", Vec::new(), tag, tensor)
}

/// A histogram, as `tf.summary.histogram` writes it; `None` without finite values.
pub fn histogram(tag: String, histogram: &Histogram) -> Option<Value> {
    let bins = merged(&histogram.bins);
    let sizes = [bins.len(), 3].map(|size| Dim { size: size as i64 });
    let rows = bins
        .iter()
        .flat_map(|&(low, high, n)| [low, high, n as f64]);
    let tensor = Tensor {
        dtype: Tensor::DOUBLE,
        shape: Some(Shape { dims: sizes.into() }),
        content: rows.flat_map(f64::to_le_bytes).collect(),
        ..Tensor::default()
    };
    let value = of_plugin("histograms", Vec::new(), tag, tensor);
    (!bins.is_empty()).then_some(value)
}

/// A text, in Markdown.
pub fn text(tag: &str, text: String) -> Value {
    let tensor = Tensor {
        dtype: Tensor::STRING,
        shape: Some(Shape::default()),
        strings: vec![text.into_bytes()],
        ..Tensor::default()
    };
    of_plugin("text", Vec::new(), tag.to_owned(), tensor)
}

/// A model's graph, as Keras' callback writes it: the configuration of the model, in JSON.
pub fn graph(config: String) -> Value {
    Value {
        tag: "keras".into(),
        ..of_plugin(
            "graph_keras_model",
            b"1".into(),
            "keras".into(),
            text("", config).tensor.unwrap_or_default(),
        )
    }
}

/// A value that consists of its plugin's data alone.
pub fn plugin_data(plugin: &str, content: Vec<u8>, tag: &str) -> Value {
    let nothing = Tensor {
        dtype: Tensor::FLOAT,
        shape: Some(Shape {
            dims: vec![Dim::default()],
        }),
        ..Tensor::default()
    };
    of_plugin(plugin, content, tag.to_owned(), nothing)
}

fn of_plugin(plugin: &str, content: Vec<u8>, tag: String, tensor: Tensor) -> Value {
    let plugin_data = PluginData {
        plugin_name: plugin.to_owned(),
        content,
    };
    Value {
        tag,
        tensor: Some(tensor),
        metadata: Some(Metadata {
            plugin_data: Some(plugin_data),
        }),
    }
}

/// The bins that are drawn over a histogram's range.
const DRAWN: f64 = 30.0;

/// The bins, neighbours merged that are narrower than what TensorBoard draws: its axis is linear, and
/// most bins of a [`Histogram`] are close to zero.
fn merged(bins: &[(f64, f64, u64)]) -> Vec<(f64, f64, u64)> {
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return Vec::new();
    };
    let width = (last.1 - first.0) / DRAWN;
    let mut merged: Vec<(f64, f64, u64)> = Vec::new();
    for &(low, high, count) in bins {
        match merged.last_mut() {
            Some(before) if high - before.0 <= width => {
                before.1 = high;
                before.2 += count;
            }
            _ => merged.push((low, high, count)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_bins_hold_all_values_in_order() {
        let values = (-40_000..40_000).map(|i| (i as f32 / 40_000.0).powi(3));
        let histogram = Histogram::of(values);
        let bins = merged(&histogram.bins);
        assert!(histogram.bins.len() > 150, "{}", histogram.bins.len());
        assert!((20..60).contains(&bins.len()), "{bins:?}");
        let all: u64 = bins.iter().map(|bin| bin.2).sum();
        assert_eq!(all, 80_000);
        assert!(
            bins.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{bins:?}"
        );
        assert_eq!((bins[0].0, bins[bins.len() - 1].1), (-1.25, 1.0));
        assert_eq!(merged(&[]), []);
        let one = [(0.0, 0.0, 7)];
        assert_eq!(merged(&one), one);
    }
}
