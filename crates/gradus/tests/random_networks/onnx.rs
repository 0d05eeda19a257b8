//! Random networks as ONNX files, with rows and predictions: they stay in target/tmp/onnx for
//! `.ci/onnx.py`, which runs them in ONNX Runtime.

use crate::network::Network;
use crate::random::Random;
use crate::training::{Training, draw_loss};
use crate::{End, train};
use gradus::artifacts::onnx::{Inputs, load_onnx, save_onnx};
use gradus::data::{Tensor, Values};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The number of files.
const FILES: usize = 30;

/// An array as JSON; what is no number is null.
fn array(tensor: &Tensor) -> Value {
    let values = match tensor.values() {
        Values::Text { names, codes } => {
            let texts = codes.iter().map(|&code| names[code as usize].clone());
            json!(texts.collect::<Vec<String>>())
        }
        _ => json!(tensor.to_f32()),
    };
    json!({ "rows": tensor.rows(), "row": tensor.shape().dims(), "values": values })
}

#[test]
fn files_are_left_for_onnx_runtime() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (mut written, mut read) = (0, 0);
    for case in 0.. {
        let mut random = Random(case);
        let (loss, targets, activation) = draw_loss(&mut random);
        let Ok(network) = Network::draw(&mut random, activation) else {
            continue;
        };
        let training = Training::draw(&mut random, loss);
        let rows = training.rows(&mut random, &network, targets);
        let (End::Trained(..), model) = train(&network.model, &training, &rows, 1) else {
            continue;
        };
        let path = folder.join(format!("{case}.onnx"));
        if let Err(error) = save_onnx(&model, &path, Inputs::Raw) {
            let said = error.to_string();
            let is_known = said.contains("draws random numbers") || said.contains("hash");
            assert!(is_known, "case {case}: {said}");
            continue;
        }
        let outputs = model.predict_all(&rows).unwrap();
        let inputs = model.inputs.iter().zip(rows.inputs());
        let x: Map<String, Value> = inputs
            .map(|(input, tensor)| (input.name.clone(), array(tensor)))
            .collect();
        let y = model.output_names().into_iter().zip(&outputs);
        let y: Map<String, Value> = y.map(|(name, tensor)| (name, array(tensor))).collect();
        let all = json!({ "x": x, "y": y }).to_string();
        std::fs::write(path.with_extension("json"), all).unwrap();
        // Operators that import knows make the same model of it.
        if let Ok((again, _)) = load_onnx(&path) {
            let found = again.predict_all(&rows).unwrap();
            for (found, wanted) in found.iter().zip(&outputs) {
                for (found, wanted) in found.to_f32().iter().zip(wanted.to_f32()) {
                    let off = (found - wanted).abs() / wanted.abs().max(1.0);
                    let same = off <= 1e-5 || found.is_nan() && wanted.is_nan();
                    assert!(same, "case {case}: {found} instead of {wanted}");
                }
            }
            read += 1;
        }
        written += 1;
        if written == FILES {
            break;
        }
    }
    println!("{read} of {written} are read again");
    // Import knows no convolutions and pooling, which half of the networks have.
    assert!(
        read * 8 >= written,
        "only {read} of {written} are read again"
    );
}
