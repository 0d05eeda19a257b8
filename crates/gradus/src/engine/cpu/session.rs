//! A session: memory, and the way of the threads through a plan.

use super::arena::Arena;
use super::denormals::Flushed;
use super::kernels::factors::{Lanes, Left};
use super::layout::{Laned, layouts};
use super::pace::Pace;
use super::pool::{self, Barrier, Pool};
use super::simd::Isa;
use super::tasks::{Phase, Task, phases};
use super::{columns, gradient, matrices, rows, weights, whole};
use crate::engine::{Fill, Session, Step};
use crate::plan::memory::Place;
use crate::plan::{Buffer, Op, Plan, Program, Role, Split};
use std::sync::Arc;
use std::time::Instant;

/// A program's memory and tasks.
pub(super) struct CpuSession {
    isa: Isa,
    plans: Vec<Prepared>,
    /// Shared with the session's twins, which only read them.
    variables: Arc<Arena>,
    /// Where each variable starts, how long it is, and how it lies.
    places: Vec<(usize, usize, Option<Laned>)>,
    /// One for all plans: only one runs at a time.
    temporaries: Arena,
    /// For each thread.
    scratch: Vec<Arena>,
    barrier: Barrier,
    own_pool: Option<Pool>,
}

/// A plan with its tasks and the places of its buffers.
struct Prepared {
    plan: Plan,
    /// How each variable, and what lies like it, lies.
    layout: Vec<Option<Laned>>,
    /// Which of the batch's matrices lie lane by lane.
    matrices: Vec<bool>,
    phases: Vec<Phase>,
    pointers: Pointers,
    pace: Pace,
}

/// Where each buffer of a plan is.
struct Pointers(Vec<*mut f32>);

// SAFETY: they lead into the session's own arenas, or to feeds that live as
// long as the run that was given them; tasks that run at the same time follow
// them to different numbers.
unsafe impl Send for Pointers {}
// SAFETY: as above.
unsafe impl Sync for Pointers {}

/// What a task works with.
pub(super) struct Context<'a> {
    pub isa: Isa,
    pub plan: &'a Plan,
    layout: &'a [Option<Laned>],
    matrices: &'a [bool],
    pointers: &'a Pointers,
    /// Rows of this batch.
    pub rows: usize,
    pub step: &'a Step,
    /// This thread's room.
    pub scratch: *mut f32,
}

impl Context<'_> {
    /// Where a buffer is.
    pub fn at(&self, buffer: Buffer) -> *mut f32 {
        self.pointers.0[buffer.index()]
    }

    /// Where a buffer is; null if there is none.
    pub fn at_some(&self, buffer: Option<Buffer>) -> *mut f32 {
        buffer.map_or(std::ptr::null_mut(), |b| self.at(b))
    }

    /// How a buffer lies, if it is lane by lane.
    pub fn laned(&self, buffer: Buffer) -> Option<Laned> {
        self.layout[buffer.index()]
    }

    /// Whether a matrix with a row for each of the batch's lies lane by lane.
    pub fn lies_laned(&self, buffer: Buffer) -> bool {
        self.matrices[buffer.index()]
    }

    /// A matrix of so many rows and columns, as a product's first factor.
    pub fn left(&self, matrix: Buffer, rows: usize, columns: usize) -> Left {
        let from = self.at(matrix).cast_const();
        match self.lies_laned(matrix) {
            false => Left::Plain(from, columns),
            true => Left::Laned(Lanes {
                from,
                rows,
                columns,
            }),
        }
    }

    /// Whether what an operation goes over column by column lies so: of products, what
    /// they make.
    pub fn is_laned(&self, op: &Op) -> bool {
        let mut laned = false;
        let mut look = |buffer| laned |= self.lies_laned(buffer);
        op.writes(&mut look);
        if !op.is_product() {
            op.reads(&mut look);
        }
        laned
    }
}

impl CpuSession {
    pub fn new(isa: Isa, threads: Option<usize>, program: Program) -> Self {
        let layouts = layouts(&program);
        let mut places = Vec::new();
        let mut end = 0;
        for (i, variable) in program.variables.iter().enumerate() {
            let laned = layouts.first().and_then(|layout| layout[i]);
            places.push((end, variable.size, laned));
            // Products read whole lanes, also behind a narrow last one.
            end += variable.size.next_multiple_of(16) + 16;
        }
        let plans = program.plans.into_iter().zip(layouts).collect();
        Self::on(isa, threads, Arc::new(Arena::new(end)), places, plans)
    }

    /// A session for plans, each with how its buffers lie, on these variables.
    fn on(
        isa: Isa,
        threads: Option<usize>,
        variables: Arc<Arena>,
        places: Vec<(usize, usize, Option<Laned>)>,
        plans: Vec<(Plan, Vec<Option<Laned>>)>,
    ) -> Self {
        let count = threads.unwrap_or_else(crate::base::threads::threads);
        let most = |f: fn(&Plan) -> usize| plans.iter().map(|(p, _)| f(p)).max().unwrap_or(0);
        let temporaries = Arena::new(most(|p| p.arena));
        let room = most(weights::room);
        let plans = plans
            .into_iter()
            .map(|(plan, layout)| Prepared {
                layout,
                matrices: matrices::laned(&plan),
                phases: phases(&plan, count, isa.width()),
                pointers: pointers(&plan, &variables, &places, &temporaries),
                pace: Pace::new(),
                plan,
            })
            .collect();
        CpuSession {
            isa,
            plans,
            variables,
            places,
            temporaries,
            scratch: (0..count).map(|_| Arena::new(room)).collect(),
            barrier: Barrier::default(),
            own_pool: threads.map(Pool::new),
        }
    }
}

fn pointers(
    plan: &Plan,
    variables: &Arena,
    places: &[(usize, usize, Option<Laned>)],
    temporaries: &Arena,
) -> Pointers {
    let of = |(i, place): (usize, &Place)| match (plan.buffers[i].role, place) {
        (Role::Variable, _) => variables.at(places[i].0),
        (Role::Temporary, Place::Arena(start)) => temporaries.at(*start),
        _ => std::ptr::null_mut(),
    };
    Pointers(plan.places.iter().enumerate().map(of).collect())
}

impl Session for CpuSession {
    fn write(&mut self, variable: Buffer, values: &[f32]) {
        assert!(
            Arc::get_mut(&mut self.variables).is_some(),
            "a twin reads them"
        );
        let (start, size, laned) = self.places[variable.index()];
        assert_eq!(size, values.len());
        // SAFETY: the variable's place in the arena, which nobody else touches.
        let place = unsafe { std::slice::from_raw_parts_mut(self.variables.at(start), size) };
        match laned {
            Some(matrix) => matrix.pack(self.isa, values, place),
            None => place.copy_from_slice(values),
        }
    }

    fn read(&self, variable: Buffer, values: &mut [f32]) {
        let (start, size, laned) = self.places[variable.index()];
        assert_eq!(size, values.len());
        // SAFETY: as in `write`.
        let place = unsafe { std::slice::from_raw_parts(self.variables.at(start), size) };
        match laned {
            Some(matrix) => matrix.unpack(self.isa, place, values),
            None => values.copy_from_slice(place),
        }
    }

    fn run(&mut self, plan: usize, rows: usize, feeds: &mut [Vec<f32>], fill: &Fill, step: &Step) {
        let prepared = &mut self.plans[plan];
        assert!(rows <= prepared.plan.rows, "more rows than the plan takes");
        for (i, info) in prepared.plan.buffers.iter().enumerate() {
            if let Role::Feed(n) = info.role {
                assert!(feeds[n].len() >= info.size.of(rows), "a feed is too short");
                prepared.pointers.0[i] = feeds[n].as_mut_ptr();
            }
        }
        prepared.phases.iter().for_each(Phase::reset);
        self.barrier.reset();
        let prepared = &self.plans[plan];
        let (isa, scratch, barrier) = (self.isa, &self.scratch, &self.barrier);
        let run = |threads: usize, number: usize| {
            let context = Context {
                isa,
                plan: &prepared.plan,
                layout: &prepared.layout,
                matrices: &prepared.matrices,
                pointers: &prepared.pointers,
                rows,
                step,
                scratch: scratch[number].at(0),
            };
            // What fills a batch is no kernel, and need not know of this.
            fill_feeds(&context, fill, number, threads);
            let _flushed = Flushed::new();
            for (turn, phase) in prepared.phases.iter().enumerate() {
                if threads > 1 {
                    barrier.wait(threads, turn + 1);
                }
                while let Some(task) = phase.next(number) {
                    do_task(&context, task);
                }
            }
        };
        // A session with threads of its own keeps to them.
        if let Some(pool) = &mut self.own_pool {
            let threads = pool.threads();
            return pool.run(&|number| run(threads, number));
        }
        if self.scratch.len() == 1 {
            return run(1, 0);
        }
        let start = Instant::now();
        match pool::shared() {
            Some(mut shared) if !prepared.pace.alone() => match shared.as_mut() {
                Some(pool) if pool.threads() <= scratch.len() => {
                    let threads = pool.threads();
                    pool.run(&|number| run(threads, number));
                }
                _ => run(1, 0),
            },
            _ => run(1, 0),
        }
        self.plans[plan].pace.took(start.elapsed());
    }

    fn twin(&self) -> Box<dyn Session> {
        let plans = self.plans.iter().map(|prepared| &prepared.plan);
        for plan in plans.clone() {
            for op in &plan.ops {
                op.writes(&mut |b| {
                    let variable = plan.buffers[b.index()].role == Role::Variable;
                    assert!(!variable, "a plan that changes variables has no twin");
                });
            }
        }
        let layouts = self.plans.iter().map(|prepared| prepared.layout.clone());
        Box::new(Self::on(
            self.isa,
            Some(1),
            Arc::clone(&self.variables),
            self.places.clone(),
            plans.cloned().zip(layouts).collect(),
        ))
    }

    fn fetch(&self, plan: usize, result: Buffer, values: &mut [f32]) {
        let prepared = &self.plans[plan];
        let Place::Arena(start) = prepared.plan.places[result.index()] else {
            unreachable!("results are kept in the arena");
        };
        let size = prepared.plan.buffers[result.index()]
            .size
            .of(prepared.plan.rows);
        assert!(values.len() <= size);
        // SAFETY: inside the buffer's place, which nobody else touches.
        unsafe {
            let from = self.temporaries.at(start);
            std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), values.len());
        }
    }
}

/// Writes this thread's share of the batch's rows.
fn fill_feeds(context: &Context<'_>, fill: &Fill, number: usize, threads: usize) {
    let from = context.rows * number / threads;
    let to = context.rows * (number + 1) / threads;
    for (i, info) in context.plan.buffers.iter().enumerate() {
        if let Role::Feed(n) = info.role {
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

fn do_task(context: &Context<'_>, task: &Task) {
    let ops = &context.plan.ops[task.group.ops.clone()];
    match task.group.split {
        Split::Columns(view) => {
            let (from, to) = task.lanes(view.width);
            columns::run(context, ops, view, from, to);
        }
        Split::Weight(_, columns) => {
            let (from, to) = task.lanes(columns);
            gradient::run(context, ops, from, to);
        }
        Split::Elements(size) => {
            let (from, to) = task.lanes(size);
            for op in ops {
                weights::elements(context, op, from, to);
            }
        }
        Split::Rows(view) => {
            let (from, to) = task.share(context.rows * view.positions);
            for op in ops {
                rows::run(context, op, from, to);
            }
        }
        Split::Whole => {
            for op in ops {
                whole::run(context, op);
            }
        }
    }
}
