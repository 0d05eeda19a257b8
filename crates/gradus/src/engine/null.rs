//! The null engine, which computes nothing: for tests of the loop around it.

use super::{Engine, Fill, Session, Step};
use crate::error::Result;
use crate::plan::{Buffer, Program};

/// Stores variables unchanged; every result is 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Null;

impl Engine for Null {
    fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        let variables = program
            .variables
            .iter()
            .map(|v| vec![0.0; v.size])
            .collect();
        Ok(Box::new(NullSession { variables }))
    }
}

struct NullSession {
    variables: Vec<Vec<f32>>,
}

impl Session for NullSession {
    fn write(&mut self, variable: Buffer, values: &[f32]) {
        self.variables[variable.index()].copy_from_slice(values);
    }

    fn read(&self, variable: Buffer, values: &mut [f32]) {
        values.copy_from_slice(&self.variables[variable.index()]);
    }

    fn run(
        &mut self,
        _plan: usize,
        _rows: usize,
        _feeds: &mut [Vec<f32>],
        _fill: &Fill,
        _step: &Step,
    ) {
    }

    fn share(&mut self) -> Box<dyn Session> {
        let variables = self.variables.clone();
        Box::new(NullSession { variables })
    }

    fn fetch(&self, _plan: usize, _result: Buffer, values: &mut [f32]) {
        values.fill(0.0);
    }
}
