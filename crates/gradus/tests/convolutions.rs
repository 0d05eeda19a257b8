//! Layers of images and sequences: refusals, orders of axes, initial weights, dropout of channels.

use gradus::prelude::*;
use layers::{Conv2D, DataFormat, MaxPooling2D, Permute, SpatialDropout2D};
use serde_json::{Value, json};

fn alone(layer: impl Into<Layer>, shape: &[usize]) -> gradus::Result<Model> {
    let chain = Sequential::new().input(shape.to_vec()).seed(8);
    chain.add(layer).build()
}

fn numbers(shape: &[usize], rows: usize) -> Tensor {
    let size: usize = shape.iter().product();
    let all = (0..rows * size).map(|i| (i * 7919 % 1013) as f32 / 500.0 - 1.0);
    Tensor::from_f32(shape.to_vec(), all.collect()).unwrap()
}

#[test]
fn arguments_that_make_no_sense_are_refused_by_name() {
    let conv = |more: Value| {
        let mut config = json!({ "type": "Conv2D", "filters": 4, "kernel_size": 3 });
        let more = more.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(more);
        Layer::from_config("", &config)
    };
    for (more, expected) in [
        (
            json!({ "kernel_size": [3] }),
            "kernel_size: found [3], expected a whole number, or a list of 2",
        ),
        (
            json!({ "kernel_size": [3, 0] }),
            "kernel_size: found [3, 0], expected whole numbers from 1",
        ),
        (
            json!({ "kernel_size": "3" }),
            "expected a whole number, or a list of them",
        ),
        (json!({ "strides": 0 }), "strides"),
        (
            json!({ "filters": 0 }),
            "filters: found 0, expected a whole number above 0",
        ),
        (
            json!({ "filters": 3, "groups": 2 }),
            "in 2 groups of one size",
        ),
        (json!({ "groups": 0 }), "groups"),
        (json!({ "padding": "causal" }), "`causal` is for Conv1D"),
        (json!({ "padding": "full" }), "padding"),
        (
            json!({ "strides": 2, "dilation_rate": 2 }),
            "1 beside strides = [2, 2]",
        ),
        (
            json!({ "kernel_size": 2_000_000, "dilation_rate": 2_000_000 }),
            "dilation_rate",
        ),
    ] {
        let found = conv(more).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    }
    for (config, expected) in [
        (
            json!({ "type": "AveragePooling2D" }),
            "`pool_size` is missing",
        ),
        (
            json!({ "type": "Cropping2D", "cropping": [1, [2]] }),
            "cropping",
        ),
        (
            json!({ "type": "ZeroPadding1D", "padding": [1, 2, 3] }),
            "or a list of two",
        ),
        (
            json!({ "type": "GroupNormalization", "groups": 0 }),
            "groups",
        ),
        (
            json!({ "type": "Permute", "dims": [1, 3] }),
            "each of a row's axes once",
        ),
        (
            json!({ "type": "Conv2DTranspose", "filters": 1, "kernel_size": 2, "strides": 2,
                    "output_padding": 2 }),
            "output_padding: found [2, 2], expected numbers below those of strides = [2, 2]",
        ),
    ] {
        let found = Layer::from_config("", &config).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn images_that_do_not_fit_are_refused_with_the_sizes() {
    let refused = |layer: Value, shape: &[usize], expected: &str| {
        let layer = Layer::from_config("", &layer).unwrap();
        let found = alone(layer, shape).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    };
    let conv = json!({ "type": "Conv2D", "filters": 4, "kernel_size": [3, 5] });
    refused(
        conv.clone(),
        &[4, 4, 1],
        "a window of 3 × 5 has no place in 4 × 4",
    );
    refused(
        conv.clone(),
        &[28, 28],
        "put a Reshape to [28, 28, 1] before it",
    );
    refused(conv, &[784], "images, (height, width, channels)");
    let groups = json!({ "type": "Conv2D", "filters": 4, "kernel_size": 1, "groups": 2 });
    refused(groups, &[4, 4, 3], "channels in 2 groups of one size");
    refused(
        json!({ "type": "MaxPooling1D", "pool_size": 5 }),
        &[4, 2],
        "a window of 5",
    );
    refused(
        json!({ "type": "Cropping1D", "cropping": 2 }),
        &[4, 2],
        "larger than what is cut off",
    );
    refused(
        json!({ "type": "GroupNormalization", "groups": 4 }),
        &[4, 6],
        "divides the 6 channels",
    );
    refused(
        json!({ "type": "RepeatVector", "n": 4 }),
        &[4, 6],
        "put a Flatten before it",
    );
}

/// Channels first are the same numbers with the axes turned.
#[test]
fn channels_may_come_first() {
    let shape = [6, 5, 4];
    let first = |layers: bool| {
        let format = match layers {
            true => DataFormat::ChannelsFirst,
            false => DataFormat::ChannelsLast,
        };
        let mut chain = Sequential::new().input(shape).seed(3);
        if !layers {
            chain = chain.add(Permute::new([2, 3, 1]));
        }
        chain = chain
            .add(Conv2D::new(8, [2, 3]).groups(2).data_format(format))
            .add(MaxPooling2D::new([2, 1]).data_format(format));
        if !layers {
            chain = chain.add(Permute::new([3, 1, 2]));
        }
        let mut model = chain.build().unwrap();
        for weight in model.layers.iter_mut().flat_map(|layer| &mut layer.weights) {
            let values = numbers(&weight.shape, 1).to_f32();
            weight.set(&values).unwrap();
        }
        model.predict(numbers(&shape, 5)).unwrap()
    };
    assert_eq!(first(true), first(false));
}

/// The fans count the window's taps.
#[test]
fn kernels_begin_as_large_as_their_window_asks_for() {
    let layer = Conv2D::new(60, [4, 5]).kernel_initializer("he_normal");
    let model = alone(layer, &[8, 8, 40]).unwrap();
    let kernel = &model.layers[0].weights[0];
    assert_eq!(kernel.shape, [4, 5, 40, 60]);
    let squares: f32 = kernel.values.iter().map(|w| w * w).sum();
    let variance = squares / kernel.values.len() as f32;
    let expected = 2.0 / (4 * 5 * 40) as f32;
    assert!(
        (variance / expected - 1.0).abs() < 0.05,
        "{variance} {expected}"
    );
}

#[test]
fn whole_channels_are_dropped() {
    let (shape, rate) = ([5, 4, 30], 0.4);
    let ones = Tensor::from_f32(shape, vec![1.0; 20 * 600]).unwrap();
    let ones = Dataset::unlabelled(ones);
    let model = alone(SpatialDropout2D::new(rate), &shape).unwrap();
    // Two samples of either 0 or the same number: their mean is one of three, per channel.
    let found = model.predict_mc(&ones, 2).unwrap().mean.to_f32();
    let mut dropped = 0;
    for row in found.chunks(600) {
        for channel in 0..30 {
            let first = row[channel];
            assert!(row.iter().skip(channel).step_by(30).all(|x| *x == first));
            let times = first * (1.0 - rate as f32);
            assert!([0.0, 0.5, 1.0].iter().any(|x| (times - x).abs() < 1e-6));
            dropped += usize::from(times < 0.75) + usize::from(times < 0.25);
        }
    }
    let share = dropped as f64 / (2 * 20 * 30) as f64;
    assert!((share - rate).abs() < 0.05, "{share}");
}

#[test]
fn a_noise_shape_shares_the_mask_along_its_axes_of_length_1() {
    let (shape, rate) = ([5, 4, 30], 0.4);
    let ones = Tensor::from_f32(shape, vec![1.0; 40 * 600]).unwrap();
    let ones = Dataset::unlabelled(ones);
    let place = |mask: [Option<usize>; 4], i: usize| {
        let axes = [i / 120, i / 30 % 4, i % 30];
        let kept = mask[1..].iter().zip(axes).zip(shape);
        kept.fold(0, |place, ((mask, axis), size)| match mask {
            Some(1) => place,
            _ => place * size + axis,
        })
    };
    for mask in [
        [None, Some(1), Some(1), Some(1)],
        [None, Some(5), Some(1), None],
        [None, Some(1), None, Some(1)],
        [None, None, None, Some(1)],
    ] {
        let layer = layers::Dropout::new(rate).noise_shape(mask);
        let model = alone(layer, &shape).unwrap();
        let found = model.predict_mc(&ones, 1).unwrap().mean.to_f32();
        let masks = (0..600).map(|i| place(mask, i)).max().unwrap() + 1;
        let mut dropped = 0;
        for row in found.chunks(600) {
            let mut of_mask = vec![None; masks];
            for (i, x) in row.iter().enumerate() {
                assert!(*x == 0.0 || (x * 0.6 - 1.0).abs() < 1e-6, "{x}");
                assert_eq!(*of_mask[place(mask, i)].get_or_insert(*x), *x, "{mask:?}");
            }
            dropped += of_mask.iter().filter(|x| **x == Some(0.0)).count();
        }
        let share = dropped as f64 / (40 * masks) as f64;
        let three_deviations = 3.0 * (0.24 / (40 * masks) as f64).sqrt();
        assert!((share - rate).abs() < three_deviations, "{mask:?}: {share}");
    }
}

#[test]
fn a_noise_shape_that_does_not_fit_is_refused() {
    let dropout = |mask: Value| {
        let config = json!({ "type": "Dropout", "rate": 0.2, "noise_shape": mask });
        alone(Layer::from_config("", &config)?, &[5, 4])
    };
    for fits in [json!([-1, 1, 4]), json!([null, 5, 1]), json!([-1, -1, -1])] {
        dropout(fits).unwrap();
    }
    for (mask, expected) in [
        (
            json!([1, 1, 4]),
            "noise_shape: found [1, 1, 4], expected -1",
        ),
        (json!([]), "each row has a mask of its own"),
        (
            json!([-1, 1]),
            "for each axis of (None, 5, 4) its size, 1 or -1",
        ),
        (json!([-1, 3, 1]), "found [-1, 3, 1]"),
        (json!([-1, -2, 1]), "noise_shape"),
    ] {
        let error = dropout(mask).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
