//! Curves over the epochs, of one run or of several beside each other.

use super::figure::{Figure, Lines, Mark, Picture, Series, Style, point, shown};
use super::run::RunPage;
use super::thin::{POINTS, thin};

/// The ratio of a curve's largest to its smallest value from which on its axis is logarithmic.
const WIDE: f64 = 100.0;

/// The colours of curves, which then begin anew.
const COLOURS: usize = 7;

/// The curves of loss, metrics, learning rate, momentum and time.
pub fn figures(runs: &[RunPage]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for name in names(runs) {
        figures.push(of_measure(runs, &name));
    }
    let title = "Learning rate of each epoch's last step";
    figures.push(of_each(runs, title, "learning rate", |run| {
        values(run, RATE)
    }));
    let title = "Momentum of each epoch's last step, as the schedule sets it";
    figures.push(of_each(runs, title, "momentum", |run| {
        let epochs = run.momentum.iter();
        epochs.map(|&(epoch, x)| (number(epoch), x)).collect()
    }));
    let title = "Time of each epoch, validation included";
    figures.push(of_each(runs, title, "seconds", |run| {
        let epochs = run.history.epochs.iter();
        epochs.map(|e| (number(e.epoch), e.seconds)).collect()
    }));
    figures.retain(has_points);
    if runs.iter().any(|run| run.history.epochs.len() > POINTS) {
        for figure in &mut figures {
            let words = "Of many epochs, the lowest and the highest value of each few are drawn.";
            figure.caption = format!("{} {words}", figure.caption).trim().to_owned();
        }
    }
    if let [run] = runs
        && let Some(best) = run.best()
    {
        let mark = Mark {
            x: number(best.epoch),
            name: format!("the best {}", best.monitor),
        };
        for figure in &mut figures {
            if let Picture::Lines(lines) = &mut figure.picture {
                lines.marks.push(mark.clone());
                let words = format!("Dotted: epoch {}, {}.", mark.x, mark.name);
                figure.caption = format!("{} {words}", figure.caption).trim().to_owned();
            }
        }
    }
    figures
}

/// The name of the learning rate in a history.
const RATE: &str = "learning_rate";

/// The number of an epoch in the page, which counts from 1 as the program's messages do.
fn number(epoch: usize) -> f64 {
    epoch as f64 + 1.0
}

/// True if anything of it can be drawn.
fn has_points(figure: &Figure) -> bool {
    match &figure.picture {
        Picture::Lines(lines) => lines.series.iter().any(|s| !s.y.is_empty()),
        _ => true,
    }
}

/// The measures that are drawn.
const MEASURES: usize = 40;

/// The names of loss and metrics, without `val_`, in their first order.
pub fn names(runs: &[RunPage]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for epoch in runs.iter().filter_map(|run| run.history.epochs.first()) {
        for name in epoch.logs.names().filter(|name| *name != RATE) {
            let name = name.strip_prefix("val_").unwrap_or(name);
            if names.len() < MEASURES && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// The values of that name at the epochs that have it.
fn values(run: &RunPage, name: &str) -> Vec<(f64, f64)> {
    let epochs = run.history.epochs.iter();
    let value = epochs.map(|epoch| epoch.logs.get(name).map(|v| (number(epoch.epoch), v)));
    value.flatten().collect()
}

/// A picture with a series for each run.
fn of_each(
    runs: &[RunPage],
    title: &str,
    y: &str,
    of: impl Fn(&RunPage) -> Vec<(f64, f64)>,
) -> Figure {
    let name = |run: &RunPage| match runs.len() {
        1 => y.to_owned(),
        _ => run.name.clone(),
    };
    let all = runs.iter().enumerate();
    let all = all.map(|(n, run)| series(&name(run), Style::Line, n, &of(run)));
    figure(
        title,
        y,
        all.filter(|series| !series.y.is_empty()).collect(),
    )
}

fn series(name: &str, style: Style, colour: usize, values: &[(f64, f64)]) -> Series {
    let y: Vec<f64> = values.iter().map(|(_, y)| *y).collect();
    let kept = thin(&y);
    Series {
        name: name.to_owned(),
        style,
        colour: colour % COLOURS,
        x: kept.iter().map(|&i| point(values[i].0)).collect(),
        y: kept.iter().map(|&i| point(y[i])).collect(),
    }
}

/// Training and validation of one measure.
fn of_measure(runs: &[RunPage], name: &str) -> Figure {
    let mut all = Vec::new();
    let validation = format!("val_{name}");
    for (n, run) in runs.iter().enumerate() {
        let (train, held_out) = (values(run, name), values(run, &validation));
        match runs.len() {
            1 => {
                all.push(series("training", Style::Line, 0, &train));
                all.push(series("validation", Style::Line, 1, &held_out));
            }
            _ => {
                let name = |part: &str| format!("{}, {part}", run.name);
                all.push(series(&name("training"), Style::Dashed, n, &train));
                all.push(series(&name("validation"), Style::Line, n, &held_out));
            }
        }
    }
    all.retain(|series| !series.y.is_empty());
    let both = runs.iter().any(|run| !values(run, &validation).is_empty());
    let title = match both {
        true => format!("Training and validation {name}"),
        false => format!("Training {name}"),
    };
    let mut figure = figure(&title, name, all);
    if runs.len() > 1 && both {
        figure.caption = format!("Dashed: training. {}", figure.caption)
            .trim()
            .to_owned();
    }
    if let ([run], true, "loss") = (runs, both, name) {
        let last = run.history.epochs.last();
        let last = last.and_then(|epoch| epoch.logs.get(&validation));
        if let (Some(best), Some(last)) = (run.best(), last)
            && best.monitor == validation
        {
            let last = match run.history.epochs.last().map(|epoch| epoch.epoch) {
                Some(epoch) if epoch == best.epoch => "the last one".to_owned(),
                _ => format!("and {} in the last one", shown(last)),
            };
            figure.caption = format!(
                "Lowest {validation}: {} in epoch {}, {last}. Where validation climbs while \
                 training falls, the model learns its rows by heart. {}",
                shown(best.value),
                best.epoch.saturating_add(1),
                figure.caption
            );
        }
    }
    figure
}

/// The picture of some curves over the epochs.
fn figure(title: &str, y: &str, series: Vec<Series>) -> Figure {
    let all = || series.iter().flat_map(|series| &series.y);
    let finite = || all().flatten().copied();
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let log = low > 0.0 && high / low > WIDE;
    let mut caption = Vec::new();
    if log {
        caption.push("Logarithmic axis.");
    }
    if all().any(Option::is_none) {
        caption.push("A gap is an epoch whose value is NaN or infinite.");
    }
    Figure {
        title: title.to_owned(),
        caption: caption.join(" "),
        wide: false,
        picture: Picture::Lines(Lines {
            x: "epoch".into(),
            y: y.to_owned(),
            log,
            series,
            ..Lines::default()
        }),
    }
}
