//! The Burn peer: the flex backend under autodiff, a plain training loop.
//!
//! The protocol and the workloads are described in ../../README.md; the table below repeats
//! the one in ../../peers/common.py.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use burn::nn::activation::{Activation, ActivationConfig, EluConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig,
};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::TensorData;
use serde_json::{Map, Value, json};

const CLASSES: usize = 10;
const PIXELS: usize = 784;
const HELD_OUT: usize = 5000;
const VALIDATION_BATCH: usize = 500;

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Elu,
    Relu,
    Selu,
}

struct Workload {
    hidden: Vec<usize>,
    act: Act,
    batch: usize,
    input_bn: bool,
    bn: bool,
    dropout: f64,
    learning_rate: f64,
    loss_steps: usize,
    epoch: bool,
}

fn workload(name: &str) -> Option<Workload> {
    let w1 = Workload {
        hidden: vec![300, 100],
        act: Act::Elu,
        batch: 32,
        input_bn: false,
        bn: false,
        dropout: 0.0,
        learning_rate: 0.01,
        loss_steps: 200,
        epoch: false,
    };
    Some(match name {
        "W1" => w1,
        "W2" => Workload {
            input_bn: true,
            bn: true,
            ..w1
        },
        "W3" => Workload {
            hidden: vec![100; 20],
            bn: true,
            ..w1
        },
        "W4" => Workload {
            hidden: vec![2048; 3],
            act: Act::Relu,
            batch: 128,
            dropout: 0.2,
            loss_steps: 50,
            ..w1
        },
        "W5" => Workload { batch: 512, ..w1 },
        // 0.01 diverges in every framework.
        "S100" => Workload {
            hidden: vec![100; 100],
            act: Act::Selu,
            learning_rate: 0.0001,
            ..w1
        },
        "E1" => Workload { epoch: true, ..w1 },
        _ => return None,
    })
}

#[derive(Module, Debug)]
struct Hidden {
    dense: Linear,
    norm: Option<BatchNorm>,
    activation: Activation,
    dropout: Option<Dropout>,
}

#[derive(Module, Debug)]
struct Mlp {
    input_norm: Option<BatchNorm>,
    hidden: Vec<Hidden>,
    output: Linear,
}

fn batch_norm(width: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(width)
        .with_epsilon(1e-3)
        .with_momentum(0.01) // the share of the new batch: Keras' momentum 0.99
        .init(device)
}

impl Mlp {
    fn new(w: &Workload, device: &Device) -> Self {
        let gain = if w.act == Act::Selu { 1.0 } else { 2f64.sqrt() };
        let mut fan_in = PIXELS;
        let hidden = w
            .hidden
            .iter()
            .map(|&width| {
                let dense = dense(fan_in, width, !w.bn, normal(gain, fan_in), device);
                fan_in = width;
                Hidden {
                    dense,
                    norm: w.bn.then(|| batch_norm(width, device)),
                    activation: match w.act {
                        Act::Elu => ActivationConfig::Elu(EluConfig::new()),
                        Act::Relu => ActivationConfig::Relu,
                        Act::Selu => ActivationConfig::Selu,
                    }
                    .init(device),
                    dropout: (w.dropout > 0.0).then(|| DropoutConfig::new(w.dropout).init()),
                }
            })
            .collect();
        Self {
            input_norm: w.input_bn.then(|| batch_norm(PIXELS, device)),
            hidden,
            output: dense(
                fan_in,
                CLASSES,
                true,
                Initializer::XavierUniform { gain: 1.0 },
                device,
            ),
        }
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let mut x = match &self.input_norm {
            Some(norm) => norm.forward(input),
            None => input,
        };
        for layer in &self.hidden {
            x = layer.dense.forward(x);
            if let Some(norm) = &layer.norm {
                x = norm.forward(x);
            }
            x = layer.activation.forward(x);
            if let Some(dropout) = &layer.dropout {
                x = dropout.forward(x);
            }
        }
        self.output.forward(x)
    }
}

fn normal(gain: f64, fan_in: usize) -> Initializer {
    Initializer::Normal {
        mean: 0.0,
        std: gain / (fan_in as f64).sqrt(),
    }
}

/// A linear layer whose bias starts at zero, as in Keras.
fn dense(
    inputs: usize,
    outputs: usize,
    bias: bool,
    initializer: Initializer,
    device: &Device,
) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs)
        .with_bias(bias)
        .with_initializer(initializer)
        .init(device);
    if bias {
        layer.bias = Some(Initializer::Zeros.init([outputs], device));
    }
    layer
}

/// Row numbers in random order, a new order for each epoch.
struct Permutations {
    state: u64,
    order: Vec<i32>,
}

impl Permutations {
    fn new(rows: usize, seed: u64) -> Self {
        Self {
            state: seed,
            order: (0..rows as i32).collect(),
        }
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn shuffle(&mut self) {
        for i in (1..self.order.len()).rev() {
            let j = (self.random() % (i as u64 + 1)) as usize;
            self.order.swap(i, j);
        }
    }
}

struct Data {
    x: Tensor<2>,
    y: Tensor<1, Int>,
    rows: usize,
}

impl Data {
    fn new(x: &[f32], y: &[i32], device: &Device) -> Self {
        let rows = y.len();
        Self {
            x: Tensor::from_data(TensorData::new(x.to_vec(), [rows, PIXELS]), device),
            y: Tensor::from_data(TensorData::new(y.to_vec(), [rows]), device),
            rows,
        }
    }

    fn select(&self, rows: &[i32], device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
        let rows =
            Tensor::<1, Int>::from_data(TensorData::new(rows.to_vec(), [rows.len()]), device);
        (
            self.x.clone().select(0, rows.clone()),
            self.y.clone().select(0, rows),
        )
    }
}

fn read_idx(path: PathBuf) -> Vec<u8> {
    let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut raw = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut raw)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let header = 4 + 4 * raw[3] as usize;
    raw.split_off(header)
}

struct Trainer {
    w: Workload,
    model: Mlp,
    optimizer: burn::optim::ModuleOptimizer,
    loss: CrossEntropyLoss,
    device: Device,
}

impl Trainer {
    /// One training step; returns the loss, and the logits with their targets.
    fn step(&mut self, data: &Data, rows: &[i32]) -> (Tensor<1>, Tensor<2>, Tensor<1, Int>) {
        let (x, y) = data.select(rows, &self.device);
        let logits = self.model.forward(x.autodiff());
        let loss = self.loss.forward(logits.clone(), y.clone().autodiff());
        let grads = GradientsParams::from_grads(loss.backward(), &self.model);
        let model = self.model.clone();
        self.model = self.optimizer.step(self.w.learning_rate, model, grads);
        (loss.inner(), logits.inner(), y)
    }
}

fn correct(logits: Tensor<2>, y: Tensor<1, Int>) -> Tensor<1, Int> {
    logits.argmax(1).squeeze_dim::<1>(1).equal(y).int().sum()
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut name, mut seconds, mut seed) = (String::new(), 3.0, 1u64);
    let mut folder = PathBuf::from("/usr/share/datasets/fashion-mnist");
    while let Some(key) = args.next() {
        let value = args.next().expect("every argument takes a value");
        match key.as_str() {
            "--workload" => name = value,
            "--seconds" => seconds = value.parse().expect("--seconds takes a number"),
            "--seed" => seed = value.parse().expect("--seed takes a whole number"),
            "--data" => folder = value.into(),
            _ => panic!("unknown argument {key}"),
        }
    }
    let w = workload(&name).unwrap_or_else(|| panic!("unknown workload '{name}'"));

    let x: Vec<f32> = read_idx(folder.join("train-images-idx3-ubyte.gz"))
        .iter()
        .map(|&p| f32::from(p) / 255.0)
        .collect();
    let y: Vec<i32> = read_idx(folder.join("train-labels-idx1-ubyte.gz"))
        .iter()
        .map(|&c| i32::from(c))
        .collect();

    let device = Device::flex();
    device.seed(seed);
    let training = device.clone().autodiff();
    let held = if w.epoch { HELD_OUT } else { 0 };
    let data = Data::new(&x[held * PIXELS..], &y[held..], &device);
    let validation = Data::new(&x[..held * PIXELS], &y[..held], &device);
    let mut order = Permutations::new(data.rows, seed);

    let mut trainer = Trainer {
        model: Mlp::new(&w, &training),
        optimizer: SgdConfig::new()
            .with_momentum(Some(
                MomentumConfig::new()
                    .with_momentum(0.9)
                    .with_dampening(0.0)
                    .with_nesterov(true),
            ))
            .init(),
        loss: CrossEntropyLossConfig::new().init(&device),
        device: device.clone(),
        w,
    };

    let mut result = Map::new();
    result.insert("peer".into(), json!("burn-flex"));
    result.insert("workload".into(), json!(name));
    result.insert("version".into(), json!("burn 0.22.1, flex backend"));
    result.insert(
        "threads".into(),
        json!(std::thread::available_parallelism().map_or(1, |n| n.get())),
    );
    if trainer.w.epoch {
        epochs(
            &mut trainer,
            &data,
            &validation,
            &mut order,
            seconds,
            &mut result,
        );
    } else {
        steps(&mut trainer, &data, &mut order, seconds, &mut result);
    }
    println!("{}", Value::Object(result));
}

fn steps(
    trainer: &mut Trainer,
    data: &Data,
    order: &mut Permutations,
    seconds: f64,
    result: &mut Map<String, Value>,
) {
    let batch = trainer.w.batch;
    let mut at = data.rows;
    let mut step = |trainer: &mut Trainer| {
        if at + batch > data.rows {
            order.shuffle();
            at = 0;
        }
        let (loss, _, _) = trainer.step(data, &order.order[at..at + batch]);
        at += batch;
        loss
    };

    let loss_steps = trainer.w.loss_steps;
    let mut late = 0.0f64;
    for i in 0..loss_steps {
        let loss = step(trainer);
        if i >= loss_steps / 2 {
            late += f64::from(loss.into_scalar::<f32>());
        }
    }
    result.insert(
        "loss".into(),
        json!(late / (loss_steps - loss_steps / 2) as f64),
    );
    result.insert("loss_steps".into(), json!(loss_steps));

    let mut total = Tensor::<1>::zeros([1], &trainer.device);
    let start = Instant::now();
    let mut steps = 0usize;
    let elapsed = loop {
        total = total + step(trainer);
        steps += 1;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= seconds {
            break elapsed;
        }
    };
    if !total.into_scalar::<f32>().is_finite() {
        eprintln!("loss is not finite");
    }
    result.insert("us_per_step".into(), json!(elapsed / steps as f64 * 1e6));
    result.insert("steps".into(), json!(steps));
}

fn epochs(
    trainer: &mut Trainer,
    data: &Data,
    validation: &Data,
    order: &mut Permutations,
    seconds: f64,
    result: &mut Map<String, Value>,
) {
    let device = trainer.device.clone();
    let batch = trainer.w.batch;
    let mut epoch = |trainer: &mut Trainer| {
        order.shuffle();
        let mut total = Tensor::<1>::zeros([1], &device);
        let mut hits = Tensor::<1, Int>::zeros([1], &device);
        for rows in order.order.chunks(batch) {
            let (loss, logits, y) = trainer.step(data, rows);
            total = total + loss * rows.len() as f32;
            hits = hits + correct(logits, y);
        }

        let model = trainer.model.valid();
        let mut val_total = Tensor::<1>::zeros([1], &device);
        let mut val_hits = Tensor::<1, Int>::zeros([1], &device);
        for at in (0..validation.rows).step_by(VALIDATION_BATCH) {
            let end = (at + VALIDATION_BATCH).min(validation.rows);
            let x = validation.x.clone().slice([at..end]);
            let y = validation.y.clone().slice([at..end]);
            let logits = model.forward(x);
            let loss = trainer.loss.forward(logits.clone(), y.clone());
            val_total = val_total + loss * (end - at) as f32;
            val_hits = val_hits + correct(logits, y);
        }
        [
            f64::from(total.into_scalar::<f32>()) / data.rows as f64,
            hits.into_scalar::<i32>() as f64 / data.rows as f64,
            f64::from(val_total.into_scalar::<f32>()) / validation.rows as f64,
            val_hits.into_scalar::<i32>() as f64 / validation.rows as f64,
        ]
    };

    let first = epoch(trainer); // also the warm-up
    for (key, value) in ["loss", "accuracy", "val_loss", "val_accuracy"]
        .iter()
        .zip(first)
    {
        result.insert((*key).into(), json!(value));
    }
    let start = Instant::now();
    let mut epochs = 0usize;
    let elapsed = loop {
        epoch(trainer);
        epochs += 1;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= seconds {
            break elapsed;
        }
    };
    let steps = data.rows.div_ceil(batch);
    result.insert("loss_steps".into(), json!(steps));
    result.insert(
        "us_per_step".into(),
        json!(elapsed / (epochs * steps) as f64 * 1e6),
    );
    result.insert("steps".into(), json!(epochs * steps));
    result.insert("seconds_per_epoch".into(), json!(elapsed / epochs as f64));
}
