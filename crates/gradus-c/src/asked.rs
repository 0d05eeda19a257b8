//! A model that is asked for rows of numbers.

use gradus::data::{Dataset, Tensor};
use gradus::model::{Dtype, Input};
use gradus::predict::Predictor;
use gradus::{Error, Model, Result, Shape};

/// A model, prepared for predictions. A row is all inputs' numbers, one input after the other; what
/// it gives is all outputs' numbers.
pub struct Asked {
    predictor: Predictor,
    /// Name and shape of each input.
    inputs: Vec<(String, Shape)>,
    /// Numbers of each output's row.
    outputs: Vec<usize>,
}

impl Asked {
    /// Refuses a model that takes texts, or does not say the shape of its rows.
    pub fn new(model: &Model) -> Result<Self> {
        let input = |input: &Input| match (input.dtype, &input.shape) {
            (Dtype::String, _) => {
                let expected = "numbers: texts are for a Rust program, or for `gradus serve`";
                Err(Error::invalid(&input.name, "an input of texts", expected))
            }
            (_, None) => Err(Error::invalid(
                &input.name,
                "an input without a shape",
                "one",
            )),
            (_, Some(shape)) => Ok((input.name.clone(), shape.clone())),
        };
        let inputs = model.inputs.iter().map(input).collect::<Result<_>>()?;
        let outputs = model.output_shapes()?;
        Ok(Asked {
            predictor: model.predictor()?,
            inputs,
            outputs: outputs.iter().map(Shape::size).collect(),
        })
    }

    /// Numbers of a row that is passed in.
    pub fn input_size(&self) -> usize {
        self.inputs.iter().map(|(_, shape)| shape.size()).sum()
    }

    /// Numbers that a row gives.
    pub fn output_size(&self) -> usize {
        self.outputs.iter().sum()
    }

    /// Predicts the rows in `x` into `y`, which has room for just what they give.
    pub fn predict(&self, x: &[f32], y: &mut [f32]) -> Result<()> {
        if let ([_], [_]) = (&self.inputs[..], &self.outputs[..]) {
            return self.predictor.predict_into(x, y);
        }
        let (wide, out) = (self.input_size(), self.output_size());
        let rows = x.len() / wide.max(1);
        if rows == 0 || x.len() != rows * wide {
            let expected = format!("a multiple of {wide}, the numbers of a row");
            return Err(Error::invalid(
                "x",
                format!("{} numbers", x.len()),
                expected,
            ));
        }
        if y.len() != rows * out {
            let found = format!("room for {} numbers", y.len());
            let expected = format!("{}, for {rows} rows of {out}", rows * out);
            return Err(Error::invalid("y", found, expected));
        }
        let mut start = 0;
        let tensor = |(name, shape): &(String, Shape)| {
            let here = start..start + shape.size();
            start = here.end;
            let values = x.chunks_exact(wide).flat_map(|row| &row[here.clone()]);
            let tensor = Tensor::from_f32(shape.clone(), values.copied().collect())?;
            Ok(tensor.named(name))
        };
        let inputs = self.inputs.iter().map(tensor).collect::<Result<_>>()?;
        let found = self
            .predictor
            .predict_all(Dataset::from_parts(inputs, Vec::new())?)?;
        let mut start = 0;
        for (tensor, &size) in found.iter().zip(&self.outputs) {
            let values = tensor.to_f32();
            for (row, values) in y.chunks_exact_mut(out).zip(values.chunks_exact(size)) {
                row[start..start + size].copy_from_slice(values);
            }
            start += size;
        }
        Ok(())
    }
}
