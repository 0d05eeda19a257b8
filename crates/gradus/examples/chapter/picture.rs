//! A picture of one or two charts beside each other.

use super::Done;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// Colours that are told apart with any kind of sight (Okabe and Ito).
pub const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// A named line.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Line {
    pub fn new(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Line {
            name: name.to_owned(),
            points: points.into_iter().collect(),
        }
    }
}

/// A chart to be drawn.
pub struct Chart<'a> {
    pub title: &'a str,
    pub x: (&'a str, f64, f64),
    pub y: (&'a str, f64, f64),
    pub lines: &'a [Line],
    /// True for powers of ten: the values are logarithms.
    pub log: bool,
    pub legend: SeriesLabelPosition,
}

/// Draws charts beside each other.
pub fn draw(path: &Path, charts: &[Chart<'_>]) -> Done<()> {
    let area = SVGBackend::new(path, (520 * charts.len() as u32, 380)).into_drawing_area();
    area.fill(&WHITE)?;
    for (area, chart) in area.split_evenly((1, charts.len())).iter().zip(charts) {
        one(area, chart)?;
    }
    area.present()?;
    Ok(())
}

fn one(area: &DrawingArea<SVGBackend<'_>, Shift>, chart: &Chart<'_>) -> Done<()> {
    let (x, y) = (chart.x, chart.y);
    let mut axes = ChartBuilder::on(area)
        .caption(chart.title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(62)
        .build_cartesian_2d(x.1..x.2, y.1..y.2)?;
    let power = |value: &f64| format!("1e{value:.0}");
    let plain = |value: &f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let label: &dyn Fn(&f64) -> String = if chart.log { &power } else { &plain };
    axes.configure_mesh()
        .x_desc(x.0)
        .y_desc(y.0)
        .x_label_formatter(&plain)
        .y_label_formatter(label)
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .label_style(("sans-serif", 13))
        .draw()?;
    for (line, color) in chart.lines.iter().zip(COLORS) {
        let style = color.stroke_width(2);
        axes.draw_series(LineSeries::new(line.points.iter().copied(), style))?
            .label(line.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    axes.configure_series_labels()
        .position(chart.legend.clone())
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 13))
        .draw()?;
    Ok(())
}
