//! Initializers: the initial weights.

use crate::base::random::Sequence;
use crate::base::registry::{Rule, by_name, defaults, forward, registry};
use crate::error::Result;

pub use variance_scaling::{Distribution, Mode};

/// The initialization of a variable.
pub(crate) trait InitializerFormula: Rule {
    /// Fills `values` of a variable of that shape.
    fn fill(&self, shape: &[usize], random: &mut Sequence, values: &mut [f32]);

    /// The equivalent [`VarianceScaling`], if there is one.
    fn scaling(&self) -> Option<VarianceScaling> {
        None
    }

    /// The deviation of the values, if it is the same for every shape.
    fn deviation(&self) -> Option<f64> {
        None
    }

    /// Refuses a variable of an unsupported shape.
    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }
}

registry! {
    /// The distribution of a variable's initial values: `Initializer::HeNormal`, or Keras' string
    /// `"he_normal"`.
    Initializer("initializer") {
        constant: Zeros["zeros", "zero"], Ones["ones", "one"], Constant["constant"];
        orthogonal: Orthogonal["orthogonal", "OrthogonalInitializer"],
            Identity["identity", "IdentityInitializer"];
        random: RandomNormal["random_normal", "normal"],
            RandomUniform["random_uniform", "uniform"],
            TruncatedNormal["truncated_normal"];
        variance_scaling: VarianceScaling["variance_scaling"],
            GlorotNormal["glorot_normal"], GlorotUniform["glorot_uniform"],
            HeNormal["he_normal"], HeUniform["he_uniform"],
            LecunNormal["lecun_normal"], LecunUniform["lecun_uniform"];
    }
}

defaults!(Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Glorot & Bengio 2010: variance 2 / (fan in + fan out), truncated normal.
    GlorotNormal,
    /// Glorot & Bengio 2010: variance 2 / (fan in + fan out), uniform. Keras' default.
    GlorotUniform,
    /// He et al. 2015: variance 2 / fan in, truncated normal; for ReLU and its relatives.
    HeNormal,
    /// He et al. 2015: variance 2 / fan in, uniform.
    HeUniform,
    /// LeCun et al. 1998: variance 1 / fan in, truncated normal; for SELU.
    LecunNormal,
    /// LeCun et al. 1998: variance 1 / fan in, uniform.
    LecunUniform,
    /// Saxe et al. 2014: a random matrix with orthogonal rows or columns.
    Orthogonal,
    /// The identity matrix.
    Identity,
});

by_name!(Initializer, Initializer::Zeros);

forward!(Initializer {
    /// The equivalent [`VarianceScaling`], if there is one: the variance follows the shape.
    pub fn scaling(&self) -> Option<VarianceScaling>;
    /// The deviation of the values, if it is the same for every shape.
    pub fn deviation(&self) -> Option<f64>;
    /// Refuses a variable of an unsupported shape.
    pub fn check_shape(&self, shape: &[usize]) -> Result<()>;
});

impl Initializer {
    /// A variable's initial values.
    pub(crate) fn values(&self, shape: &[usize], random: &mut Sequence) -> Vec<f32> {
        let mut values = vec![0.0; shape.iter().product()];
        match_member!(&self.0, rule: R => rule.fill(shape, random, &mut values));
        values
    }
}

#[cfg(test)]
mod tests;
