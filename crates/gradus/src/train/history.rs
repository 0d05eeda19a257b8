//! The results of training, epoch by epoch.

use super::health::Health;
use crate::error::{Error, Result};
use crate::rules::metrics::Better;
use std::fmt;

/// Values by name, in the order in which Keras reports them: `loss`, the metrics, `val_loss`, the
/// validation metrics, `learning_rate`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(Vec<(String, f64)>);

impl Logs {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| n == name).map(|&(_, v)| v)
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn push(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }
}

/// `loss 0.1234, accuracy 0.95`.
impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.iter().map(|(name, value)| format!("{name} {value}"));
        f.write_str(&values.collect::<Vec<_>>().join(", "))
    }
}

impl<N: Into<String>> FromIterator<(N, f64)> for Logs {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(all: I) -> Self {
        Logs(
            all.into_iter()
                .map(|(n, value)| (n.into(), value))
                .collect(),
        )
    }
}

/// The results of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Number of the epoch, from 0.
    pub epoch: usize,
    /// Loss and metrics.
    pub logs: Logs,
    /// Duration, validation included.
    pub seconds: f64,
}

impl Epoch {
    /// The epoch as a line of text; `end` is the training's exclusive end.
    pub(super) fn line(&self, end: usize) -> String {
        let number = |value: f64| match value.abs() {
            size if size == 0.0 || (1e-3..1e5).contains(&size) || !value.is_finite() => {
                format!("{value:.4}")
            }
            _ => format!("{value:.3e}"),
        };
        let logs = self.logs.iter();
        let logs = logs.map(|(name, value)| format!("{name} {}  ", number(value)));
        let (epoch, logs) = (self.epoch + 1, logs.collect::<String>());
        format!("epoch {epoch}/{end}  {logs}{:.2} s", self.seconds)
    }
}

/// The result of `fit`: loss and metrics of every epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The epochs, in order.
    pub epochs: Vec<Epoch>,
    /// The health of each layer at sampled steps.
    pub health: Health,
}

impl History {
    /// One value over all epochs; empty if there is none of that name.
    pub fn get(&self, name: &str) -> Vec<f64> {
        self.epochs
            .iter()
            .filter_map(|e| e.logs.get(name))
            .collect()
    }

    /// The last epoch's value of that name.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.epochs.last().and_then(|e| e.logs.get(name))
    }

    /// The first epoch with the best value of that name, and the value; NaN is none.
    pub(crate) fn best(&self, name: &str, better: Better) -> Option<(usize, f64)> {
        let measured = |epoch: &Epoch| {
            let value = epoch.logs.get(name).filter(|value| !value.is_nan());
            value.map(|value| (epoch.epoch, value))
        };
        self.epochs.iter().filter_map(measured).reduce(|a, b| {
            let improves = match better {
                Better::Larger => b.1 > a.1,
                Better::Smaller => b.1 < a.1,
            };
            if improves { b } else { a }
        })
    }

    /// The history that [`History::to_csv`] wrote, to the bit.
    pub fn from_csv(csv: &str) -> Result<Self> {
        let damaged = |line: &str| Error::invalid("history", line, "a line of history.csv");
        let mut lines = csv.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let ["epoch", names @ .., "seconds"] = &header[..] else {
            return Err(damaged(&header.join(",")));
        };
        let mut history = History::default();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let [epoch, values @ .., seconds] = &cells[..] else {
                return Err(damaged(line));
            };
            let number = |cell: &str| cell.parse::<f64>().map_err(|_| damaged(line));
            let mut logs = Logs::default();
            if values.len() != names.len() {
                return Err(damaged(line));
            }
            for (name, value) in names.iter().zip(values) {
                logs.push(*name, number(value)?);
            }
            history.epochs.push(Epoch {
                epoch: epoch.parse().map_err(|_| damaged(line))?,
                logs,
                seconds: number(seconds)?,
            });
        }
        Ok(history)
    }

    /// As CSV: `epoch`, the values, `seconds`; in full precision.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("epoch");
        if let Some(first) = self.epochs.first() {
            for name in first.logs.names() {
                csv.push(',');
                csv.push_str(name);
            }
        }
        csv.push_str(",seconds\n");
        for epoch in &self.epochs {
            csv.push_str(&epoch.epoch.to_string());
            for (_, value) in epoch.logs.iter() {
                csv.push_str(&format!(",{value}"));
            }
            csv.push_str(&format!(",{}\n", epoch.seconds));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_line() {
        let logs = [("loss", 0.25), ("learning_rate", 1e-5)];
        let epoch = Epoch {
            epoch: 1,
            logs: logs.into_iter().collect(),
            seconds: 0.5,
        };
        let line = "epoch 2/8  loss 0.2500  learning_rate 1.000e-5  0.50 s";
        assert_eq!(epoch.line(8), line);
    }

    #[test]
    fn a_history_comes_back_from_its_csv_to_the_bit() {
        let mut history = History::default();
        for (epoch, value) in [0.1 + 0.2, f64::INFINITY, 1e-300].into_iter().enumerate() {
            let mut logs = Logs::default();
            logs.push("loss", value);
            logs.push("val_loss", 1.0 / 3.0);
            let seconds = 0.7;
            history.epochs.push(Epoch {
                epoch,
                logs,
                seconds,
            });
        }
        assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
        assert!(History::from_csv("epoch,loss,seconds\n0,1\n").is_err());
        assert!(History::from_csv("").is_err());
    }
}
