//! The training of one machine of a stack: its epochs, and the places that it can go on from.

use super::machine::{Machine, Pace};
use super::{Rbm, SETTLING};
use crate::base::random::{Key, Stream};
use crate::error::{Error, Result};
use crate::model::layers::Dense;
use crate::model::{Compiled, Model, OutputLoss, Sequential, State};
use crate::rules::activations::Activation;
use crate::rules::losses::Loss;
use crate::rules::optimizers::SGD;
use crate::train::callbacks::Progress;
use crate::train::meters::Meters;
use crate::train::pretrain::course::{Course, Moment, Place};
use crate::train::pretrain::encoder::Encoder;
use crate::train::{Epoch, Logs, Position};
use std::time::Instant;

impl Rbm {
    /// Trains the machine of a layer on the rows that reach it.
    pub(super) fn train(
        &self,
        (name, machine): (&str, &mut Machine),
        rows: &[f32],
        encoder: &Encoder<'_>,
        course: &mut Course<'_>,
    ) -> Result<()> {
        let (part, seed) = (course.parts(), encoder.seed());
        let place = course.begin();
        if let Some(place) = &place {
            restore(machine, &place.auxiliary)?;
        }
        let (mut history, mut epoch, mut done) = Course::go_on(place, part);
        let mut meters = Meters::new(&self.reconstruction(name, machine, 0)?)?;
        let count = rows.len() / machine.visible().max(1);
        let batches = count.div_ceil(self.batch_size.max(1));
        course.tell(Moment::Begin, &|| None)?;
        let key = |stream, step| Key::new(seed, stream, step).part(part as u64).sequence();
        while epoch < self.epochs {
            let began = Instant::now();
            let mut order: Vec<usize> = (0..count).collect();
            key(Stream::Shuffle, epoch as u64).shuffle(&mut order);
            let (mut error, mut seen) = match done.meters[..] {
                [error, seen, ..] => (error, seen),
                _ => (0.0, 0.0),
            };
            let chosen = order.chunks(self.batch_size.max(1)).enumerate();
            for (step, chosen) in chosen.skip(done.step) {
                let mut batch = Vec::with_capacity(chosen.len() * machine.visible());
                for &row in chosen {
                    batch.extend_from_slice(&rows[row * machine.visible()..][..machine.visible()]);
                }
                let number = epoch * batches + step;
                let mut random = key(Stream::Pretrain, number as u64);
                let pace = self.pace(epoch);
                error += machine.step(&batch, &pace, &mut || random.uniform() as f32);
                seen += chosen.len() as f64;
                if !error.is_finite() {
                    let problem = format!(
                        "layer {name}: the reconstruction is not finite; a lower \
                         `learning_rate` may hold it"
                    );
                    return Err(Error::BlowUp {
                        epoch,
                        step,
                        problem,
                    });
                }
                meters.restore(&[error, seen, error]);
                let progress = Progress {
                    epoch,
                    epochs: self.epochs,
                    batch: step,
                    batches,
                    meters: &meters,
                };
                let histories = course.with(&history);
                let place = || {
                    Some(Place {
                        part,
                        epoch,
                        done: Position {
                            step: step + 1,
                            meters: vec![error, seen],
                            seconds: done.seconds + began.elapsed().as_secs_f64(),
                        },
                        histories: histories.clone(),
                        auxiliary: self.reconstruction(name, machine, number + 1).ok()?,
                        pretrained: (part > 0).then(|| encoder.model().clone()),
                    })
                };
                course.tell(Moment::Step(&progress), &place)?;
            }
            let mut logs = Logs::default();
            logs.push("loss", error / seen);
            history.epochs.push(Epoch {
                epoch,
                logs,
                seconds: done.seconds + began.elapsed().as_secs_f64(),
            });
            done = Default::default();
            epoch += 1;
            let histories = course.with(&history);
            let place = || {
                Some(Place {
                    part,
                    epoch,
                    done: Default::default(),
                    histories: histories.clone(),
                    auxiliary: self.reconstruction(name, machine, epoch * batches).ok()?,
                    pretrained: (part > 0).then(|| encoder.model().clone()),
                })
            };
            course.tell(Moment::Epoch, &place)?;
        }
        course.done(history);
        Ok(())
    }

    fn pace(&self, epoch: usize) -> Pace {
        let momentum = match epoch < SETTLING.0 {
            true => self.momentum.min(SETTLING.1),
            false => self.momentum,
        };
        Pace {
            rate: self.learning_rate as f32,
            momentum: momentum as f32,
            decay: self.weight_decay as f32,
            k: self.k,
        }
    }

    /// The machine as a model of a file: the rows' reconstruction, its changes as those of SGD.
    fn reconstruction(&self, name: &str, machine: &Machine, steps: usize) -> Result<Model> {
        let sigmoid = |units| Dense::new(units).activation(Activation::Sigmoid);
        let mut model = Sequential::new()
            .input([machine.visible()])
            .add_named(name, sigmoid(machine.hidden()), true)
            .add_named("reconstruction", sigmoid(machine.visible()), true)
            .build()?;
        let numbers = [
            [&machine.kernel.values, &machine.hidden_bias.values],
            [&machine.turned(), &machine.visible_bias.values],
        ];
        for (layer, numbers) in model.layers.iter_mut().zip(numbers) {
            for (weight, numbers) in layer.weights.iter_mut().zip(numbers) {
                weight.set(numbers)?;
            }
        }
        let optimizer = SGD::new().momentum(SETTLING.1);
        let loss = OutputLoss::new(Loss::MeanSquaredError);
        model.compile_with(Compiled::new(optimizer, loss))?;
        let still = vec![0.0; machine.kernel.values.len()];
        let slot = |changes: &Vec<f32>| vec![changes.clone()];
        model.state = State {
            iteration: steps as u64,
            scalars: Vec::new(),
            slots: vec![
                vec![
                    slot(&machine.kernel.changes),
                    slot(&machine.hidden_bias.changes),
                ],
                vec![slot(&still), slot(&machine.visible_bias.changes)],
            ],
        };
        Ok(model)
    }
}

/// Puts the numbers of a file's model back into a machine.
fn restore(machine: &mut Machine, model: &Model) -> Result<()> {
    let places = [
        (&mut machine.kernel, 0, 0),
        (&mut machine.hidden_bias, 0, 1),
        (&mut machine.visible_bias, 1, 1),
    ];
    for (moving, layer, weight) in places {
        let values = model.layers.get(layer).and_then(|l| l.weights.get(weight));
        let slots = model.state.slots.get(layer).and_then(|l| l.get(weight));
        let values = values.map(|weight| &weight.values);
        let (Some(values), Some([changes, ..])) = (values, slots.map(Vec::as_slice)) else {
            return Err(of_another());
        };
        if values.len() != moving.values.len() || changes.len() != values.len() {
            return Err(of_another());
        }
        moving.values.clone_from(values);
        moving.changes.clone_from(changes);
    }
    Ok(())
}

fn of_another() -> Error {
    let problem = "the checkpoint has no restricted Boltzmann machine of this layer".to_owned();
    let at = "pretrain".to_owned();
    Error::Config { at, problem }
}
