//! The learning-rate finder's curve: as text and SVG.

mod frame;
mod svg;
mod text;

pub use svg::svg;
pub use text::text;
