//! Ranks: processes, or threads that stand for them, that train one model together, each on its
//! rows of every batch.
//!
//! All of them hold the same weights and take the same steps. What one has computed and others
//! need is passed on as it is, by one operation, [`Collective::all_gather`]: nothing is summed on
//! the way, so that no bit depends on the number of ranks or on the order of messages.
//! `docs/several-machines.md` is the page for users, `docs/decisions.md` has the reasons.

mod launch;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(feature = "train")]
mod threads;

pub use launch::{launched, launcher};
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
#[cfg(feature = "train")]
pub use threads::{InProcess, in_process};

use crate::error::{Error, Result};

/// The connection of a rank with all others. Every rank calls the same methods in the same order,
/// with slices of the same lengths.
pub trait Collective: Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks, at least 1.
    fn ranks(&self) -> usize;

    /// Passes parts of `values` on: before the call those from `starts[r]` to `starts[r + 1]` are
    /// right on rank r, afterwards all of them are on every rank. `starts` has an entry more than there
    /// are ranks, does not fall, and ends with the number of values at most.
    ///
    /// An error if another rank has ended; it names that rank where it is known.
    fn all_gather(&self, values: &mut [f32], starts: &[usize]) -> Result<()>;

    /// Passes the values of rank `from` on to all others.
    fn broadcast(&self, from: usize, values: &mut [f32]) -> Result<()> {
        let after = |r: usize| if r > from { values.len() } else { 0 };
        let starts: Vec<usize> = (0..=self.ranks()).map(after).collect();
        self.all_gather(values, &starts)
    }

    /// Adds the ranks' values up, in the order of the ranks, so that the same number of ranks gives the same
    /// bits each time. `of` is true of the ranks whose values count, at least one; 0 without.
    fn sum(&self, values: &mut [f32], of: &[bool]) -> Result<()> {
        let (length, ranks) = (values.len(), self.ranks());
        let mut all = vec![0.0; length * ranks];
        let own = self.rank() * length;
        all[own..own + length].copy_from_slice(values);
        let starts: Vec<usize> = (0..=ranks).map(|rank| rank * length).collect();
        self.all_gather(&mut all, &starts)?;
        add_up(values, &all, of);
        Ok(())
    }

    /// Waits until every rank has called it.
    fn barrier(&self) -> Result<()> {
        self.all_gather(&mut [], &vec![0; self.ranks() + 1])
    }

    /// Tells the other ranks that this one ends with an error: they get an error in place of what they
    /// wait for. Nothing where the end of its process ends all.
    fn fail(&self, problem: &str);
}

/// Writes the sums of parts that lie one behind the other, each of a rank, of those that count.
fn add_up(sums: &mut [f32], parts: &[f32], of: &[bool]) {
    let mut counted = parts.chunks_exact(sums.len().max(1)).zip(of);
    let mut counted = counted.by_ref().filter(|(_, counts)| **counts);
    match counted.next() {
        Some((first, _)) => sums.copy_from_slice(first),
        None => sums.fill(0.0),
    }
    for (part, _) in counted {
        for (sum, x) in sums.iter_mut().zip(part) {
            *sum += x;
        }
    }
}

/// The start of each rank's part of `units` units, and the end of the last.
#[cfg(any(test, feature = "mpi"))]
pub(crate) fn starts(units: usize, ranks: usize) -> impl Iterator<Item = usize> {
    (0..=ranks).map(move |rank| start(units, ranks, rank))
}

/// The first of a rank's part of `units` units.
pub(crate) fn start(units: usize, ranks: usize, rank: usize) -> usize {
    units * rank / ranks
}

/// Gathers the values of each rank, in their order, and where those of each begin, and the end.
pub(crate) fn gather_values(ranks: &dyn Collective, own: &[f32]) -> Result<(Vec<f32>, Vec<usize>)> {
    let (rank, count) = (ranks.rank(), ranks.ranks());
    // A float32 holds whole numbers up to 2^24 exactly: a length is passed on in three of 16 bits.
    let mut lengths = vec![0.0; 3 * count];
    for (digit, place) in lengths[3 * rank..3 * rank + 3].iter_mut().enumerate() {
        *place = (own.len() >> (16 * digit) & 0xffff) as f32;
    }
    let places: Vec<usize> = (0..=count).map(|rank| 3 * rank).collect();
    ranks.all_gather(&mut lengths, &places)?;
    let mut starts = vec![0];
    for digits in lengths.chunks_exact(3) {
        let length = digits
            .iter()
            .rev()
            .fold(0, |sum, &digit| sum << 16 | digit as usize);
        starts.push(starts[starts.len() - 1] + length);
    }
    let mut all = vec![0.0; starts[count]];
    all[starts[rank]..starts[rank + 1]].copy_from_slice(own);
    ranks.all_gather(&mut all, &starts)?;
    Ok((all, starts))
}

/// Gathers one text of each rank, in their order.
pub(crate) fn gather_texts(ranks: &dyn Collective, own: &str) -> Result<Vec<String>> {
    // A byte is a whole number that a float32 holds exactly.
    let own: Vec<f32> = own.bytes().take(LONGEST).map(f32::from).collect();
    let (all, starts) = gather_values(ranks, &own)?;
    let texts = starts.windows(2).map(|ends| {
        let bytes: Vec<u8> = all[ends[0]..ends[1]].iter().map(|&b| b as u8).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Ok(texts.collect())
}

/// The first rank's answer, which all of them go by: to what depends on clocks.
pub(crate) fn as_first(ranks: &dyn Collective, own: bool) -> Result<bool> {
    let mut answer = [f32::from(u8::from(own))];
    ranks.broadcast(0, &mut answer)?;
    Ok(answer[0] != 0.0)
}

/// The longest text that is gathered, in bytes.
const LONGEST: usize = 4096;

/// Refuses to go on if a rank's text about `what` is not that of rank 0: `expected` says what all of
/// them need.
pub(crate) fn agree(ranks: &dyn Collective, what: &str, own: &str, expected: &str) -> Result<()> {
    let texts = gather_texts(ranks, own)?;
    match texts.iter().position(|text| *text != texts[0]) {
        None => Ok(()),
        Some(other) => Err(Error::Rank {
            rank: other,
            problem: format!(
                "{what} is {}, that of rank 0 {}: expected {expected}",
                texts[other], texts[0]
            ),
        }),
    }
}
