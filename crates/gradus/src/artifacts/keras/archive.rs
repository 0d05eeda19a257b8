//! The zip around a `.keras` file.
//!
//! Keras' three entries, the layers' learned vocabularies, and one entry of gradus', which Keras
//! ignores. Other entries are not unpacked, and nothing is ever unpacked to the disk.

use super::config::MAX_JSON;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, Write};
use zip::read::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";
const OWN: &str = "gradus.json";

/// Size limit of all layers' vocabularies, a million long words. Parsed, they take up to ten times
/// as much memory.
const MAX_VOCABULARIES: u64 = 16 << 20;
/// Limit of the compression ratio: weights hardly compress, but fresh optimizer slots do.
const MAX_RATIO: u64 = 16;
const SPARE: u64 = 48 << 20;

/// The parts of a `.keras` file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Archive {
    /// Keras version and date.
    pub metadata: String,
    /// The model, as JSON.
    pub config: String,
    /// The weights and the optimizer's variables, as HDF5.
    pub weights: Vec<u8>,
    /// Learned vocabularies, by the layer's path: `layers/string_lookup`.
    pub vocabularies: BTreeMap<String, String>,
    /// JSON of the facts for which Keras has no field.
    pub own: Option<String>,
}

/// Refuses a model with more text than would be read back.
pub(crate) fn check_size(archive: &Archive) -> crate::error::Result<()> {
    let own = archive.own.as_deref().unwrap_or_default();
    for (name, text) in [(CONFIG, &*archive.config), (OWN, own)] {
        if text.len() as u64 > MAX_JSON {
            let found = format!("{} bytes of {name}", text.len());
            let expected = format!(
                "at most {MAX_JSON}, which are read back: fewer layers, or, of a table, a category \
                 with fewer texts, or its column left out"
            );
            return Err(crate::error::Error::invalid("save", found, expected));
        }
    }
    Ok(())
}

/// The parts, uncompressed, in Keras' order.
pub(crate) fn write(archive: &Archive) -> Result<Vec<u8>, String> {
    let mut parts: Vec<(&str, &[u8])> = vec![
        (METADATA, archive.metadata.as_bytes()),
        (CONFIG, archive.config.as_bytes()),
        (WEIGHTS, &archive.weights),
    ];
    let vocabularies = archive.vocabularies.iter();
    let vocabularies = vocabularies.map(|(place, text)| (vocabulary_name(place), text));
    let vocabularies: Vec<(String, &String)> = vocabularies.collect();
    let entries = vocabularies.iter();
    parts.extend(entries.map(|(name, text)| (name.as_str(), text.as_bytes())));
    parts.extend(archive.own.as_ref().map(|own| (OWN, own.as_bytes())));
    let size: usize = parts.iter().map(|(_, part)| part.len() + 256).sum();
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(size)));
    for (name, part) in parts {
        // No date: the same model gives the same file.
        let options = SimpleFileOptions::default()
            .compression_method(match name {
                // Text becomes a quarter, which counts beside few weights; numbers hardly shrink.
                CONFIG => CompressionMethod::Deflated,
                _ => CompressionMethod::Stored,
            })
            .last_modified_time(DateTime::default())
            .unix_permissions(0o600)
            .large_file(part.len() >= u32::MAX as usize);
        zip.start_file(name, options).map_err(|e| e.to_string())?;
        zip.write_all(part).map_err(|e| e.to_string())?;
    }
    let bytes = zip.finish().map_err(|e| e.to_string())?;
    Ok(bytes.into_inner())
}

/// The parts of an untrusted file, with their checksums verified.
pub(crate) fn read<R: Read + Seek>(reader: R) -> Result<Archive, String> {
    let mut zip = open(reader)?;
    let archive = read_texts(&mut zip)?;
    let weights = entry(&mut zip, WEIGHTS, u64::MAX)?
        .ok_or_else(|| format!("not a .keras file: {WEIGHTS} is missing in the zip"))?;
    Ok(Archive { weights, ..archive })
}

/// The parts but for the weights, which may be large.
pub(crate) fn read_outline<R: Read + Seek>(reader: R) -> Result<Archive, String> {
    read_texts(&mut open(reader)?)
}

fn open<R: Read + Seek>(reader: R) -> Result<ZipArchive<R>, String> {
    let mut zip = ZipArchive::new(reader)
        .map_err(|error| format!("not a .keras file, which is a zip: {error}"))?;
    if let Some(problem) = super::foreign::zip(zip.file_names_raw()) {
        return Err(problem);
    }
    check_names(&zip)?;
    if zip.has_overlapping_entries().map_err(damaged)? {
        return Err("damaged zip: two entries share the same bytes".to_owned());
    }
    Ok(zip)
}

fn read_texts<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Archive, String> {
    let config = text(zip, CONFIG, MAX_JSON)?
        .ok_or_else(|| format!("not a .keras file: {CONFIG} is missing in the zip"))?;
    Ok(Archive {
        metadata: text(zip, METADATA, MAX_JSON)?.unwrap_or_default(),
        config,
        weights: Vec::new(),
        vocabularies: vocabularies(zip)?,
        own: text(zip, OWN, MAX_JSON)?,
    })
}

/// The name of the entry with the vocabulary of the layer at that path.
fn vocabulary_name(place: &str) -> String {
    format!("assets/{place}/vocabulary.txt")
}

/// The path of the layer whose vocabulary has this entry name.
fn vocabulary_place(name: &str) -> Option<&str> {
    let place = name
        .strip_prefix("assets/")?
        .strip_suffix("/vocabulary.txt")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut parts = place.split('/');
    parts
        .all(|part| !part.is_empty() && part.chars().all(plain))
        .then_some(place)
}

fn vocabularies<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
) -> Result<BTreeMap<String, String>, String> {
    let is_one = |name: &[u8]| {
        std::str::from_utf8(name)
            .ok()
            .and_then(vocabulary_place)
            .is_some()
    };
    let names = zip.file_names_raw().filter(|name| is_one(name));
    let names: Vec<String> = names
        .map(|name| String::from_utf8_lossy(name).into())
        .collect();
    let (mut found, mut left) = (BTreeMap::new(), MAX_VOCABULARIES);
    for name in names {
        let text = text(zip, &name, left)?.unwrap_or_default();
        left -= text.len() as u64;
        let place = vocabulary_place(&name).unwrap_or_default();
        found.insert(place.to_owned(), text);
    }
    Ok(found)
}

fn check_names<R: Read + Seek>(zip: &ZipArchive<R>) -> Result<(), String> {
    if zip.has_duplicate_names() {
        return Err("damaged zip: two entries have the same name".to_owned());
    }
    for name in zip.file_names_raw() {
        if ![METADATA, CONFIG, WEIGHTS, OWN]
            .map(str::as_bytes)
            .contains(&name)
            && std::str::from_utf8(name)
                .ok()
                .and_then(vocabulary_place)
                .is_none()
        {
            return Err(format!(
                "the zip has an entry {:?}; a .keras file has {METADATA}, {CONFIG} and {WEIGHTS}",
                String::from_utf8_lossy(name)
            ));
        }
    }
    Ok(())
}

fn text<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
    most: u64,
) -> Result<Option<String>, String> {
    let bytes = entry(zip, name, most)?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| format!("{name} is not UTF-8"))
}

/// One entry's bytes; its checksum is verified at the last byte.
fn entry<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
    most: u64,
) -> Result<Option<Vec<u8>>, String> {
    let Some(index) = zip.index_for_name(name) else {
        return Ok(None);
    };
    let problem = |error: &dyn std::fmt::Display| format!("damaged zip: {name}: {error}");
    let mut file = zip.by_index(index).map_err(|error| problem(&error))?;
    let size = file.size();
    let plausible = file
        .compressed_size()
        .saturating_mul(MAX_RATIO)
        .saturating_add(SPARE);
    if size > most.min(plausible) {
        return Err(format!(
            "{name} would unpack to {size} bytes, too much to be a model's"
        ));
    }
    let mut bytes = Vec::new();
    let read = file.by_ref().take(size + 1).read_to_end(&mut bytes);
    read.map_err(|error| problem(&error))?;
    if bytes.len() as u64 != size {
        return Err(problem(&format_args!(
            "{size} bytes promised, {} there",
            bytes.len()
        )));
    }
    Ok(Some(bytes))
}

fn damaged(error: impl std::fmt::Display) -> String {
    format!("damaged zip: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Archive {
        Archive {
            metadata: r#"{"keras_version": "3.15.1"}"#.into(),
            config: r#"{"module": "keras"}"#.into(),
            weights: (0..5000u32).flat_map(u32::to_le_bytes).collect(),
            vocabularies: [("layers/string_lookup".into(), "[UNK]\né".into())].into(),
            own: Some("{}".into()),
        }
    }

    fn zipped(entries: &[(&str, &[u8])], method: CompressionMethod) -> Cursor<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, bytes) in entries {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        Cursor::new(zip.finish().unwrap().into_inner())
    }

    fn problem(bytes: Cursor<Vec<u8>>) -> String {
        read(bytes).unwrap_err()
    }

    #[test]
    fn the_parts_come_back_and_the_same_parts_give_the_same_bytes() {
        let bytes = write(&archive()).unwrap();
        assert_eq!(bytes, write(&archive()).unwrap());
        assert_eq!(read(Cursor::new(bytes)).unwrap(), archive());
    }

    #[test]
    fn deflated_entries_are_read_too() {
        let parts = archive();
        let entries = [
            (WEIGHTS, parts.weights.as_slice()),
            (CONFIG, parts.config.as_bytes()),
            (METADATA, parts.metadata.as_bytes()),
            (
                "assets/layers/string_lookup/vocabulary.txt",
                "[UNK]\né".as_bytes(),
            ),
            (OWN, b"{}"),
        ];
        assert_eq!(
            read(zipped(&entries, CompressionMethod::Deflated)).unwrap(),
            parts
        );
    }

    #[test]
    fn an_entry_of_another_name_is_refused_by_name() {
        for name in [
            "../evil",
            "/etc/passwd",
            "assets/x",
            "config.json/",
            "a\\b",
            "assets/../vocabulary.txt",
        ] {
            let bytes = zipped(&[(CONFIG, b"{}"), (name, b"")], CompressionMethod::Stored);
            let problem = problem(bytes);
            assert!(problem.contains(&format!("{name:?}")), "{problem}");
        }
    }

    #[test]
    fn a_missing_part_is_named() {
        let bytes = zipped(&[(CONFIG, b"{}")], CompressionMethod::Stored);
        assert!(problem(bytes).contains("model.weights.h5 is missing"));
        assert!(problem(Cursor::new(b"not a zip".to_vec())).contains("not a .keras file"));
    }

    #[test]
    fn a_flipped_byte_of_the_contents_is_found_by_the_checksum() {
        let mut bytes = write(&archive()).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        assert!(
            problem(Cursor::new(bytes))
                .to_lowercase()
                .contains("checksum")
        );
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let zeros = vec![0; 100 << 20];
        let entries: [(&str, &[u8]); 2] = [(CONFIG, b"{}"), (WEIGHTS, &zeros)];
        let bytes = zipped(&entries, CompressionMethod::Deflated);
        assert!(bytes.get_ref().len() < 1 << 20);
        assert!(problem(bytes).contains("would unpack to 104857600 bytes"));
    }
}
