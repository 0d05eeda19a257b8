//! A model's outputs.

use super::evaluate::ROWS;
use super::runner::{Runner, tensors};
use crate::data::{Batches, Dataset, Tensor};
use crate::engine::{Engine, Step};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::lowering::Wanted;
use crate::plan::Mode;

impl Model {
    /// The first output for every row of `data`, whose targets are not used.
    ///
    /// The model is only read: many threads may ask one model.
    pub fn predict(&self, data: &Dataset) -> Result<Tensor> {
        self.predict_on(crate::engine::default().as_ref(), data)
    }

    pub(crate) fn predict_on(&self, engine: &dyn Engine, data: &Dataset) -> Result<Tensor> {
        super::check::inputs(self, data)?;
        let wanted = Wanted {
            mode: Mode::Infer,
            rows: data.rows().min(ROWS),
            weighted: false,
        };
        let mut runner = Runner::new(self, engine, &[wanted])?;
        let mut batch = runner.batch(Mode::Infer)?;
        let shapes = self.output_shapes()?;
        let Some(shape) = shapes.first() else {
            return Err(Error::Internal("a model without outputs".into()));
        };
        let mut values = Vec::with_capacity(data.rows() * shape.size());
        let tensors = tensors(data, false);
        let mut step = Step {
            seed: self.seed,
            ..Step::default()
        };
        for rows in Batches::new(data.rows(), wanted.rows, false, 0)?.iter() {
            runner.run(&mut batch, &tensors, rows, &step, true)?;
            // Layers that are noisy even here draw anew for each batch.
            step.iteration += 1;
            values.extend_from_slice(batch.output(rows.len(), shape.size()));
        }
        Tensor::from_f32(shape.clone(), values)
    }
}
