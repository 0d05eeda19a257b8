//! Predictions of pruned models, whose zeros are left out.

use super::{Cpu, Device, Isa, Reference};
use crate::data::{Dataset, Tensor};
use crate::model::layers::Dense;
use crate::model::{Model, Prune, Sequential};
use crate::rules::initializers::Initializer;

/// A model for rows of this shape, of whose weights so many in a hundred are left.
fn pruned(shape: &[usize], kept: usize, block: [usize; 2]) -> Model {
    let dense = |units| Dense::new(units).bias_initializer(Initializer::HeNormal);
    let chain = Sequential::new().seed(5).input(shape);
    let chain = chain
        .add(dense(70).activation("elu"))
        .add(dense(49).activation("tanh"));
    let mut model = chain.add(dense(3)).build().unwrap();
    let mut how = Prune::new(1.0 - kept as f64 / 100.0);
    how.block_size = block;
    model.prune(&how).unwrap();
    model
}

fn predict(device: &Device, model: &Model, x: &[f32], shape: &[usize]) -> Vec<f32> {
    let rows = Dataset::unlabelled(Tensor::from_f32(shape, x.to_vec()).unwrap());
    model.predict_on(device, &rows).unwrap().to_f32()
}

#[test]
fn they_are_the_reference_engines_in_any_company() {
    for (n, (shape, kept)) in [
        (vec![90], 10),
        (vec![131], 3),
        (vec![3, 64], 8),
        (vec![200], 20),
    ]
    .into_iter()
    .enumerate()
    {
        let block = [[1, 1], [4, 4]][n % 2];
        let model = pruned(&shape, kept, block);
        let size: usize = shape.iter().product();
        let rows = 70;
        let number = |i: usize| ((i * 7919 % 1013) as f32 / 1013.0 - 0.4) * 3.0;
        let mut x: Vec<f32> = (0..rows * size).map(number).collect();
        (x[size], x[2 * size + 7]) = (f32::NAN, f32::INFINITY);
        let expected = predict(&Device::new(Reference), &model, &x, &shape);
        let of_row = expected.len() / rows;
        for isa in Isa::tested() {
            let on = |threads| {
                Device::new(Cpu {
                    isa,
                    threads: Some(threads),
                })
            };
            let found = predict(&on(1), &model, &x, &shape);
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let same = found.is_nan() && expected.is_nan() || (found - expected).abs() < 1e-5;
                assert!(
                    same,
                    "{isa:?}, {shape:?}: {found} for {expected} in row {}",
                    i / of_row
                );
            }
            let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            for threads in [2, 3] {
                let others = predict(&on(threads), &model, &x, &shape);
                assert!(bits(&others) == bits(&found), "{isa:?}, {threads} threads");
            }
            for (first, count) in [(0, 1), (3, 1), (4, 2), (9, 3), (12, 17), (30, 33)] {
                let part = &x[first * size..(first + count) * size];
                let alone = predict(&on(1), &model, part, &shape);
                let beside = &found[first * of_row..(first + count) * of_row];
                assert!(
                    bits(&alone) == bits(beside),
                    "{isa:?}, {count} rows of {shape:?}"
                );
            }
        }
    }
}
