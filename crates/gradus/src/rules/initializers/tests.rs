use super::*;
use crate::base::random::{Key, Stream};
use crate::base::registry::Value;
use serde_json::json;

fn draw(initializer: &Initializer, shape: &[usize], seed: u64) -> Vec<f32> {
    let mut random = Key::new(seed, Stream::Initializer(0), 0).sequence();
    initializer.values(shape, &mut random)
}

/// The expected distribution of a variable with that fan in and fan out: mean, variance, the
/// largest distance from the mean, and the kurtosis.
fn expected(config: &Value, fan_in: f64, fan_out: f64) -> Option<(f64, f64, f64, f64)> {
    let number = |key: &str| config[key].as_f64().unwrap();
    // A standard normal number truncated at ±2: deviation and kurtosis.
    let (cut, flat) = (0.879_625_661_034_239_8_f64, 2.365_7);
    let scaled = |variance: f64, distribution: &str| match distribution {
        "uniform" => (0.0, variance, (3.0 * variance).sqrt(), 1.8),
        "untruncated_normal" => (0.0, variance, f64::INFINITY, 3.0),
        _ => (0.0, variance, 2.0 * variance.sqrt() / cut, flat),
    };
    let average = (fan_in + fan_out) / 2.0;
    Some(match config["type"].as_str().unwrap() {
        "Zeros" => (0.0, 0.0, 0.0, 0.0),
        "Ones" => (1.0, 0.0, 0.0, 0.0),
        "Constant" => (number("value"), 0.0, 0.0, 0.0),
        "RandomNormal" => (number("mean"), number("stddev").powi(2), f64::INFINITY, 3.0),
        "RandomUniform" => {
            let (low, high) = (number("minval"), number("maxval"));
            let half = (high - low) / 2.0;
            ((low + high) / 2.0, half * half / 3.0, half, 1.8)
        }
        "TruncatedNormal" => {
            let stddev = number("stddev");
            (number("mean"), (stddev * cut).powi(2), 2.0 * stddev, flat)
        }
        "GlorotNormal" => scaled(1.0 / average, "truncated_normal"),
        "GlorotUniform" => scaled(1.0 / average, "uniform"),
        "HeNormal" => scaled(2.0 / fan_in, "truncated_normal"),
        "HeUniform" => scaled(2.0 / fan_in, "uniform"),
        "LecunNormal" => scaled(1.0 / fan_in, "truncated_normal"),
        "LecunUniform" => scaled(1.0 / fan_in, "uniform"),
        "VarianceScaling" => {
            let n = match config["mode"].as_str().unwrap() {
                "fan_in" => fan_in,
                "fan_out" => fan_out,
                _ => average,
            };
            scaled(
                number("scale") / n,
                config["distribution"].as_str().unwrap(),
            )
        }
        _ => return None,
    })
}

fn cases() -> Vec<Initializer> {
    let mut all: Vec<Value> = Initializer::MEMBERS
        .iter()
        .map(|m| m.class.into())
        .collect();
    all.push(json!({"type": "Constant", "value": -2.5}));
    all.push(json!({"type": "RandomNormal", "mean": 1.0, "stddev": 0.5}));
    all.push(json!({"type": "RandomUniform", "minval": -1.0, "maxval": 3.0}));
    all.push(json!({"type": "TruncatedNormal", "mean": -1.0, "stddev": 2.0}));
    for mode in ["fan_in", "fan_out", "fan_avg"] {
        for distribution in ["truncated_normal", "untruncated_normal", "uniform"] {
            all.push(json!({"type": "VarianceScaling", "scale": 2.0, "mode": mode, "distribution": distribution}));
        }
    }
    all.iter()
        .map(|c| Initializer::from_config("", c).unwrap())
        .collect()
}

#[test]
fn moments_and_bounds_are_those_of_the_distributions() {
    // Shape, fan in and fan out, as Keras counts them.
    let shapes: [(&[usize], f64, f64); 4] = [
        (&[300, 200], 300.0, 200.0),
        (&[60, 1000], 60.0, 1000.0),
        (&[50_000], 50_000.0, 50_000.0),
        (&[3, 3, 60, 100], 540.0, 900.0),
    ];
    for initializer in cases() {
        for (shape, fan_in, fan_out) in shapes {
            let config = initializer.to_config();
            let Some((mean, variance, bound, kurtosis)) = expected(&config, fan_in, fan_out) else {
                continue;
            };
            let values = draw(&initializer, shape, 1);
            let n = values.len() as f64;
            let off = |v: f32| f64::from(v) - mean;
            let moment = |p: i32| values.iter().map(|&v| off(v).powi(p)).sum::<f64>() / n;
            let what = format!("{config} of {shape:?}");
            assert!(moment(1).abs() <= 5.0 * (variance / n).sqrt(), "{what}");
            let largest = values.iter().fold(0.0_f64, |a, &v| a.max(off(v).abs()));
            assert!(
                largest <= bound * 1.000_001,
                "{what}: {largest} above {bound}"
            );
            if variance == 0.0 {
                assert_eq!(largest, 0.0, "{what}");
                continue;
            }
            assert!(
                (moment(2) / variance - 1.0).abs() < 0.04,
                "{what}: {}",
                moment(2)
            );
            assert!(
                (moment(4) / variance.powi(2) / kurtosis - 1.0).abs() < 0.06,
                "{what}"
            );
            // The bounds are reached, or nearly.
            assert!(
                bound.is_infinite() || largest > 0.97 * bound,
                "{what}: {largest}"
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_and_another_another() {
    for initializer in cases() {
        let first = draw(&initializer, &[7, 5], 1);
        assert_eq!(first, draw(&initializer, &[7, 5], 1));
        let random = first.iter().any(|v| *v != first[0]) && initializer.class() != "Identity";
        assert_eq!(
            random,
            first != draw(&initializer, &[7, 5], 2),
            "{initializer:?}"
        );
    }
}

#[test]
fn orthogonal_matrices_are_orthogonal() {
    for (shape, gain) in [
        (vec![40, 40], 1.0),
        (vec![50, 20], 2.0),
        (vec![20, 50], 0.5),
        (vec![3, 4, 5], 1.0),
        (vec![1, 6], 1.0),
    ] {
        let initializer = Initializer::from(Orthogonal { gain, seed: None });
        assert!(initializer.check_shape(&shape).is_ok());
        let values = draw(&initializer, &shape, 3);
        let columns = *shape.last().unwrap();
        let rows = values.len() / columns;
        let (count, length) = (rows.min(columns), rows.max(columns));
        let at = |i: usize, k: usize| {
            let place = if rows < columns {
                i * columns + k
            } else {
                k * columns + i
            };
            f64::from(values[place])
        };
        for i in 0..count {
            for j in 0..count {
                let dot: f64 = (0..length).map(|k| at(i, k) * at(j, k)).sum();
                let want = if i == j { gain * gain } else { 0.0 };
                assert!((dot - want).abs() < 1e-6, "{shape:?}: {i} · {j} = {dot}");
            }
        }
    }
}

/// The distribution is isotropic: the trace of a random orthogonal matrix has mean 0 and variance
/// 1.
#[test]
fn orthogonal_matrices_are_evenly_spread() {
    let traces: Vec<f64> = (0..2000)
        .map(|seed| {
            let values = draw(&Initializer::Orthogonal, &[3, 3], seed);
            f64::from(values[0] + values[4] + values[8])
        })
        .collect();
    let n = traces.len() as f64;
    let mean = traces.iter().sum::<f64>() / n;
    let square = traces.iter().map(|t| t * t).sum::<f64>() / n;
    assert!(mean.abs() < 0.11, "{mean}");
    assert!((square - 1.0).abs() < 0.2, "{square}");
}

#[test]
fn identity_matrices_are_cut_or_filled_up() {
    let initializer = Initializer::from(Identity { gain: 2.0 });
    assert_eq!(
        draw(&initializer, &[2, 3], 1),
        [2.0, 0.0, 0.0, 0.0, 2.0, 0.0]
    );
    assert_eq!(
        draw(&initializer, &[3, 2], 1),
        [2.0, 0.0, 0.0, 2.0, 0.0, 0.0]
    );
}

#[test]
fn shapes_that_make_no_sense_are_refused() {
    assert!(Initializer::Orthogonal.check_shape(&[3]).is_err());
    assert!(Initializer::Identity.check_shape(&[3]).is_err());
    assert!(Initializer::Identity.check_shape(&[3, 3, 3]).is_err());
    assert!(Initializer::GlorotUniform.check_shape(&[3]).is_ok());
    for initializer in cases() {
        for shape in [&[][..], &[0], &[0, 3], &[3, 0], &[1]] {
            assert_eq!(
                draw(&initializer, shape, 1).len(),
                shape.iter().product::<usize>()
            );
        }
    }
}

#[test]
fn every_configuration_comes_back_the_same() {
    for initializer in cases() {
        let config = initializer.to_config();
        assert_eq!(Initializer::from_config("", &config).unwrap(), initializer);
    }
    for member in Initializer::MEMBERS {
        for alias in member.aliases {
            let initializer = Initializer::from_config("", &(*alias).into()).unwrap();
            assert_eq!(initializer.class(), member.class);
        }
    }
    for bad in [
        json!({"type": "VarianceScaling", "scale": 0.0}),
        json!({"type": "VarianceScaling", "mode": "fan_all"}),
        json!({"type": "RandomNormal", "stddev": -1.0}),
        json!({"type": "TruncatedNormal", "stddev": -1.0}),
        json!({"type": "RandomUniform", "minval": 1.0, "maxval": 0.0}),
        json!({"type": "Constant", "units": 0.0}),
    ] {
        assert!(Initializer::from_config("", &bad).is_err(), "{bad}");
    }
}
