//! Mixup against a training on mixtures made by hand.

use crate::data::{Dataset, Tensor};
use crate::engine::reference::Reference;
use crate::model::layers::{Dense, Flatten};
use crate::model::mixup::Mixup;
use crate::model::{Model, Sequential};
use crate::predict::device::Device;
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::metrics::Metric;
use crate::rules::optimizers::SGD;
use crate::train::Fit;

const ROWS: usize = 10;
const BATCH: usize = 4;
const CLASSES: usize = 3;

fn network(loss: Loss) -> Model {
    let model = Sequential::new()
        .seed(6)
        .input([2, 3])
        .add(Flatten::new())
        .add(Dense::new(5).activation(Activation::Tanh))
        .add(Dense::new(CLASSES).activation(Activation::Softmax));
    model
        .compile(SGD::new().momentum(0.9), loss, &[Metric::Accuracy])
        .unwrap()
}

fn numbers() -> Vec<f32> {
    let number = |i: usize| (i * 7919 % 101) as f32 / 50.0 - 1.0;
    (0..ROWS * 6).map(number).collect()
}

fn class(row: u32) -> usize {
    row as usize * 5 % CLASSES
}

fn one_hot(mixed: impl Iterator<Item = Vec<(u32, f32)>>) -> Tensor {
    let mut values = Vec::new();
    for parts in mixed {
        let mut row = vec![0.0; CLASSES];
        for (of, share) in parts {
            row[class(of)] += share;
        }
        values.extend(row);
    }
    Tensor::from_f32([CLASSES], values).unwrap()
}

#[test]
fn mixtures_are_trained_on() {
    // The draws for the rows in their order, and the mixtures of Keras' MixUp.
    let (mut mix, mut x, mut parts) = (Mixup::new(0.4, BATCH), Vec::new(), Vec::new());
    let all = numbers();
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    for (iteration, rows) in rows.chunks(BATCH).enumerate() {
        mix.draw(rows, 6, iteration as u64);
        assert_eq!(mix.shares.len(), rows.len());
        for ((&a, &b), &share) in mix.more.iter().zip(&mix.less).zip(&mix.shares) {
            assert!((0.5..=1.0).contains(&share) && rows.contains(&a) && rows.contains(&b));
            let number = |row: u32, i: usize| all[row as usize * 6 + i];
            x.extend((0..6).map(|i| share * number(a, i) + (1.0 - share) * number(b, i)));
            parts.push(vec![(a, share), (b, 1.0 - share)]);
        }
    }
    let mixtures = Tensor::from_f32([2, 3], x).unwrap();
    let mixed = Dataset::new(mixtures, one_hot(parts.into_iter())).unwrap();
    let x = Tensor::from_f32([2, 3], all).unwrap();
    let classes = rows.iter().map(|&row| class(row) as f32).collect();
    let numbered = Dataset::new(x.clone(), Tensor::from_column(classes).unwrap()).unwrap();
    let hot = one_hot(rows.iter().map(|&row| vec![(row, 1.0)]));
    let hot = Dataset::new(x, hot).unwrap();

    let (sparse, dense) = (
        Loss::SparseCategoricalCrossentropy,
        Loss::CategoricalCrossentropy,
    );
    for device in [Device::default(), Device::new(Reference)] {
        let trained = |loss: &Loss, data: &Dataset, alpha: Option<f64>| {
            let mut model = network(loss.clone());
            let mut options = Fit::new().batch_size(BATCH).shuffle(false);
            options.mixup = alpha;
            let history = model.fit(data, options.on(device.clone())).unwrap();
            let weights = model.weights().flat_map(|w| w.values.clone());
            let measured = ["loss", "accuracy"].map(|name| history.last(name).unwrap());
            (weights.collect::<Vec<f32>>(), measured)
        };
        let wanted = trained(&dense, &mixed, None);
        for (loss, data) in [(&sparse, &numbered), (&dense, &hot)] {
            let found = trained(loss, data, Some(0.4));
            for (a, b) in wanted.0.iter().zip(&found.0) {
                assert!((a - b).abs() < 2e-6, "{loss:?}: {a}, {b}");
            }
            for (a, b) in wanted.1.iter().zip(found.1) {
                assert!(
                    (a - b).abs() < 1e-6,
                    "{loss:?}: {:?}, {:?}",
                    wanted.1,
                    found.1
                );
            }
            assert_ne!(trained(loss, data, None).0, found.0);
        }
    }
}

#[test]
fn what_cannot_be_mixed_is_refused() {
    let x = Tensor::from_f32([2, 3], numbers()).unwrap();
    let y = Tensor::from_column(vec![1.0; ROWS]).unwrap();
    let data = Dataset::new(x, y).unwrap();
    let refused = |options: Fit| {
        let mut model = network(Loss::SparseCategoricalCrossentropy);
        model.fit(&data, options).unwrap_err().to_string()
    };
    let found = refused(Fit::new().mixup(0.0));
    assert!(
        found.contains("mixup") && found.contains("above 0"),
        "{found}"
    );
    let found = refused(Fit::new().mixup(0.2).class_weight(&[(1, 2.0)]));
    assert!(found.contains("only one of the two"), "{found}");
}
