//! Self-supervised learning on a table: mask some features of each row, and predict them from the
//! others; then the encoder is trained on the few rows that have a label.
//!
//! ```text
//! cargo run --release --example masked_features [SEEDS]
//! ```
//!
//! The table is made here, as sensor readings often are: 40 features are mixtures of
//! 5 hidden causes, bent and noisy; the label depends on the causes. 10,000 rows,
//! 200 labels. Found: the accuracy rises from 70.2% to 73.4%, in 5 of 5 seeds.

use gradus::prelude::*;
use gradus::train::MaskedFeatures;

const FEATURES: usize = 40;
const CAUSES: usize = 5;
const ROWS: usize = 10_000;
const TEST: usize = 4000;
const LABELLED: usize = 200;

/// Normal random numbers, from a seed (SplitMix64 and Box & Muller).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Rows with a mean of about 0 and a deviation of about 1, and their labels.
fn table(seed: u64) -> gradus::Result<Dataset> {
    let mut random = Random(seed);
    let mut matrix = |rows: usize| -> Vec<Vec<f64>> {
        (0..rows)
            .map(|_| (0..CAUSES).map(|_| random.normal()).collect())
            .collect()
    };
    let (mixture, label) = (matrix(FEATURES), matrix(3));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..ROWS + TEST {
        let causes: Vec<f64> = (0..CAUSES).map(|_| random.normal()).collect();
        for weights in &mixture {
            x.push((1.5 * (dot(weights, &causes)).tanh() + 0.7 * random.normal()) as f32);
        }
        // No line divides the classes: which of three directions is strongest.
        let strengths = label.iter().map(|weights| dot(weights, &causes).abs());
        let strongest = strengths.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        y.push(strongest.map_or(0.0, |(class, _)| class as f32));
    }
    Dataset::new(Tensor::from_f32([FEATURES], x)?, Tensor::from_column(y)?)
}

fn network(seed: u64) -> gradus::Result<Model> {
    Sequential::new()
        .seed(seed)
        .add(Dense::new(128).activation(Activation::Relu))
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(
            Nadam::new(),
            Loss::SparseCategoricalCrossentropy,
            &[Metric::Accuracy],
        )
}

/// The accuracy on the test rows after training on few.
fn accuracy(model: &mut Model, few: &Dataset, test: &Dataset) -> gradus::Result<f64> {
    let stop = EarlyStopping::new().patience(10).restore_best_weights(true);
    let options = Fit::new().epochs(100).validation_split(0.25).callback(stop);
    model.fit(few, options)?;
    Ok(model.evaluate(test)?.get("accuracy").unwrap_or_default())
}

fn main() -> gradus::Result<()> {
    let seeds: u64 = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    println!("seed  from scratch  pretrained  error of hidden features");
    let (mut before, mut after, mut better) = (0.0, 0.0, 0);
    for seed in 0..seeds {
        let (rows, test) = table(seed)?.split_first(ROWS)?;
        let few = rows.slice(0..LABELLED)?;
        let scratch = accuracy(&mut network(seed)?, &few, &test)?;

        let mut model = network(seed)?;
        let task = MaskedFeatures::new().epochs(20).rate(0.3);
        let histories = task.pretrain(&mut model, &rows.without_targets())?;
        let losses = histories[0].get("loss");
        let pretrained = accuracy(&mut model, &few, &test)?;
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        println!("{seed:4}  {scratch:12.4}  {pretrained:10.4}  {first:.3} to {last:.3}");
        before += scratch / seeds as f64;
        after += pretrained / seeds as f64;
        better += usize::from(pretrained > scratch);
    }
    println!("mean  {before:12.4}  {after:10.4}, better in {better} of {seeds} seeds");
    Ok(())
}
