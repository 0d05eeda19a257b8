//! Models made smaller and faster for use.

mod quantize;

pub use quantize::Quantized;
