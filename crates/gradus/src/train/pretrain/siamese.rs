//! Siamese networks: one encoder takes two rows, or three, and learns to map similar ones near each
//! other and others far apart.

use super::course::Course;
use super::encoder::Encoder;
use super::kind::Pretraining;
use super::options::{PretrainOptions, option_setters};
use crate::base::random::{Key, Sequence, Stream};
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::model::layers::{Concatenate, Layer, Reshape, Subtract};
use crate::model::{Compiled, Functional, Model, OutputLoss, Symbol};
use crate::rules::losses::Loss;
use crate::train::History;

/// Pretrains a chain's first layers to map similar rows near each other, and others at least
/// `margin` apart. Similar rows have the same class label, or are two versions of one row, noisy or
/// augmented (no labels needed).
///
/// The pairs, or triplets, are drawn anew in every epoch, one per row.
#[derive(Clone, Debug)]
pub struct Siamese {
    /// Extent and training, as of every kind.
    pub options: PretrainOptions,
    /// True if each row is seen with a like and with another one at once
    /// (Schroff et al., "FaceNet", 2015), or with one of the two (the contrastive
    /// loss of Hadsell et al., "Dimensionality reduction by learning an invariant
    /// mapping", 2006). Default with one.
    pub triplets: bool,
    /// Distance that others are to keep: contrastive, their own; with triplets,
    /// what their squared distance exceeds the like one's by. Default 1.
    pub margin: f64,
    /// Standard deviation of the noise that makes two versions of a row; labels are then ignored.
    /// Default none: labels define similarity.
    pub noise: Option<f64>,
    /// Layers that make two versions of an image, such as `RandomTranslation`: each version has its
    /// own draws. Rows of (height, width) are images of one channel. Labels are then ignored.
    /// Default none.
    pub augment: Vec<Layer>,
}

impl Default for Siamese {
    fn default() -> Self {
        Siamese {
            options: PretrainOptions::default(),
            triplets: false,
            margin: 1.0,
            noise: None,
            augment: Vec::new(),
        }
    }
}

option_setters!(Siamese);

impl Siamese {
    /// Ten epochs of Nadam on the contrastive loss of pairs by labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes two versions of an image by these layers.
    pub fn augment(mut self, layers: impl IntoIterator<Item = Layer>) -> Self {
        self.augment = layers.into_iter().collect();
        self
    }

    /// True if pairs are versions of one row, and not rows of one class.
    pub fn is_without_labels(&self) -> bool {
        self.noise.is_some() || !self.augment.is_empty()
    }

    /// Pretrains the first layers of `model` on the rows of `data`, whose targets are labels unless
    /// noise or augmentation makes the pairs. The other layers stay as they are, and the
    /// optimizer's state is reset.
    pub fn pretrain(&self, model: &mut Model, data: &Dataset) -> Result<Vec<History>> {
        self.pretrain_on(model, data, &mut Course::default())
    }

    /// Adds the augmentation of a view.
    fn version(&self, graph: &mut Functional, view: Symbol, row: &Shape) -> Result<Symbol> {
        if self.augment.is_empty() {
            return Ok(view);
        }
        let plane = match *row.dims() {
            [height, width] => Some([height as i64, width as i64]),
            _ => None,
        };
        let mut view = view;
        if let Some([height, width]) = plane {
            view = graph.layer(Reshape::new([height, width, 1]), view)?;
        }
        for layer in &self.augment {
            view = graph.layer(layer.clone(), view)?;
        }
        match plane {
            Some(plane) => graph.layer(Reshape::new(plane), view),
            None => Ok(view),
        }
    }

    /// The number of rows that are looked at together.
    fn views(&self) -> usize {
        if self.triplets { 3 } else { 2 }
    }

    fn loss(&self) -> Loss {
        let margin = self.margin as f32;
        match self.triplets {
            true => Loss::function("triplet", move |_, apart, gradient| {
                triplet(apart, margin, gradient)
            }),
            false => Loss::function("contrastive", move |like, apart, gradient| {
                contrastive(like[0] > 0.5, apart, margin, gradient)
            }),
        }
    }

    /// Groups rows by class, and notes each row's class; without labels each row is its own class.
    fn likes(&self, data: &Dataset) -> Result<Likes> {
        if self.is_without_labels() {
            let classes = (0..data.rows()).collect();
            let rows = (0..data.rows()).map(|row| vec![row]).collect();
            return Likes { classes, rows }.checked();
        }
        let labels = match data.targets() {
            [labels] if labels.size() == 1 => labels.to_f32(),
            _ => {
                let expected =
                    "one class number a row, or `noise` or `augment` to make pairs without labels";
                let found = format!("{} targets", data.targets().len());
                return Err(Error::invalid("pretrain", found, expected));
            }
        };
        let mut kinds = labels.clone();
        kinds.sort_by(f32::total_cmp);
        kinds.dedup();
        let mut rows = vec![Vec::new(); kinds.len()];
        let mut classes = Vec::with_capacity(labels.len());
        for (row, label) in labels.iter().enumerate() {
            let class = kinds.partition_point(|kind| kind.total_cmp(label).is_lt());
            rows[class].push(row);
            classes.push(class);
        }
        Likes { classes, rows }.checked()
    }

    /// Draws for each row a similar one, a different one, or both.
    fn draw(
        &self,
        data: &Dataset,
        likes: &Likes,
        width: usize,
        mut random: Sequence,
    ) -> Result<Dataset> {
        let rows = data.rows();
        let mut others = vec![Vec::with_capacity(rows); self.views() - 1];
        let mut targets = vec![0.0; rows * width];
        for row in 0..rows {
            if self.triplets {
                others[0].push(likes.like(row, &mut random));
                others[1].push(likes.unlike(row, &mut random));
            } else if random.uniform() < 0.5 {
                targets[row * width..][..width].fill(1.0);
                others[0].push(likes.like(row, &mut random));
            } else {
                others[0].push(likes.unlike(row, &mut random));
            }
        }
        let x = &data.inputs()[0];
        let mut views = vec![x.clone()];
        for chosen in &others {
            views.push(x.take(chosen)?);
        }
        if let Some(stddev) = self.noise {
            for view in &mut views {
                let mut values = view.to_f32();
                values
                    .iter_mut()
                    .for_each(|v| *v += (stddev * random.normal()) as f32);
                *view = Tensor::from_f32(x.shape().clone(), values)?;
            }
        }
        Dataset::from_parts(views, vec![Tensor::from_f32([width], targets)?])
    }
}

impl Pretraining for Siamese {
    fn check(&self) -> Result<()> {
        if !(self.margin > 0.0 && self.margin.is_finite()) {
            return Err(Error::invalid(
                "pretrain.margin",
                self.margin,
                "a number above 0",
            ));
        }
        Ok(())
    }

    fn on_chain(
        &self,
        model: &mut Model,
        data: &Dataset,
        course: &mut Course<'_>,
    ) -> Result<Vec<History>> {
        let row = data.inputs()[0].shape().clone();
        let likes = self.likes(data)?;
        let encoder = Encoder::of(model, self.options.until.as_deref(), &row)?;
        let (seed, all) = (encoder.seed(), 0..encoder.end);
        let network = encoder.network(row.clone(), all)?;

        let mut graph = Functional::new().seed(seed);
        let part = graph.nest("encoder", &network)?;
        let mut codes: Vec<Symbol> = Vec::new();
        for _ in 0..self.views() {
            let view = graph.input(row.clone());
            let view = self.version(&mut graph, view, &row)?;
            codes.push(graph.call(part, view)?);
        }
        // The difference between the first view and each other one.
        let first = codes[0];
        let mut apart = Vec::new();
        for &other in &codes[1..] {
            apart.push(graph.layer(Subtract::new(), [first, other])?);
        }
        let output = match apart.as_slice() {
            [one] => *one,
            all => graph.layer(Concatenate::new(), all)?,
        };
        let mut model = graph.model([output])?;
        let width = model
            .output_shapes()?
            .first()
            .map_or(0, |shape| shape.size());
        let output_loss = OutputLoss::new(self.loss());
        model
            .compile_with(Compiled::new(self.options.optimizer.clone(), output_loss))
            .map_err(|error| error.under("pretrain"))?;

        let draw = |epoch| {
            let random = Key::new(seed, Stream::Pretrain, epoch).sequence();
            self.draw(data, &likes, width, random)
        };
        encoder.train_part(network, &mut model, (&self.options, &mut *course), draw)?;
        Ok(course.end())
    }
}

setters!(Siamese {
    /// Chooses triplets or pairs.
    triplets(bool);
    /// Sets the margin.
    margin(f64);
    /// Makes two versions of a row by noise of that standard deviation.
    noise(some f64);
});

/// The groups of similar rows.
struct Likes {
    classes: Vec<usize>,
    rows: Vec<Vec<usize>>,
}

impl Likes {
    fn checked(self) -> Result<Self> {
        match self.rows.len() {
            0 | 1 => Err(Error::invalid(
                "pretrain",
                "one class",
                "at least two to tell apart",
            )),
            _ => Ok(self),
        }
    }

    fn like(&self, row: usize, random: &mut Sequence) -> usize {
        let all = &self.rows[self.classes[row]];
        all[random.below(all.len())]
    }

    /// A row of another class, uniformly.
    fn unlike(&self, row: usize, random: &mut Sequence) -> usize {
        let other = random.below(self.rows.len() - 1);
        let all = &self.rows[other + usize::from(other >= self.classes[row])];
        all[random.below(all.len())]
    }
}

/// The contrastive loss: the squared distance of similar rows; for different rows, the squared
/// shortfall from the margin.
fn contrastive(like: bool, apart: &[f32], margin: f32, gradient: &mut [f32]) -> f32 {
    let square: f32 = apart.iter().map(|d| d * d).sum();
    let distance = square.sqrt();
    let (loss, scale) = match like {
        true => (square, 2.0),
        false => {
            let lacking = (margin - distance).max(0.0);
            (lacking * lacking, -2.0 * lacking / distance.max(1e-12))
        }
    };
    gradient
        .iter_mut()
        .zip(apart)
        .for_each(|(g, d)| *g = scale * d);
    loss
}

/// The shortfall of the other one's squared distance to the like one's and the margin;
/// `apart` is first from the like one, then from the other.
fn triplet(apart: &[f32], margin: f32, gradient: &mut [f32]) -> f32 {
    let (like, other) = apart.split_at(apart.len() / 2);
    let square = |d: &[f32]| d.iter().map(|d| d * d).sum::<f32>();
    let loss = (square(like) - square(other) + margin).max(0.0);
    let active = if loss > 0.0 { 2.0 } else { 0.0 };
    let half = like.len();
    for (i, (g, d)) in gradient.iter_mut().zip(apart).enumerate() {
        *g = if i < half { active * d } else { -active * d };
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against finite differences.
    fn check(loss: impl Fn(&[f32], &mut [f32]) -> f32, apart: &[f32]) {
        let mut gradient = vec![0.0; apart.len()];
        loss(apart, &mut gradient);
        for i in 0..apart.len() {
            let at = |step: f32| {
                let mut moved = apart.to_vec();
                moved[i] += step;
                f64::from(loss(&moved, &mut vec![0.0; apart.len()]))
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (f64::from(gradient[i]) - slope).abs() < 1e-3,
                "{gradient:?} {slope}"
            );
        }
    }

    #[test]
    fn gradients_are_the_slopes() {
        for like in [true, false] {
            check(|d, g| contrastive(like, d, 2.0, g), &[0.5, -0.25, 1.0]);
            check(|d, g| contrastive(like, d, 0.5, g), &[0.5, -0.25, 1.0]);
        }
        check(|d, g| triplet(d, 1.0, g), &[0.5, -0.25, 0.75, 0.5]);
        check(|d, g| triplet(d, 0.1, g), &[0.5, -0.25, 0.75, 1.5]);
    }

    #[test]
    fn what_is_far_enough_costs_nothing() {
        let mut gradient = [1.0; 2];
        assert_eq!(contrastive(false, &[3.0, 4.0], 5.0, &mut gradient), 0.0);
        assert_eq!(gradient, [0.0; 2]);
        assert_eq!(contrastive(true, &[3.0, 4.0], 5.0, &mut gradient), 25.0);
        assert_eq!(contrastive(false, &[0.0, 0.0], 5.0, &mut gradient), 25.0);
        assert!(gradient.iter().all(|g| g.is_finite()));
        assert_eq!(triplet(&[1.0, 3.0], 1.0, &mut gradient), 0.0);
        assert_eq!(triplet(&[3.0, 1.0], 1.0, &mut gradient), 9.0);
    }
}
