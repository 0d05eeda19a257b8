//! Tests of augmentation against Keras' values, and of the distribution of draws.

use crate::base::random::{Key, Stream};
use crate::base::shape::Shape;
use crate::model::layers::{Call, Layer};
use crate::plan::lower::Lowering;
use crate::plan::{Mode, Op};
use crate::rules::augment::{Augment, Drawn, Image};
use crate::rules::golden::cases;

/// Plan of a layer, and the shape of its output.
fn operations(layer: &Layer, shape: &[usize], mode: Mode) -> (Vec<Op>, Shape) {
    let mut plan = Lowering::new(mode, false, &[]);
    let x = plan.feed("image", Shape::new(shape));
    let promised = layer.output(std::slice::from_ref(&x.shape)).unwrap();
    let call = Call {
        inputs: &[x],
        variables: &[],
        weights: &[],
        tied: None,
        trainable: true,
        looked_up: false,
    };
    let y = layer.lower(&mut plan, call);
    assert_eq!(y.shape, promised, "{layer:?}");
    (plan.ops().to_vec(), promised)
}

fn lowered(layer: &Layer, shape: &[usize]) -> (Augment, Image) {
    let (ops, found) = operations(layer, shape, Mode::Train);
    assert_eq!(found.dims(), shape);
    match &ops[..] {
        [Op::Augment(op)] => (op.rule, op.image),
        other => panic!("{other:?}"),
    }
}

/// The same values with the channels first.
fn channels_first(x: &[f32], channels: usize) -> Vec<f32> {
    let channel = |c: usize| x.iter().skip(c).step_by(channels).copied();
    (0..channels).flat_map(channel).collect()
}

fn key(step: u64) -> Key {
    Key::new(5, Stream::Layer(1), step)
}

#[test]
fn pictures_are_those_of_keras() {
    let all = cases(include_str!("../../../../tests/golden_rules/augment.json"));
    assert!(all.len() > 50);
    for case in all {
        let layer = Layer::from_config("", &case.config).unwrap();
        let dims = case.row("shape");
        let shape: Vec<usize> = dims.iter().map(|&n| n as usize).collect();
        let (x, draws) = (case.row("x"), case.row("draws"));
        let (rule, image) = lowered(&layer, &shape);
        // Keras draws both sides of a rectangle, then its position, then the probability and the
        // number compared with it.
        let number = |n: usize| match rule {
            Augment::Erasing { .. } => draws[[5, 4, 0, 2, 1, 3][n]],
            _ => draws[n],
        };
        let drawn = rule.draw_by(&image, number);
        let compare = |found: &[f32], what: &str| {
            for (i, (found, y)) in found.iter().zip(case.row("y")).enumerate() {
                assert!(
                    (found - y).abs() < 1e-5,
                    "{layer:?}, {what}[{i}]: {found}, {y}"
                );
            }
        };
        let mut y = vec![f32::NAN; x.len()];
        rule.drawn(&image, drawn, (key(0), 0), &x, &mut y);
        compare(&y, "y");

        // The same with the channels first.
        let [height, width, channels] = shape[..] else {
            panic!("{shape:?}")
        };
        let first = |x: &[f32]| channels_first(x, channels);
        let mut config = layer.to_config();
        config["data_format"] = "channels_first".into();
        let layer = Layer::from_config("", &config).unwrap();
        let (rule, image) = lowered(&layer, &[channels, height, width]);
        let mut turned = vec![f32::NAN; x.len()];
        rule.drawn(&image, drawn, (key(0), 0), &first(&x), &mut turned);
        assert_eq!(turned, first(&y), "{layer:?}");
    }
}

#[test]
fn what_is_drawn_fills_the_range() {
    let layer = |config: serde_json::Value| Layer::from_config("", &config).unwrap();
    let shape = [20, 10, 1];
    let draws = |config| {
        let (rule, image) = lowered(&layer(config), &shape);
        let draw = |row: usize| rule.draw(&image, key(row as u64 / 64), row % 64);
        (0..20_000).map(draw).collect::<Vec<_>>()
    };
    let uniform = |numbers: Vec<f32>, low: f64, high: f64| {
        let n = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = numbers
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>();
        let deviation = (high - low) / 12_f64.sqrt();
        assert!(
            (mean - (low + high) / 2.0).abs() < 5.0 * deviation / n.sqrt(),
            "{mean}"
        );
        assert!((square / n).sqrt() / deviation - 1.0 < 0.02);
        assert!(
            numbers
                .iter()
                .all(|&x| (low..=high).contains(&f64::from(x)))
        );
    };
    let moved = draws(serde_json::json!(
        { "type": "RandomTranslation", "height_factor": 0.2, "width_factor": [-0.1, 0.3] }
    ));
    let matrix = |drawn: &Drawn| match drawn {
        Drawn::Warp(matrix) => *matrix,
        other => panic!("{other:?}"),
    };
    uniform(moved.iter().map(|d| -matrix(d).y[2]).collect(), -4.0, 4.0);
    uniform(moved.iter().map(|d| -matrix(d).x[2]).collect(), -1.0, 3.0);
    let product = moved
        .iter()
        .map(|d| f64::from(matrix(d).y[2]) * (f64::from(matrix(d).x[2]) + 1.0));
    assert!(
        (product.sum::<f64>() / 20_000.0).abs() < 0.1,
        "drawn together"
    );

    let turned = draws(serde_json::json!({ "type": "RandomRotation", "factor": [0.0, 0.2] }));
    let angle = |d: &Drawn| matrix(d).y[0].atan2(matrix(d).x[0]) / std::f32::consts::TAU;
    uniform(turned.iter().map(|d| angle(d).max(0.0)).collect(), 0.0, 0.2);

    let zoomed = draws(serde_json::json!({ "type": "RandomZoom", "height_factor": [-0.4, 0.2] }));
    uniform(zoomed.iter().map(|d| matrix(d).y[1]).collect(), 0.6, 1.2);
    assert!(zoomed.iter().all(|d| matrix(d).y[1] == matrix(d).x[0]));

    // As in Keras: one number of contrast is a range from 0 to itself.
    let number = |drawn: &Drawn| match drawn {
        Drawn::Number(number) => *number,
        other => panic!("{other:?}"),
    };
    let contrast = draws(serde_json::json!({ "type": "RandomContrast", "factor": 0.4 }));
    uniform(contrast.iter().map(number).collect(), 1.0, 1.4);
    let brighter = draws(serde_json::json!(
        { "type": "RandomBrightness", "factor": 0.2, "value_range": [-1, 1] }
    ));
    uniform(brighter.iter().map(number).collect(), -0.4, 0.4);

    let share = |drawn: Vec<Drawn>| {
        let same = drawn.iter().filter(|d| **d == Drawn::Same).count();
        1.0 - same as f64 / drawn.len() as f64
    };
    let flipped = share(draws(serde_json::json!("RandomFlip")));
    assert!((flipped - 0.5).abs() < 0.02, "{flipped}");
    let erased = share(draws(
        serde_json::json!({ "type": "RandomErasing", "factor": [0.2, 0.6] }),
    ));
    assert!((erased - 0.4).abs() < 0.02, "{erased}");
}

#[test]
fn sizes_are_those_of_keras() {
    let all = cases(include_str!("../../../../tests/golden_rules/resize.json"));
    assert!(all.len() > 200);
    for case in all {
        let layer = Layer::from_config("", &case.config).unwrap();
        let (x, shape) = (case.row("x"), case.counts("shape"));
        let draws = case.get("draws").as_array();
        let mode = match draws {
            Some(_) => Mode::Train,
            None => Mode::Infer,
        };
        let draw = |n: u32| draws.unwrap()[n as usize].as_f64().unwrap() as f32;
        let made = |layer: &Layer, shape: &[usize], x: &[f32]| match &operations(layer, shape, mode)
            .0[..]
        {
            [] => x.to_vec(),
            [Op::Resize(op)] => {
                let rule = &op.rule;
                let moved = op.stream.map_or([0; 2], |_| rule.draw_by(draw));
                let mut y = vec![f32::NAN; rule.to.size()];
                rule.image(moved, x, &mut y);
                y
            }
            other => panic!("{other:?}"),
        };
        let (y, keras) = (made(&layer, &shape, &x), case.row("y"));
        assert_eq!(y.len(), keras.len(), "{layer:?}");
        for (i, (found, y)) in y.iter().zip(keras).enumerate() {
            assert!((found - y).abs() < 1e-5, "{layer:?}[{i}]: {found}, {y}");
        }
        let [height, width, channels] = shape[..] else {
            panic!("{shape:?}")
        };
        let mut config = layer.to_config();
        config["data_format"] = "channels_first".into();
        let layer = Layer::from_config("", &config).unwrap();
        let turned = made(
            &layer,
            &[channels, height, width],
            &channels_first(&x, channels),
        );
        assert_eq!(turned, channels_first(&y, channels), "{layer:?}");
    }
}
