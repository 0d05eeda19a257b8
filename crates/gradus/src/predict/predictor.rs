//! A model's outputs.

use super::device::Device;
use super::pool::{self, PredictPool};
use super::prepared_rows::PreparedRows;
use super::{check, feeds};
use crate::base::memory;
use crate::base::ranks::{self, Collective};
use crate::base::shape::Shape;
use crate::data::{Data, Dataset, Tabular, Tensor};
use crate::engine::{Fill, Step};
use crate::error::{Error, Result};
use crate::model::{Dtype, Input, Model, Scored};
use crate::plan::Mode;
use std::ops::Range;
use std::sync::Arc;

/// Multiply-adds below which a second thread is not worth waking: those of one core in some 50 µs,
/// the time that waking takes.
const ALONE: usize = 2_000_000;

/// A model prepared for repeated predictions: its plan is lowered and its weights are packed for
/// the products. Made by [`Model::predictor`]; the model may change afterwards, the predictor does
/// not.
///
/// It is `Sync`: any number of threads may use one predictor at the same time, with the same
/// results as alone. Layers that are noisy in predictions (`MCDropout`) draw once for a predictor;
/// the next one, and each [`Model::predict`], draws anew.
///
/// ```
/// use gradus::prelude::*;
///
/// let model = Sequential::new()
///     .input([4])
///     .add(Dense::new(16).activation(Activation::Elu))
///     .add(Dense::new(3).activation(Activation::Softmax))
///     .build()?;
/// let predictor = model.predictor()?;
/// let mut probabilities = [0.0; 3];
/// std::thread::scope(|scope| {
///     scope.spawn(|| predictor.predict_into(&[5.1, 3.5, 1.4, 0.2], &mut probabilities));
/// });
/// assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Predictor {
    pub(super) prepared: Prepared,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Prepared {
            signature, shapes, ..
        } = &self.prepared;
        let inputs = &signature.inputs;
        write!(f, "Predictor {{ inputs: {inputs:?}, outputs: {shapes:?} }}")
    }
}

impl Predictor {
    /// The same, as one of several [ranks](crate::ranks): each makes the outputs of some batches of rows, and
    /// passes them on, so that all of them have the outputs of all rows, with the bits of one. Every rank asks for the
    /// same rows, in the same order of calls.
    pub fn on_ranks(mut self, ranks: Arc<dyn Collective>) -> Self {
        self.prepared.ranks = Some(ranks).filter(|ranks| ranks.ranks() > 1);
        self
    }

    /// The first output for every row of `data`, whose targets are not used: whatever
    /// [`fit`](Model::fit) takes, or a tensor of inputs.
    pub fn predict(&self, data: impl Into<Data>) -> Result<Tensor> {
        first(self.predict_all(data)?)
    }

    /// Every output for every row of `data`, in the order of the model's outputs.
    pub fn predict_all(&self, data: impl Into<Data>) -> Result<Vec<Tensor>> {
        self.prepared.predict_data(&data.into())
    }

    /// Every output block by block, for rows whose outputs are not to be in memory all at once:
    /// calls `visit` with the rows of each block, in their order, and the outputs for them. Rows in
    /// memory are one block, of a generator each batch is one, and of a stream as many as fit
    /// into its memory. A row's outputs do not depend on its block.
    ///
    /// An error of a generator that does not know its length: it may have no end.
    ///
    /// ```
    /// use gradus::prelude::*;
    /// use gradus::data::{NpyRows, Stream, write_npy};
    /// # let folder = std::env::temp_dir().join(format!("gradus-doc-each-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("x.npy");
    /// # let mut file = std::fs::File::create(&path).unwrap();
    /// # write_npy(&mut file, &gradus::Shape::new(&[4]), &[0.5; 4000]).unwrap();
    /// # drop(file);
    /// let rows = Stream::new(NpyRows::from_parts(&[&path], &[""; 0])?)?.memory(1_000_000);
    /// let model = Sequential::new().input([4]).add(Dense::new(1)).build()?;
    /// let (mut sum, mut count) = (0.0, 0);
    /// model.predictor()?.predict_each(&rows, &mut |_, outputs| {
    ///     sum += outputs[0].to_f32().iter().sum::<f32>();
    ///     count += outputs[0].rows();
    ///     Ok(())
    /// })?;
    /// assert_eq!(count, 1000);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn predict_each(
        &self,
        data: impl Into<Data>,
        visit: &mut dyn FnMut(&Dataset, &[Tensor]) -> Result<()>,
    ) -> Result<()> {
        self.prepared.predict_each(&data.into(), visit)
    }

    /// The first output for the contiguous rows in `x`, written to `y`, whose length must be
    /// exactly theirs. For models of one input. From its second call on (on each thread that calls
    /// at the same time as others) it allocates nothing, as long as the rows fit one batch.
    ///
    /// An error if `x` does not hold whole rows or `y` has another length than their outputs.
    pub fn predict_into(&self, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.prepared.predict_into(x, y)
    }
}

impl Model {
    /// The predictions for a table's rows, which need no targets: the ids, then each target's
    /// numbers, or the names and probabilities of its classes, as in [`Model::scored`]. A category that
    /// the training rows did not have counts as unknown, and further columns are ignored.
    ///
    /// Each call prepares the model anew. Who scores row by row makes a [`Model::predictor`] once and
    /// asks it for [`Model::table_rows`], which takes a twentieth of the time.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let legs: Vec<f64> = (0..90).map(|i| [2.0, 4.0, 6.0][i % 3]).collect();
    /// let kind: Vec<&str> = (0..90).map(|i| ["bird", "cat", "bee"][i % 3]).collect();
    /// let animals = Table::from_columns([("legs", Cells::from(legs)), ("kind", kind.into())])?;
    /// let data = DataConfig::of(TableOptions::new().target("kind"));
    /// let rows = data.load_table(&animals, 42)?;
    /// let mut model = Recipe::of_table(rows.train_rows()).model_of(&rows, &data.columns)?;
    /// model.fit(&rows.train, Fit::new().epochs(20))?;
    ///
    /// let new = Table::from_columns([("legs", vec![4.0, 2.0].into())])?;
    /// let scored = model.score(&new)?; // columns: kind, kind_bird, kind_cat, kind_bee
    /// let (kinds, cats) = (scored.texts("kind")?, scored.numbers("kind_cat")?);
    /// println!("{} (a cat with {:.0}%)", kinds[0], 100.0 * cats[0]);
    /// # assert_eq!(kinds.len(), 2);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn score(&self, source: impl Tabular) -> Result<Scored> {
        let rows = self.table_rows(source, false)?;
        self.scored(&rows, &self.predict_all(&rows)?)
    }

    /// A predictor with the current weights. An error if the model is not built.
    pub fn predictor(&self) -> Result<Predictor> {
        let prepared = Prepared::new(self, &Device::default())?;
        Ok(Predictor { prepared })
    }

    /// The first output for every row of `data`, whose targets are not used: whatever
    /// [`fit`](Model::fit) takes, or a tensor of inputs.
    ///
    /// The model is only read: many threads may ask one model. Each call prepares
    /// the model anew; who asks often makes a [`Model::predictor`] once. `MCDropout` and
    /// `MCAlphaDropout` draw anew in each call, in an order that the seed decides:
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let model = Sequential::new().input([50]).add(layers::MCDropout::new(0.5)).build()?;
    /// let x = Tensor::from_f32([50], vec![1.0; 50])?;
    /// let (first, second) = (model.predict(&x)?, model.predict(&x)?);
    /// assert_ne!(first, second);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn predict(&self, data: impl Into<Data>) -> Result<Tensor> {
        first(self.predict_all(data)?)
    }

    /// Every output for every row of `data`, in the order of the model's outputs.
    pub fn predict_all(&self, data: impl Into<Data>) -> Result<Vec<Tensor>> {
        self.predict_all_on(&Device::default(), &data.into())
    }

    pub(crate) fn predict_on(&self, device: &Device, data: impl Into<Data>) -> Result<Tensor> {
        first(self.predict_all_on(device, &data.into())?)
    }

    fn predict_all_on(&self, device: &Device, data: &Data) -> Result<Vec<Tensor>> {
        if let Data::Memory(rows) = data {
            check::inputs(self, rows)?;
        }
        Prepared::new(self, device)?.predict_data(data)
    }
}

fn first(outputs: Vec<Tensor>) -> Result<Tensor> {
    let first = outputs.into_iter().next();
    first.ok_or_else(|| Error::Internal("a model without outputs".into()))
}

/// A model lowered and compiled once, on some device.
pub(super) struct Prepared {
    pool: PredictPool,
    /// The signature: inputs and lookups.
    signature: Model,
    /// Shapes of the outputs.
    shapes: Vec<Shape>,
    /// Multiply-adds per row: about one for each weight.
    work: usize,
    /// Number of this prediction among the model's.
    call: u64,
    /// The ranks that share batches out, if there are several.
    ranks: Option<Arc<dyn Collective>>,
}

impl Prepared {
    fn new(model: &Model, device: &Device) -> Result<Self> {
        // Losses may be the user's functions, for one thread only.
        let signature = Model {
            compiled: None,
            ..model.outline()
        };
        let weights = model.weights().map(|w| w.values.len()).sum();
        let rows = pool::rows(model, weights)?;
        Ok(Prepared {
            pool: PredictPool::new(model, device, Mode::Infer, rows)?,
            signature,
            shapes: model.output_shapes()?,
            work: weights,
            call: model.asked.next(),
            ranks: None,
        })
    }

    /// Layers that are noisy in inference draw anew for each call and batch.
    fn step(&self, batch: usize) -> Step {
        Step {
            seed: self.signature.seed,
            iteration: (self.call << 32) + batch as u64,
            ..Step::default()
        }
    }

    fn predict_data(&self, data: &Data) -> Result<Vec<Tensor>> {
        if let Data::Memory(rows) = data {
            return self.predict(rows, 0);
        }
        let mut values: Vec<Vec<f32>> = vec![Vec::new(); self.shapes.len()];
        self.predict_each(data, &mut |_, outputs| {
            for (values, output) in values.iter_mut().zip(outputs) {
                values.extend(output.to_f32());
            }
            Ok(())
        })?;
        self.tensors(values)
    }

    fn predict_each(
        &self,
        data: &Data,
        visit: &mut dyn FnMut(&Dataset, &[Tensor]) -> Result<()>,
    ) -> Result<()> {
        let (most, mut batch) = (self.pool.rows, 0);
        let mut block = |rows: &Dataset| {
            let outputs = self.predict(rows, batch)?;
            batch += rows.rows().div_ceil(most);
            visit(rows, &outputs)
        };
        match data {
            Data::Memory(rows) => block(rows),
            Data::Stream(stream) => {
                // Outputs are values first, and text at the end.
                const BYTES: usize = 16;
                let sizes = self.shapes.iter().map(Shape::size);
                let more = sizes.sum::<usize>() * BYTES;
                stream.blocks(most, more as u64, &mut block)
            }
            Data::Generator(generator) => {
                if generator.length().is_none() {
                    let found = "a generator that does not know its length";
                    let expected = "rows in memory, a stream, or an iterator of an exact length";
                    return Err(Error::invalid("predict", found, expected));
                }
                while let Some(rows) = generator.next()? {
                    block(&rows)?;
                }
                Ok(())
            }
        }
    }

    fn tensors(&self, values: Vec<Vec<f32>>) -> Result<Vec<Tensor>> {
        let outputs = self.shapes.iter().zip(values);
        outputs
            .map(|(shape, values)| Tensor::from_f32(shape.clone(), values))
            .collect()
    }

    /// The outputs for these rows; batches are numbered from `first` on.
    fn predict(&self, data: &Dataset, first: usize) -> Result<Vec<Tensor>> {
        self.outputs(&[self.prepare(data)?], first)
    }

    pub(super) fn prepare(&self, data: &Dataset) -> Result<PreparedRows> {
        check::inputs(&self.signature, data)?;
        Ok(PreparedRows {
            tensors: feeds::tensors(&self.signature, data, false)?,
            rows: data.rows(),
        })
    }

    /// True if layers draw random numbers in predictions, too.
    pub(super) fn is_noisy(&self) -> bool {
        self.signature.is_noisy_in_predictions()
    }

    /// The outputs for the rows of all parts, one part after the other; batches are numbered from
    /// `first` on.
    pub(super) fn outputs(&self, parts: &[PreparedRows], first: usize) -> Result<Vec<Tensor>> {
        let rows = parts.iter().map(|part| part.rows).sum::<usize>();
        let sizes = self.shapes.iter().map(|shape| shape.size());
        let of_row = sizes.clone().sum();
        let bytes = memory::bytes(size_of::<f32>(), &[of_row, rows]);
        memory::check("predict", bytes, |amount| {
            format!("outputs of {amount} for {rows} rows")
        })?;
        let mut values: Vec<Vec<f32>> = sizes.map(|n| vec![0.0; n * rows]).collect();
        let fill = |feed: usize, rows: Range<usize>, mut to: &mut [f32]| {
            let mut before = 0;
            for part in parts {
                let tensor = &part.tensors[feed];
                let start = rows.start.clamp(before, before + part.rows);
                let end = rows.end.clamp(before, before + part.rows);
                let (here, rest) = to.split_at_mut((end - start) * tensor.size());
                tensor.copy_range(start - before..end - before, here);
                (to, before) = (rest, before + part.rows);
            }
        };
        self.run(rows, first, &mut values, &fill)?;
        self.tensors(values)
    }

    fn predict_into(&self, x: &[f32], y: &mut [f32]) -> Result<()> {
        let ([Input { name, shape, dtype }], Some(output)) =
            (&self.signature.inputs[..], self.shapes.first())
        else {
            let found = format!("a model of {} inputs", self.signature.inputs.len());
            return Err(Error::invalid("predict_into", found, "a model of one"));
        };
        if *dtype == Dtype::String {
            let found = "a model of an input of texts";
            return Err(Error::invalid("predict_into", found, "one of numbers"));
        }
        let (wide, out) = (shape.as_ref().map_or(1, Shape::size), output.size());
        if !x.len().is_multiple_of(wide) || x.is_empty() {
            let expected = format!("a multiple of {wide}, for rows of the model's input");
            return Err(Error::invalid(
                name,
                format!("{} numbers", x.len()),
                expected,
            ));
        }
        let rows = x.len() / wide;
        if y.len() != rows * out {
            let found = format!("room for {} numbers", y.len());
            let expected = format!("{}, for {rows} rows of {out}", rows * out);
            return Err(Error::invalid("output", found, expected));
        }
        let fill = |_: usize, rows: Range<usize>, to: &mut [f32]| {
            to.copy_from_slice(&x[rows.start * wide..rows.end * wide]);
        };
        self.run(rows, 0, &mut [y], &fill)
    }

    /// Writes the first outputs, as many as there are `values`. `fill` writes the rows of a range;
    /// batches are numbered from `first` on.
    fn run(
        &self,
        rows: usize,
        first: usize,
        values: &mut [impl AsMut<[f32]>],
        fill: &Fill,
    ) -> Result<()> {
        let most = self.pool.rows;
        if rows <= most {
            let one = |worker: &mut pool::Worker| {
                worker.run(rows, fill, &self.step(first));
                for (n, values) in values.iter_mut().enumerate() {
                    worker.output(n, values.as_mut());
                }
            };
            return match rows * self.work < ALONE {
                true => self.pool.alone(one),
                false => self.pool.whole(one),
            };
        }
        let count = rows.div_ceil(most);
        let start = |rank: usize| match &self.ranks {
            Some(ranks) => ranks::start(count, ranks.ranks(), rank),
            None => count * rank,
        };
        let rank = self.ranks.as_ref().map_or(0, |ranks| ranks.rank());
        let own = start(rank)..start(rank + 1);
        let parts = values.iter_mut().zip(&self.shapes);
        let mut parts: Vec<_> = parts
            .map(|(values, shape)| values.as_mut().chunks_mut(most * shape.size().max(1)))
            .collect();
        let batches = (0..count).map(|batch| {
            let outputs = parts.iter_mut().filter_map(Iterator::next);
            (batch, outputs.collect::<Vec<_>>())
        });
        let batches = batches.filter(|(batch, _)| own.contains(batch));
        self.pool.each(batches, |worker, (batch, outputs)| {
            let start = batch * most;
            let fill = |feed: usize, rows: Range<usize>, to: &mut [f32]| {
                fill(feed, start + rows.start..start + rows.end, to);
            };
            worker.run(most.min(rows - start), &fill, &self.step(first + batch));
            for (n, values) in outputs.into_iter().enumerate() {
                worker.output(n, values);
            }
            Ok(())
        })?;
        let Some(ranks) = &self.ranks else {
            return Ok(());
        };
        for (values, shape) in values.iter_mut().zip(&self.shapes) {
            let first = |rank: usize| (start(rank) * most).min(rows) * shape.size();
            let starts: Vec<usize> = (0..=ranks.ranks()).map(first).collect();
            ranks.all_gather(values.as_mut(), &starts)?;
        }
        Ok(())
    }
}
