//! Pictures of predicted numbers.

use super::super::figure::{Figure, Lines, Picture, Series, Style, point, shown};
use super::super::measures::{Residuals, accepted, binned, finite_range};
use super::{Uncertainty, column, diagonal};

/// The numbers of a row from which on they are looked at together.
const EACH: usize = 8;
/// The points of a scatter plot, and the bins of a histogram.
const POINTS: usize = 1500;
const BINS: usize = 41;

/// The pictures of each number of a row, or of all together if there are many.
pub fn figures(
    names: &[String],
    predicted: &[f32],
    truth: &[f32],
    uncertainty: Option<&Uncertainty>,
) -> Vec<Figure> {
    let size = names.len();
    let mut figures = Vec::new();
    if size > EACH {
        let all = |values: &[f32]| values.iter().map(|&x| x.into()).collect::<Vec<f64>>();
        let name = format!("all {size} numbers of a row");
        figures.extend(of_one(&name, &all(predicted), &all(truth)));
        return figures;
    }
    for (n, name) in names.iter().enumerate() {
        let (said, truth) = (column(predicted, size, n), column(truth, size, n));
        figures.extend(of_one(name, &said, &truth));
    }
    if let (1, Some(uncertainty)) = (size, uncertainty) {
        figures.extend(rejection(uncertainty, truth));
    }
    figures
}

fn of_one(name: &str, said: &[f64], truth: &[f64]) -> Vec<Figure> {
    let Some(found) = Residuals::of(said, truth) else {
        return Vec::new();
    };
    vec![
        against(name, said, truth, &found),
        distribution(name, &found),
    ]
}

fn against(name: &str, said: &[f64], truth: &[f64], found: &Residuals) -> Figure {
    let step = truth.len().div_ceil(POINTS).max(1);
    let mut points: Vec<(f64, f64)> = truth.iter().copied().zip(said.iter().copied()).collect();
    points = points.into_iter().step_by(step).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let range = finite_range(points.iter().flat_map(|&(x, y)| [x, y]));
    let (low, high) = range.unwrap_or((0.0, 1.0));
    let room = if high > low { (high - low) * 0.04 } else { 1.0 };
    let (low, high) = (low - room, high + room);
    let of = |value: fn(&(f64, f64)) -> f64| points.iter().map(|p| point(value(p))).collect();
    let r2 = found.r2.map_or("undefined".into(), shown);
    let mut caption = format!(
        "On the dotted line a prediction is right. R² {r2}, mean absolute error {}, root mean \
         square error {}.",
        shown(found.mean_absolute),
        shown(found.root_mean_square)
    );
    if step > 1 {
        caption += &format!(" Drawn: one of {step} points, evenly chosen.");
    }
    Figure {
        title: format!("Predicted against true: {name}"),
        caption,
        wide: false,
        picture: Picture::Lines(Lines {
            x: format!("true {name}"),
            y: format!("predicted {name}"),
            series: vec![
                Series {
                    name: "rows".into(),
                    style: Style::Points,
                    colour: 0,
                    x: of(|p| p.0),
                    y: of(|p| p.1),
                },
                diagonal("right", low, high),
            ],
            x_range: Some((low, high)),
            y_range: Some((low, high)),
            ..Lines::default()
        }),
    }
}

fn distribution(name: &str, found: &Residuals) -> Figure {
    let mut sorted = found.errors.clone();
    sorted.sort_by(f64::total_cmp);
    // A few far ones would leave no room for the others.
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let edge = f64::max(at(0.005).abs(), at(0.995).abs());
    let edge = if edge > 0.0 { edge } else { 1.0 };
    let counts = binned(found.errors.iter().copied(), (-edge, edge), BINS);
    let drawn: u64 = counts.iter().sum();
    let width = 2.0 * edge / BINS as f64;
    let centre = |bin: usize| point((bin as f64 + 0.5) * width - edge);
    let mut caption = format!(
        "Predicted minus true: left of 0 the prediction is too low. Mean {}; half of the rows lie \
         between {} and {}.",
        shown(found.mean),
        shown(at(0.25)),
        shown(at(0.75))
    );
    match found.errors.len() as u64 - drawn {
        0 => {}
        outside => caption += &format!(" Not drawn: {outside} that lie farther out."),
    }
    Figure {
        title: format!("Residuals: the errors of {name}"),
        caption,
        wide: false,
        picture: Picture::Lines(Lines {
            x: format!("predicted minus true {name}"),
            y: "rows".into(),
            series: vec![Series {
                name: "rows".into(),
                style: Style::Bars,
                colour: 0,
                x: (0..BINS).map(centre).collect(),
                y: counts.iter().map(|&n| point(n as f64)).collect(),
            }],
            ..Lines::default()
        }),
    }
}

fn rejection(uncertainty: &Uncertainty, truth: &[f32]) -> Option<Figure> {
    let squares = uncertainty.means.iter().zip(&uncertainty.rows);
    let squares: Vec<f64> = squares
        .map(|(said, &row)| f64::from(said - truth[row]).powi(2))
        .collect();
    let kept = accepted(&uncertainty.values, &squares);
    (!kept.is_empty()).then(|| Figure {
        title: "Error if the most uncertain rows are rejected".into(),
        caption: format!(
            "Monte Carlo dropout: {} predictions of each of {} rows with dropout on; uncertain is \
             what has a high {}. A curve that falls means that the model knows when it does not \
             know.",
            uncertainty.samples,
            squares.len(),
            uncertainty.measure
        ),
        wide: false,
        picture: Picture::Lines(Lines {
            x: "share of rows rejected".into(),
            y: "root mean square error of the others".into(),
            series: vec![Series {
                name: "error".into(),
                style: Style::Joined,
                colour: 0,
                x: kept.iter().map(|kept| point(kept.rejected)).collect(),
                y: kept.iter().map(|kept| point(kept.mean.sqrt())).collect(),
            }],
            x_range: Some((0.0, 1.0)),
            ..Lines::default()
        }),
    })
}
