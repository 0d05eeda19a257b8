//! A reader of TensorBoard's event files that shares nothing with the writer.

use std::collections::BTreeMap;
use std::path::Path;

/// The fields of a message: each its number, and a number or bytes.
pub fn fields(mut message: &[u8]) -> Vec<(u64, u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for place in 0.. {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= u64::from(first & 0x7f) << (7 * place);
            if first & 0x80 == 0 {
                break;
            }
        }
        number
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let (number, size) = match key & 7 {
            0 => (varint(&mut message), 0),
            1 => (0, 8),
            2 => (0, varint(&mut message) as usize),
            5 => (0, 4),
            other => panic!("wire type {other}"),
        };
        let (bytes, rest) = message.split_at(size);
        message = rest;
        found.push((key >> 3, number, bytes));
    }
    found
}

/// The bytes of a message's only field of that number.
pub fn field(message: &[u8], number: u64) -> &[u8] {
    let all = fields(message);
    let mut its = all.iter().filter(|field| field.0 == number);
    let found = its.next().map(|field| field.2);
    assert!(its.next().is_none());
    found.unwrap_or_default()
}

/// A summary that was read.
pub struct Summary {
    pub step: u64,
    pub plugin: String,
    pub content: Vec<u8>,
    pub tensor: Vec<u8>,
}

impl Summary {
    /// The value of a scalar.
    pub fn scalar(&self) -> f32 {
        assert_eq!(self.plugin, "scalars");
        f32::from_le_bytes(field(&self.tensor, 5).try_into().unwrap())
    }

    /// The bins of a histogram.
    pub fn bins(&self) -> Vec<[f64; 3]> {
        assert_eq!(self.plugin, "histograms");
        let (numbers, rest) = field(&self.tensor, 4).as_chunks();
        assert!(rest.is_empty());
        let numbers: Vec<f64> = numbers.iter().map(|&n| f64::from_le_bytes(n)).collect();
        let (bins, rest) = numbers.as_chunks();
        assert!(rest.is_empty());
        bins.to_vec()
    }
}

/// The summaries in the only event file of a folder, by their tags.
pub fn read(folder: &Path) -> BTreeMap<String, Vec<Summary>> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("events.out.tfevents."), "{name}");
    let file = std::fs::read(&files[0]).unwrap();
    let mut rest = &file[..];
    let mut found: BTreeMap<String, Vec<Summary>> = BTreeMap::new();
    let check = |bytes: &[u8], sum: &[u8]| {
        let crc = crc32c::crc32c(bytes);
        let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked.to_le_bytes(), sum);
    };
    let mut first = true;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        check(&rest[..8], &rest[8..12]);
        let event = &rest[12..12 + length];
        check(event, &rest[12 + length..16 + length]);
        rest = &rest[16 + length..];
        if std::mem::take(&mut first) {
            assert_eq!(field(event, 3), b"brain.Event:2");
            continue;
        }
        let step = fields(event).iter().find(|f| f.0 == 2).map_or(0, |f| f.1);
        for (_, _, value) in fields(field(event, 5)) {
            let tag = String::from_utf8(field(value, 1).to_vec()).unwrap();
            let plugin = field(field(value, 9), 1);
            found.entry(tag).or_default().push(Summary {
                step,
                plugin: String::from_utf8(field(plugin, 1).to_vec()).unwrap(),
                content: field(plugin, 2).to_vec(),
                tensor: field(value, 8).to_vec(),
            });
        }
    }
    found
}
