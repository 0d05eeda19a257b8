//! Tests of plans that observe the health of layers.

use super::{Device, Fit, Isa, Reference, models, on, rules};
use crate::data::Dataset;
use crate::model::Model;
use crate::train::callbacks::{Callback, Training};
use crate::train::health::{Distribution, Health, HealthView, LayerHealth, LayerHistograms};
use crate::train::{History, Precision};

/// The weights after two epochs whose health is sampled at every so many steps, and their history.
fn trained(
    device: &Device,
    model: &Model,
    data: &Dataset,
    (every, precision): (usize, Precision),
) -> (Vec<Vec<f32>>, History, Histograms) {
    let mut model = model.clone();
    let mut histograms = Histograms::default();
    let options = Fit::new()
        .epochs(2)
        .batch_size(32)
        .precision(precision)
        .health_every(every)
        .validation_data(data.clone())
        .callback(&mut histograms);
    let mut history = model.fit(data, options.on(device.clone())).unwrap();
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    let weights = model.weights().map(|w| w.values.clone()).collect();
    (weights, history, histograms)
}

/// Takes the histograms down.
#[derive(Default, PartialEq)]
struct Histograms(Vec<Vec<LayerHistograms>>);

impl Callback for Histograms {
    fn on_health(&mut self, health: &HealthView<'_>, _: &mut Training<'_>) -> crate::Result<()> {
        if !health.histograms.is_empty() {
            self.0.push(health.histograms.to_vec());
        }
        Ok(())
    }
}

#[test]
fn observation_changes_no_bit_and_depends_on_no_number_of_threads() {
    let models = models().into_iter().map(|(n, d, m)| (n.to_owned(), d, m));
    for (name, data, model) in models.chain(rules()) {
        for isa in Isa::tested() {
            for precision in [Precision::Float32, Precision::MixedBfloat16] {
                let off = trained(&on(isa, 1), &model, &data, (0, precision));
                let every = trained(&on(isa, 1), &model, &data, (1, precision));
                assert!(off.0 == every.0, "{name}, {isa:?}, {precision:?}");
                assert_eq!(off.1.epochs, every.1.epochs, "{name}, {isa:?}");
                let more = trained(&on(isa, 3), &model, &data, (1, precision));
                assert!(off.0 == more.0, "{name}, {isa:?}, {precision:?}, 3 threads");
                // As text, in which NaN is NaN.
                let text = |health: &Health| health.to_csv().unwrap();
                assert_eq!(
                    text(&every.1.health),
                    text(&more.1.health),
                    "{name}, {isa:?}"
                );
                assert!(every.2 == more.2, "{name}, {isa:?}");
                assert!(!every.1.health.samples.is_empty(), "{name}");
                assert_eq!((off.1.health, off.2.0.len()), (Health::default(), 0));
            }
        }
    }
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-3 * scale.abs().max(1e-12)
}

fn alike(a: Option<Distribution>, b: Option<Distribution>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let scale = a.largest;
            let (mean, std) = (close(a.mean, b.mean, scale), close(a.std, b.std, scale));
            mean && std && close(a.largest, b.largest, scale)
        }
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => close(a, b, a),
        (a, b) => a == b,
    }
}

#[test]
fn the_fast_engine_observes_what_the_reference_does() {
    for (name, data, model) in models() {
        let single = (1, Precision::Float32);
        let (_, expected, counts) = trained(&Device::new(Reference), &model, &data, single);
        for isa in Isa::tested() {
            let (_, found, found_counts) = trained(&on(isa, 2), &model, &data, single);
            let (a, b) = (&expected.health, &found.health);
            assert_eq!(a.layers, b.layers, "{name}");
            // Later steps amplify what is rounded otherwise.
            let steps = a.samples.iter().zip(&b.samples).take(2);
            for (a, b) in steps {
                for ((a, b), layer) in a.layers.iter().zip(&b.layers).zip(&expected.health.layers) {
                    let LayerHealth {
                        outputs, gradients, ..
                    } = *a;
                    let alike = alike(outputs, b.outputs) && alike(gradients, b.gradients);
                    let norms = same(a.gradient_norm, b.gradient_norm)
                        && same(a.weight_norm, b.weight_norm)
                        && same(a.update_ratio, b.update_ratio);
                    let shares = same(a.dead, b.dead) && same(a.saturated, b.saturated);
                    assert!(
                        alike && norms && shares,
                        "{name}, {isa:?}, {layer}: {a:?} {b:?}"
                    );
                }
            }
            let total = |all: &Histograms| -> Vec<u64> {
                let layers = all.0.iter().flatten();
                let each = layers
                    .flat_map(|of| of.outputs.iter().chain(of.gradients.iter().map(|g| &g.1)));
                each.map(|histogram| histogram.count() + histogram.not_finite)
                    .collect()
            };
            assert_eq!(total(&counts), total(&found_counts), "{name}, {isa:?}");
        }
    }
}
