//! `health.csv`: a line for each layer of each sampled step.

use super::{Distribution, Health, HealthSample, LayerHealth};
use crate::error::{Error, Result};

/// The columns.
const HEADER: [&str; 14] = [
    "epoch",
    "step",
    "layer",
    "output_mean",
    "output_std",
    "output_max",
    "gradient_mean",
    "gradient_std",
    "gradient_max",
    "gradient_norm",
    "weight_norm",
    "update_ratio",
    "dead",
    "saturated",
];

impl Health {
    /// As CSV, in single precision, which it was computed in; a cell is empty where a layer has no
    /// such value. `max` is of absolute values.
    pub fn to_csv(&self) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |cause: csv::Error| Error::Internal(format!("health.csv: {cause}"));
        writer.write_record(HEADER).map_err(failed)?;
        for sample in &self.samples {
            for (name, layer) in self.layers.iter().zip(&sample.layers) {
                let begin = [
                    sample.epoch.to_string(),
                    sample.step.to_string(),
                    name.clone(),
                ];
                let values = values(layer)
                    .map(|value| value.map_or(String::new(), |v| format!("{:?}", v as f32)));
                let record = begin.into_iter().chain(values);
                writer.write_record(record).map_err(failed)?;
            }
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| failed(e.into_error().into()))?;
        String::from_utf8(bytes).map_err(|cause| Error::Internal(format!("health.csv: {cause}")))
    }

    /// The health that [`Health::to_csv`] wrote.
    pub fn from_csv(text: &str) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let damaged = |found: String| Error::invalid("health", found, "a line of health.csv");
        let header = reader
            .headers()
            .map_err(|cause| damaged(cause.to_string()))?;
        if !header.iter().eq(HEADER) {
            return Err(damaged(header.iter().collect::<Vec<_>>().join(",")));
        }
        let mut health = Health::default();
        for record in reader.records() {
            let record = record.map_err(|cause| damaged(cause.to_string()))?;
            let line = || damaged(record.iter().collect::<Vec<_>>().join(","));
            let (epoch, step) = (&record[0], &record[1]);
            let epoch: usize = epoch.parse().map_err(|_| line())?;
            let step: u64 = step.parse().map_err(|_| line())?;
            if health.samples.last().is_none_or(|last| last.step != step) {
                health.samples.push(HealthSample {
                    epoch,
                    step,
                    layers: Vec::new(),
                });
            }
            let first = health.samples.len() == 1;
            let Some(sample) = health.samples.last_mut() else {
                return Err(line());
            };
            let place = sample.layers.len();
            if first {
                health.layers.push(record[2].to_owned());
            } else if health
                .layers
                .get(place)
                .is_none_or(|name| *name != record[2])
            {
                return Err(line());
            }
            let cells = record.iter().skip(3);
            let cells = cells.map(|cell| match cell {
                "" => Ok(None),
                cell => {
                    let number = cell.parse::<f32>();
                    number.map(|x| Some(x.into())).map_err(|_| line())
                }
            });
            let cells: Vec<Option<f64>> = cells.collect::<Result<_>>()?;
            sample.layers.push(of_values(&cells).ok_or_else(line)?);
        }
        let whole = |sample: &HealthSample| sample.layers.len() == health.layers.len();
        match health.samples.iter().find(|sample| !whole(sample)) {
            None => Ok(health),
            Some(sample) => Err(damaged(format!(
                "a part of the layers of step {}",
                sample.step
            ))),
        }
    }
}

/// A layer's values, in the order of the columns.
fn values(layer: &LayerHealth) -> [Option<f64>; 11] {
    let of = |d: Option<Distribution>| [d.map(|d| d.mean), d.map(|d| d.std), d.map(|d| d.largest)];
    let [a, b, c] = of(layer.outputs);
    let [d, e, f] = of(layer.gradients);
    let (g, h, i) = (layer.gradient_norm, layer.weight_norm, layer.update_ratio);
    [a, b, c, d, e, f, g, h, i, layer.dead, layer.saturated]
}

/// The layer of those values; `None` if they are not all columns'.
fn of_values(values: &[Option<f64>]) -> Option<LayerHealth> {
    let &[
        a,
        b,
        c,
        d,
        e,
        f,
        gradient_norm,
        weight_norm,
        update_ratio,
        dead,
        saturated,
    ] = values
    else {
        return None;
    };
    let distribution = |mean: Option<f64>, std: Option<f64>, largest: Option<f64>| {
        Some(Distribution {
            mean: mean?,
            std: std?,
            largest: largest?,
        })
    };
    Some(LayerHealth {
        outputs: distribution(a, b, c),
        gradients: distribution(d, e, f),
        gradient_norm,
        weight_norm,
        update_ratio,
        dead,
        saturated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_comes_back_from_its_csv() {
        let distribution = |mean| Distribution {
            mean,
            std: 0.75,
            largest: f64::INFINITY,
        };
        let layer = |x: f64| LayerHealth {
            outputs: Some(distribution(x)),
            gradients: None,
            gradient_norm: Some(x * 0.125),
            update_ratio: Some(2f64.powi(-120)),
            dead: Some(0.0),
            ..LayerHealth::default()
        };
        let sample = |step| HealthSample {
            epoch: 2,
            step,
            layers: vec![layer((0.1_f32 + 0.2_f32).into()), layer(step as f64)],
        };
        let health = Health {
            layers: vec!["dense".into(), "a \"name\", and <b>\nmore".into()],
            samples: vec![sample(7), sample(8)],
        };
        let csv = health.to_csv().unwrap();
        assert!(csv.starts_with("epoch,step,layer,output_mean,"), "{csv}");
        assert_eq!(Health::from_csv(&csv).unwrap(), health);
        let empty = Health::default();
        assert_eq!(Health::from_csv(&empty.to_csv().unwrap()).unwrap(), empty);
    }

    #[test]
    fn a_damaged_csv_is_refused() {
        let header = HEADER.join(",");
        let line = |layer: &str| format!("0,5,{layer},1,1,1,,,,1,1,1,,\n");
        let whole = format!("{header}\n{}{}", line("a"), line("b"));
        assert_eq!(Health::from_csv(&whole).unwrap().layers, ["a", "b"]);
        let cut = format!("{whole}0,6,a,1,1,1,,,,1,1,1,,\n");
        let renamed =
            whole.clone() + &line("a").replace("0,5", "0,6") + &line("c").replace("0,5", "0,6");
        let word = whole.replace("a,1,", "a,one,");
        let short = whole.replace(",,\n", "\n");
        for damaged in ["", "epoch,step\n", &cut, &renamed, &word, &short] {
            assert!(Health::from_csv(damaged).is_err(), "{damaged}");
        }
    }
}
