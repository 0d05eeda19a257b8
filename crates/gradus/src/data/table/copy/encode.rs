//! Encoding of columns as chunks.

use super::super::Cells;
use super::chunk::{CELL, NO_DATE, NO_TEXT, NO_TIME, SUM, WIDE};
use crate::data::tensor::is_single;
use flate2::Crc;
use std::ops::Range;

/// Approximate bytes of a chunk's cells. A range that is read begins and ends within a chunk, so
/// chunks must be small beside it.
const BYTES: usize = 64 << 10;

/// An encoded chunk and its number of rows.
pub(super) struct Encoded {
    pub rows: usize,
    pub bytes: Vec<u8>,
    /// Bytes of the texts of each column.
    pub texts: Vec<u64>,
}

/// Encodes columns of one length as chunks.
pub(super) fn encode(columns: &[Cells]) -> Vec<Encoded> {
    let rows = columns.first().map_or(0, Cells::len);
    let step = (BYTES / (CELL * columns.len().max(1))).max(1);
    // The last chunk with each text, and its index there.
    let mut seen: Vec<Vec<(u32, u32)>> = columns
        .iter()
        .map(|cells| match cells {
            Cells::Category { names, .. } => vec![(u32::MAX, 0); names.len()],
            _ => Vec::new(),
        })
        .collect();
    let mut chunks = Vec::with_capacity(rows.div_ceil(step));
    for (number, start) in (0..rows).step_by(step).enumerate() {
        let range = start..rows.min(start + step);
        let mut bytes = vec![0; SUM];
        bytes.reserve((range.len() * CELL + 1) * columns.len());
        let mut texts = Vec::new();
        let mut lengths = Vec::with_capacity(columns.len());
        for (cells, seen) in columns.iter().zip(&mut seen) {
            let before = texts.len();
            let width = width(cells, range.clone());
            bytes.push(width as u8);
            match cells {
                Cells::Number(all) => {
                    let all = all[range.clone()].iter();
                    match width {
                        WIDE => bytes.extend(all.flat_map(|x| x.to_le_bytes())),
                        _ => bytes.extend(all.flat_map(|&x| (x as f32).to_le_bytes())),
                    }
                }
                Cells::Boolean(all) => {
                    let all = all[range.clone()].iter();
                    bytes.extend(all.flat_map(|x| x.to_le_bytes()));
                }
                Cells::DateTime(all) => {
                    let all = all[range.clone()].iter();
                    bytes.extend(all.flat_map(|time| time.unwrap_or(NO_TIME).to_le_bytes()));
                }
                Cells::Date(all) => {
                    let all = all[range.clone()].iter().map(|day| day.unwrap_or(NO_DATE));
                    bytes.extend(all.flat_map(i32::to_le_bytes));
                }
                Cells::Category { names, codes } => {
                    let mut here: Vec<&str> = Vec::new();
                    for code in &codes[range.clone()] {
                        let place = code.map_or(NO_TEXT, |code| {
                            let (chunk, place) = &mut seen[code as usize];
                            if *chunk != number as u32 {
                                (*chunk, *place) = (number as u32, here.len() as u32);
                                here.push(&names[code as usize]);
                            }
                            *place
                        });
                        bytes.extend(place.to_le_bytes());
                    }
                    texts.extend((here.len() as u32).to_le_bytes());
                    texts.extend(here.iter().flat_map(|t| (t.len() as u32).to_le_bytes()));
                    here.iter().for_each(|text| texts.extend(text.as_bytes()));
                }
            }
            lengths.push((texts.len() - before) as u64);
        }
        bytes.append(&mut texts);
        let sum = sum(&bytes[SUM..]);
        bytes[..SUM].copy_from_slice(&sum.to_le_bytes());
        chunks.push(Encoded {
            rows: range.len(),
            bytes,
            texts: lengths,
        });
    }
    chunks
}

/// Bytes per cell: the fewest that hold all of these exactly.
fn width(cells: &Cells, rows: Range<usize>) -> usize {
    match cells {
        Cells::Number(all) if !all[rows].iter().all(|&x| is_single(x)) => WIDE,
        Cells::DateTime(_) => WIDE,
        _ => CELL,
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// True if the checksum is right.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let whole = bytes.split_first_chunk::<SUM>();
    whole.is_some_and(|(&said, rest)| u32::from_le_bytes(said) == sum(rest))
}
