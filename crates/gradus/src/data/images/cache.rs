//! A cache of a folder's decoded pictures, one file in the user's cache folder.
//!
//! The file records its origin: the options, and each picture's name, length and time of change. If
//! any of these differs, or the file is damaged, the pictures are decoded again. The classes are
//! spread evenly over the file, the order of training, so that pictures larger than memory can be
//! read in contiguous runs.

use super::files::Found;
use super::options::{Images, Order};
use super::pixels::Pixels;
use crate::base::atomic_file::fill_atomic;
use crate::base::files;
use crate::base::hash::fnv;
use crate::base::threads::lock;
use crate::data::folders::cache_folder;
use crate::error::{Error, Result};
use flate2::Crc;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

const MAGIC: &[u8; 16] = b"gradus images 2\n";

/// Bytes before the key: the magic, and three numbers.
const HEAD: u64 = 40;

/// The file of a folder and its options.
pub(super) struct Cache {
    path: Option<PathBuf>,
    key: String,
    /// The pictures' indices in the folder, in the order of the file.
    files: Vec<usize>,
    channels: usize,
}

/// A cache file validated by its length; a picture's metadata is checked when it is read.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    file: Mutex<File>,
    /// Offset of the pictures.
    start: u64,
    /// Height and width.
    pub size: [usize; 2],
    /// Bytes per picture.
    row: usize,
    /// Checksum of each picture.
    sums: Vec<u32>,
}

impl Cache {
    pub(super) fn of(images: &Images, found: &Found) -> Self {
        let folder = std::path::absolute(&found.folder).unwrap_or_else(|_| found.folder.clone());
        let color = images.color_mode.unwrap_or_default();
        let resize = images.resize.unwrap_or_default();
        let mut key = format!(
            "{} {:?} {resize:?} {color:?}\n",
            folder.display(),
            images.size
        );
        // One file for a folder and its options: a changed folder replaces the old one.
        let hash = fnv(key.as_bytes());
        let path = cache_folder().map(|cache| cache.join(format!("images/{hash:016x}.bin")));
        for (number, name) in found.names().iter().enumerate() {
            let about = found.path(number).metadata();
            let length = about.as_ref().map_or(0, |about| about.len());
            let changed = about.ok().and_then(|about| about.modified().ok());
            let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.map_or(0, |time| time.as_nanos());
            let _ = writeln!(key, "{name} {length} {changed}");
        }
        Cache {
            path,
            key,
            files: found.rows(Order::Spread),
            channels: color.channels(),
        }
    }

    /// The index in the file of each row, whose pictures' folder indices are `rows`.
    pub(super) fn places(&self, rows: &[usize]) -> Vec<usize> {
        let mut place_of = vec![0; self.files.len()];
        for (place, &file) in self.files.iter().enumerate() {
            place_of[file] = place;
        }
        rows.iter().map(|&file| place_of[file]).collect()
    }

    /// The cache file, if there is a complete one of these pictures.
    pub(super) fn open(&self) -> Option<Kept> {
        let path = self.path.clone()?;
        let mut file = files::open(&path, "pictures").ok()?;
        let length = file.metadata().ok()?.len();
        let mut head = [0; HEAD as usize];
        file.read_exact(&mut head).ok()?;
        let (magic, numbers) = head.split_at(MAGIC.len());
        let (numbers, _) = numbers.as_chunks::<8>();
        let [key_length, height, width] = *numbers else {
            return None;
        };
        let [key_length, height, width] = [key_length, height, width].map(u64::from_le_bytes);
        if magic != MAGIC || key_length != self.key.len() as u64 {
            return None;
        }
        let row = height
            .checked_mul(width)?
            .checked_mul(self.channels as u64)?;
        let count = self.files.len() as u64;
        let start = HEAD + key_length;
        let end = row.checked_mul(count)?.checked_add(start)?;
        if end.checked_add(4 * count)? != length {
            return None;
        }
        let mut key = vec![0; self.key.len()];
        file.read_exact(&mut key).ok()?;
        if key != self.key.as_bytes() {
            return None;
        }
        file.seek(SeekFrom::Start(end)).ok()?;
        let mut sums = vec![0; 4 * self.files.len()];
        file.read_exact(&mut sums).ok()?;
        let (sums, _) = sums.as_chunks::<4>();
        Some(Kept {
            path,
            file: Mutex::new(file),
            start,
            size: [height as usize, width as usize],
            row: row as usize,
            sums: sums.iter().map(|sum| u32::from_le_bytes(*sum)).collect(),
        })
    }

    /// All pictures, row by row, if the file has them.
    pub(super) fn read(&self, rows: &[usize]) -> Option<Pixels> {
        let kept = self.open()?;
        let mut pixels = Vec::new();
        let bytes = kept.row.checked_mul(rows.len())?;
        pixels.try_reserve_exact(bytes).ok()?;
        pixels.resize(bytes, 0);
        let mut row_at = vec![0; rows.len()];
        for (row, place) in self.places(rows).into_iter().enumerate() {
            row_at[place] = row;
        }
        let mut file = lock(&kept.file);
        file.seek(SeekFrom::Start(kept.start)).ok()?;
        let mut from = BufReader::with_capacity(1 << 16, &mut *file);
        for (place, row) in row_at.into_iter().enumerate() {
            let picture = &mut pixels[row * kept.row..][..kept.row];
            from.read_exact(picture).ok()?;
            if sum(picture) != kept.sums[place] {
                return None;
            }
        }
        Some(Pixels {
            size: kept.size,
            pixels,
        })
    }

    /// Caches pictures that are in memory, row by row. A failure (a full disk, no home folder) is
    /// no error: the next run decodes them again.
    pub(super) fn write(&self, pixels: &Pixels, rows: &[usize]) {
        let row = pixels.size[0] * pixels.size[1] * self.channels;
        let mut row_at = vec![0; rows.len()];
        for (number, place) in self.places(rows).into_iter().enumerate() {
            row_at[place] = number;
        }
        let _ = self.fill(pixels.size, |add| {
            let pictures = row_at
                .iter()
                .map(|number| &pixels.pixels[number * row..][..row]);
            pictures.into_iter().try_for_each(add)
        });
    }

    /// Writes the file, from pictures that come in its order.
    fn fill(
        &self,
        size: [usize; 2],
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let Some(path) = &self.path else {
            let problem = "there is no folder for what was decoded: set XDG_CACHE_HOME or HOME";
            return Err(Error::file("gradus/images", problem));
        };
        let failed = |cause| Error::io("write", path, cause);
        let folder = path.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).map_err(|cause| Error::io("make", folder, cause))?;
        fill_atomic(path, |file| {
            let mut head = MAGIC.to_vec();
            for number in [self.key.len(), size[0], size[1]] {
                head.extend((number as u64).to_le_bytes());
            }
            file.write_all(&head).map_err(failed)?;
            file.write_all(self.key.as_bytes()).map_err(failed)?;
            let mut sums = Vec::with_capacity(4 * self.files.len());
            give(&mut |picture| {
                sums.extend(sum(picture).to_le_bytes());
                file.write_all(picture).map_err(failed)
            })?;
            file.write_all(&sums).map_err(failed)
        })
    }

    /// Makes the file: `decode` gets pictures' folder indices and a destination for each, as many
    /// at a time as fit into `bytes`.
    pub(super) fn make(
        &self,
        size: [usize; 2],
        bytes: u64,
        decode: impl Fn(&[usize], &mut [u8]) -> Result<()>,
    ) -> Result<Kept> {
        let row = size[0] * size[1] * self.channels;
        let some = usize::try_from(bytes / row as u64).unwrap_or(usize::MAX);
        let some = some.clamp(1, self.files.len());
        let mut places = vec![0; some * row];
        self.fill(size, |add| {
            for files in self.files.chunks(some) {
                let places = &mut places[..files.len() * row];
                decode(files, places)?;
                places.chunks_exact(row).try_for_each(&mut *add)?;
            }
            Ok(())
        })?;
        let gone = || Error::file(self.path.clone().unwrap_or_default(), "somebody changed it");
        self.open().ok_or_else(gone)
    }
}

impl Kept {
    /// Appends the pictures of a contiguous range of the file.
    pub fn read(&self, places: Range<usize>, pixels: &mut Vec<u8>) -> Result<()> {
        let failed = |cause| Error::io("read", &self.path, cause);
        let from = self.start + (places.start * self.row) as u64;
        let (before, bytes) = (pixels.len(), places.len() * self.row);
        pixels.resize(before + bytes, 0);
        let mut file = lock(&self.file);
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.read_exact(&mut pixels[before..]).map_err(failed)?;
        drop(file);
        let pictures = pixels[before..].chunks_exact(self.row);
        for (picture, place) in pictures.zip(places) {
            if sum(picture) != self.sums[place] {
                let problem = match std::fs::remove_file(&self.path) {
                    Ok(()) => {
                        "it was damaged and is removed: run again, and the pictures are decoded \
                         again"
                    }
                    Err(_) => "it is damaged: remove it, and the pictures are decoded again",
                };
                return Err(Error::file(&self.path, problem));
            }
        }
        Ok(())
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}
