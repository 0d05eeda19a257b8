//! Pictures against Keras' `image_dataset_from_directory`
//! (`tests/golden/images.py`).

use super::decode::decode;
use super::resize::resize;
use super::{ColorMode, files};
use crate::data::Resize;
use crate::data::npy::read_npy;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/images")
}

#[test]
fn pictures_are_those_of_keras() {
    let found = files::find(&golden()).unwrap();
    assert_eq!(found.classes, ["a", "b"]);
    let mut report = String::new();
    for (name, size) in [("small", [12, 16]), ("large", [40, 30])] {
        for (mode, color) in ColorMode::NAMES {
            for (way, how) in Resize::NAMES {
                let key = format!("{name}_{mode}_{way}");
                let expected = golden().join(format!("expected.npz:{key}"));
                let expected = read_npy(&expected).unwrap().to_f32();
                let row = size[0] * size[1] * color.channels();
                for (file, expected) in found.names().iter().zip(expected.chunks_exact(row)) {
                    let picture = decode(&golden().join(file), color).unwrap();
                    let mut pixels = vec![7; row];
                    resize(&picture, size, how, &mut pixels);
                    let differences = pixels.iter().zip(expected);
                    let worst = differences
                        .map(|(&ours, theirs)| (f32::from(ours) - theirs).abs())
                        .fold(0.0, f32::max);
                    // Rounded to bytes, Keras' values to float16 in the file. JPEGs with subsampled
                    // colours are excluded: decoders upsample differently.
                    let most = if file.ends_with("png") { 0.57 } else { 6.0 };
                    if worst > most {
                        report += &format!("{key} {file}: {worst}\n");
                    }
                }
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}
