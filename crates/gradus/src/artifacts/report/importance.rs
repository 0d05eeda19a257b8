//! The importance of a table's columns to a model.

use super::figure::{Bars, Figure, Picture};

/// The columns that are drawn.
const COLUMNS: usize = 30;

/// The importance of columns, by permutation.
#[derive(Clone, Debug, Default)]
pub struct Importance {
    /// The rows, whose loss is measured.
    pub rows: usize,
    /// The loss of these rows as they are.
    pub loss: f64,
    /// Each column, with the increases of the loss when its values are shuffled among the rows.
    pub columns: Vec<(String, Vec<f64>)>,
}

/// The picture.
pub fn figure(importance: &Importance) -> Option<Figure> {
    let measured = importance.columns.iter().map(|(name, increases)| {
        let count = increases.len().max(1) as f64;
        let mean = increases.iter().sum::<f64>() / count;
        let squares = increases
            .iter()
            .map(|x| (x - mean) * (x - mean))
            .sum::<f64>();
        (name.clone(), mean, Some((squares / count).sqrt()))
    });
    let mut items: Vec<_> = measured.filter(|(_, mean, _)| mean.is_finite()).collect();
    items.sort_by(|a, b| b.1.total_cmp(&a.1));
    let all = items.len();
    items.truncate(COLUMNS);
    let repeats = importance.columns.first().map_or(0, |(_, all)| all.len());
    let mut caption = format!(
        "The increase of the loss (here {}) when the column's values are shuffled among the rows, \
         the mean of {repeats} shuffles of {} rows; ± is their standard deviation. Columns that \
         say the same share their importance. Importance to this model is no cause and effect.",
        super::figure::shown(importance.loss),
        importance.rows
    );
    if all > COLUMNS {
        caption += &format!(" The first {COLUMNS} of {all} columns.");
    }
    (!items.is_empty()).then(|| Figure {
        title: "Which columns the model leans on (permutation importance)".into(),
        caption,
        wide: false,
        picture: Picture::Bars(Bars {
            names: "column".into(),
            values: "increase of the loss".into(),
            items,
        }),
    })
}
