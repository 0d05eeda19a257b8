//! A random training: loss, optimizer, batches, rows.

use crate::network::{INPUTS, Network, WHOLE};
use crate::random::Random;
use gradus::prelude::*;
use gradus::train::{Precision, QuantizationAware};
use gradus::{Result, rules};
use serde_json::{Value, json};

/// The settings of a training.
#[derive(Clone, Debug)]
pub struct Training {
    pub loss: Value,
    pub optimizer: Value,
    pub epochs: usize,
    pub first_epoch: usize,
    pub batch_size: usize,
    pub rows: usize,
    pub bfloat16: bool,
    pub shuffle: bool,
    /// True for quantization-aware training.
    pub aware: bool,
}

impl Training {
    pub fn draw(random: &mut Random, loss: &'static str) -> Self {
        let methods = rules::optimizers::Method::MEMBERS;
        let mut optimizer = json!({ "type": methods[random.below(methods.len())].class });
        match random.below(8) {
            0 => optimizer["learning_rate"] = random.between(1.0, 1e4).into(),
            1..4 => optimizer["learning_rate"] = random.between(1e-4, 0.05).into(),
            _ => {}
        }
        let clips = ["clipnorm", "clipvalue", "global_clipnorm"];
        if random.chance(3) {
            optimizer[random.one_of(&clips)] = random.between(0.1, 2.0).into();
        }
        if random.chance(4) {
            optimizer["weight_decay"] = random.between(0.0, 0.1).into();
        }
        if random.chance(4) {
            optimizer["use_ema"] = true.into();
            optimizer["ema_momentum"] = random.between(0.5, 0.99).into();
            if random.chance(2) {
                optimizer["ema_overwrite_frequency"] = (1 + random.below(4)).into();
            }
        }
        if random.chance(4) {
            optimizer["gradient_accumulation_steps"] = (2 + random.below(3)).into();
        }
        let reductions = [
            "sum_over_batch_size",
            "sum",
            "mean",
            "mean_with_sample_weight",
        ];
        let epochs = 1 + random.below(3);
        Training {
            loss: json!({ "type": loss, "reduction": random.one_of(&reductions) }),
            optimizer,
            epochs,
            first_epoch: 0,
            batch_size: 1 + random.below(40),
            rows: 1 + random.below(40),
            bfloat16: random.chance(6),
            shuffle: random.chance(2),
            aware: false,
        }
    }

    pub fn compile(&self, model: &mut Model) -> Result<()> {
        let loss = Loss::from_config("loss", &self.loss)?;
        let optimizer = Optimizer::from_config("optimizer", &self.optimizer)?;
        model.compile(optimizer, loss, &[])
    }

    pub fn fit(&self) -> Fit<'static> {
        let fit = Fit::new()
            .initial_epoch(self.first_epoch)
            .epochs(self.first_epoch + self.epochs)
            .batch_size(self.batch_size)
            .shuffle(self.shuffle);
        let fit = match self.aware {
            true => fit.quantization_aware(QuantizationAware::new()),
            false => fit,
        };
        match self.bfloat16 {
            true => fit.precision(Precision::MixedBfloat16),
            false => fit,
        }
    }

    /// One epoch more.
    pub fn further(&self) -> Self {
        Training {
            first_epoch: self.epochs,
            epochs: 1,
            ..self.clone()
        }
    }

    /// Rows for the network, with the targets that the loss takes.
    pub fn rows(&self, random: &mut Random, network: &Network, kind: Targets) -> Dataset {
        let r = random;
        let size = network.shape.iter().product::<usize>();
        let numbers = (0..self.rows * size)
            .map(|_| r.between(-2.0, 2.0) as f32)
            .collect();
        let whole = (0..self.rows * WHOLE).map(|_| r.below(4) as f32).collect();
        let texts: Vec<&str> = (0..self.rows).map(|_| r.one_of(&["a", "b", "c"])).collect();
        let all = [
            Tensor::from_f32(network.shape.clone(), numbers),
            Tensor::from_f32([WHOLE], whole),
            Tensor::from_texts(&texts),
        ];
        let named = INPUTS.into_iter().zip(all);
        let used = |name: &str| network.model.inputs.iter().any(|input| input.name == name);
        let inputs = named.filter(|(name, _)| used(name));
        let inputs = inputs
            .map(|(name, tensor)| tensor.unwrap().named(name))
            .collect();

        let width = network.width;
        let mut row = || -> Vec<f32> {
            let class = r.below(width);
            match kind {
                Targets::Label => vec![class as f32],
                Targets::OneHot => (0..width).map(|n| f32::from(n == class)).collect(),
                Targets::YesNo => (0..width).map(|_| r.below(2) as f32).collect(),
                Targets::Numbers => (0..width).map(|_| r.between(0.0, 2.0) as f32).collect(),
            }
        };
        let targets = (0..self.rows).flat_map(|_| row()).collect();
        let shape = if kind == Targets::Label { 1 } else { width };
        let targets = Tensor::from_f32([shape], targets).unwrap();
        let rows = Dataset::from_parts(inputs, vec![targets]).unwrap();
        if !r.chance(4) {
            return rows;
        }
        let weights = (0..self.rows).map(|_| r.between(0.0, 2.0) as f32);
        rows.with_sample_weight(Tensor::from_column(weights.collect()).unwrap())
            .unwrap()
    }
}

/// The targets of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets {
    /// A class number for each row.
    Label,
    /// A one for the class, zeros for the others.
    OneHot,
    /// A one or a zero for each output.
    YesNo,
    /// Numbers from 0 to 2.
    Numbers,
}

/// A random loss with its targets, and the activation of the outputs that it takes.
pub fn draw_loss(random: &mut Random) -> (&'static str, Targets, Option<&'static str>) {
    let class = Loss::MEMBERS[random.below(Loss::MEMBERS.len())].class;
    let (targets, activation) = match class {
        "SparseCategoricalCrossentropy" => (Targets::Label, Some("softmax")),
        _ if class.starts_with("Categorical") => (Targets::OneHot, Some("softmax")),
        "KLDivergence" => (Targets::OneHot, Some("softmax")),
        _ if class.starts_with("Binary") => (Targets::YesNo, Some("sigmoid")),
        _ if class.ends_with("Hinge") => (Targets::YesNo, None),
        "Poisson" | "MeanSquaredLogarithmicError" => (Targets::Numbers, Some("softplus")),
        _ => (Targets::Numbers, None),
    };
    (class, targets, activation)
}
