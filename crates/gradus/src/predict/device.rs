//! The device that a model is trained, evaluated or asked on.

#[cfg(feature = "train")]
use crate::base::ranks::Collective;
use crate::engine::{self, Engine, Session};
use crate::error::Result;
use crate::plan::Program;
use std::fmt;
use std::sync::Arc;

/// An engine, shared by all that a call does: training, validation, adaptation.
#[derive(Clone)]
pub(crate) struct Device(Arc<dyn Engine>);

impl Default for Device {
    /// The default engine.
    fn default() -> Self {
        Device(Arc::from(engine::default()))
    }
}

impl Device {
    /// The default engine as one of several ranks, which are to make the bits of one, or not.
    #[cfg(feature = "train")]
    pub fn ranked(ranks: Arc<dyn Collective>, exact: bool) -> Self {
        Device(Arc::new(engine::ranked(ranks, exact)))
    }

    /// A device of this engine.
    #[cfg(test)]
    pub fn new(engine: impl Engine + 'static) -> Self {
        Device(Arc::new(engine))
    }

    /// See [`Engine::compile`].
    pub fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        self.0.compile(program)
    }

    /// See [`Engine::together`].
    pub fn together(&self, work: &(dyn Fn() + Sync)) {
        self.0.together(work);
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device")
    }
}
