//! The engine that defines each operation: one element after the other, every
//! buffer by itself, in the order of the plan. The fast engines are tested
//! against it. The files have the names of those in `plan/ops`.

mod activation;
mod affine;
mod batch_matmul;
mod batch_norm;
mod batch_norm_parts;
mod binary;
mod convolution;
mod depthwise;
mod embed;
mod fake_quantization;
mod gather;
mod image;
mod kernel_sum;
mod loss;
mod matmul;
mod noise;
mod normalized_matmul;
mod observe;
mod pad;
mod penalty;
mod pool;
mod quantized;
mod rearrange;
mod row_norm;
mod unary;
mod update;

use super::{Engine, Fill, Session, Step};
use crate::base::random::{Key, Stream};
use crate::error::Result;
use crate::plan::{Buffer, Plan, Program, Role, View, with_op};

/// Slow, safe and scalar.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reference;

impl Engine for Reference {
    fn compile(&self, program: Program) -> Result<Box<dyn Session>> {
        Ok(Box::new(ReferenceSession {
            variables: program
                .variables
                .iter()
                .map(|v| vec![0.0; v.size])
                .collect(),
            results: vec![Vec::new(); program.plans.len()],
            plans: program.plans,
        }))
    }
}

struct ReferenceSession {
    plans: Vec<Plan>,
    variables: Vec<Vec<f32>>,
    results: Vec<Vec<Vec<f32>>>,
}

impl Session for ReferenceSession {
    fn write(&mut self, variable: Buffer, values: &[f32]) {
        self.variables[variable.index()].copy_from_slice(values);
    }

    fn read(&self, variable: Buffer, values: &mut [f32]) {
        values.copy_from_slice(&self.variables[variable.index()]);
    }

    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step) {
        for info in &self.plans[plan].buffers {
            if let Role::Feed(n) = info.role {
                fill(n, 0..rows, &mut feeds[n][..info.size.of(rows)]);
            }
        }
        let mut run = Run {
            buffers: Vec::new(),
            rows,
            step,
        };
        let plan_ = &self.plans[plan];
        for (i, info) in plan_.buffers.iter().enumerate() {
            run.buffers.push(match info.role {
                Role::Variable => std::mem::take(&mut self.variables[i]),
                Role::Feed(n) => feeds[n][..info.size.of(rows)].to_vec(),
                Role::Temporary => vec![f32::NAN; info.size.of(rows)],
            });
        }
        for op in &plan_.ops {
            with_op!(op, |op| op.compute(&mut run));
        }
        for (i, variable) in self.variables.iter_mut().enumerate() {
            *variable = std::mem::take(&mut run.buffers[i]);
        }
        self.results[plan] = run.buffers;
    }

    fn share(&mut self) -> Box<dyn Session> {
        Box::new(ReferenceSession {
            plans: self.plans.clone(),
            variables: self.variables.clone(),
            results: vec![Vec::new(); self.plans.len()],
        })
    }

    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]) {
        let n = values.len();
        values.copy_from_slice(&self.results[plan][result.index()][..n]);
    }
}

/// Computes an operation from whole buffers.
trait Compute {
    fn compute(&self, run: &mut Run<'_>);
}

/// One step.
struct Run<'a> {
    buffers: Vec<Vec<f32>>,
    rows: usize,
    step: &'a Step,
}

impl Run<'_> {
    fn get(&self, buffer: Buffer) -> &[f32] {
        &self.buffers[buffer.index()]
    }

    fn set(&mut self, buffer: Buffer, values: Vec<f32>) {
        self.buffers[buffer.index()] = values;
    }

    /// Has `f` fill a buffer from the others.
    fn fill(&mut self, buffer: Buffer, f: impl FnOnce(&Self, &mut [f32])) {
        let mut values = std::mem::take(&mut self.buffers[buffer.index()]);
        f(self, &mut values);
        self.buffers[buffer.index()] = values;
    }

    /// The random numbers of a stream at this step.
    fn key(&self, stream: u32) -> Key {
        Key::new(self.step.seed, Stream::Layer(stream), self.step.iteration)
    }

    /// y = a + b.
    fn sum(&mut self, a: Buffer, b: Buffer, y: Buffer) {
        self.fill(y, |run, y| {
            for ((y, a), b) in y.iter_mut().zip(run.get(a)).zip(run.get(b)) {
                *y = a + b;
            }
        });
    }

    /// Σ over matrix rows of f(element's place), by column.
    fn column_sums(&self, view: View, f: impl Fn(&Self, usize) -> f32) -> Vec<f32> {
        let rows = self.rows * view.positions;
        (0..view.width)
            .map(|c| (0..rows).map(|r| f(self, r * view.width + c)).sum())
            .collect()
    }
}
