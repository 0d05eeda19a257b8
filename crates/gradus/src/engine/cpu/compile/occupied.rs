//! The memory that is taken, by address and by phase.

use std::collections::{BTreeMap, HashMap};

/// Ranges of addresses that are taken for a while: a tree over the phases, so that the lowest free
/// one is found without looking at all others.
///
/// Node `n` has the children `2n` and `2n + 1`; the leaves are the phases.
pub(super) struct Occupied {
    leaves: usize,
    /// The ranges taken during all phases of a node.
    whole: Vec<Ranges>,
    /// The ranges taken during some phases of a node.
    partly: Vec<Ranges>,
    /// The addresses below which nothing is free for a life and a size: nothing that is taken
    /// becomes free again.
    full: HashMap<(Life, usize), usize>,
}

/// The first and the last phase of a buffer.
pub(super) type Life = (usize, usize);

impl Occupied {
    /// A memory of which nothing is taken, over a number of phases.
    pub fn new(phases: usize) -> Self {
        let leaves = phases.next_power_of_two();
        let nodes = || (0..2 * leaves).map(|_| Ranges::default()).collect();
        Occupied {
            leaves,
            whole: nodes(),
            partly: nodes(),
            full: HashMap::new(),
        }
    }

    /// Takes the lowest address from which `size` are free for a life, and returns it.
    pub fn take(&mut self, life: Life, size: usize) -> usize {
        if size == 0 {
            return 0;
        }
        let below = self.full.get(&(life, size)).copied().unwrap_or(0);
        let start = self.first_free(life, size, below);
        let taken = (start, start + size);
        self.full.insert((life, size), taken.1);
        for node in self.cover(life) {
            self.whole[node].add(taken);
        }
        for node in self.above(life) {
            self.partly[node].add(taken);
        }
        start
    }

    /// The lowest address, from `start` on, from which `size` are free for a life. Whoever lives at
    /// the same time has the whole of a node above or in the cover, or a part of a node of the
    /// cover.
    fn first_free(&self, life: Life, size: usize, mut start: usize) -> usize {
        let cover = self.cover(life);
        let whole = self.above(life).into_iter().chain(cover.iter().copied());
        let whole = whole.map(|node| &self.whole[node]);
        let partly = cover.iter().map(|&node| &self.partly[node]);
        let all: Vec<&Ranges> = whole.chain(partly).filter(|r| !r.0.is_empty()).collect();
        loop {
            let before = start;
            for ranges in &all {
                start = ranges.behind(start, size);
            }
            if start == before {
                return start;
            }
        }
    }

    /// The nodes that together are a life's phases.
    fn cover(&self, (from, to): Life) -> Vec<usize> {
        let mut cover = Vec::new();
        let (mut low, mut high) = (from + self.leaves, to + self.leaves + 1);
        while low < high {
            if low % 2 == 1 {
                cover.push(low);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                cover.push(high);
            }
            low /= 2;
            high /= 2;
        }
        cover
    }

    /// The nodes over the first and the last phase of a life, from the root on.
    fn above(&self, (from, to): Life) -> Vec<usize> {
        let over = |leaf: usize| std::iter::successors(Some(leaf), |&n| (n > 1).then_some(n / 2));
        let mut nodes: Vec<usize> = over(from + self.leaves)
            .chain(over(to + self.leaves))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

/// Ranges of addresses that neither meet nor touch each other: the end of each by its start.
#[derive(Default)]
struct Ranges(BTreeMap<usize, usize>);

impl Ranges {
    fn add(&mut self, (mut start, mut end): (usize, usize)) {
        while let Some((&from, &to)) = self.0.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.0.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        self.0.insert(start, end);
    }

    /// The lowest address from `start` on from which `size` are free.
    fn behind(&self, mut start: usize, size: usize) -> usize {
        let before = self.0.range(..=start).next_back();
        start = before.map_or(start, |(_, &to)| start.max(to));
        for (&from, &to) in self.0.range(start..) {
            if from >= start + size {
                break;
            }
            start = to;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Key, Stream};

    #[test]
    fn the_lowest_free_address_is_that_of_a_search_through_all() {
        let mut random = Key::new(3, Stream::Mix, 0).sequence();
        for phases in [1, 2, 7, 40] {
            let mut occupied = Occupied::new(phases);
            let mut taken: Vec<(usize, usize, Life)> = Vec::new();
            for _ in 0..300 {
                let (a, b) = (random.below(phases), random.below(phases));
                let (life, size) = ((a.min(b), a.max(b)), 16 * random.below(5));
                let mut start = 0;
                taken.sort_unstable();
                for &(from, to, other) in &taken {
                    let together = life.0 <= other.1 && other.0 <= life.1;
                    if together && start < to && from < start + size {
                        start = to;
                    }
                }
                taken.push((start, start + size, life));
                assert_eq!(occupied.take(life, size), start);
            }
        }
    }
}
