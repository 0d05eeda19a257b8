//! Training rows among the held-out rows: they measure memorization.

use super::finding::{Finding, Severity};
use super::rows::Rows;
use crate::base::threads::{threads, together};
use crate::data::dataset::Dataset;
use crate::data::tensor::{Tensor, Values};
use foldhash::HashMap;
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

const NAME: &str = "duplicates";
/// Limit of values and texts of the training rows that are compared; beyond it, evenly spread rows,
/// and as many of the held-out rows.
const LOOKED_AT: usize = 1 << 28;
/// Rows per task.
const TASK: usize = 4096;
/// Smallest share of the held-out rows that is reported.
const SHARE: f64 = 0.01;
/// Share of the equal rows that must also have equal targets to count as duplicates; with less, the
/// columns are too few to tell different rows apart.
const EQUAL_TARGETS: f64 = 0.9;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let parts: Vec<(&str, &Dataset, Sample)> = rows
        .held_out
        .iter()
        .filter(|(_, data)| comparable(rows.train, data))
        .map(|(part, data)| (*part, *data, Sample::of(data)))
        .collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let sample = Sample::of(rows.train);
    let hashes = hashes(rows.train, sample);
    let found = parts.into_iter().filter_map(|(part, held_out, of_part)| {
        let found = Found::of(rows.train, sample, &hashes, held_out, of_part)?;
        Some(finding(rows, part, held_out, &found))
    });
    found.collect()
}

/// Stride of the sampled rows.
#[derive(Clone, Copy, PartialEq)]
struct Sample {
    step: usize,
    rows: usize,
}

impl Sample {
    fn of(data: &Dataset) -> Self {
        let row: usize = data.inputs().iter().map(Tensor::size).sum();
        let step = data.rows().saturating_mul(row).div_ceil(LOOKED_AT).max(1);
        let rows = data.rows().div_ceil(step);
        Sample { step, rows }
    }
}

struct Found {
    looked_at: (Sample, Sample),
    /// Number of held-out rows that are training rows, and of those with the same target.
    count: usize,
    equal_targets: usize,
    /// The first such row, and its training row.
    first: (usize, usize),
}

impl Found {
    fn of(
        train: &Dataset,
        sample: Sample,
        hashes: &[u64],
        held_out: &Dataset,
        of_part: Sample,
    ) -> Option<Self> {
        // The smaller side is the hash table, so that it stays in the cache.
        let mut places: HashMap<u64, Vec<usize>> = HashMap::default();
        for (place, hash) in self::hashes(held_out, of_part).into_iter().enumerate() {
            places.entry(hash).or_default().push(place * of_part.step);
        }
        let mut found = Found {
            looked_at: (sample, of_part),
            count: 0,
            equal_targets: 0,
            first: (usize::MAX, 0),
        };
        for (place, hash) in hashes.iter().enumerate() {
            let Some(held_out_rows) = places.get_mut(hash) else {
                continue;
            };
            let row = place * sample.step;
            held_out_rows.retain(|&other| {
                let equal = equal(train.inputs(), row, held_out.inputs(), other);
                if equal {
                    let same = self::equal(train.targets(), row, held_out.targets(), other);
                    found.count += 1;
                    found.equal_targets += usize::from(same);
                    found.first = found.first.min((other, row));
                }
                !equal
            });
        }
        (found.count > 0).then_some(found)
    }
}

fn finding(rows: &Rows<'_>, part: &str, held_out: &Dataset, found: &Found) -> Finding {
    let (train, of_part) = found.looked_at;
    let share = found.count as f64 / of_part.rows.max(1) as f64;
    let alike = (found.equal_targets as f64) < EQUAL_TARGETS * found.count as f64;
    let (place, twin) = (
        rows.row(held_out, found.first.0),
        rows.row(rows.train, found.first.1),
    );
    let of = |what: &str, sample: Sample| match sample.step {
        1 => format!("{} {what} rows", sample.rows),
        step => format!("{} {what} rows looked at (every {step}th)", sample.rows),
    };
    let twin = match twin.source == place.source {
        true => twin.to_string().replace(&format!("{}, ", twin.source), ""),
        false => twin.to_string(),
    };
    let mut text = format!(
        "{} of {} are training rows, too; the first is the same as {twin}",
        found.count,
        of(part, of_part)
    );
    if train.step > 1 {
        text += &format!(", of {}", of("training", train));
    }
    let (severity, advice) = match (share < SHARE, alike) {
        (_, true) => (
            Severity::Note,
            "their targets differ: the columns are too few to tell rows apart".to_owned(),
        ),
        (true, _) => (Severity::Note, "too few to matter".to_owned()),
        _ => (
            Severity::Warning,
            "they measure what was learned by heart: drop what is there twice, or keep it \
             together with `group`"
                .to_owned(),
        ),
    };
    Finding::warning(NAME, place, text, advice).severity(severity)
}

/// True if rows of the two data sets can be equal.
fn comparable(a: &Dataset, b: &Dataset) -> bool {
    let alike = |(a, b): (&Tensor, &Tensor)| a.size() == b.size() && a.is_text() == b.is_text();
    a.inputs().len() == b.inputs().len() && a.inputs().iter().zip(b.inputs()).all(alike)
}

/// Hashes of the sampled rows, equal for equal rows.
fn hashes(data: &Dataset, sample: Sample) -> Vec<u64> {
    let texts: Vec<Vec<u64>> = data.inputs().iter().map(of_texts).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let tasks = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let tasks = tasks.take_while(|task| task * TASK < sample.rows);
        let hashed = tasks.map(|task| {
            let rows = task * TASK..((task + 1) * TASK).min(sample.rows);
            (task, of_rows(data, &texts, rows, sample.step))
        });
        hashed.collect::<Vec<_>>()
    };
    let threads = threads().min(sample.rows.div_ceil(TASK)).max(1);
    together(threads, work).concat()
}

/// Hashes of a dictionary's texts, the same for a text in any dictionary.
fn of_texts(tensor: &Tensor) -> Vec<u64> {
    match tensor.values() {
        Values::Text { names, .. } => names
            .iter()
            .map(|name| FixedState::default().hash_one(name))
            .collect(),
        _ => Vec::new(),
    }
}

fn of_rows(data: &Dataset, texts: &[Vec<u64>], rows: Range<usize>, step: usize) -> Vec<u64> {
    let mut hashers: Vec<_> = rows
        .clone()
        .map(|_| FixedState::default().build_hasher())
        .collect();
    for (tensor, texts) in data.inputs().iter().zip(texts) {
        let size = tensor.size();
        let cells = |row: usize| row * step * size..(row * step + 1) * size;
        let each = hashers.iter_mut().zip(rows.clone());
        match tensor.values() {
            // A byte and the float of the same value are equal.
            Values::U8(all) if size == 1 => each.for_each(|(hasher, row)| {
                hasher.write_u32(f32::from(all[row * step]).to_bits());
            }),
            Values::U8(all) => each.for_each(|(hasher, row)| hasher.write(&all[cells(row)])),
            Values::F32(all) => each.for_each(|(hasher, row)| {
                for pair in all[cells(row)].chunks(2) {
                    match *pair {
                        [a, b] => {
                            hasher.write_u64(u64::from(a.to_bits()) << 32 | u64::from(b.to_bits()))
                        }
                        [a] => hasher.write_u32(a.to_bits()),
                        _ => {}
                    }
                }
            }),
            // A value has one hash in every storage width.
            Values::F64(all) => each.for_each(|(hasher, row)| {
                for pair in all[cells(row)].chunks(2) {
                    let bits = |x: f64| (x as f32).to_bits();
                    match *pair {
                        [a, b] => hasher.write_u64(u64::from(bits(a)) << 32 | u64::from(bits(b))),
                        [a] => hasher.write_u32(bits(a)),
                        _ => {}
                    }
                }
            }),
            Values::Text { codes, .. } => each.for_each(|(hasher, row)| {
                for &code in &codes[cells(row)] {
                    hasher.write_u64(texts[code as usize]);
                }
            }),
        }
    }
    hashers.into_iter().map(|hasher| hasher.finish()).collect()
}

/// True if two rows agree in all tensors; missing values equal each other.
fn equal(a: &[Tensor], row: usize, b: &[Tensor], other: usize) -> bool {
    a.iter().zip(b).all(|(a, b)| {
        let (here, there) = (
            row * a.size()..(row + 1) * a.size(),
            other * b.size()..(other + 1) * b.size(),
        );
        match (a.values(), b.values()) {
            (Values::U8(a), Values::U8(b)) => a[here] == b[there],
            (
                Values::Text { names, codes },
                Values::Text {
                    names: others,
                    codes: other_codes,
                },
            ) => {
                let texts = codes[here].iter().map(|&code| &names[code as usize]);
                texts.eq(other_codes[there]
                    .iter()
                    .map(|&code| &others[code as usize]))
            }
            (Values::Text { .. }, _) | (_, Values::Text { .. }) => false,
            (a, b) => {
                let number = |values: &Values<'_>, place: usize| match values {
                    Values::U8(all) => f64::from(all[place]),
                    Values::F32(all) => f64::from(all[place]),
                    Values::F64(all) => all[place],
                    Values::Text { .. } => f64::NAN,
                };
                let mut pairs = here.zip(there);
                pairs.all(|(i, j)| {
                    let (x, y) = (number(&a, i), number(&b, j));
                    x == y || x.is_nan() && y.is_nan()
                })
            }
        }
    })
}
