//! A plan for several ranks, which get the bits that one would get alone.
//!
//! A rank does products, and what follows them row by row, on its own rows of the batch. Whatever
//! sums over rows is given all of them, by a [`Gather`] of its inputs: so each sum is made whole, by the
//! same operation in the same order, however many ranks there are. A weight's gradient is cut by
//! columns, as threads cut it, and gathered. All else every rank does for itself.

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
}

/// The parts of a plan that a rank does.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    /// The part of each operation.
    pub places: Vec<Place>,
    /// The feeds, as buffers, of which every rank needs all rows.
    pub whole_feeds: HashSet<Buffer>,
}

impl Plan {
    /// The same plan for several ranks: with the operations that pass on what others need.
    pub fn share(mut self) -> (Self, Sharing) {
        let mut whole_feeds = HashSet::new();
        // One feed more each time that it has to begin anew.
        let (ops, places) = loop {
            match self.shared(&whole_feeds) {
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
    fn shared(&self, whole_feeds: &HashSet<Buffer>) -> Result<(Vec<Op>, Vec<Place>), Buffer> {
        // Buffers of which a rank has its own rows only.
        let feeds = (0..self.buffers.len() as u32).map(Buffer).filter(|b| {
            matches!(self.buffers[b.index()].role, Role::Feed(_)) && !whole_feeds.contains(b)
        });
        let mut partial: HashSet<Buffer> = feeds.collect();
        let (mut ops, mut places) = (Vec::new(), Vec::new());
        let mut push = |op: Op, place: Place| {
            ops.push(op);
            places.push(place);
        };
        for op in &self.ops {
            if self.is_by_rows(op) && (op.is_product() || op.reads().any(|b| partial.contains(&b)))
            {
                partial.extend(op.writes());
                push(op.clone(), Place::Rows);
                continue;
            }
            for x in op.reads() {
                if !partial.remove(&x) {
                    continue;
                }
                match (self.buffers[x.index()].role, self.rows_of(x)) {
                    (Role::Feed(_), _) => return Err(x),
                    (_, Some(parts)) => push(Gather { x, parts }.into(), Place::Whole),
                    (_, None) => {}
                }
            }
            match op {
                Op::MatMulWeight(product) if self.is_cut(product.dw) => {
                    let (x, parts) = (product.dw, Parts::Columns(product.dims));
                    push(op.clone(), Place::Columns);
                    push(Gather { x, parts }.into(), Place::Whole);
                }
                _ => push(op.clone(), Place::Whole),
            }
        }
        for x in self.kept() {
            if partial.remove(&x)
                && let Some(parts) = self.rows_of(x)
            {
                push(Gather { x, parts }.into(), Place::Whole);
            }
        }
        Ok((ops, places))
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

    /// True if the gradient of a weight may be made in pieces: not if sums over its columns are made
    /// with it.
    fn is_cut(&self, dw: Buffer) -> bool {
        let sums = |op: &Op| matches!(op, Op::NormalizedWeight(op) if op.g == dw);
        !self.ops.iter().any(sums)
    }
}
