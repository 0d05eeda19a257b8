//! Quantized products: the same bits on every engine.

use super::{Cpu, Device, Isa, Reference};
use crate::data::{Dataset, Tensor};
use crate::model::layers::{Dense, Embedding, Flatten, Quantization};
use crate::model::{Model, Sequential};
use crate::rules::initializers::Initializer;

/// A quantized model for rows of this shape.
fn quantized(shape: &[usize], units: usize) -> Model {
    let mut model = Sequential::new()
        .seed(7)
        .input(shape)
        .add(Dense::new(units).bias_initializer(Initializer::HeNormal))
        .add(Dense::new(9).use_bias(false))
        .build()
        .unwrap();
    let done = model.quantize(Quantization::Int8).unwrap();
    assert_eq!(done.layers.len(), 2);
    model
}

fn bits(device: &Device, model: &Model, x: &Tensor) -> Vec<u32> {
    let rows = Dataset::unlabelled(x.clone());
    let found = model.predict_on(device, &rows).unwrap();
    // NaN is NaN, whatever its bits.
    let bits = |x: f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
    found.to_f32().into_iter().map(bits).collect()
}

fn compare(name: &str, model: &Model, x: &Tensor) -> Vec<u32> {
    let expected = bits(&Device::new(Reference), model, x);
    for isa in Isa::tested() {
        for threads in [1, 2, 3] {
            let threads = Some(threads);
            let found = bits(&Device::new(Cpu { isa, threads }), model, x);
            assert!(found == expected, "{name}, {isa:?}, {threads:?} threads");
        }
    }
    expected
}

#[test]
fn every_engine_gives_the_same_bits() {
    let sizes = [1, 2, 3, 17, 64, 131, 784];
    for (n, inputs) in sizes.into_iter().enumerate() {
        for rows in [1, 2, 7, 50, 300] {
            let units = [67, 1, 8, 48, 33, 16, 100][(n + rows) % 7];
            let number = |i: usize| ((i * 7919 % 1013) as f32 / 1013.0 - 0.4) * 3.0;
            let mut x: Vec<f32> = (0..rows * inputs).map(number).collect();
            if rows > 5 {
                x[..inputs].fill(0.0);
                x[inputs] = f32::NAN;
                x[2 * inputs] = f32::INFINITY;
                x[3 * inputs] = -1e30;
            }
            let x = Tensor::from_f32([inputs], x).unwrap();
            let name = format!("{rows} rows of {inputs} to {units}");
            let found = compare(&name, &quantized(&[inputs], units), &x);
            if rows > 5 {
                assert!(found[9..27].iter().all(|&x| x == u32::MAX), "{name}: NaN");
                let finite = |&x: &u32| f32::from_bits(x).is_finite();
                assert!(found[..9].iter().chain(&found[27..]).all(finite), "{name}");
            }
        }
    }
}

#[test]
fn positions_are_quantized_each_by_itself() {
    let x: Vec<f32> = (0..20 * 3 * 11)
        .map(|i| (i * 37 % 101) as f32 - 50.0)
        .collect();
    let model = quantized(&[3, 11], 20);
    let whole = compare(
        "positions",
        &model,
        &Tensor::from_f32([3, 11], x.clone()).unwrap(),
    );
    let alone = quantized(&[11], 20);
    let alone = compare("rows", &alone, &Tensor::from_f32([11], x).unwrap());
    assert_eq!(whole, alone);
}

#[test]
fn embeddings_are_divided_by_their_rows_scales() {
    let mut model = Sequential::new()
        .seed(3)
        .input([2])
        .add(Embedding::new(5, 7))
        .add(Flatten::new())
        .add(Dense::new(4))
        .build()
        .unwrap();
    model.quantize(Quantization::Int8).unwrap();
    let x = (0..24).map(|i| (i * 3 % 5) as f32).collect();
    compare("embedding", &model, &Tensor::from_f32([2], x).unwrap());
}
