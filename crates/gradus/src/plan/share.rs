//! A plan for several ranks, which get the bits that one would get alone.
//!
//! A rank does products, and what follows them row by row, on its own rows of the batch. Whatever
//! sums over rows is given all of them, by a [`Gather`] of its inputs: so each sum is made whole, by the
//! same operation in the same order, however many ranks there are. A weight's gradient is cut by
//! columns, as threads cut it, and gathered. All else every rank does for itself.
//!
//! Ranks that need not make these bits sum gradients over their own rows, and add the ranks' sums up,
//! all of them in one message, behind which the updates stand: what is summed stays where it is.

use super::operands::{Extent, Operand};
use super::ops::{Gather, Parts};
use super::{Buffer, Op, Plan, Role, Size};
use std::collections::HashSet;

/// The part of an operation that a rank does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// All of it, as every other rank.
    Whole,
    /// Its own rows of the batch.
    Rows,
    /// Its own columns of a weight's gradient.
    Columns,
    /// Sums over its own rows of the batch.
    Sums,
}

/// The parts of a plan that a rank does.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    /// The part of each operation.
    pub places: Vec<Place>,
    /// The feeds, as buffers, of which every rank needs all rows.
    pub whole_feeds: HashSet<Buffer>,
}

impl Sharing {
    /// Checks that whatever needs all rows of a buffer has them; returns the first fault. `plan` is the
    /// shared one.
    pub fn verify(&self, plan: &Plan) -> Result<(), String> {
        let role = |b: Buffer| plan.buffers[b.index()].role;
        let mut partial: HashSet<Buffer> = (0..plan.buffers.len() as u32)
            .map(Buffer)
            .filter(|b| matches!(role(*b), Role::Feed(_)) && !self.whole_feeds.contains(b))
            .collect();
        // Buffers of which a rank has its own columns only, or sums over its own rows.
        let mut columns: HashSet<Buffer> = HashSet::new();
        let mut sums: HashSet<Buffer> = HashSet::new();
        if self.places.len() != plan.ops.len() {
            return Err("not every operation has its place".into());
        }
        for (i, (op, place)) in plan.ops.iter().zip(&self.places).enumerate() {
            let follows = *place == Place::Columns;
            let missing = op
                .reads()
                .find(|b| partial.contains(b) || columns.contains(b) && !follows);
            match (op, place, missing) {
                (Op::Gather(gather), ..) => {
                    gather.buffers.iter().for_each(|(b, _)| {
                        partial.remove(b);
                        columns.remove(b);
                        sums.remove(b);
                    });
                }
                _ if op.reads().any(|b| sums.contains(&b)) => {
                    if !adds(op) || !op.reads().all(|b| sums.contains(&b)) {
                        return Err(format!(
                            "op {i}, {}, needs sums that are not added up",
                            op.name()
                        ));
                    }
                    sums.extend(op.writes());
                }
                (_, Place::Sums, _) if !op.sums_rows() => {
                    return Err(format!("op {i}, {}, does not sum over rows", op.name()));
                }
                (_, Place::Sums, _) => {
                    let (of_rows, fixed) = plan.written(op);
                    partial.extend(of_rows);
                    sums.extend(fixed.into_iter().map(|(b, _)| b));
                }
                (_, Place::Rows, _) if !plan.is_by_rows(op) => {
                    return Err(format!("op {i}, {}, is not done by rows", op.name()));
                }
                (_, Place::Rows, _) => partial.extend(op.writes()),
                (_, Place::Whole | Place::Columns, Some(b)) => {
                    let problem = "needs all rows, and a rank has its own alone, of";
                    return Err(format!("op {i}, {}, {problem} {b:?}", op.name()));
                }
                (_, Place::Columns, None) => columns.extend(op.writes()),
                (_, Place::Whole, None) => {}
            }
        }
        let lacks = |b: &Buffer| partial.contains(b) || columns.contains(b) || sums.contains(b);
        match plan.kept().into_iter().find(lacks) {
            Some(b) => Err(format!("the result {b:?} is not gathered")),
            None => Ok(()),
        }
    }
}

/// True of operations whose results add up as what they read does.
fn adds(op: &Op) -> bool {
    matches!(op, Op::KernelSum(_) | Op::SumGradients(_))
}

impl Plan {
    /// The same plan for several ranks: with the operations that pass on what others need. `exact` ranks
    /// make the bits of one.
    pub fn share(mut self, exact: bool) -> (Self, Sharing) {
        let mut whole_feeds = HashSet::new();
        // One feed more each time that it has to begin anew.
        let (ops, places) = loop {
            match self.shared(exact, &whole_feeds) {
                Ok(shared) => break shared,
                Err(feed) => whole_feeds.insert(feed),
            };
        };
        self.ops = ops;
        let sharing = Sharing {
            places,
            whole_feeds,
        };
        (self, sharing)
    }

    /// The operations and their places, if the ranks have all rows of these feeds; otherwise a
    /// feed more of which they need all.
    fn shared(
        &self,
        exact: bool,
        whole_feeds: &HashSet<Buffer>,
    ) -> Result<(Vec<Op>, Vec<Place>), Buffer> {
        // Gradients that are made in the same pass over memory as a weight's need whole sums.
        let of_chunks = self.ops.iter();
        let of_chunks = of_chunks.filter(|op| matches!(op, Op::NormalizedWeight(_)));
        let of_chunks: HashSet<Buffer> = of_chunks.flat_map(Op::reads).collect();
        let summed =
            |op: &Op| !exact && op.sums_rows() && !op.writes().any(|b| of_chunks.contains(&b));
        // Buffers of which all rows will be needed.
        let across = self.ops.iter();
        let across = across.filter(|op| !self.is_by_rows(op) && !summed(op));
        let wanted: HashSet<Buffer> = across.flat_map(Op::reads).chain(self.kept()).collect();
        // Buffers of which a rank has its own rows only, in their order.
        let feeds = (0..self.buffers.len() as u32).map(Buffer).filter(|b| {
            matches!(self.buffers[b.index()].role, Role::Feed(_)) && !whole_feeds.contains(b)
        });
        let mut partial: Vec<Buffer> = feeds.collect();
        // Buffers of which a rank has the sums over its own rows.
        let mut sums: Vec<(Buffer, Extent)> = Vec::new();
        // Operations on the sums of all ranks, and the buffers that they write.
        let (mut behind, mut awaited) = (Vec::new(), HashSet::new());
        let (mut ops, mut places) = (Vec::new(), Vec::new());
        for (n, op) in self.ops.iter().enumerate() {
            let by_rows = self.is_by_rows(op);
            let is_feed = |b: &Buffer| matches!(self.buffers[b.index()].role, Role::Feed(_));
            // Cheap operations run on all rows where these are gathered anyway.
            let needs = |b: &Buffer| match by_rows {
                _ if summed(op) => false,
                true => !op.is_product() && wanted.contains(b),
                false => true,
            };
            let missing = |b: &Buffer| partial.contains(b) && needs(b);
            if let Some(feed) = op.reads().find(|b| missing(b) && is_feed(b)) {
                return Err(feed);
            }
            if op.reads().any(|b| missing(&b)) {
                // In one message with all others that will be needed.
                self.gather(&mut partial, &wanted, &mut ops, &mut places);
            }
            let is_sum = |b: Buffer| sums.iter().any(|(sum, _)| *sum == b);
            let added = adds(op) && op.reads().all(is_sum);
            if !added && op.reads().any(|b| is_sum(b) || awaited.contains(&b)) {
                awaited.extend(op.writes());
                behind.push(op.clone());
                continue;
            }
            let in_part = op.is_product() || op.reads().any(|b| partial.contains(&b));
            let place = match op {
                _ if summed(op) => Place::Sums,
                _ if by_rows && in_part => Place::Rows,
                Op::MatMulWeight(_) | Op::NormalizedWeight(_) => Place::Columns,
                _ => Place::Whole,
            };
            match place {
                Place::Rows => partial.extend(op.writes()),
                Place::Sums => {
                    let (of_rows, fixed) = self.written(op);
                    partial.extend(of_rows);
                    sums.extend(fixed);
                }
                Place::Whole if added => {
                    let read: Vec<Buffer> = op.reads().collect();
                    let later = |b: Buffer| {
                        self.ops[n + 1..]
                            .iter()
                            .any(|op| op.reads().any(|r| r == b))
                    };
                    sums.retain(|(b, _)| !read.contains(b) || later(*b));
                    sums.extend(self.written(op).1);
                }
                _ => {}
            }
            ops.push(op.clone());
            places.push(place);
            if place != Place::Columns {
                continue;
            }
            let buffers = match op {
                Op::MatMulWeight(product) if !self.is_chunked(product.dw) => {
                    vec![(product.dw, Parts::Columns(product.dims))]
                }
                Op::NormalizedWeight(op) => vec![
                    (op.dw, Parts::ChunkedColumns(op.dims)),
                    (op.parts, Parts::ChunkSums(op.dims)),
                ],
                _ => continue,
            };
            ops.push(Gather { buffers }.into());
            places.push(Place::Whole);
        }
        self.gather(&mut partial, &wanted, &mut ops, &mut places);
        if !sums.is_empty() {
            let buffers = sums.into_iter().map(|(b, extent)| (b, Parts::Sums(extent)));
            let buffers = buffers.collect();
            ops.push(Gather { buffers }.into());
            places.push(Place::Whole);
        }
        places.extend(behind.iter().map(|_| Place::Whole));
        ops.append(&mut behind);
        Ok((ops, places))
    }

    /// The buffers that an operation writes: those with rows of the batch, and the others with their extents.
    fn written(&self, op: &Op) -> (Vec<Buffer>, Vec<(Buffer, Extent)>) {
        let operands = op.operands().into_iter().filter(Operand::is_written);
        let operands: Vec<Operand> = operands.collect();
        let of_rows = operands
            .iter()
            .filter(|o| matches!(o.size, Size::PerRow(_)));
        let fixed = operands.iter().filter(|o| matches!(o.size, Size::Fixed(_)));
        (
            of_rows.map(|o| o.buffer).collect(),
            fixed.map(|o| (o.buffer, o.extent())).collect(),
        )
    }

    /// Makes those of the partial buffers whole that will be needed, but for feeds, which are there.
    fn gather(
        &self,
        partial: &mut Vec<Buffer>,
        wanted: &HashSet<Buffer>,
        ops: &mut Vec<Op>,
        places: &mut Vec<Place>,
    ) {
        let mut buffers = Vec::new();
        partial.retain(|&b| match (self.buffers[b.index()].role, self.rows_of(b)) {
            (Role::Temporary, Some(parts)) if wanted.contains(&b) => {
                buffers.push((b, parts));
                false
            }
            _ => true,
        });
        if !buffers.is_empty() {
            ops.push(Gather { buffers }.into());
            places.push(Place::Whole);
        }
    }

    /// True if an operation makes each row of the batch of the same row of its inputs, and nothing
    /// else.
    fn is_by_rows(&self, op: &Op) -> bool {
        op.is_by_rows() && op.writes().all(|b| self.rows_of(b).is_some())
    }

    fn rows_of(&self, buffer: Buffer) -> Option<Parts> {
        match self.buffers[buffer.index()].size {
            Size::PerRow(size) => Some(Parts::Rows(size)),
            Size::Fixed(_) => None,
        }
    }

    /// True if sums over chunks of its columns are made with the gradient of a weight.
    fn is_chunked(&self, dw: Buffer) -> bool {
        let sums = |op: &Op| matches!(op, Op::NormalizedWeight(op) if op.g == dw);
        self.ops.iter().any(sums)
    }
}
