//! Pictures as data: the script of the page draws each kind, and makes its table of the same numbers.

use serde::Serialize;

/// A picture with its words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Says what to see.
    pub title: String,
    /// Says how to read it, and what was left out.
    pub caption: String,
    /// True if it takes the whole width of the page.
    pub wide: bool,
    /// The numbers.
    pub picture: Picture,
}

/// The kinds of pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Picture {
    /// Curves or points over numbers.
    Lines(Lines),
    /// Colours of numbers in rows and columns.
    Heat(Heat),
    /// A bar for each name.
    Bars(Bars),
    /// Small histograms, one for each name.
    Histograms {
        /// The names and their bins.
        items: Vec<Bins>,
    },
    /// Rows of the data that are images.
    Images {
        /// The images.
        items: Vec<Image>,
    },
    /// A table.
    Table(Table),
}

/// Curves or points.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lines {
    /// Words and unit of the horizontal axis.
    pub x: String,
    /// Words and unit of the vertical axis.
    pub y: String,
    /// True if the vertical axis is logarithmic; all numbers are above 0.
    pub log: bool,
    /// The curves.
    pub series: Vec<Series>,
    /// Vertical lines with a name.
    pub marks: Vec<Mark>,
    /// The lowest and the highest value of the horizontal axis, if it is fixed.
    pub x_range: Option<(f64, f64)>,
    /// The lowest and the highest value of the vertical axis, if it is fixed.
    pub y_range: Option<(f64, f64)>,
}

/// A curve: `y` at each `x`, which grows or stays. `None` is a gap.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its look.
    pub style: Style,
    /// The number of its colour.
    pub colour: usize,
    /// The places.
    pub x: Vec<Option<f64>>,
    /// The values.
    pub y: Vec<Option<f64>>,
}

/// The look of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A line.
    Line,
    /// A dashed line.
    Dashed,
    /// A thin dotted line to compare with.
    Reference,
    /// Points without a line.
    Points,
    /// Points joined by a line.
    Joined,
    /// Bars from 0.
    Bars,
}

/// A vertical line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Its place.
    pub x: f64,
    /// Its name.
    pub name: String,
}

/// Numbers in rows and columns, as colours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heat {
    /// Words for the rows.
    pub rows: String,
    /// Words for the columns.
    pub columns: String,
    /// The names of the rows, from the top.
    pub row_names: Vec<String>,
    /// The names of the columns.
    pub column_names: Vec<String>,
    /// The measures to choose from.
    pub measures: Vec<Measure>,
    /// True if each row and each column is as high as it is wide.
    pub square: bool,
}

/// A measure of a heat map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Says how to read it.
    pub says: String,
    /// True if colours go by the logarithm.
    pub log: bool,
    /// The cells.
    pub cells: Cells,
}

/// The cells of a heat map.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cells {
    /// Row by row.
    Dense(Vec<Cell>),
    /// Row, column and value of those that are not 0.
    Sparse(Vec<(usize, usize, f64)>),
}

/// A cell: a number, `null` for none, or a word for one that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A finite number, or none.
    Number(Option<f64>),
    /// `NaN`, `inf` or `-inf`.
    NotFinite(&'static str),
}

impl Cell {
    /// The cell of a value, in a few digits.
    pub fn of(value: Option<f64>) -> Self {
        match value {
            Some(x) if x.is_nan() => Cell::NotFinite("NaN"),
            Some(x) if x == f64::INFINITY => Cell::NotFinite("inf"),
            Some(x) if x == f64::NEG_INFINITY => Cell::NotFinite("-inf"),
            value => Cell::Number(value.map(|x| rounded(x, 3))),
        }
    }
}

/// Bars with names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bars {
    /// Words for the names.
    pub names: String,
    /// Words and unit of the values.
    pub values: String,
    /// Name, value and spread of each.
    pub items: Vec<(String, f64, Option<f64>)>,
}

/// The number of values in bins of one width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bins {
    /// Its name.
    pub name: String,
    /// Lower edge of the first bin and upper edge of the last.
    pub range: (f64, f64),
    /// The number of values in each.
    pub counts: Vec<u64>,
    /// Words about the values.
    pub says: String,
}

/// A row of the data that is an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Image {
    /// Words below it.
    pub lines: Vec<String>,
    /// Height and width in pixels.
    pub size: (usize, usize),
    /// Red, green and blue of each pixel, or its grey, in hexadecimal digits.
    pub pixels: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows; the first cell is the row's name.
    pub rows: Vec<Vec<String>>,
}

/// A finite number rounded to so many significant digits, so that it takes few letters.
pub fn rounded(x: f64, digits: usize) -> f64 {
    let text = format!("{x:.*e}", digits.saturating_sub(1));
    text.parse().unwrap_or(x)
}

/// A number for a curve; `None` if it is not finite.
pub fn point(x: f64) -> Option<f64> {
    x.is_finite().then(|| rounded(x, 6))
}

/// A number in words, short enough to read.
pub fn shown(x: f64) -> String {
    let size = x.abs();
    match size {
        _ if !x.is_finite() => x.to_string(),
        _ if x == x.trunc() && size < 1e7 => x.to_string(),
        _ if (1e3..1e7).contains(&size) => format!("{x:.0}"),
        _ if (10.0..1e3).contains(&size) => format!("{x:.2}"),
        _ if (1e-3..10.0).contains(&size) => format!("{x:.4}"),
        _ => format!("{x:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(rounded(0.123_456_789, 3), 0.123);
        assert_eq!(rounded(-98_765_432.1, 2), -99_000_000.0);
        assert_eq!(point(f64::NAN), None);
        assert_eq!(shown(3.0), "3");
        assert_eq!(shown(0.25), "0.2500");
        assert_eq!(shown(49_925.154), "49925");
        assert_eq!(shown(-12.345), "-12.35");
        assert_eq!(shown(f64::NAN), "NaN");
        assert_eq!(shown(1.5e-9), "1.500e-9");
        let cells = [Some(f64::INFINITY), None, Some(0.12345)].map(Cell::of);
        let json = serde_json::to_string(&cells).unwrap();
        assert_eq!(json, r#"["inf",null,0.123]"#);
    }
}
