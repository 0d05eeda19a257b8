//! What decoding a folder gave, kept in one file of the user's cache folder.
//!
//! The file holds what it was made of: the options, and each picture's name,
//! length and time of change. If anything of that is different, or the file is
//! damaged, the pictures are decoded again.

use super::files::Found;
use super::{Images, Pixels};
use crate::base::hash::fnv;
use crate::base::whole::write_whole;
use crate::data::folders::cache_folder;
use flate2::Crc;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

const MAGIC: &[u8; 16] = b"gradus images 1\n";

/// The file of a folder and its options.
pub(super) struct Cache {
    path: Option<PathBuf>,
    key: String,
    count: usize,
    channels: usize,
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
            count: found.files.len(),
            channels: color.channels(),
        }
    }

    /// The pictures, each in its slot, if the file has them.
    pub(super) fn read(&self, slots: &[usize]) -> Option<Pixels> {
        let file = File::open(self.path.as_ref()?).ok()?;
        let length = file.metadata().ok()?.len();
        let mut from = BufReader::with_capacity(1 << 16, file);
        let mut head = [0; 40];
        from.read_exact(&mut head).ok()?;
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
        let bytes = row.checked_mul(self.count as u64)?;
        if bytes.checked_add(40 + key_length + 4)? != length {
            return None;
        }
        let mut key = vec![0; self.key.len()];
        from.read_exact(&mut key).ok()?;
        if key != self.key.as_bytes() {
            return None;
        }
        let (row, mut pixels) = (row as usize, Vec::new());
        pixels.try_reserve_exact(bytes as usize).ok()?;
        pixels.resize(bytes as usize, 0);
        let mut sum = Crc::new();
        for &slot in slots {
            let place = &mut pixels[slot * row..][..row];
            from.read_exact(place).ok()?;
            sum.update(place);
        }
        let mut last = [0; 4];
        from.read_exact(&mut last).ok()?;
        (sum.sum() == u32::from_le_bytes(last)).then_some(Pixels {
            size: [height as usize, width as usize],
            pixels,
        })
    }

    /// Keeps the pictures. That it fails (a full disk, no home) is no error: the
    /// next run decodes them again.
    pub(super) fn write(&self, pixels: &Pixels, slots: &[usize]) {
        let Some(path) = &self.path else { return };
        let row = pixels.size[0] * pixels.size[1] * self.channels;
        let folder = path.parent().unwrap_or(path);
        if std::fs::create_dir_all(folder).is_err() {
            return;
        }
        let _ = write_whole(path, |file| {
            file.write_all(MAGIC)?;
            for number in [self.key.len(), pixels.size[0], pixels.size[1]] {
                file.write_all(&(number as u64).to_le_bytes())?;
            }
            file.write_all(self.key.as_bytes())?;
            let mut sum = Crc::new();
            for &slot in slots {
                let picture = &pixels.pixels[slot * row..][..row];
                sum.update(picture);
                file.write_all(picture)?;
            }
            file.write_all(&sum.sum().to_le_bytes())
        });
    }
}
