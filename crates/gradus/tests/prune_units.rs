//! Unit pruning: layers that really shrink.

use gradus::data::Data;
use gradus::optimize::prune_units;
use gradus::prelude::*;

fn rows(width: usize) -> Tensor {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    Tensor::from_f32([width], (0..width * 50).map(next).collect()).unwrap()
}

fn model() -> Model {
    Sequential::new()
        .input([6])
        .add(Dense::new(12).activation("relu"))
        .add(Dropout::new(0.5))
        .add(Dense::new(8))
        .add(layers::LeakyReLU::new())
        .add(Dense::new(3).activation("softmax"))
        .build()
        .unwrap()
}

fn largest_difference(a: &Model, b: &Model, rows: &Tensor) -> f32 {
    let outputs = [a, b].map(|model| model.predict(rows).unwrap().to_f32());
    let pairs = outputs[0].iter().zip(&outputs[1]);
    pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

#[test]
fn units_that_nothing_comes_of_go_for_nothing() {
    let mut model = model();
    // One unit is dead, one always 2, one has no weights behind.
    let dense = model.layer_mut("dense").unwrap();
    for row in dense.weights[0].values.chunks_mut(12) {
        (row[3], row[5]) = (0.0, 0.0);
    }
    (dense.weights[1].values[3], dense.weights[1].values[5]) = (-1.0, 2.0);
    model.layer_mut("dense_1").unwrap().weights[0].values[7 * 8..8 * 8].fill(0.0);
    let x = rows(6);
    let (small, shrunk) = prune_units(&model, 0.0, Some(&Data::from(&x))).unwrap();
    assert_eq!(shrunk.len(), 1);
    assert_eq!(
        (&*shrunk[0].layer, shrunk[0].before, shrunk[0].after),
        ("dense", 12, 9)
    );
    assert_eq!(small.layer("dense_1").unwrap().weights[0].shape, [9, 8]);
    assert!(largest_difference(&model, &small, &x) < 1e-6);
    // Without rows only the one whose weights say so is known.
    let (_, shrunk) = prune_units(&model, 0.0, None).unwrap();
    assert_eq!(shrunk[0].after, 9);
}

#[test]
fn the_share_goes_that_matters_least() {
    let mut model = model();
    let kernel = &mut model.layer_mut("dense_1").unwrap().weights[0].values;
    for (row, values) in kernel.chunks_mut(8).enumerate() {
        // Every other unit of the first layer hardly counts.
        let factor = if row % 2 == 0 { 1e-4 } else { 1.0 };
        values.iter_mut().for_each(|w| *w *= factor);
    }
    let x = rows(6);
    for rows in [None, Some(&Data::from(&x))] {
        let (small, shrunk) = prune_units(&model, 0.5, rows).unwrap();
        let after: Vec<usize> = shrunk.iter().map(|of| of.after).collect();
        assert_eq!(after, [6, 4]);
        assert_eq!(small.layers.len(), model.layers.len());
        let first = &small.layer("dense").unwrap().weights[1].shape;
        assert_eq!(*first, [6]);
    }
    let mut one = Sequential::new()
        .input([6])
        .add(Dense::new(12).activation("relu"))
        .add(Dense::new(3).use_bias(false))
        .build()
        .unwrap();
    let kernel = &mut one.layer_mut("dense_1").unwrap().weights[0].values;
    kernel[..6 * 3].iter_mut().for_each(|w| *w *= 1e-4);
    let (small, _) = prune_units(&one, 0.5, Some(&Data::from(&x))).unwrap();
    assert!(largest_difference(&one, &small, &x) < 1e-3);
    // It can be trained on.
    let mut small = small;
    small.compile("adam", "mse", &[]).unwrap();
    let y = Tensor::from_f32([3], vec![0.0; 150]).unwrap();
    small.fit(Dataset::new(x, y).unwrap(), Fit::new()).unwrap();
}

#[test]
fn layers_that_others_look_at_stay_and_mistakes_are_told() {
    let mut g = Functional::new();
    let x = g.input([6]);
    let a = g.layer(Dense::new(6).activation("relu"), x).unwrap();
    let b = g.layer(Dense::new(6).activation("softmax"), a).unwrap();
    let sum = g.layer(layers::Add::new(), [a, b]).unwrap();
    let y = g.layer(Dense::new(2), sum).unwrap();
    let residual = g.model(y).unwrap();
    let message = prune_units(&residual, 0.5, None).unwrap_err().to_string();
    assert!(message.contains("without hidden dense layers"), "{message}");
    for share in [1.0, -0.1, f64::NAN] {
        let message = prune_units(&model(), share, None).unwrap_err().to_string();
        assert!(message.contains("share"), "{message}");
    }
}

#[test]
fn behind_a_flatten_the_rows_of_each_place_go() {
    let model = Sequential::new()
        .input([2, 6])
        .add(Dense::new(10).activation("relu"))
        .add(Flatten::new())
        .add(Dense::new(3))
        .build()
        .unwrap();
    let x = Tensor::from_f32([2, 6], rows(12).to_f32()).unwrap();
    let (small, shrunk) = prune_units(&model, 0.3, Some(&Data::from(&x))).unwrap();
    assert_eq!(shrunk[0].after, 7);
    assert_eq!(small.layer("dense_1").unwrap().weights[0].shape, [14, 3]);
    assert_eq!(small.predict(&x).unwrap().rows(), 50);
}
