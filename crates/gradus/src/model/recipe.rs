//! Recipes: default networks (Géron, *Hands-On Machine Learning*, chapter 11, tables 11-3 and
//! 11-4), and one for tables.

use super::cnn;
use super::fixup;
use super::layers::{BatchNormalization, Dense, Dropout, Flatten, Normalization};
use super::sequential::Sequential;
use super::task::Task;
use super::{LayerEntry, Model};
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::rules::activations::Activation;
use crate::rules::initializers::Initializer;
use crate::rules::optimizers::{AdamW, Optimizer, SGD};
use crate::rules::schedules::{OneCycle, Schedule};

/// Number of hidden layers from which batch normalization is worth its time.
const DEEP: usize = 3;

/// The weight decay of the network for images: as much as one of 0.0005 among the gradients, which
/// momentum multiplies by ten.
const IMAGE_DECAY: f64 = 0.005;

/// The steps of a training on few images, and the most epochs for them.
const IMAGE_STEPS: usize = 1000;
const IMAGE_EPOCHS: usize = 100;

/// The weight decay of a table's AdamW, and the limit of its standardized values.
const TABLE_DECAY: f64 = 0.05;
const TABLE_LIMIT: f64 = 5.0;

/// A default network with its training configuration.
///
/// `Fixup` and `Convolutional` are residual networks of their own: [`Recipe::fixup`],
/// [`Recipe::cnn`].
///
/// | | `Default` | `SelfNormalizing` | `Table` |
/// | --- | --- | --- | --- |
/// | kernel initializer | He normal | LeCun normal | He normal; zeros in the last layer |
/// | activation | ELU | SELU | ELU |
/// | normalization | batch normalization if deep | none; a `Normalization` layer standardizes the inputs | the columns' own |
/// | optimizer | Nesterov momentum | Nesterov momentum | AdamW |
/// | learning rate | 1cycle | 1cycle | 1cycle |
/// | regularization | early stopping | early stopping | early stopping, dropout, weight decay |
/// | size, epochs, batch | 300 and 100, 60, 32 | 300 and 100, 60, 32 | by the number of rows |
///
/// ```
/// use gradus::prelude::*;
/// # let x = Tensor::from_rows(&(0..40).map(|i| [i as f32 / 40.0, 1.0]).collect::<Vec<_>>())?;
/// # let y = Tensor::from_column((0..40).map(|i| (i / 20) as f32).collect())?;
/// # let data = Dataset::new(x, y)?;
/// let recipe = Recipe::default_dnn(&[30, 10]);
/// let mut model = recipe.model(&data)?;
/// let history = model.fit(&data, Fit::recipe(&recipe, 10).validation_split(0.2))?;
/// # assert_eq!(history.epochs.len(), 10);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// The recipe's style.
    pub style: Style,
    /// The units of each hidden layer; the filters of each stage of a network for images, none for
    /// those that the images' size asks for.
    pub hidden: Vec<usize>,
    /// Dropout rate after each hidden layer.
    pub dropout: f64,
    /// Epochs of a training.
    pub epochs: usize,
    /// Batch size.
    pub batch_size: usize,
    /// Peak learning rate; a table's is for batches of 32 rows.
    pub max_rate: f64,
    /// Residual blocks of two layers behind each hidden layer, of the style `Fixup`, or in each
    /// stage, of `Convolutional`.
    pub blocks: usize,
    /// True if images are mirrored left to right at random, by the style `Convolutional`.
    pub flip: bool,
}

/// The style of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Table 11-3.
    Default,
    /// Table 11-4.
    SelfNormalizing,
    /// A deep residual network without normalization: Fixup (Zhang, Dauphin & Ma, 2019).
    Fixup,
    /// For images: a small residual network of convolutions.
    Convolutional,
    /// For the rows of a table, which are few beside pictures: its sizes were tuned on public
    /// tables (`bench/tables`).
    Table,
}

impl Recipe {
    /// The names of the recipes.
    pub const NAMES: [&str; 4] = ["default", "self-normalizing", "fixup", "cnn"];

    /// The recipe of a configuration's key `recipe`: `"default"`, `"self-normalizing"`, or, not for
    /// tables, `"fixup"` or `"cnn"`. `rows` is the number of training rows.
    ///
    /// `"default"` means [`Recipe::of_table`] if the training rows are a table's, else table 11-3.
    pub fn named(name: &str, rows: usize, of_table: bool) -> Result<Self> {
        match name {
            "default" if of_table => Ok(Recipe::of_table(rows)),
            "default" => Ok(Recipe::default_dnn(&[300, 100])),
            "self-normalizing" => Ok(Recipe::self_normalizing(&[300, 100])),
            "fixup" | "cnn" if of_table => {
                let expected =
                    "\"default\" or \"self-normalizing\", which take the columns of a table";
                Err(Error::invalid("recipe", name, expected))
            }
            "fixup" => Ok(Recipe::fixup(100, 25)),
            "cnn" => Ok(Recipe::cnn(rows)),
            other => Err(Error::unknown("recipe", "recipe", other, Self::NAMES)),
        }
    }

    /// Table 11-3, with these hidden layers.
    pub fn default_dnn(hidden: &[usize]) -> Self {
        Recipe {
            style: Style::Default,
            hidden: hidden.to_vec(),
            dropout: 0.0,
            epochs: 60,
            batch_size: 32,
            max_rate: 0.02,
            blocks: 0,
            flip: false,
        }
    }

    /// Fixup: a residual network of so many blocks of two layers with that many units, without
    /// normalization.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let digits = data::digits(Split::Train)?.slice(0..320)?;
    /// let recipe = Recipe::fixup(32, 20); // 42 layers with weights
    /// let mut model = recipe.model(&digits)?;
    /// let history = model.fit(&digits, Fit::recipe(&recipe, 2).validation_split(0.1))?;
    /// assert!(history.last("loss") < Some(2.3));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fixup(units: usize, blocks: usize) -> Self {
        Recipe {
            style: Style::Fixup,
            blocks,
            ..Self::default_dnn(&[units])
        }
    }

    /// A residual network of convolutions for this many images; their size decides the number of
    /// stages and filters. Few images are gone through more often.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let digits = data::digits(Split::Train)?.slice(0..320)?; // of 8 x 8 pixels
    /// let recipe = Recipe::cnn(digits.rows());
    /// let mut model = recipe.model(&digits)?;
    /// let history = model.fit(&digits, Fit::recipe(&recipe, 3).validation_split(0.1))?;
    /// assert!(history.last("loss") < Some(2.3));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn cnn(rows: usize) -> Self {
        let batch_size = if rows < 10_000 { 32 } else { 64 };
        let epochs = (IMAGE_STEPS * batch_size).div_ceil(rows.max(1));
        Recipe {
            style: Style::Convolutional,
            blocks: 1,
            epochs: epochs.clamp(20, IMAGE_EPOCHS),
            batch_size,
            max_rate: 0.1,
            ..Self::default_dnn(&[])
        }
    }

    /// Table 11-4, with these hidden layers.
    pub fn self_normalizing(hidden: &[usize]) -> Self {
        Recipe {
            style: Style::SelfNormalizing,
            ..Self::default_dnn(hidden)
        }
    }

    /// The recipe for a table with this many training rows. Few rows are soon overfitted: the
    /// fewer, the smaller the network, and the higher the dropout rate.
    pub fn of_table(rows: usize) -> Self {
        let (hidden, dropout, epochs, batch_size, max_rate): (&[usize], _, _, _, _) = match rows {
            ..2_000 => (&[64, 32], 0.3, 100, 32, 0.005),
            2_000..10_000 => (&[128, 128, 128], 0.2, 150, 64, 0.003),
            10_000..50_000 => (&[256, 256, 256], 0.1, 60, 128, 0.002),
            _ => (&[256, 256, 256], 0.1, 30, 256, 0.002),
        };
        Recipe {
            style: Style::Table,
            dropout,
            epochs,
            batch_size,
            max_rate,
            ..Self::default_dnn(hidden)
        }
    }

    /// Sets the units of each hidden layer.
    pub fn hidden(mut self, units: &[usize]) -> Self {
        self.hidden = units.to_vec();
        self
    }

    /// The network for this data, with the last layer, loss and metric of its targets' task
    /// ([`Task::of`]): compiled, to be trained with [`Fit::recipe`](crate::train::Fit::recipe).
    ///
    /// An error if there is not exactly one target.
    pub fn model(&self, data: &Dataset) -> Result<Model> {
        let task = Task::of(data, None)?;
        let mut model = self.network(&data.inputs()[0], task, 0)?;
        model.compile(self.optimizer(), task.loss(), &[task.metric()])?;
        Ok(model)
    }

    /// The network for rows like `input`, not compiled.
    pub fn network(&self, input: &Tensor, task: Task, seed: u64) -> Result<Model> {
        match self.style {
            Style::Fixup => return fixup::network(self, input, task, seed),
            Style::Convolutional => return cnn::network(self, input, task, seed),
            Style::Default | Style::SelfNormalizing | Style::Table => {}
        }
        let mut model = Sequential::new().seed(seed);
        if input.shape().rank() != 1 {
            model = model.add(Flatten::new());
        }
        if self.style == Style::SelfNormalizing {
            model = model.add(Normalization::new());
        }
        self.add_hidden(model).add(self.last_layer(task)).build()
    }

    /// Limit of a column's standardized values.
    pub(super) fn limit(&self) -> Option<f64> {
        (self.style == Style::Table).then_some(TABLE_LIMIT)
    }

    /// Only the hidden layers.
    pub(super) fn hidden_layers(&self) -> Vec<LayerEntry> {
        self.add_hidden(Sequential::new()).into_model().layers
    }

    /// The last layer. A table's starts at zero, so that the first predictions are equal for all
    /// rows: few rows would otherwise be spent on unlearning random weights.
    pub(super) fn last_layer(&self, task: Task) -> Dense {
        match self.style {
            Style::Table | Style::Fixup => task.last_layer().kernel_initializer(Initializer::Zeros),
            Style::Default | Style::SelfNormalizing | Style::Convolutional => task.last_layer(),
        }
    }

    fn add_hidden(&self, mut model: Sequential) -> Sequential {
        let (activation, initializer) = match self.style {
            Style::Default | Style::Table | Style::Fixup | Style::Convolutional => {
                (Activation::Elu, Initializer::HeNormal)
            }
            Style::SelfNormalizing => (Activation::Selu, Initializer::LecunNormal),
        };
        let normalize = self.style == Style::Default && self.hidden.len() >= DEEP;
        for &units in &self.hidden {
            let dense = Dense::new(units)
                .activation(activation.clone())
                .kernel_initializer(initializer.clone());
            model = model.add(dense);
            if normalize {
                model = model.add(BatchNormalization::new());
            }
            if self.dropout > 0.0 {
                model = model.add(Dropout::new(self.dropout));
            }
        }
        model
    }

    /// The optimizer: Nesterov momentum, with weight decay for images, or AdamW for a table.
    pub fn optimizer(&self) -> Optimizer {
        match self.style {
            Style::Default | Style::SelfNormalizing | Style::Fixup => {
                SGD::new().momentum(0.9).nesterov(true).into()
            }
            Style::Convolutional => {
                let momentum = SGD::new().momentum(0.9).nesterov(true);
                momentum.weight_decay(IMAGE_DECAY).into()
            }
            Style::Table => AdamW::new().weight_decay(TABLE_DECAY).into(),
        }
    }

    /// The same for the rows of a table. Momentum clips each variable's gradient to a norm of 1
    /// (`clipnorm`): columns such as incomes or populations have a few rows dozens of deviations
    /// away, whose gradients otherwise throw a wide network far off or end it in NaN: with 300 and
    /// 300 units, one of three splits of the housing table did. Adam's steps do not grow with the
    /// gradient.
    pub fn table_optimizer(&self) -> Optimizer {
        match self.style {
            Style::Default | Style::SelfNormalizing | Style::Fixup => {
                self.optimizer().clipnorm(1.0)
            }
            Style::Table | Style::Convolutional => self.optimizer(),
        }
    }

    /// The learning rate schedule: 1cycle. A table's rate rises with the root of the batch size, as
    /// the noise of a step's gradient falls (Hoffer et al. 2017).
    pub fn schedule(&self) -> Schedule {
        match self.style {
            Style::Default | Style::SelfNormalizing | Style::Fixup | Style::Convolutional => {
                OneCycle::new(self.max_rate).into()
            }
            Style::Table => {
                let batches = self.batch_size as f64 / 32.0;
                OneCycle::new(self.max_rate * batches.sqrt()).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_network_is_normalized_and_a_flat_input_is_not_flattened() {
        let x = Tensor::from_f32([2], vec![0.0; 4]).unwrap();
        let names = |hidden: &[usize]| {
            let recipe = Recipe::default_dnn(hidden);
            let model = recipe.network(&x, Task::Classes(2), 0).unwrap();
            let layers = model.layers.iter();
            layers.map(|l| l.rule.class()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&[8, 8]), "Dense Dense Dense");
        assert!(names(&[8, 8, 8]).starts_with("Dense BatchNormalization Dense"));
    }
}
