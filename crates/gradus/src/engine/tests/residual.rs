//! Sums of a product's factor and its result: evaluation may do them in place, column by column, but
//! only once the product has read all of the factor.

use super::{
    Activation, Dense, Device, Isa, Loss, Metric, Reference, SGD, data, on, trained, units,
};
use crate::model::Functional;
use crate::model::layers::Add;

#[test]
fn a_sum_overwrites_no_factor_of_its_product() {
    let mut g = Functional::new().seed(6);
    let x = g.input([29]);
    let dense = || Dense::new(units(200)).activation(Activation::Elu);
    let a = g.layer(dense(), x).unwrap();
    let b = g.layer(dense(), a).unwrap();
    let sum = g.layer(Add::new(), [a, b]).unwrap();
    let out = Dense::new(5).activation(Activation::Softmax);
    let out = g.layer(out, sum).unwrap();
    let mut model = g.model([out]).unwrap();
    let loss = Loss::SparseCategoricalCrossentropy;
    model
        .compile(SGD::new(), loss, &[Metric::Accuracy])
        .unwrap();
    let data = data(300, 29, 5);
    let (_, expected) = trained(&Device::new(Reference), &model, &data);
    for isa in Isa::tested() {
        let one = trained(&on(isa, 1), &model, &data);
        for (a, b) in expected.iter().zip(&one.1) {
            assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{isa:?}: {a} {b}");
        }
        for threads in [2, 3] {
            assert!(
                one == trained(&on(isa, threads), &model, &data),
                "{isa:?}, {threads}"
            );
        }
    }
}
