//! Writing of `.npy` and `.csv`.

use crate::base::shape::Shape;
use std::io::{self, Write};

/// Writes `f32` rows of `shape` (without the batch) as a `.npy` file, little-endian
/// and in C order. `values` holds the rows one after another.
///
/// The caller supplies the writer, so that it can write to a temporary file and rename it.
pub fn write_npy(to: &mut impl Write, shape: &Shape, values: &[f32]) -> io::Result<()> {
    write_npy_header(to, values.len() / shape.size().max(1), shape)?;
    write_npy_rows(to, values)
}

/// Writes the header of a `.npy` file of `rows` rows of `f32` of `shape`, to be followed by any
/// number of calls of [`write_npy_rows`].
pub fn write_npy_header(to: &mut impl Write, rows: usize, shape: &Shape) -> io::Result<()> {
    let mut dims = format!("{rows},");
    for dim in shape.dims() {
        dims.push_str(&format!(" {dim},"));
    }
    // Python writes one dimension as `(3,)` and two as `(3, 4)`.
    let dims = if shape.rank() > 0 {
        dims.trim_end_matches(',')
    } else {
        &dims
    };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({dims}), }}");
    // The values begin at a multiple of 64; the header ends with a new line.
    const BEFORE: usize = 10;
    let length = (BEFORE + header.len() + 1).next_multiple_of(64) - BEFORE;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');
    let length =
        u16::try_from(length).map_err(|_| io::Error::other("a shape too long for .npy"))?;
    to.write_all(b"\x93NUMPY\x01\x00")?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(header.as_bytes())
}

/// Writes rows of a `.npy` file of `f32`, one after another.
pub fn write_npy_rows(to: &mut impl Write, values: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * 4096);
    for block in values.chunks(4096) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// Writes rows of `columns` `f32` values as `.csv`, one line per row, without a header. Every value
/// has the fewest digits that read back to the same bits.
///
/// The writer should be buffered.
pub fn write_csv(to: &mut impl Write, columns: usize, values: &[f32]) -> io::Result<()> {
    for row in values.chunks(columns.max(1)) {
        for (column, value) in row.iter().enumerate() {
            let comma = if column > 0 { "," } else { "" };
            // `{:?}` switches to an exponent if plain digits would be long.
            write!(to, "{comma}{value:?}")?;
        }
        writeln!(to)?;
    }
    Ok(())
}
