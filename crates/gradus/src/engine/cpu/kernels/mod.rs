//! Kernels: the operations on raw memory, generic over the lane. Together with
//! the rest of `engine/cpu`, the only home of `unsafe`.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
pub(super) mod batch_norm;
pub(super) mod batch_norm_parts;
pub(super) mod binary;
pub(super) mod columns;
pub(super) mod depthwise;
pub(super) mod factors;
pub(super) mod fake_quantization;
pub(super) mod few;
pub(super) mod int8;
#[cfg(target_arch = "aarch64")]
pub(super) mod neon;
pub(super) mod noise;
pub(super) mod normalized;
pub(super) mod observe;
pub(super) mod pack;
pub(super) mod pairs;
pub(super) mod pool;
pub(super) mod portable;
pub(super) mod product;
pub(super) mod pruned;
pub(super) mod rows;
pub(super) mod scale;
pub(super) mod sparse;
mod tiles;
pub(super) mod update;

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod tests;
