//! How weight matrices lie in memory: lane by lane of columns, as the products
//! read them, with their gradients and slots lying alike. Nothing but products,
//! and what needs a matrix as such, notices.

use super::kernels::factors::Target;
use super::simd::Isa;
use crate::plan::op::Factors;
use crate::plan::{Buffer, Op, Plan, Program, Role, Size};

/// A matrix that lies lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Laned {
    pub rows: usize,
    pub columns: usize,
}

impl Laned {
    pub fn new(of: &Factors) -> Self {
        Laned {
            rows: of.inputs,
            columns: of.outputs,
        }
    }

    /// Where row `row` of the lane that begins with `column` lies, and how many
    /// numbers of it there are.
    pub fn at(self, isa: Isa, row: usize, column: usize) -> (usize, usize) {
        let width = isa.width().min(self.columns - column);
        (column * self.rows + row * width, width)
    }

    /// Where rows from `row` on, and columns, of the matrix lie that starts with `from`.
    ///
    /// # Safety
    /// It must have them.
    pub unsafe fn target(
        self,
        isa: Isa,
        from: *mut f32,
        row: usize,
        (column, columns): (usize, usize),
    ) -> Target {
        let width = isa.width();
        let before = (columns - 1) / width * width;
        // SAFETY: the caller's promise.
        let at = |column: usize| unsafe { from.add(self.at(isa, row, column).0) };
        Target {
            to: at(column),
            lane: self.rows * width,
            row: width,
            last: at(column + before),
            last_row: columns - before,
            last_width: columns - before,
        }
    }

    /// Calls `f` with every run of numbers that lie together both ways: where it
    /// is row after row, where it is lane by lane, and how long it is.
    fn runs(self, isa: Isa, mut f: impl FnMut(usize, usize, usize)) {
        for column in (0..self.columns).step_by(isa.width()) {
            for row in 0..self.rows {
                let (at, width) = self.at(isa, row, column);
                f(row * self.columns + column, at, width);
            }
        }
    }

    /// From row after row to lane by lane.
    pub fn pack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        self.runs(isa, |plain, laned, n| {
            to[laned..laned + n].copy_from_slice(&from[plain..plain + n]);
        });
    }

    /// From lane by lane to row after row.
    pub fn unpack(self, isa: Isa, from: &[f32], to: &mut [f32]) {
        self.runs(isa, |plain, laned, n| {
            to[plain..plain + n].copy_from_slice(&from[laned..laned + n]);
        });
    }
}

/// Which buffers of each plan lie lane by lane. Variables lie alike in all.
pub(super) fn layouts(program: &Program) -> Vec<Vec<Option<Laned>>> {
    let mut all: Vec<Vec<Option<Laned>>> = program
        .plans
        .iter()
        .map(|plan| vec![None; plan.buffers.len()])
        .collect();
    loop {
        let mut changed = false;
        for (n, plan) in program.plans.iter().enumerate() {
            for op in &plan.ops {
                let alike = alike(op);
                let known = match op {
                    Op::Product { of, .. }
                    | Op::ProductInput { of, .. }
                    | Op::ProductWeight { of, .. } => Some(Laned::new(of)),
                    _ => alike.iter().find_map(|b| all[n][b.index()]),
                };
                let Some(known) = known else { continue };
                for buffer in alike {
                    let variable = plan.buffers[buffer.index()].role == Role::Variable;
                    let plans = if variable { 0..all.len() } else { n..n + 1 };
                    for place in &mut all[plans] {
                        changed |= place[buffer.index()].is_none();
                        place[buffer.index()] = Some(known);
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
    for (plan, laned) in program.plans.iter().zip(&all) {
        check(plan, laned);
    }
    all
}

/// The buffers that an operation wants to lie alike, be it lane by lane or not.
fn alike(op: &Op) -> Vec<Buffer> {
    match op {
        Op::Product { w, .. } | Op::ProductInput { w, .. } => vec![*w],
        Op::ProductWeight { dw, .. } => vec![*dw],
        Op::NormalizedWeight { g, w, dw, .. } => vec![*g, *w, *dw],
        Op::SumGradients { a, b, y, .. } => vec![*a, *b, *y],
        Op::PenaltyGradient {
            x,
            dx,
            size: Size::Fixed(_),
            ..
        } => vec![*x, *dx],
        Op::Round {
            x,
            y,
            size: Size::Fixed(_),
            ..
        } => vec![*x, *y],
        Op::Accumulate {
            gradient,
            accumulator,
            y,
            ..
        } => vec![*gradient, *accumulator, *y],
        Op::Update {
            w,
            gradient,
            slots,
            accumulator,
            average,
            ..
        } => {
            let mut all = vec![*w, *gradient];
            all.extend(slots);
            all.extend(accumulator);
            all.extend(average);
            all
        }
        _ => Vec::new(),
    }
}

/// Panics if an operation touches a matrix that it does not expect lane by lane.
fn check(plan: &Plan, laned: &[Option<Laned>]) {
    for op in &plan.ops {
        let any_order = matches!(
            op,
            Op::SquaredNorm { .. } | Op::Penalty { .. } | Op::Constrain { .. }
        );
        let alike = alike(op);
        let mut check = |b: Buffer| {
            assert!(
                any_order || alike.contains(&b) || laned[b.index()].is_none(),
                "{op:?} does not know how {b:?} lies"
            );
        };
        op.reads(&mut check);
        op.writes(&mut check);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_comes_back_as_it_was() {
        for (rows, columns) in [(1, 1), (3, 16), (2, 17), (5, 40), (7, 3)] {
            let plain: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            for isa in Isa::tested() {
                let matrix = Laned { rows, columns };
                let (mut laned, mut back) = (plain.clone(), plain.clone());
                matrix.pack(isa, &plain, &mut laned);
                matrix.unpack(isa, &laned, &mut back);
                assert_eq!(back, plain);
                let mut sorted = laned.clone();
                sorted.sort_by(f32::total_cmp);
                assert_eq!(sorted, plain, "a number is lost");
                let single = columns <= isa.width();
                assert_eq!(laned == plain, single || rows == 1);
            }
        }
    }
}
