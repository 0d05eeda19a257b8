//! A session: memory, and the way of the threads through a plan.

use super::arena::Arena;
use super::kernels::product::PACK_SIZE;
use super::kernels::rows::{Softmax, SoftmaxGradient, StandardizeRows, StandardizeRowsGradient};
use super::kernels::update::{Penalty, SquaredNorm};
use super::layout::{Laned, layouts};
use super::pace::Pace;
use super::pool::{self, Barrier, Pool};
use super::simd::Isa;
use super::tasks::{Phase, Task, phases};
use super::{augment, columns, merge, weights};
use crate::engine::{Fill, Session, Step};
use crate::plan::memory::Place;
use crate::plan::{Buffer, Op, Plan, Program, Role, Size, Split};
use crate::rules::losses::Targets;
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
    /// How each buffer lies.
    layout: Vec<Option<Laned>>,
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
        let room = most(weights::room).max(PACK_SIZE);
        let plans = plans
            .into_iter()
            .map(|(plan, layout)| Prepared {
                layout,
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
                pointers: &prepared.pointers,
                rows,
                step,
                scratch: scratch[number].at(0),
            };
            fill_feeds(&context, fill, number, threads);
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
            weights::run(context, ops, from, to);
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
                rows(context, op, from, to);
            }
        }
        Split::Whole => {
            for op in ops {
                whole(context, op);
            }
        }
    }
}

/// An operation on matrix rows `from..to`.
fn rows(context: &Context<'_>, op: &Op, from: usize, to: usize) {
    // SAFETY, of this function: `from..to` is inside the view's rows, and
    // belongs to this task alone.
    match op {
        Op::Softmax { x, y, log, view } => {
            let start = from * view.width;
            context.isa.run(Softmax {
                // SAFETY: see above.
                x: unsafe { context.at(*x).add(start) },
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                log: *log,
                rows: to - from,
                width: view.width,
            });
        }
        Op::SoftmaxGradient {
            y,
            dy,
            dx,
            log,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(SoftmaxGradient {
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above.
                dy: unsafe { context.at(*dy).add(start) },
                // SAFETY: see above.
                dx: unsafe { context.at(*dx).add(start) },
                log: *log,
                rows: to - from,
                width: view.width,
            });
        }
        Op::StandardizeRows {
            x,
            y,
            inverse,
            epsilon,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(StandardizeRows {
                // SAFETY: see above.
                x: unsafe { context.at(*x).add(start) },
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above; one number for each row.
                inverse: unsafe { context.at(*inverse).add(from) },
                epsilon: *epsilon,
                rows: to - from,
                width: view.width,
            });
        }
        Op::StandardizeRowsGradient {
            y,
            inverse,
            dy,
            dx,
            view,
        } => {
            let start = from * view.width;
            context.isa.run(StandardizeRowsGradient {
                // SAFETY: see above.
                y: unsafe { context.at(*y).add(start) },
                // SAFETY: see above; one number for each row.
                inverse: unsafe { context.at(*inverse).add(from) },
                // SAFETY: see above.
                dy: unsafe { context.at(*dy).add(start) },
                // SAFETY: see above.
                dx: unsafe { context.at(*dx).add(start) },
                rows: to - from,
                width: view.width,
            });
        }
        Op::Permute {
            x, y, dims, order, ..
        } => {
            let size = dims.iter().product::<usize>();
            let (x, y) = (context.at(*x), context.at(*y));
            for row in from..to {
                // SAFETY: see above; a row of each has `size` numbers.
                unsafe { permute(x.add(row * size), y.add(row * size), dims, order) };
            }
        }
        Op::Loss {
            rule,
            x,
            target,
            weight,
            losses,
            gradient,
            share,
            view,
        } => {
            let target_width = match rule.targets() {
                Targets::ClassNumbers => 1,
                Targets::LikeOutputs => view.width,
            };
            let count = to - from;
            let slice = |buffer: Buffer, width: usize| {
                // SAFETY: see above.
                unsafe {
                    std::slice::from_raw_parts(context.at(buffer).add(from * width), count * width)
                }
            };
            // SAFETY: see above; without a gradient, one row of scratch takes
            // the place of each row's.
            let losses =
                unsafe { std::slice::from_raw_parts_mut(context.at(*losses).add(from), count) };
            let targets = slice(*target, target_width);
            let outputs = slice(*x, view.width);
            let all = context.rows * view.positions;
            // SAFETY: the targets and weights of the whole batch, which nobody
            // writes to.
            let (targets_of_all, weights) = unsafe {
                (
                    std::slice::from_raw_parts(context.at(*target), all * target_width),
                    weight.map(|w| std::slice::from_raw_parts(context.at(w), context.rows)),
                )
            };
            let scale = rule.scale(all, targets_of_all, weights);
            let weight_of =
                |p: usize| weights.map_or(1.0, |w| w[(from + p) / view.positions]) * scale;
            match gradient {
                Some(gradient) => {
                    // SAFETY: see above.
                    let slopes = unsafe {
                        let start = context.at(*gradient).add(from * view.width);
                        std::slice::from_raw_parts_mut(start, count * view.width)
                    };
                    rule.rows(view.width, targets, outputs, losses, slopes);
                    for (p, slopes) in slopes.chunks_exact_mut(view.width).enumerate() {
                        let share = share * weight_of(p) / all as f32;
                        slopes.iter_mut().for_each(|s| *s *= share);
                    }
                }
                None => {
                    // SAFETY: the scratch is this thread's, and has room for a row.
                    let slopes =
                        unsafe { std::slice::from_raw_parts_mut(context.scratch, view.width) };
                    for (p, loss) in losses.iter_mut().enumerate() {
                        rule.rows(
                            view.width,
                            &targets[p * target_width..(p + 1) * target_width],
                            &outputs[p * view.width..(p + 1) * view.width],
                            std::slice::from_mut(loss),
                            slopes,
                        );
                    }
                }
            }
            for (p, loss) in losses.iter_mut().enumerate() {
                *loss *= weight_of(p);
            }
        }
        Op::Augment { .. } | Op::AugmentGradient { .. } => augment::rows(context, op, from, to),
        other => merge::rows(context, other, from, to),
    }
}

/// One row with its axes in another order.
///
/// # Safety
/// `x` and `y` lead to as many numbers as `dims` says.
unsafe fn permute(x: *const f32, mut y: *mut f32, dims: &[usize], order: &[usize]) {
    let Some((&axis, inner)) = order.split_first() else {
        // SAFETY: the caller's promise.
        unsafe { *y = *x };
        return;
    };
    let stride: usize = dims[axis + 1..].iter().product();
    let size: usize = inner.iter().map(|&axis| dims[axis]).product();
    for i in 0..dims[axis] {
        // SAFETY: the i-th part of each, along this axis.
        unsafe {
            permute(x.add(i * stride), y, dims, inner);
            y = y.add(size);
        }
    }
}

fn whole(context: &Context<'_>, op: &Op) {
    match op {
        Op::SquaredNorm { gradients, norm } => {
            let squares = gradients.iter().map(|&(g, size)| {
                context.isa.run(SquaredNorm {
                    x: context.at(g),
                    size,
                })
            });
            let total: f64 = squares.sum();
            // SAFETY: one number, which this task alone writes.
            unsafe { *context.at(*norm) = total as f32 };
        }
        Op::Update { gradient, size, .. } => {
            weights::update(context, op, 0, *size, context.at(*gradient));
        }
        Op::Constant { y, values } => {
            // SAFETY: the buffer has as many numbers, which this task alone writes.
            unsafe {
                std::ptr::copy_nonoverlapping(values.as_ptr(), context.at(*y), values.len());
            }
        }
        Op::Penalty {
            rule,
            x,
            penalty,
            size,
            columns,
        } => {
            let size = size.of(context.rows);
            let total = match rule.l1_l2() {
                Some(rule) => context.isa.run(Penalty {
                    rule: &rule,
                    x: context.at(*x),
                    size,
                }),
                None => {
                    let (scratch, room) = doubles(context, rule.scratch(*columns, size));
                    // SAFETY: the buffer is that long, and nobody writes to it
                    // in this phase.
                    let values = unsafe { std::slice::from_raw_parts(context.at(*x), size) };
                    rule.matrix(*columns, plain(context, *x, values, room), None, scratch)
                }
            };
            // SAFETY: one number, which this task alone writes.
            unsafe { *context.at(*penalty) = total as f32 };
        }
        Op::PenaltyGradient {
            rule,
            x,
            dx,
            size,
            columns,
        } => {
            let by_row = matches!(size, Size::PerRow(_));
            let size = size.of(context.rows);
            let (scratch, room) = doubles(context, rule.scratch(*columns, size));
            // SAFETY: both buffers are that long; nobody writes to the first in
            // this phase, and this task alone touches the second. The scratch
            // has room for both.
            let (x_now, dx_now, room, slopes) = unsafe {
                (
                    std::slice::from_raw_parts(context.at(*x), size),
                    std::slice::from_raw_parts_mut(context.at(*dx), size),
                    room,
                    std::slice::from_raw_parts_mut(room.add(size), size),
                )
            };
            let x_now = plain(context, *x, x_now, room);
            slopes.fill(0.0);
            rule.matrix(*columns, x_now, Some(slopes), scratch);
            if by_row {
                let rows = context.rows as f32;
                slopes.iter_mut().for_each(|g| *g /= rows);
            }
            match context.layout[dx.index()] {
                Some(matrix) => matrix.pack(context.isa, slopes, dx_now),
                None => dx_now.copy_from_slice(slopes),
            }
        }
        Op::Constrain {
            rule,
            w,
            shape,
            size,
        } => {
            let (scratch, room) = doubles(context, rule.scratch(shape));
            // SAFETY: the variable is that long, and this task alone touches
            // it; so is the room.
            let (values, room) = unsafe {
                (
                    std::slice::from_raw_parts_mut(context.at(*w), *size),
                    std::slice::from_raw_parts_mut(room, *size),
                )
            };
            match context.layout[w.index()] {
                Some(matrix) => {
                    matrix.unpack(context.isa, values, room);
                    rule.apply_in(shape, room, scratch);
                    matrix.pack(context.isa, room, values);
                }
                None => rule.apply_in(shape, values, scratch),
            }
        }
        other => unreachable!("{other:?} can be cut"),
    }
}

/// The numbers of a buffer row after row: themselves, or a copy in `room`.
fn plain<'a>(
    context: &Context<'_>,
    buffer: Buffer,
    values: &'a [f32],
    room: *mut f32,
) -> &'a [f32] {
    let Some(matrix) = context.layout[buffer.index()] else {
        return values;
    };
    // SAFETY: `weights::room` has counted as many numbers behind the doubles.
    let room = unsafe { std::slice::from_raw_parts_mut(room, values.len()) };
    matrix.unpack(context.isa, values, room);
    room
}

/// This thread's room as so many doubles, and where it goes on behind them.
#[allow(clippy::mut_from_ref)]
fn doubles<'a>(context: &'a Context<'_>, count: usize) -> (&'a mut [f64], *mut f32) {
    // SAFETY: the scratch is this thread's alone and starts a cache line;
    // `weights::room` has counted two floats for each double.
    unsafe {
        let doubles = std::slice::from_raw_parts_mut(context.scratch.cast::<f64>(), count);
        (doubles, context.scratch.add(2 * count))
    }
}
