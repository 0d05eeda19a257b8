//! Tests of layers that resize images, as used.

mod common;

use common::Folder;
use gradus::layers::{CenterCrop, DataFormat, Layer, RandomCrop, Resampling, Reshape, Resizing};
use gradus::prelude::*;

/// Pictures of 6 x 5 whose pixels are their indices.
fn pictures(rows: usize) -> Dataset {
    let numbers = (0..rows * 30).map(|n| (n % 30) as f32).collect();
    Dataset::unlabelled(Tensor::from_f32([6, 5, 1], numbers).unwrap())
}

fn alone(layer: impl Into<Layer>) -> gradus::Result<Model> {
    Sequential::new().input([6, 5, 1]).add(layer.into()).build()
}

fn made(layer: impl Into<Layer>) -> Vec<f32> {
    let found = alone(layer).unwrap().predict(pictures(1)).unwrap();
    found.to_f32()
}

#[test]
fn parts_are_cut_out_and_brought_to_a_size() {
    assert_eq!(
        made(CenterCrop::new(2, 3)),
        [11.0, 12.0, 13.0, 16.0, 17.0, 18.0]
    );
    let nearest = Resizing::new(2, 2).interpolation(Resampling::Nearest);
    assert_eq!(made(nearest), [6.0, 8.0, 21.0, 23.0]);
    assert_eq!(made(Resizing::new(1, 1)), [14.5]);
    // All of it in one pixel: the mean, not the pixel nearest to the centre.
    let whole = made(Resizing::new(6, 1).antialias(true));
    assert!(whole[0] > 1.99 && whole[0] < 2.01, "{whole:?}");
    // 6 x 5 at the centre of 10 x 5, at half the size.
    let padded = made(
        Resizing::new(4, 2)
            .pad_to_aspect_ratio(true)
            .fill_value(-1.0)
            .interpolation(Resampling::Nearest),
    );
    assert_eq!(padded, [-1.0, -1.0, 6.0, 8.0, 21.0, 23.0, -1.0, -1.0]);
}

#[test]
fn a_batch_is_cropped_in_one_place_in_training() {
    let x = pictures(8);
    let y = Tensor::from_f32([3, 2, 1], vec![0.0; 48]).unwrap();
    let data = Dataset::new(x.inputs()[0].clone(), y).unwrap();
    let layers = || {
        Sequential::new()
            .input([6, 5, 1])
            .add(RandomCrop::new(3, 2))
    };
    let mean = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>() / 6.0;
    let places: Vec<f32> = (0..4)
        .flat_map(|row| (0..4).map(move |column| (row * 5 + column) as f32))
        .map(|first| mean(&[0.0, 1.0, 5.0, 6.0, 10.0, 11.0].map(|x| x + first)))
        .collect();
    let mut model = layers()
        .compile(SGD::new(), Loss::MeanSquaredError, &[])
        .unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..60 {
        model.seed = seed;
        let options = Fit::new().batch_size(8);
        let loss = model.fit(&data, options).unwrap().last("loss").unwrap() as f32;
        let place = places.iter().position(|p| (p - loss).abs() < 1e-3 * p);
        seen.insert(place.unwrap_or_else(|| panic!("{loss} is no place's: {places:?}")));
    }
    assert!(seen.len() > 12, "all places come up: {seen:?}");
    // In inference everything with the right proportions is visible, always the same.
    assert_eq!(
        made(RandomCrop::new(3, 2)),
        made(Resizing::new(3, 2).crop_to_aspect_ratio(true))
    );
}

#[test]
fn they_come_back_from_their_file() {
    let folder = Folder::new();
    let path = folder.path("model.keras");
    let model = Sequential::new()
        .input([6, 5, 1])
        .add(CenterCrop::new(6, 4))
        .add(RandomCrop::new(5, 3))
        .add(
            Resizing::new(4, 6)
                .interpolation(Resampling::Lanczos5)
                .pad_to_aspect_ratio(true)
                .fill_value(0.5)
                .antialias(true),
        )
        .add(Reshape::new([1, 4, 6]))
        .add(CenterCrop::new(3, 3).data_format(DataFormat::ChannelsFirst))
        .build()
        .unwrap();
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.layers, model.layers);
    let predicted = |model: &Model| model.predict(pictures(2)).unwrap().to_f32();
    assert_eq!(predicted(&loaded), predicted(&model));
}

#[test]
fn what_cannot_be_is_told_so() {
    let refused = |layer: Layer| alone(layer).unwrap_err().to_string();
    let config = |text: &str| Layer::from_config("", &serde_json::from_str(text).unwrap());
    let found = refused(CenterCrop::new(0, 3).into());
    assert!(
        found.contains("height") && found.contains("from 1"),
        "{found}"
    );
    let found = refused(Resizing::new(3, 3_000_000).into());
    assert!(
        found.contains("width") && found.contains("3000000"),
        "{found}"
    );
    let found =
        config(r#"{ "type": "Resizing", "height": 3, "width": 3, "interpolation": "area" }"#);
    let found = found.unwrap_err().to_string();
    assert!(
        found.contains("area") && found.contains("lanczos3"),
        "{found}"
    );
    let found = refused(
        Resizing::new(3, 3)
            .crop_to_aspect_ratio(true)
            .pad_to_aspect_ratio(true)
            .into(),
    );
    assert!(found.contains("one or the other"), "{found}");
    let wrapped = r#"{ "type": "Resizing", "height": 3, "width": 3, "fill_mode": "wrap" }"#;
    let found = match config(wrapped) {
        Ok(layer) => refused(layer),
        Err(error) => error.to_string(),
    };
    assert!(
        found.contains("fill_mode") && found.contains("constant"),
        "{found}"
    );
    let thin = Resizing::new(2_000_000, 1).pad_to_aspect_ratio(true);
    let found = refused(thin.into());
    assert!(found.contains("proportions"), "{found}");
    let flat = Sequential::new().input([784]).add(RandomCrop::new(3, 3));
    let found = flat.build().unwrap_err().to_string();
    assert!(found.contains("(height, width, channels)"), "{found}");
}
