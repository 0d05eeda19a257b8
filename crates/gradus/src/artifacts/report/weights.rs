//! Histograms of a model's weights.

use super::figure::{Bins, Figure, Picture, Table, shown};
use super::measures::{binned, finite_range};
use crate::model::Model;

/// The weights whose histograms are drawn, those that are listed, and the bins of each.
const DRAWN: usize = 24;
const LISTED: usize = 2000;
const BINS: usize = 40;

/// The distribution of one weight of a model.
#[derive(Clone, Debug)]
pub struct WeightPage {
    /// Layer and weight: `dense/kernel`.
    pub name: String,
    /// The number of values.
    pub count: usize,
    /// Mean and standard deviation of the finite ones.
    pub mean: f64,
    /// Standard deviation of the finite ones.
    pub std: f64,
    /// Lowest and highest finite value; `None` if there is none.
    pub range: Option<(f64, f64)>,
    /// The values that are 0.
    pub zeros: usize,
    /// The values that are NaN or infinite.
    pub not_finite: usize,
    /// The number of finite values in bins of one width, from the lowest to the highest.
    pub bins: Vec<u64>,
}

impl WeightPage {
    /// The distributions of all weights.
    pub fn of_model(model: &Model) -> Vec<Self> {
        let layers = model.layers.iter();
        let weights = layers.flat_map(|layer| {
            let of = |weight: &crate::model::Weight| {
                WeightPage::of(format!("{}/{}", layer.name, weight.name), &weight.values)
            };
            layer.weights.iter().map(of)
        });
        weights.filter(|weight| weight.count > 0).collect()
    }

    fn of(name: String, values: &[f32]) -> Self {
        let finite = || {
            values
                .iter()
                .map(|&x| f64::from(x))
                .filter(|x| x.is_finite())
        };
        let count = finite().count().max(1) as f64;
        let mean = finite().sum::<f64>() / count;
        let variance = finite().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let range = finite_range(finite());
        WeightPage {
            name,
            count: values.len(),
            mean,
            std: variance.sqrt(),
            range,
            zeros: values.iter().filter(|&&x| x == 0.0).count(),
            not_finite: values.iter().filter(|x| !x.is_finite()).count(),
            bins: range.map_or(Vec::new(), |range| binned(finite(), range, BINS)),
        }
    }
}

/// The pictures: histograms of the largest weights, and the figures of all.
pub fn figures(weights: &[WeightPage]) -> Vec<Figure> {
    if weights.is_empty() {
        return Vec::new();
    }
    let mut largest: Vec<usize> = (0..weights.len()).collect();
    largest.sort_by_key(|&n| std::cmp::Reverse(weights[n].count));
    largest.truncate(DRAWN);
    largest.sort_unstable();
    let drawn = largest.iter().map(|&n| &weights[n]);
    let drawn = drawn.filter_map(|weight| {
        Some(Bins {
            name: weight.name.clone(),
            range: weight.range?,
            counts: weight.bins.clone(),
            says: format!("{} values", weight.count),
        })
    });
    let row = |weight: &WeightPage| {
        let (low, high) = weight.range.unwrap_or((f64::NAN, f64::NAN));
        let numbers = [weight.mean, weight.std, low, high].map(shown);
        let counts = [weight.count, weight.zeros, weight.not_finite].map(|n| n.to_string());
        let [count, zeros, not_finite] = counts;
        let [mean, std, low, high] = numbers;
        vec![
            weight.name.clone(),
            count,
            mean,
            std,
            low,
            high,
            zeros,
            not_finite,
        ]
    };
    let columns = [
        "weight",
        "values",
        "mean",
        "deviation",
        "lowest",
        "highest",
        "zeros",
        "not finite",
    ];
    let mut caption = "The number of values from the lowest to the highest. Many values at one \
                       end, or far from the others, are worth a look."
        .to_owned();
    if weights.len() > DRAWN {
        caption += &format!(" The {DRAWN} largest of {} weights.", weights.len());
    }
    let mut listed = String::from("Not finite: NaN or infinite.");
    if weights.len() > LISTED {
        listed += &format!(" The first {LISTED} of {} weights.", weights.len());
    }
    vec![
        Figure {
            title: "Weights: the distribution of each layer's values".into(),
            caption,
            wide: true,
            picture: Picture::Histograms {
                items: drawn.collect(),
            },
        },
        Figure {
            title: "Weights in numbers".into(),
            caption: listed,
            wide: true,
            picture: Picture::Table(Table {
                columns: columns.map(String::from).into(),
                rows: weights.iter().take(LISTED).map(row).collect(),
            }),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_counted_apart() {
        let weight = WeightPage::of("a/b".into(), &[0.0, 1.0, 2.0, f32::NAN, f32::INFINITY]);
        assert_eq!((weight.count, weight.not_finite, weight.zeros), (5, 2, 1));
        assert_eq!((weight.mean, weight.range), (1.0, Some((0.0, 2.0))));
        assert!((weight.std - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(weight.bins.iter().sum::<u64>(), 3);
        let nothing = WeightPage::of("c".into(), &[f32::NAN]);
        assert_eq!((nothing.range, nothing.bins.len()), (None, 0));
        assert_eq!(figures(&[nothing]).len(), 2);
    }
}
