//! A session: memory, and the threads' execution of a plan.

use super::arena::Arena;
use super::compile::allocation::{self, Allocation};
use super::compile::tasks::{Phase, phases};
use super::compile::{Compiled, packing};
use super::context::{Context, Pointers};
use super::denormals::Flushed;
use super::isa::Isa;
use super::kernels::int8::Int8Packed;
use super::packed::PanelPacked;
use super::peers::Peers;
use super::pool::{self, Barrier, Pool};
use super::pruned::{self, Pruned};
use super::thread_tuner::ThreadTuner;
use super::{execute, memory, ops};
use crate::base::ranks;
use crate::base::threads::threads as count;
use crate::engine::{Fill, Session, Step};
use crate::error::{Error, Result};
use crate::plan::share::Place;
use crate::plan::{Buffer, BufferInfo, Op, Plan, Program, Role, Size};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// A program's memory and tasks.
pub(super) struct CpuSession {
    isa: Isa,
    plans: Vec<Prepared>,
    /// Shared with sessions on the same weights, which only read them.
    variables: Arc<Arena>,
    memory: Arc<[VariableMemory]>,
    /// Variables without most of their zeros; `None` until they are shared, since they may change.
    pruned: Option<Arc<[Option<Pruned>]>>,
    /// A single arena for all plans: only one runs at a time.
    temporaries: Arena,
    /// Scratch memory of each thread.
    scratch: Vec<Arena>,
    /// The number of elements of each.
    scratch_room: usize,
    barrier: Barrier,
    own_pool: Option<Pool>,
    /// The other ranks, if there are any.
    peers: Option<Peers>,
}

/// A variable's memory: its first element, their number there, the number of its values, and
/// their layout.
#[derive(Clone, Copy)]
struct VariableMemory {
    start: usize,
    room: usize,
    size: usize,
    layout: Layout,
}

/// The layout of a variable's values.
#[derive(Clone, Copy)]
enum Layout {
    RowMajor,
    Panels(PanelPacked),
    Int8(Int8Packed),
}

/// A compiled plan with its tasks and the addresses of its buffers.
struct Prepared {
    compiled: Arc<Compiled>,
    phases: Vec<Phase>,
    pointers: Pointers,
    /// The addresses of a rank's own rows.
    own: Pointers,
    tuner: ThreadTuner,
}

impl CpuSession {
    /// A session of its own, or of one of several ranks.
    pub fn new(
        isa: Isa,
        threads: Option<usize>,
        mut program: Program,
        peers: Option<Peers>,
    ) -> Result<Self> {
        memory::check_buffers(&program)?;
        let mut sharing = vec![None; program.plans.len()];
        if let Some(peers) = &peers {
            let plans = program
                .plans
                .into_iter()
                .map(|plan| plan.share(peers.exact));
            (program.plans, sharing) = plans.map(|(plan, of)| (plan, Some(of))).unzip();
            for (plan, of) in program.plans.iter().zip(sharing.iter().flatten()) {
                let problem = |problem| format!("{problem}, in this plan of a rank:\n{plan}");
                of.verify(plan)
                    .map_err(|found| Error::Internal(problem(found)))?;
            }
        }
        let (layouts, int8) = (packing::weights(&program), packing::int8(&program)?);
        let mut memory = Vec::new();
        let mut end = 0;
        for (i, variable) in program.variables.iter().enumerate() {
            let size = variable.size;
            let panels = layouts.first().and_then(|layout| layout[i]);
            let (layout, room) = match (int8[i], panels) {
                (Some(matrix), _) => (Layout::Int8(matrix), matrix.room(isa)),
                (None, Some(matrix)) => (Layout::Panels(matrix), size),
                (None, None) => (Layout::RowMajor, size),
            };
            memory.push(VariableMemory {
                start: end,
                room,
                size,
                layout,
            });
            end += allocation::room(room, true);
        }
        let plans = program.plans.into_iter().zip(layouts).zip(sharing);
        let compiled = |((plan, layout), sharing)| Compiled::new(plan, layout, sharing);
        let plans = plans.map(|plan| compiled(plan).map(Arc::new));
        let plans = plans.collect::<Result<Vec<_>>>()?;
        memory::check_session(end, &plans, threads.unwrap_or_else(count))?;
        let variables = Arc::new(Arena::new(end));
        Ok(Self::on(
            isa,
            threads,
            variables,
            memory.into(),
            plans,
            None,
            peers,
        ))
    }

    /// A session for compiled plans on these variables.
    fn on(
        isa: Isa,
        threads: Option<usize>,
        variables: Arc<Arena>,
        memory: Arc<[VariableMemory]>,
        plans: Vec<Arc<Compiled>>,
        pruned: Option<Arc<[Option<Pruned>]>>,
        peers: Option<Peers>,
    ) -> Self {
        let count = threads.unwrap_or_else(count);
        let most = |f: fn(&Compiled) -> usize| plans.iter().map(|c| f(c)).max().unwrap_or(0);
        let temporaries = Arena::new(most(|compiled| compiled.arena));
        let scratch_room = most(|compiled| ops::scratch(&compiled.plan));
        let scratch_room = scratch_room.max(pruned::room(isa, pruned.as_deref()));
        let rank = peers.as_ref().map(|p| (p.ranks.rank(), p.ranks.ranks()));
        let plans = plans
            .into_iter()
            .map(|compiled| Prepared {
                phases: phases(&compiled, count, isa.width(), rank),
                own: Pointers(Vec::new()),
                pointers: pointers(&compiled, &variables, &memory, &temporaries),
                tuner: ThreadTuner::new(),
                compiled,
            })
            .collect();
        CpuSession {
            isa,
            plans,
            variables,
            memory,
            pruned,
            temporaries,
            scratch: (0..count).map(|_| Arena::new(scratch_room)).collect(),
            scratch_room,
            barrier: Barrier::default(),
            own_pool: threads.map(Pool::new),
            peers,
        }
    }

    /// Looks for weights that are mostly zeros, and makes room for products without them.
    fn leave_zeros_out(&mut self) -> Arc<[Option<Pruned>]> {
        let plans = self.plans.iter().map(|prepared| &prepared.compiled.plan);
        let products = plans.flat_map(|plan| &plan.ops).filter_map(|op| match op {
            Op::MatMul(product) => Some(product.w.index()),
            _ => None,
        });
        let factors: HashSet<usize> = products.collect();
        let variables = self.memory.iter().enumerate();
        let pruned: Arc<[_]> = variables
            .map(|(i, of)| match of.layout {
                Layout::Panels(matrix) if factors.contains(&i) => {
                    let from = self.variables.at(of.start);
                    // SAFETY: the variable's place in the arena, which nobody writes to any more.
                    let numbers = unsafe { std::slice::from_raw_parts(from, of.size) };
                    Pruned::of(self.isa, matrix, numbers)
                }
                _ => None,
            })
            .collect();
        let room = pruned::room(self.isa, Some(&pruned));
        if room > self.scratch_room {
            self.scratch_room = room;
            self.scratch.fill_with(|| Arena::new(room));
        }
        self.pruned = Some(Arc::clone(&pruned));
        pruned
    }
}

fn pointers(
    compiled: &Compiled,
    variables: &Arena,
    memory: &[VariableMemory],
    temporaries: &Arena,
) -> Pointers {
    let buffers = compiled.plan.buffers.iter().zip(&compiled.allocations);
    let of = |(i, (info, allocation)): (usize, (&BufferInfo, &Allocation))| match (
        info.role, allocation,
    ) {
        (Role::Variable, _) => variables.at(memory[i].start),
        (Role::Temporary, Allocation::Arena(start)) => temporaries.at(*start),
        _ => std::ptr::null_mut(),
    };
    Pointers(buffers.enumerate().map(of).collect())
}

impl Session for CpuSession {
    fn write(&mut self, variable: Buffer, values: &[f32]) {
        assert!(
            Arc::get_mut(&mut self.variables).is_some(),
            "another session reads them"
        );
        let of = self.memory[variable.index()];
        assert_eq!(of.size, values.len());
        // SAFETY: the variable's place in the arena, which nobody else touches.
        let place = unsafe { std::slice::from_raw_parts_mut(self.variables.at(of.start), of.room) };
        match of.layout {
            Layout::RowMajor => place.copy_from_slice(values),
            Layout::Panels(matrix) => matrix.pack(self.isa, values, place),
            Layout::Int8(matrix) => matrix.pack(self.isa, values, place),
        }
    }

    fn read(&self, variable: Buffer, values: &mut [f32]) {
        let of = self.memory[variable.index()];
        assert_eq!(of.size, values.len());
        // SAFETY: as in `write`.
        let place = unsafe { std::slice::from_raw_parts(self.variables.at(of.start), of.room) };
        match of.layout {
            Layout::RowMajor => values.copy_from_slice(place),
            Layout::Panels(matrix) => matrix.unpack(self.isa, place, values),
            Layout::Int8(matrix) => matrix.unpack(self.isa, place, values),
        }
    }

    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step) {
        let prepared = &mut self.plans[plan];
        let Plan {
            rows: most,
            buffers,
            ..
        } = &prepared.compiled.plan;
        assert!(rows <= *most, "more rows than the plan takes");
        for (i, info) in buffers.iter().enumerate() {
            if let Role::Feed(n) = info.role {
                assert!(feeds[n].len() >= info.size.of(rows), "a feed is too short");
                prepared.pointers.0[i] = feeds[n].as_mut_ptr();
            }
        }
        // A rank's own rows, the end excluded.
        let own = match &self.peers {
            Some(peers) => {
                let (rank, ranks) = (peers.ranks.rank(), peers.ranks.ranks());
                ranks::start(rows, ranks, rank)..ranks::start(rows, ranks, rank + 1)
            }
            None => 0..rows,
        };
        if self.peers.is_some() {
            prepared.own.0.clear();
            let all = prepared.pointers.0.iter().zip(buffers);
            prepared
                .own
                .0
                .extend(all.map(|(&at, info)| match info.size {
                    // Never followed where it leads nowhere.
                    Size::PerRow(size) => at.wrapping_add(own.start * size),
                    Size::Fixed(_) => at,
                }));
        }
        prepared.phases.iter().for_each(Phase::reset);
        self.barrier.reset();
        let prepared = &self.plans[plan];
        let (isa, scratch, barrier) = (self.isa, &self.scratch, &self.barrier);
        let peers = self.peers.as_ref();
        let room = self.scratch_room;
        let pruned = self.pruned.as_deref().unwrap_or_default();
        let run = |threads: usize, number: usize| {
            let context = Context {
                isa,
                compiled: &prepared.compiled,
                pointers: &prepared.pointers,
                rows,
                first: 0,
                peers,
                step,
                scratch: (scratch[number].at(0), room),
                pruned,
            };
            // The callback that fills a batch is no kernel, and need not know of this.
            fill_feeds(&context, fill, &own, (number, threads));
            let mine = Context {
                pointers: &prepared.own,
                rows: own.len(),
                first: own.start,
                ..context
            };
            let _flushed = Flushed::new();
            for (turn, phase) in prepared.phases.iter().enumerate() {
                if threads > 1 {
                    barrier.wait(threads, turn + 1);
                }
                while let Some(task) = phase.next(number) {
                    match (task.group.place, peers) {
                        (Place::Rows | Place::Sums, Some(_)) if own.is_empty() => {}
                        (Place::Rows | Place::Sums, Some(_)) => execute::task(&mine, task),
                        _ => execute::task(&context, task),
                    }
                }
            }
        };
        // A session with threads of its own always uses them.
        if let Some(pool) = &mut self.own_pool {
            let threads = pool.threads();
            return pool.run(&|number| run(threads, number));
        }
        if self.scratch.len() == 1 {
            return run(1, 0);
        }
        let start = Instant::now();
        match pool::shared() {
            Some(mut shared) if !prepared.tuner.alone() => match shared.as_mut() {
                Some(pool) if pool.threads() <= scratch.len() => {
                    let threads = pool.threads();
                    pool.run(&|number| run(threads, number));
                }
                _ => run(1, 0),
            },
            _ => run(1, 0),
        }
        self.plans[plan].tuner.took(start.elapsed());
    }

    fn failure(&mut self) -> Option<Error> {
        self.peers.as_ref().and_then(Peers::failure)
    }

    fn share(&mut self) -> Box<dyn Session> {
        for Prepared { compiled, .. } in &self.plans {
            let plan = &compiled.plan;
            let role = |b: Buffer| plan.buffers[b.index()].role;
            let mut written = plan.ops.iter().flat_map(Op::writes);
            assert!(
                written.all(|b| role(b) != Role::Variable),
                "a plan that changes variables cannot share them"
            );
        }
        let known = self.pruned.clone();
        let pruned = known.unwrap_or_else(|| self.leave_zeros_out());
        let plans = self.plans.iter().map(|prepared| &prepared.compiled);
        Box::new(Self::on(
            self.isa,
            Some(1),
            Arc::clone(&self.variables),
            Arc::clone(&self.memory),
            plans.map(Arc::clone).collect(),
            Some(pruned),
            // Alone, it does all parts itself.
            None,
        ))
    }

    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]) {
        let Compiled {
            plan, allocations, ..
        } = &*self.plans[plan].compiled;
        let Allocation::Arena(start) = allocations[result.index()] else {
            unreachable!("results are kept in the arena");
        };
        let size = plan.buffers[result.index()].size.of(plan.rows);
        assert!(values.len() <= size);
        // SAFETY: inside the buffer's place, which nobody else touches.
        unsafe {
            let from = self.temporaries.at(start);
            std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), values.len());
        }
    }
}

/// Writes this thread's share of the batch's rows: of a rank's own, where these are all it needs.
fn fill_feeds(
    context: &Context<'_>,
    fill: &Fill,
    own: &Range<usize>,
    (number, threads): (usize, usize),
) {
    let sharing = context.compiled.sharing.as_ref();
    for (i, info) in context.plan().buffers.iter().enumerate() {
        if let Role::Feed(n) = info.role {
            let whole = sharing.is_none_or(|of| of.whole_feeds.contains(&Buffer(i as u32)));
            let rows = if whole { 0..context.rows } else { own.clone() };
            let cut = |number: usize| rows.start + rows.len() * number / threads;
            let (from, to) = (cut(number), cut(number + 1));
            let size = info.size.of(1);
            // SAFETY: inside the feed, which is long enough; the rows are this
            // thread's, and nobody reads them before all have met.
            let rows = unsafe {
                let start = context.pointers.0[i].add(from * size);
                std::slice::from_raw_parts_mut(start, (to - from) * size)
            };
            fill(n, from..to, rows);
        }
    }
}
