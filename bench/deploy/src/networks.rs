//! The networks that are not trained: the one of burn's issue 4811, and a wide one.

use super::Result;
use gradus::artifacts::onnx::{Inputs, save_onnx};
use gradus::prelude::*;
use std::path::Path;

pub fn write(folder: &Path) -> Result<()> {
    let networks = [("small", 6, &[64, 8][..], 4), ("wide", 784, &[2048; 3], 10)];
    for (name, inputs, hidden, outputs) in networks {
        let mut chain = Sequential::new().seed(1).input([inputs]);
        for &units in hidden {
            let layer = Dense::new(units).activation(Activation::Relu);
            chain = chain.add(layer.kernel_initializer(Initializer::HeNormal));
        }
        let last = Dense::new(outputs).activation(Activation::Softmax);
        let model = chain.add(last).build()?;
        model.save(folder.join(format!("{name}.keras")))?;
        save_onnx(&model, folder.join(format!("{name}.onnx")), Inputs::Core)?;
    }
    Ok(())
}
