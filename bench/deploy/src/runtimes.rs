//! The runtimes, each as a function from rows to outputs.

use super::Result;
use ort::session::Session;
use ort::value::TensorRef;
use rten::{RunOptions, ThreadPool};
use rten_tensor::TensorView;
use rten_tensor::prelude::*;
use std::sync::Arc;
use tract_onnx::prelude::*;

/// Computes so many rows' outputs from their numbers.
pub type Run = Box<dyn FnMut(&[f32], usize, &mut Vec<f32>) -> Result<()>>;

/// The runtime that `name` begins with, with the model of a file, for rows of a shape; of `counts`
/// rows at once and no others.
pub fn open(
    (name, file): (&str, &str),
    shape: &[usize],
    counts: [usize; 2],
    pool: &Arc<ThreadPool>,
) -> Result<Run> {
    match name.split_whitespace().next() {
        Some("gradus") => gradus(file),
        Some("onnxruntime") => onnxruntime(file, shape),
        Some("tract") => tract(file, shape, counts),
        Some("rten") => rten(file, shape, Arc::clone(pool)),
        _ => Err(format!("{name} begins with no runtime's name").into()),
    }
}

fn gradus(file: &str) -> Result<Run> {
    let model = ::gradus::Model::load(file)?;
    let predictor = model.predictor()?;
    let outputs = model.output_shapes()?[0].size();
    Ok(Box::new(move |rows, count, out| {
        out.resize(count * outputs, 0.0);
        Ok(predictor.predict_into(rows, out)?)
    }))
}

/// A row's shape behind the number of rows.
fn batch(count: usize, shape: &[usize]) -> Vec<usize> {
    [&[count], shape].concat()
}

fn onnxruntime(file: &str, shape: &[usize]) -> Result<Run> {
    let builder = Session::builder().map_err(|e| e.to_string())?;
    let builder = builder.with_intra_threads(1).map_err(|e| e.to_string());
    let mut session = builder?.commit_from_file(file).map_err(|e| e.to_string())?;
    let shape = shape.to_vec();
    Ok(Box::new(move |rows, count, out| {
        let rows = TensorRef::from_array_view((batch(count, &shape), rows))?;
        let outputs = session.run(ort::inputs![rows])?;
        let (_, numbers) = outputs[0].try_extract_tensor::<f32>()?;
        out.clear();
        out.extend_from_slice(numbers);
        Ok(())
    }))
}

/// tract wants to know the number of rows when it optimizes.
fn tract(file: &str, shape: &[usize], counts: [usize; 2]) -> Result<Run> {
    let open = |count| -> Result<_> {
        let model = tract_onnx::onnx().model_for_path(file)?;
        let fact = f32::fact(batch(count, shape));
        let model = model.with_input_fact(0, fact.into())?;
        Ok((count, model.into_optimized()?.into_runnable()?))
    };
    let models = [open(counts[0])?, open(counts[1])?];
    let shape = shape.to_vec();
    Ok(Box::new(move |rows, count, out| {
        let known = models.iter().find(|(of, _)| *of == count);
        let (_, model) = known.ok_or("another number of rows")?;
        let rows = Tensor::from_shape(&batch(count, &shape), rows)?;
        let outputs = model.run(tvec!(rows.into()))?;
        out.clear();
        out.extend_from_slice(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?);
        Ok(())
    }))
}

fn rten(file: &str, shape: &[usize], pool: Arc<ThreadPool>) -> Result<Run> {
    let model = ::rten::Model::load_file(file)?;
    let shape = shape.to_vec();
    Ok(Box::new(move |rows, count, out| {
        let rows = TensorView::from_data(&batch(count, &shape)[..], rows);
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let output = model.run_one(rows.into(), Some(options))?;
        let output: ::rten_tensor::Tensor<f32> = output.try_into()?;
        out.clear();
        out.extend(output.iter());
        Ok(())
    }))
}
