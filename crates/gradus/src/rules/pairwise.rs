//! Binary element-wise operations.

use crate::base::lane::Lane;

/// A binary element-wise operation. (A sum is an operation of its own.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairwise {
    /// a - b.
    Subtract,
    /// a · b.
    Multiply,
    /// a / b.
    Divide,
    /// The larger one.
    Maximum,
    /// The smaller one.
    Minimum,
}

impl Pairwise {
    /// The result for a and b.
    #[inline(always)]
    pub fn value<L: Lane>(self, a: L, b: L) -> L {
        match self {
            Pairwise::Subtract => a - b,
            Pairwise::Multiply => a * b,
            Pairwise::Divide => a / b,
            Pairwise::Maximum => L::select(a.lt(b), b, a),
            Pairwise::Minimum => L::select(b.lt(a), b, a),
        }
    }

    /// The derivative by a, or by b if not `first`. Of equal values, a is the chosen one, as in
    /// TensorFlow.
    #[inline(always)]
    pub fn derivative<L: Lane>(self, a: L, b: L, first: bool) -> L {
        let chosen = |is_b: L::Mask| match first {
            true => L::select(is_b, L::zero(), L::one()),
            false => L::select(is_b, L::one(), L::zero()),
        };
        match self {
            Pairwise::Subtract if first => L::one(),
            Pairwise::Subtract => -L::one(),
            Pairwise::Multiply if first => b,
            Pairwise::Multiply => a,
            Pairwise::Divide if first => L::one() / b,
            Pairwise::Divide => -(a / (b * b)),
            Pairwise::Maximum => chosen(a.lt(b)),
            Pairwise::Minimum => chosen(b.lt(a)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        use Pairwise::{Divide, Maximum, Minimum, Multiply, Subtract};
        const H: f32 = 1.0 / 256.0;
        for rule in [Subtract, Multiply, Divide, Maximum, Minimum] {
            for (a, b) in [(0.5, 2.0), (-1.5, 0.75), (3.0, -2.5)] {
                let by_a = (rule.value(a + H, b) - rule.value(a - H, b)) / (2.0 * H);
                let by_b = (rule.value(a, b + H) - rule.value(a, b - H)) / (2.0 * H);
                for (first, expected) in [(true, by_a), (false, by_b)] {
                    let found = rule.derivative(a, b, first);
                    assert!((found - expected).abs() < 1e-3, "{rule:?} {a} {b} {first}");
                }
            }
        }
    }
}
