//! Tests of predictions: from many threads, for any number of rows, prepared once.

use gradus::prelude::*;

/// A network with every case of inference: odd widths, sums in several parts, normalization by
/// column and by row, inactive dropout.
fn model() -> Model {
    Sequential::new()
        .input([37])
        .add(BatchNormalization::new())
        .add(Dense::new(451).activation(Activation::Elu))
        .add(Dropout::new(0.3))
        .add(layers::LayerNormalization::new())
        .add(Dense::new(50).activation(Activation::Gelu))
        .add(Dense::new(5).activation(Activation::Softmax))
        .seed(3)
        .build()
        .unwrap()
}

fn rows(count: usize) -> Vec<f32> {
    let number = |i: usize| ((i * 7919) % 1009) as f32 / 500.0 - 1.0;
    (0..count * 37).map(number).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn eight_threads_get_what_one_gets() {
    let model = model();
    let predictor = model.predictor().unwrap();
    // One row, a few, a batch, many batches.
    let counts = [1, 2, 3, 4, 7, 100, 700];
    let alone = |count: usize| {
        let mut y = vec![0.0; count * 5];
        predictor.predict_into(&rows(count), &mut y).unwrap();
        bits(&y)
    };
    let expected: Vec<_> = counts.iter().map(|&count| alone(count)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (predictor, model, expected) = (&predictor, &model, &expected);
            scope.spawn(move || {
                for turn in 0..60 {
                    let n = (thread + turn) % counts.len();
                    let x = rows(counts[n]);
                    let mut y = vec![f32::NAN; counts[n] * 5];
                    predictor.predict_into(&x, &mut y).unwrap();
                    assert_eq!(bits(&y), expected[n], "{} rows", counts[n]);
                    if turn % 10 == thread {
                        let x = Tensor::from_f32([37], x).unwrap();
                        let y = model.predict(Dataset::unlabelled(x)).unwrap();
                        assert_eq!(bits(&y.to_f32()), expected[n], "the model itself");
                    }
                }
            });
        }
    });
}

#[test]
fn a_rows_prediction_does_not_depend_on_the_rows_beside_it() {
    let predictor = model().predictor().unwrap();
    let x = rows(531);
    let mut all = vec![0.0; 531 * 5];
    predictor.predict_into(&x, &mut all).unwrap();
    for count in 1..=9 {
        for start in [0, 17, 522] {
            let mut some = vec![0.0; count * 5];
            let x = &x[start * 37..(start + count) * 37];
            predictor.predict_into(x, &mut some).unwrap();
            let expected = &all[start * 5..(start + count) * 5];
            assert_eq!(bits(&some), bits(expected), "{count} rows from {start}");
        }
    }
}

#[test]
fn a_predictor_keeps_the_weights_that_the_model_had() {
    let mut model = model();
    let predictor = model.predictor().unwrap();
    let data = Dataset::unlabelled(Tensor::from_f32([37], rows(3)).unwrap());
    let before = model.predict(&data).unwrap();
    for weight in &mut model.layer_mut("dense_2").unwrap().weights {
        weight.values.iter_mut().for_each(|w| *w = -*w);
    }
    assert_ne!(
        model.predict(&data).unwrap(),
        before,
        "the model has changed"
    );
    assert_eq!(predictor.predict(&data).unwrap(), before);
    assert_eq!(predictor.predict_all(&data).unwrap(), [before]);
}

#[test]
fn noise_that_is_always_on_is_the_same_for_every_caller() {
    let noisy = Sequential::new()
        .input([37])
        .add(layers::MCDropout::new(0.5))
        .add(Dense::new(5))
        .build()
        .unwrap();
    let data = Dataset::unlabelled(Tensor::from_f32([37], rows(1000)).unwrap());
    let predictor = noisy.predictor().unwrap();
    let expected = predictor.predict(&data).unwrap();
    // A call of the model draws anew, as does another predictor.
    assert_ne!(noisy.predict(&data).unwrap(), expected);
    assert_ne!(noisy.predictor().unwrap().predict(&data).unwrap(), expected);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(predictor.predict(&data).unwrap(), expected));
        }
    });
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let predictor = model().predictor().unwrap();
    let error = |x: &[f32], y: usize| {
        let result = predictor.predict_into(x, &mut vec![0.0; y]);
        result.unwrap_err().to_string()
    };
    let text = error(&[0.0; 36], 5);
    assert!(
        text.contains("36 numbers") && text.contains("multiple of 37"),
        "{text}"
    );
    assert!(error(&[], 0).contains("0 numbers"));
    let text = error(&[0.0; 74], 5);
    assert!(
        text.contains("room for 5") && text.contains("10, for 2 rows of 5"),
        "{text}"
    );
    let unbuilt = Sequential::new().add(Dense::new(2)).build().unwrap();
    assert!(unbuilt.predictor().is_err());
}

#[test]
fn a_shape_error_has_its_shapes_as_values() {
    let model = Sequential::new().input([4]).add(Dense::new(1));
    let rows = Dataset::unlabelled(Tensor::from_f32([2, 3], vec![0.0; 12]).unwrap());
    let error = model.build().unwrap().predict(&rows).unwrap_err();
    let gradus::Error::Shape {
        found, expected, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(found.dims.as_deref(), Some(&[2, 3][..]));
    assert_eq!(expected.dims.as_deref(), Some(&[4][..]));
}

#[test]
fn predictions_take_what_training_takes() {
    use gradus::data::Generator;
    let model = model();
    let rows = Dataset::unlabelled(Tensor::from_f32([37], rows(70)).unwrap());
    let expected = model.predict(&rows).unwrap();
    assert_eq!(model.predict(&rows.inputs()[0]).unwrap(), expected);
    let batches = |of: usize| {
        let batches: Vec<_> = (0..70)
            .step_by(of)
            .map(|at| rows.slice(at..70.min(at + of)))
            .collect();
        Generator::new(batches).unwrap()
    };
    assert_eq!(model.predict(batches(32)).unwrap(), expected);
    let endless = Generator::new(std::iter::repeat_with({
        let rows = rows.clone();
        move || Ok(rows.clone())
    }));
    let error = model.predict(endless.unwrap()).unwrap_err().to_string();
    assert!(error.contains("does not know its length"), "{error}");
}

#[test]
fn parts_together_get_the_bits_that_they_get_alone() {
    let noisy = Sequential::new()
        .input([37])
        .add(layers::MCDropout::new(0.4))
        .add(Dense::new(3))
        .build()
        .unwrap();
    for model in [model(), noisy] {
        let predictor = model.predictor().unwrap();
        // Within a batch, over its end, and many batches.
        for counts in [&[1, 1, 2][..], &[100, 1, 143, 7], &[1, 900, 2, 700, 1]] {
            let data = counts.iter().map(|&count| {
                let x = Tensor::from_f32([37], rows(count)).unwrap();
                Dataset::unlabelled(x)
            });
            let data: Vec<Dataset> = data.collect();
            let parts = data.iter().map(|data| predictor.prepare(data).unwrap());
            let parts: Vec<_> = parts.collect();
            let together = predictor.predict_together(&parts).unwrap();
            for (outputs, data) in together.iter().zip(&data) {
                let alone = predictor.predict_all(data).unwrap();
                assert_eq!(bits(&outputs[0].to_f32()), bits(&alone[0].to_f32()));
            }
        }
    }
    let predictor = model().predictor().unwrap();
    let narrow = Tensor::from_f32([3], vec![0.0; 3]).unwrap();
    assert!(predictor.prepare(&Dataset::unlabelled(narrow)).is_err());
    assert!(predictor.predict_together(&[]).unwrap().is_empty());
}
