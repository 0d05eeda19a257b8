//! Convolutions as products: the first factor is read patch by patch where the image lies, or in
//! a copy of some of its rows with zeros around them, so that no tap is outside.
//!
//! Both ways are one: an output, or the gradient of an input, is the product of [`patches`] of a
//! source's pixels, of which a [`lattice`] says which, and a kernel, as it is or [`turned`]. The
//! gradient of the kernel is the product of the same patches, transposed, and that of the output.

mod depthwise;
mod kernel;
mod lattice;
mod patches;
mod product;
mod turned;

pub(super) use depthwise::{Depthwise, DepthwiseGradient};
pub(super) use kernel::KernelGradient;
pub(super) use product::Convolution;
