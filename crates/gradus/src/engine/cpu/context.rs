//! The surroundings of an operation in a step: its buffers' addresses and layouts, the rows
//! of the batch, the numbers of the step, and room to work in.

use super::compile::Compiled;
use super::isa::Isa;
use super::kernels::factors::{Lanes, Left};
use super::packed::PanelPacked;
use super::peers::Peers;
use super::pruned::Pruned;
use crate::base::random::{Key, Stream};
use crate::engine::Step;
use crate::plan::{Buffer, Plan};

/// The address of each buffer of a plan.
pub(super) struct Pointers(pub Vec<*mut f32>);

// SAFETY: they lead into the session's own arenas, or to feeds that live as
// long as the run that was given them; tasks that run at the same time follow
// them to different elements.
unsafe impl Send for Pointers {}
// SAFETY: as above.
unsafe impl Sync for Pointers {}

/// The surroundings of a task.
pub(super) struct Context<'a> {
    pub isa: Isa,
    pub compiled: &'a Compiled,
    pub pointers: &'a Pointers,
    /// Number of rows in this batch, or of a rank's own among them.
    pub rows: usize,
    /// Rows of the batch before them.
    pub first: usize,
    /// The other ranks, if there are any.
    pub peers: Option<&'a Peers>,
    pub step: &'a Step,
    /// This thread's scratch memory, and the number of its elements.
    pub scratch: (*mut f32, usize),
    /// Variables without most of their zeros, of a session that shares them.
    pub pruned: &'a [Option<Pruned>],
}

impl Context<'_> {
    pub fn plan(&self) -> &Plan {
        &self.compiled.plan
    }

    /// The address of a buffer.
    pub fn at(&self, buffer: Buffer) -> *mut f32 {
        self.pointers.0[buffer.index()]
    }

    /// The address of a buffer; null if there is none.
    pub fn at_some(&self, buffer: Option<Buffer>) -> *mut f32 {
        buffer.map_or(std::ptr::null_mut(), |b| self.at(b))
    }

    /// This thread's scratch memory, which has at least `room` elements.
    pub fn scratch(&self, room: usize) -> *mut f32 {
        let (start, there) = self.scratch;
        assert!(room <= there, "{room} elements of scratch, of {there}");
        start
    }

    /// The layout of a variable or of its gradient, if it is panel-packed.
    pub fn packed_weights(&self, buffer: Buffer) -> Option<PanelPacked> {
        self.compiled.weights[buffer.index()]
    }

    /// The weights without most of their zeros, if they are worth leaving out.
    pub fn pruned(&self, weights: Buffer) -> Option<&Pruned> {
        self.pruned.get(weights.index())?.as_ref()
    }

    /// True if a matrix with a row for each of the batch is panel-packed.
    pub fn is_packed(&self, buffer: Buffer) -> bool {
        self.compiled.matrices[buffer.index()]
    }

    /// A matrix of the batch, of so many rows and columns, as a product's first factor.
    pub fn left(&self, matrix: Buffer, rows: usize, columns: usize) -> Left {
        let from = self.at(matrix).cast_const();
        match self.is_packed(matrix) {
            false => Left::Plain(from, columns),
            true => Left::PanelPacked(Lanes {
                from,
                rows,
                columns,
            }),
        }
    }

    /// The random numbers of a stream at this step.
    pub fn key(&self, stream: u32) -> Key {
        let step = self.step;
        Key::new(step.seed, Stream::Layer(stream), step.iteration)
    }

    /// This thread's scratch memory as so many doubles, and what lies behind them, which has
    /// at least `room` elements.
    #[allow(clippy::mut_from_ref)]
    pub fn doubles(&self, count: usize, room: usize) -> (&mut [f64], *mut f32) {
        let start = self.scratch(2 * count + room);
        // SAFETY: the scratch is this thread's alone and starts a cache line; it has two
        // floats for each double.
        unsafe {
            let doubles = std::slice::from_raw_parts_mut(start.cast::<f64>(), count);
            (doubles, start.add(2 * count))
        }
    }
}
