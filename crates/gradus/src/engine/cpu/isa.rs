//! Instruction sets, and the choice of the processor's best.

use super::simd::{Kernel, Simd, panels};

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    /// The instructions that every processor of the architecture has.
    Portable,
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 512-bit vectors, and dot products of bfloat16 pairs.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    /// 128-bit vectors with fused multiply-add, in pairs.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// `Portable`, with products of pairs: tests them on every processor.
    #[cfg(test)]
    Paired,
}

impl Isa {
    /// Every set that this processor has, the best last.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut found = vec![Isa::Portable];
        // Miri has the instructions that it is compiled for: `.ci/miri`.
        #[cfg(all(target_arch = "x86_64", any(not(miri), target_feature = "avx2")))]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Isa::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    found.push(Isa::Avx512);
                    #[cfg(not(miri))]
                    if is_x86_feature_detected!("avx512bf16") && super::bf16::is_exact() {
                        found.push(Isa::Avx512Bf16);
                    }
                }
            }
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        found.push(Isa::Neon);
        found
    }

    /// The best set that this processor has; `GRADUS_ISA` = `portable`, `avx2`, `avx512`,
    /// `avx512bf16` or `neon` selects a lesser one.
    pub fn best() -> Isa {
        let found = Self::available();
        let wanted = std::env::var("GRADUS_ISA").unwrap_or_default();
        let named = found
            .iter()
            .find(|isa| format!("{isa:?}").eq_ignore_ascii_case(&wanted));
        let best = || found.iter().rfind(|isa| isa.is_quicker());
        *named.or_else(best).unwrap_or(&Isa::Portable)
    }

    /// The sets that tests compare with the reference: the one in `GRADUS_ISA`, or all.
    #[cfg(test)]
    pub fn tested() -> Vec<Isa> {
        let mut found = Self::available();
        if let Ok(wanted) = std::env::var("GRADUS_ISA") {
            found.retain(|isa| format!("{isa:?}").eq_ignore_ascii_case(&wanted));
            assert!(!found.is_empty(), "this processor does not have {wanted}");
        }
        found
    }

    /// Those that multiply pairs, each with the set that is otherwise the same.
    #[cfg(test)]
    pub fn paired() -> Vec<(Isa, Isa)> {
        let paired = |isa| match isa {
            Isa::Portable => Some((Isa::Paired, Isa::Portable)),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => Some((Isa::Avx512Bf16, Isa::Avx512)),
            _ => None,
        };
        Self::tested().into_iter().filter_map(paired).collect()
    }

    /// Values in a lane.
    pub(super) fn width(self) -> usize {
        self.run(Width)
    }

    /// Cuts lanes of columns into those of tiles: the start and number of lanes of each.
    pub(super) fn panels(self, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
        let (most, wide) = self.run(TileLanes);
        panels(lanes, most, wide)
    }

    /// True if it is quicker than those before it.
    fn is_quicker(self) -> bool {
        match self {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Isa::Avx512Bf16 => super::bf16::is_quicker(),
            _ => true,
        }
    }

    /// True if it multiplies bfloat16 numbers by pairs.
    pub(super) fn has_pairs(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => true,
            #[cfg(test)]
            Isa::Paired => true,
            _ => false,
        }
    }

    /// Runs a kernel that multiplies pairs, which only some sets do outside of tests.
    #[inline]
    pub(super) fn run_pairs<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            // SAFETY: `available` found the instructions.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => unsafe { super::kernels::avx512::run_pairs(kernel) },
            #[cfg(test)]
            other => other.run(kernel),
            #[cfg(not(test))]
            other => {
                let _ = kernel;
                unreachable!("{other:?} has no pairs")
            }
        }
    }

    /// Runs a kernel with this set's lane.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Isa::Portable => kernel.run::<super::kernels::portable::Portable>(),
            // SAFETY: `available` found the instructions.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { super::kernels::avx2::run(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Avx512Bf16 => unsafe { super::kernels::avx512::run(kernel) },
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => kernel.run::<super::kernels::neon::Neon>(),
            #[cfg(test)]
            Isa::Paired => kernel.run::<super::kernels::portable::Portable>(),
        }
    }
}

struct Width;

impl Kernel for Width {
    type Output = usize;
    #[inline(always)]
    fn run<L: Simd>(self) -> usize {
        L::WIDTH
    }
}

struct TileLanes;

impl Kernel for TileLanes {
    type Output = (usize, bool);
    #[inline(always)]
    fn run<L: Simd>(self) -> (usize, bool) {
        (L::TILE_LANES, L::WIDE_TILE_ROWS > 0)
    }
}
