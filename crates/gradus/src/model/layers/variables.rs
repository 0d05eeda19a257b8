//! Variables of layers, and the rules that they start from and are kept by.

use crate::error::{Error, Result};
use crate::rules::activations::Activation;
use crate::rules::constraints::Constraint;
use crate::rules::initializers::Initializer;
use crate::rules::regularizers::Regularizer;

/// A variable that a layer needs.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableSpec {
    /// Keras' name for it: `kernel`.
    pub name: &'static str,
    /// Shape.
    pub shape: Vec<usize>,
    /// Initializer.
    pub initializer: Initializer,
    /// True if gradients change it: a moving mean is not trainable.
    pub trainable: bool,
    /// True if its values are whole numbers from -128 to 127, which files store as such.
    pub int8: bool,
}

impl VariableSpec {
    /// A variable of float32 that gradients change.
    pub fn trained(name: &'static str, shape: Vec<usize>, initializer: &Initializer) -> Self {
        VariableSpec {
            name,
            shape,
            initializer: initializer.clone(),
            trainable: true,
            int8: false,
        }
    }
}

/// Rules of a variable, as a layer's arguments have them: `kernel_initializer`,
/// `kernel_regularizer`, `kernel_constraint`.
#[derive(Clone, Copy, Debug)]
pub struct VariableRules<'a> {
    /// The variable's name.
    pub name: &'static str,
    /// The word that the arguments' names begin with: the variable's name, usually.
    pub argument: &'static str,
    /// The rule of its first values.
    pub initializer: &'a Initializer,
    /// Its penalty, if it has one.
    pub regularizer: Option<&'a Regularizer>,
    /// Its constraint, if it has one.
    pub constraint: Option<&'a Constraint>,
}

impl<'a> VariableRules<'a> {
    /// A variable with an initializer alone.
    pub fn new(name: &'static str, initializer: &'a Initializer) -> Self {
        VariableRules {
            name,
            argument: name,
            initializer,
            regularizer: None,
            constraint: None,
        }
    }

    /// Sets the word that the arguments' names begin with.
    pub fn argument(mut self, argument: &'static str) -> Self {
        self.argument = argument;
        self
    }

    /// Adds regularizer and constraint, where there are some.
    pub fn kept(
        mut self,
        regularizer: &'a Option<Regularizer>,
        constraint: &'a Option<Constraint>,
    ) -> Self {
        self.regularizer = regularizer.as_ref();
        self.constraint = constraint.as_ref();
        self
    }
}

/// Refuses rules whose arguments make no sense.
pub(super) fn check_rules(all: &[VariableRules<'_>]) -> Result<()> {
    for rules in all {
        let name = rules.argument;
        let under = |what: &'static str| move |error: Error| error.under(&format!("{name}_{what}"));
        rules.initializer.check().map_err(under("initializer"))?;
        if let Some(rule) = rules.regularizer {
            rule.check().map_err(under("regularizer"))?;
        }
        if let Some(rule) = rules.constraint {
            rule.check().map_err(under("constraint"))?;
        }
    }
    Ok(())
}

/// Refuses an activation, and a penalty on its output, whose arguments make no sense.
pub(super) fn check_output(activation: &Activation, penalty: &Option<Regularizer>) -> Result<()> {
    activation.check().map_err(|e| e.under("activation"))?;
    match penalty {
        Some(rule) => rule.check().map_err(|e| e.under("activity_regularizer")),
        None => Ok(()),
    }
}

/// Keras' default of `use_bias`.
pub(super) fn yes() -> bool {
    true
}

/// Keras' default initializer of a kernel.
pub(super) fn glorot_uniform() -> Initializer {
    Initializer::GlorotUniform
}

/// Keras' default initializer of a bias.
pub(super) fn zeros() -> Initializer {
    Initializer::Zeros
}
