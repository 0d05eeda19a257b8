//! A restricted Boltzmann machine, and its step by contrastive divergence.

use crate::base::math::sigmoid;

/// The numbers of a machine, and how fast each moves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Machine {
    pub kernel: Moving,
    pub hidden_bias: Moving,
    pub visible_bias: Moving,
    scratch: Scratch,
}

/// Numbers with their last changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moving {
    pub values: Vec<f32>,
    pub changes: Vec<f32>,
}

impl Moving {
    /// Numbers at rest.
    pub fn at_rest(values: Vec<f32>) -> Self {
        let changes = vec![0.0; values.len()];
        Moving { values, changes }
    }

    /// Moves each number by its gradient, less what decays.
    fn step(&mut self, gradient: &[f32], pace: &Pace, decay: f32) {
        let numbers = self.values.iter_mut().zip(&mut self.changes);
        for ((value, change), gradient) in numbers.zip(gradient) {
            *change = pace.momentum * *change + pace.rate * (gradient - decay * *value);
            *value += *change;
        }
    }
}

/// The size of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub rate: f32,
    /// The share of the last change that goes on.
    pub momentum: f32,
    /// The share of each weight that goes with a step, before the rate.
    pub decay: f32,
    /// The number of times that the visible units are reconstructed.
    pub k: usize,
}

/// Memory of a step.
#[derive(Clone, Debug, Default, PartialEq)]
struct Scratch {
    turned: Vec<f32>,
    first: Vec<f32>,
    hidden: Vec<f32>,
    states: Vec<f32>,
    visible: Vec<f32>,
    kernel: Vec<f32>,
    hidden_bias: Vec<f32>,
    visible_bias: Vec<f32>,
}

impl Machine {
    /// A machine with a kernel of (visible, hidden), at rest.
    pub fn new(kernel: Moving, hidden_bias: Moving, visible_bias: Moving) -> Self {
        Machine {
            kernel,
            hidden_bias,
            visible_bias,
            scratch: Scratch::default(),
        }
    }

    /// The number of visible units.
    pub fn visible(&self) -> usize {
        self.visible_bias.values.len()
    }

    /// The number of hidden units.
    pub fn hidden(&self) -> usize {
        self.hidden_bias.values.len()
    }

    /// The kernel of (hidden, visible).
    pub fn turned(&self) -> Vec<f32> {
        let mut turned = Vec::new();
        turn(&self.kernel.values, self.hidden(), &mut turned);
        turned
    }

    /// A step by contrastive divergence on some rows (Hinton, "A practical guide to training
    /// restricted Boltzmann machines", 2010): hidden units are drawn on or off by `uniform` numbers,
    /// a row's after another's; visible ones, and the hidden ones that end the step, are
    /// probabilities. Returns the sum over the rows of the first reconstruction's mean squared
    /// error.
    pub fn step(&mut self, rows: &[f32], pace: &Pace, uniform: &mut dyn FnMut() -> f32) -> f64 {
        let (visible, hidden) = (self.visible(), self.hidden());
        let count = rows.len() / visible.max(1);
        let Scratch {
            turned,
            first,
            hidden: last,
            states,
            visible: seen,
            kernel,
            hidden_bias,
            visible_bias,
        } = &mut self.scratch;
        turn(&self.kernel.values, hidden, turned);
        units(rows, &self.kernel.values, &self.hidden_bias.values, first);
        states.clone_from(first);
        let mut error = 0.0;
        for reconstruction in 0..pace.k {
            for state in states.iter_mut() {
                *state = f32::from(u8::from(uniform() < *state));
            }
            units(states, turned, &self.visible_bias.values, seen);
            units(seen, &self.kernel.values, &self.hidden_bias.values, last);
            if reconstruction == 0 {
                let squares = rows
                    .iter()
                    .zip(&*seen)
                    .map(|(a, b)| f64::from(a - b).powi(2));
                error = squares.sum::<f64>() / visible as f64;
            }
            states.clone_from(last);
        }
        let share = 1.0 / count.max(1) as f32;
        for sums in [
            (&mut *kernel, visible * hidden),
            (hidden_bias, hidden),
            (visible_bias, visible),
        ] {
            sums.0.clear();
            sums.0.resize(sums.1, 0.0);
        }
        for row in 0..count {
            let of_visible = row * visible..(row + 1) * visible;
            let of_hidden = row * hidden..(row + 1) * hidden;
            let (given, told) = (&rows[of_visible.clone()], &seen[of_visible]);
            let (before, after) = (&first[of_hidden.clone()], &last[of_hidden]);
            add(hidden_bias, share, before);
            add(hidden_bias, -share, after);
            add(visible_bias, share, given);
            add(visible_bias, -share, told);
            for (unit, sums) in kernel.chunks_exact_mut(hidden.max(1)).enumerate() {
                add(sums, share * given[unit], before);
                add(sums, -share * told[unit], after);
            }
        }
        self.kernel.step(kernel, pace, pace.decay);
        self.hidden_bias.step(hidden_bias, pace, 0.0);
        self.visible_bias.step(visible_bias, pace, 0.0);
        error
    }
}

/// `sums` plus `factor` times `of`.
fn add(sums: &mut [f32], factor: f32, of: &[f32]) {
    if factor != 0.0 {
        for (sum, of) in sums.iter_mut().zip(of) {
            *sum += factor * of;
        }
    }
}

/// The probabilities of units that see these rows, through a kernel of (inputs, units).
fn units(rows: &[f32], kernel: &[f32], bias: &[f32], found: &mut Vec<f32>) {
    let inputs = kernel.len() / bias.len().max(1);
    found.clear();
    for row in rows.chunks_exact(inputs.max(1)) {
        let start = found.len();
        found.extend_from_slice(bias);
        let sums = &mut found[start..];
        for (input, weights) in row.iter().zip(kernel.chunks_exact(bias.len().max(1))) {
            add(sums, *input, weights);
        }
        for sum in sums {
            *sum = sigmoid(*sum);
        }
    }
}

/// The matrix of rows of that width, turned.
fn turn(matrix: &[f32], width: usize, turned: &mut Vec<f32>) {
    turned.clear();
    for column in 0..width {
        turned.extend(matrix.iter().skip(column).step_by(width.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Three steps of CD-1 and one of CD-3 as `tests/golden_rbm/make.py` takes them, in float64, by the same uniform
    /// numbers.
    #[test]
    fn steps_are_those_of_an_independent_script() {
        let text = include_str!("../../../../tests/golden_rbm/steps.json");
        let golden: Value = serde_json::from_str(text).unwrap();
        let numbers = |value: &Value| -> Vec<f32> {
            let all = value.as_array().unwrap().iter();
            all.map(|x| x.as_f64().unwrap() as f32).collect()
        };
        let moving = |name: &str| Moving::at_rest(numbers(&golden["start"][name]));
        let mut machine = Machine::new(
            moving("kernel"),
            moving("hidden_bias"),
            moving("visible_bias"),
        );
        for step in golden["steps"].as_array().unwrap() {
            let number = |name: &str| step[name].as_f64().unwrap();
            let pace = Pace {
                rate: number("rate") as f32,
                momentum: number("momentum") as f32,
                decay: number("decay") as f32,
                k: number("k") as usize,
            };
            let mut uniform = numbers(&step["uniform"]).into_iter();
            let rows = numbers(&step["rows"]);
            let error = machine.step(&rows, &pace, &mut || uniform.next().unwrap());
            assert_eq!(uniform.next(), None);
            assert!((error - number("error")).abs() < 1e-6, "{error}");
            let pairs = [
                (&machine.kernel, "kernel"),
                (&machine.hidden_bias, "hidden_bias"),
                (&machine.visible_bias, "visible_bias"),
            ];
            for (found, name) in pairs {
                let expected = numbers(&step[name]);
                assert_eq!(found.values.len(), expected.len());
                for (a, b) in found.values.iter().zip(&expected) {
                    assert!((a - b).abs() < 1e-6, "{name}: {a} {b}");
                }
            }
        }
        assert_eq!(machine.turned()[1], machine.kernel.values[machine.hidden()]);
    }
}
