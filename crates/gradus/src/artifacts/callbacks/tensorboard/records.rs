//! TFRecord: the framing of event files. A record is its length, the length's check sum, its bytes
//! and theirs.

use std::io::{self, Read};

/// The longest record that is read: far longer than any that is written.
const LONGEST: u64 = 1 << 30;

/// Appends a record.
pub fn append(out: &mut Vec<u8>, record: &[u8]) {
    let length = (record.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(check_sum(&length).to_le_bytes());
    out.extend(record);
    out.extend(check_sum(record).to_le_bytes());
}

/// The next record; `None` at the end, and where a record is damaged or not all there.
pub fn next(file: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let (Some(length), Some(sum)) = (exactly(file)?, exactly(file)?) else {
        return Ok(None);
    };
    let size = u64::from_le_bytes(length);
    if u32::from_le_bytes(sum) != check_sum(&length) || size > LONGEST {
        return Ok(None);
    }
    let mut record = Vec::new();
    file.take(size).read_to_end(&mut record)?;
    let sum = exactly(file)?.map(u32::from_le_bytes);
    let whole = record.len() as u64 == size && sum == Some(check_sum(&record));
    Ok(whole.then_some(record))
}

/// The next `N` bytes, if they are all there.
fn exactly<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// CRC-32C, masked as TFRecord has it: a check sum of bytes that hold their own is weak.
fn check_sum(bytes: &[u8]) -> u32 {
    let sum = crc32c::crc32c(bytes);
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: the bytes that `tensorboard.summary.writer.record_writer` of TensorBoard 2.21 writes.
    #[test]
    fn records_are_tensor_boards_to_the_byte() {
        let mut file = Vec::new();
        append(&mut file, b"gradus");
        let length = [6, 0, 0, 0, 0, 0, 0, 0, 115, 105, 213, 55];
        let (text, sum) = (b"gradus", [172, 12, 77, 212]);
        assert_eq!(file, [&length[..], text, &sum].concat());
    }

    #[test]
    fn records_are_read_up_to_the_first_that_is_damaged() {
        let mut file = Vec::new();
        for record in [&b"one"[..], b"", b"three"] {
            append(&mut file, record);
        }
        let read = |file: &[u8]| {
            let mut rest = file;
            let mut all = Vec::new();
            while let Some(record) = next(&mut rest).unwrap() {
                all.push(record);
            }
            all
        };
        assert_eq!(read(&file), [&b"one"[..], b"", b"three"]);
        for end in 0..file.len() {
            assert!(read(&file[..end]).len() < 3, "{end}");
        }
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 4;
            assert!(read(&damaged).len() < 3, "{at}");
        }
    }
}
