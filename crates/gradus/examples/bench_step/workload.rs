//! The workloads of `bench/README.md`: by name, or written as `key=value,…`.

use gradus::prelude::*;

/// A benchmark network, and its training.
pub struct Workload {
    pub model: Sequential,
    pub batch: usize,
    pub rate: f64,
    /// Steps before timing starts; the losses of their second half are reported.
    pub loss_steps: usize,
    /// Number of rows, in whole epochs; by default parts of the file's rows.
    pub rows: Option<usize>,
}

/// The workload of this name or description.
pub fn workload(name: &str) -> Result<Workload, String> {
    let mut workload = match name {
        "W1" => written("hidden=300-100")?,
        "W2" => {
            let with_input = Sequential::new().add(BatchNormalization::new());
            training(normalized(with_input, &[300, 100]))
        }
        "W3" => training(normalized(Sequential::new(), &[100; 20])),
        "W4" => {
            let model = [2048; 3].iter().fold(Sequential::new(), |model, &units| {
                model
                    .add(dense(units).activation(Activation::Relu))
                    .add(Dropout::new(0.2))
            });
            Workload {
                batch: 128,
                loss_steps: 50,
                ..training(model)
            }
        }
        "W5" => written("hidden=300-100,batch=512")?,
        "S100" => written("hidden=100x100,activation=selu,rate=0.0001")?,
        // The book's network on augmented images.
        "A1" => {
            let augmented = Sequential::new()
                .add(layers::Reshape::new([28, 28, 1]))
                .add(layers::RandomFlip::new(layers::FlipMode::Horizontal))
                .add(layers::RandomTranslation::new(0.1, 0.1))
                .add(layers::RandomRotation::new(0.05))
                .add(Flatten::new());
            training([300, 100].iter().fold(augmented, |model, &units| {
                model.add(dense(units).activation(Activation::Elu))
            }))
        }
        "E1" => written("hidden=300-100,loss_steps=1719")?,
        text => written(text)?,
    };
    let output = Dense::new(10).activation(Activation::Softmax);
    workload.model = workload.model.add(output);
    Ok(workload)
}

/// A workload's defaults.
fn training(model: Sequential) -> Workload {
    Workload {
        model,
        batch: 32,
        rate: 0.01,
        loss_steps: 200,
        rows: None,
    }
}

fn dense(units: usize) -> Dense {
    Dense::new(units).kernel_initializer(Initializer::HeNormal)
}

fn normalized(model: Sequential, hidden: &[usize]) -> Sequential {
    hidden.iter().fold(model, |model, &units| {
        model
            .add(dense(units).use_bias(false))
            .add(BatchNormalization::new())
            .add(layers::Activation::new(Activation::Elu))
    })
}

/// Plain dense layers, as `hidden=300-100` (or `3x512`: three of 512) and whatever
/// else differs: `activation=relu,batch=128,rate=0.001,loss_steps=20,rows=1000`.
fn written(text: &str) -> Result<Workload, String> {
    let mut all = training(Sequential::new());
    let (mut hidden, mut activation) = (Vec::new(), Activation::Elu);
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!(
                "unknown workload '{text}': '{part}' is no key=value; names: W1, W2, W3, W4, W5, S100, A1, E1"
            ));
        };
        let at = |message: &str| format!("{part}: {message}");
        match key {
            "hidden" => hidden = units(value).map_err(at)?,
            "activation" => {
                activation = match value {
                    "elu" => Activation::Elu,
                    "relu" => Activation::Relu,
                    "selu" => Activation::Selu,
                    _ => return Err(at("expected elu, relu or selu")),
                }
            }
            "batch" => all.batch = count(value).map_err(at)?,
            "rate" => all.rate = value.parse().map_err(|_| at("expected a number"))?,
            "loss_steps" => all.loss_steps = count(value).map_err(at)?,
            "rows" => all.rows = Some(count(value).map_err(at)?),
            _ => {
                return Err(format!(
                    "unknown key '{key}' of '{text}'; known: hidden, activation, batch, rate, loss_steps, rows"
                ));
            }
        }
    }
    if hidden.is_empty() {
        return Err(format!("'{text}' has no hidden=…"));
    }
    let initializer = match activation {
        Activation::Selu => Initializer::LecunNormal,
        _ => Initializer::HeNormal,
    };
    all.model = hidden.iter().fold(Sequential::new(), |model, &units| {
        let layer = dense(units).activation(activation.clone());
        model.add(layer.kernel_initializer(initializer.clone()))
    });
    Ok(all)
}

fn count(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok().filter(|&n| n > 0);
    number.ok_or("expected a whole number from 1")
}

/// The widths of `300-100` or `20x100`.
fn units(text: &str) -> Result<Vec<usize>, &'static str> {
    let mut all = Vec::new();
    for part in text.split('-') {
        let (times, units) = part.split_once('x').unwrap_or(("1", part));
        all.extend(std::iter::repeat_n(count(units)?, count(times)?));
    }
    Ok(all)
}
