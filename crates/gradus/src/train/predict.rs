//! A model's outputs.

use super::evaluate::ROWS;
use super::feeds::tensors;
use super::runner::Runner;
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

    /// Every output for every row of `data`, in the order of the model's outputs.
    pub fn predict_all(&self, data: &Dataset) -> Result<Vec<Tensor>> {
        self.predict_all_on(crate::engine::default().as_ref(), data)
    }

    pub(crate) fn predict_on(&self, engine: &dyn Engine, data: &Dataset) -> Result<Tensor> {
        let outputs = self.predict_all_on(engine, data)?;
        let first = outputs.into_iter().next();
        first.ok_or_else(|| Error::Internal("a model without outputs".into()))
    }

    fn predict_all_on(&self, engine: &dyn Engine, data: &Dataset) -> Result<Vec<Tensor>> {
        super::check::inputs(self, data)?;
        let wanted = Wanted {
            mode: Mode::Infer,
            rows: data.rows().min(ROWS),
            weighted: false,
            mixed: false,
        };
        let mut runner = Runner::new(self, engine, &[wanted])?;
        let mut batch = runner.batch(Mode::Infer)?;
        let shapes = self.output_shapes()?;
        let rows = data.rows();
        let room = shapes.iter().map(|s| Vec::with_capacity(rows * s.size()));
        let mut values: Vec<Vec<f32>> = room.collect();
        let tensors = tensors(self, data, false)?;
        let mut step = Step {
            seed: self.seed,
            ..Step::default()
        };
        for rows in Batches::new(data.rows(), wanted.rows, false, 0)?.iter() {
            runner.run(&mut batch, &tensors, rows, &step, true)?;
            // Layers that are noisy even here draw anew for each batch.
            step.iteration += 1;
            for (n, (values, shape)) in values.iter_mut().zip(&shapes).enumerate() {
                values.extend_from_slice(batch.output(n, rows.len(), shape.size()));
            }
        }
        let tensors = shapes.into_iter().zip(values);
        tensors
            .map(|(shape, values)| Tensor::from_f32(shape, values))
            .collect()
    }
}
