//! Random numbers as a pure function of (seed, stream, step, element).
//!
//! No state is carried from call to call, so that the same seed gives the same bits on any number
//! of threads and after a resume.

use super::lane::Lane;
use super::math::{cos_of_turns, ln};

/// The seed of a configuration that names none.
pub const SEED: u64 = 42;

/// Purpose of a stream of random numbers; the layer's number tells streams of one purpose apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Initial weights of the n-th variable.
    Initializer(u32),
    /// The order of the training rows.
    Shuffle,
    /// The noise of the n-th random layer.
    Layer(u32),
    /// The values masked and the pairs drawn in pretraining.
    Pretrain,
    /// The rows held out, and each row's fold.
    Split,
    /// The rows of a batch that mixup pairs, and their shares.
    Mix,
    /// The shuffles of a column whose importance is measured.
    Permute,
}

impl Stream {
    fn number(self) -> u64 {
        match self {
            Stream::Initializer(n) => (1 << 32) | u64::from(n),
            Stream::Shuffle => 2 << 32,
            Stream::Pretrain => 5 << 32,
            Stream::Split => 6 << 32,
            Stream::Mix => 7 << 32,
            Stream::Permute => 8 << 32,
            Stream::Layer(n) => (4 << 32) | u64::from(n),
        }
    }
}

/// One 64-bit mixing step (the finalizer of SplitMix64: Steele, Lea & Flood 2014).
fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key of one stream at one step; elements are drawn from it by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key for a seed, a stream and a step.
    pub fn new(seed: u64, stream: Stream, step: u64) -> Self {
        let golden = 0x9e37_79b9_7f4a_7c15;
        let mut k = mix64(seed.wrapping_add(golden));
        k = mix64(k ^ stream.number().wrapping_mul(golden));
        Key(mix64(k ^ step.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// 32 random bits for each element from `start` on.
    ///
    /// Two rounds of a full-avalanche 32-bit mixer, half of the key before
    /// each: cheap in SIMD, and a bijection of the element under any key.
    #[inline(always)]
    pub(crate) fn bits<L: Lane>(self, start: u32) -> L::Bits {
        let mut x = L::counting(start);
        x = L::bits_xor(L::bits_mul(x, L::bits(0x9e37_79b1)), L::bits(self.0 as u32));
        x = mix32::<L>(x);
        x = L::bits_add(x, L::bits((self.0 >> 32) as u32));
        mix32::<L>(x)
    }

    /// A uniform number in [0, 1) for each element from `start` on, of 24 bits.
    #[inline(always)]
    pub(crate) fn uniform<L: Lane>(self, start: u32) -> L {
        // 23 bits under the exponent of 1 give [1, 2).
        let mantissa = L::bits_shr::<9>(self.bits::<L>(start));
        L::from_bits(L::bits_add(mantissa, L::bits(0x3f80_0000))) - L::one()
    }

    /// A normal number of mean 0 and variance 1 for each element from `start` on
    /// (Box & Muller 1958), within 5.7.
    #[inline(always)]
    pub(crate) fn normal<L: Lane>(self, start: u32) -> L {
        // From (0, 1]: the logarithm of 0 is of no use.
        let radius = L::one() - self.uniform::<L>(start);
        let angle = Key(mix64(self.0)).uniform::<L>(start);
        (L::splat(-2.0) * ln(radius)).sqrt() * cos_of_turns(angle)
    }

    /// A key whose random numbers are independent of this one's.
    pub(crate) fn beside(self) -> Key {
        Key(mix64(!self.0))
    }

    /// The n-th subkey of this key, for the n-th part of its purpose.
    pub(crate) fn part(self, n: u64) -> Key {
        let golden = 0x9e37_79b9_7f4a_7c15_u64;
        Key(mix64(self.beside().0 ^ n.wrapping_mul(golden)))
    }

    /// A sequence of random numbers, for work on the host (shuffling, initial weights).
    pub fn sequence(self) -> Sequence {
        Sequence {
            key: self.0,
            next: 0,
        }
    }
}

#[inline(always)]
fn mix32<L: Lane>(mut x: L::Bits) -> L::Bits {
    x = L::bits_xor(x, L::bits_shr::<16>(x));
    x = L::bits_mul(x, L::bits(0x21f0_aaad));
    x = L::bits_xor(x, L::bits_shr::<15>(x));
    x = L::bits_mul(x, L::bits(0x735a_2d97));
    L::bits_xor(x, L::bits_shr::<15>(x))
}

/// A sequence of random numbers, with a counter as its state.
#[derive(Clone, Debug)]
pub struct Sequence {
    key: u64,
    next: u64,
}

impl Sequence {
    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.next = self.next.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix64(self.key ^ mix64(self.next))
    }

    /// A uniform number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A uniform whole number below `bound` (Lemire's product; its bias is below 2^-32).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number from the standard normal distribution (Box & Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A number from the standard normal distribution cut off at ±2.
    pub fn truncated_normal(&mut self) -> f64 {
        loop {
            let x = self.normal();
            if x.abs() < 2.0 {
                return x;
            }
        }
    }

    /// A number from the beta distribution with both parameters `alpha` above 0: the share of one
    /// of two gamma variates (Marsaglia & Tsang 2000), by logarithms, because small parameters give
    /// tiny variates.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (a, b) = (self.ln_gamma(alpha), self.ln_gamma(alpha));
        1.0 / (1.0 + (b - a).exp())
    }

    /// The logarithm of a gamma variate.
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        // One of shape + 1 times a uniform number's power has shape.
        let less = (1.0 - self.uniform()).ln() / shape;
        let d = shape + 1.0 - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let v = (1.0 + c * normal).powi(3);
            let bound = || 0.5 * normal * normal + d - d * v + d * v.ln();
            if v > 0.0 && (1.0 - self.uniform()).ln() < bound() {
                return d.ln() + v.ln() + less;
            }
        }
    }

    /// Puts `items` into random order (Fisher & Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(step: u64) -> Key {
        Key::new(42, Stream::Layer(0), step)
    }

    #[test]
    fn uniform_numbers_fill_the_unit_interval_evenly() {
        let n = 1 << 20;
        let mut bins = [0_u32; 64];
        for i in 0..n {
            let u: f32 = key(7).uniform::<f32>(i);
            assert!((0.0..1.0).contains(&u));
            bins[(u * 64.0) as usize] += 1;
        }
        let expected = f64::from(n) / 64.0;
        let chi2: f64 = bins
            .iter()
            .map(|&b| (f64::from(b) - expected).powi(2) / expected)
            .sum();
        // 63 degrees of freedom: 99.99% lie between 24 and 115.
        assert!((24.0..115.0).contains(&chi2), "chi squared {chi2}");
    }

    #[test]
    fn neighbours_and_neighbouring_streams_and_steps_do_not_correlate() {
        let n = 1 << 18;
        let streams = [
            (key(0), key(1)),
            (key(0), Key::new(42, Stream::Layer(1), 0)),
            (key(0), Key::new(43, Stream::Layer(0), 0)),
        ];
        let draw = |k: Key, i: u32| f64::from(k.uniform::<f32>(i)) - 0.5;
        let bound = 5.0 / f64::from(n).sqrt();
        for (a, b) in streams {
            let r = (0..n).map(|i| draw(a, i) * draw(b, i)).sum::<f64>() * 12.0 / f64::from(n);
            assert!(r.abs() < bound, "correlation between streams {r}");
        }
        for lag in [1, 2, 8, 10, 100, 300, 1024] {
            let r = (0..n)
                .map(|i| draw(key(3), i) * draw(key(3), i + lag))
                .sum::<f64>()
                * 12.0
                / f64::from(n);
            assert!(r.abs() < bound, "serial correlation at lag {lag}: {r}");
        }
    }

    #[test]
    fn keyed_normal_numbers_have_the_normal_moments() {
        let n = 400_000;
        let draws: Vec<f64> = (0..n).map(|i| f64::from(key(5).normal::<f32>(i))).collect();
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / f64::from(n);
        assert!(moment(1).abs() < 0.008);
        assert!((moment(2) - 1.0).abs() < 0.012);
        assert!(moment(3).abs() < 0.03);
        assert!((moment(4) - 3.0).abs() < 0.09);
        let below = draws.iter().filter(|&&x| x < -1.0).count();
        assert!((below as f64 / f64::from(n) - 0.158_655).abs() < 0.003);
    }

    #[test]
    fn beta_numbers_have_the_beta_moments() {
        for alpha in [1e-3, 0.2, 1.0, 4.0] {
            let mut sequence = key(3).sequence();
            let draws: Vec<f64> = (0..100_000).map(|_| sequence.beta(alpha)).collect();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)));
            let moment = |p: i32| draws.iter().map(|x| (x - 0.5).powi(p)).sum::<f64>() / 1e5;
            let variance = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!(moment(1).abs() < 0.006, "{alpha}: {}", moment(1));
            assert!(
                (moment(2) / variance - 1.0).abs() < 0.02,
                "{alpha}: {}",
                moment(2)
            );
            // The kurtosis' excess is -6 / (2α + 3).
            let fourth = variance * variance * (3.0 - 6.0 / (2.0 * alpha + 3.0));
            assert!(
                (moment(4) / fourth - 1.0).abs() < 0.05,
                "{alpha}: {}",
                moment(4)
            );
        }
    }

    #[test]
    fn normal_numbers_have_the_normal_moments() {
        let mut sequence = key(0).sequence();
        let draws: Vec<f64> = (0..200_000).map(|_| sequence.normal()).collect();
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / draws.len() as f64;
        assert!(moment(1).abs() < 0.01);
        assert!((moment(2) - 1.0).abs() < 0.02);
        assert!((moment(4) - 3.0).abs() < 0.15);
    }
}
