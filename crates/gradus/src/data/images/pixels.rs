//! Decoding the pictures of a folder, on all threads.

use super::decode::{self, Picture};
use super::files::Found;
use super::options::{ColorMode, Images};
use super::resize;
use crate::base::threads::{lock, threads};
use crate::error::{Error, Result};
use std::sync::Mutex;

impl Images {
    /// Decodes pictures by their folder indices, on all threads, each into its destination.
    pub(super) fn decode(
        &self,
        found: &Found,
        files: &[usize],
        size: [usize; 2],
        places: &mut [u8],
    ) -> Result<()> {
        let color = self.color_mode.unwrap_or_default();
        let row = size[0] * size[1] * color.channels();
        let one = |file: usize, place: &mut [u8]| {
            let picture = decode::decode(&found.path(file), color)?;
            self.check_size(found, file, &picture, size)?;
            resize::resize(&picture, size, self.resize.unwrap_or_default(), place);
            Ok(())
        };
        // In order: everything before the first failure is read, so that the error is the same on
        // any number of threads.
        let jobs = files.iter().zip(places.chunks_exact_mut(row)).enumerate();
        let jobs = Mutex::new(jobs);
        let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let work = || {
            loop {
                let next = lock(&jobs).next();
                let Some((number, (&file, place))) = next else {
                    return;
                };
                if let Err(error) = one(file, place) {
                    let mut failed = lock(&failed);
                    if failed.as_ref().is_none_or(|(other, _)| number < *other) {
                        *failed = Some((number, error));
                    }
                    return;
                }
                if lock(&failed).is_some() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads().min(files.len()) {
                scope.spawn(work);
            }
            work();
        });
        let failed = lock(&failed).take();
        match failed {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Refuses pictures of several sizes if no size is given.
    fn check_size(
        &self,
        found: &Found,
        file: usize,
        picture: &Picture,
        size: [usize; 2],
    ) -> Result<()> {
        if self.size.is_some() || [picture.height, picture.width] == size {
            return Ok(());
        }
        let problem = format!(
            "it has {} x {} pixels, but {} has {} x {} (height x width): say what size all shall \
             have, `size = [{}, {}]` beside `images` in the [data] table of a TOML file",
            picture.height,
            picture.width,
            found.files[0].display(),
            size[0],
            size[1],
            size[0],
            size[1]
        );
        Err(Error::file(found.path(file), problem))
    }
}

/// The pictures of a folder, one after another in the order of the rows.
pub(super) struct Pixels {
    pub size: [usize; 2],
    pub pixels: Vec<u8>,
}

impl Pixels {
    /// Black pictures; an error if memory does not hold them.
    pub fn empty(size: [usize; 2], color: ColorMode, found: &Found) -> Result<Self> {
        let count = found.files.len();
        let bytes = [size[0], size[1], color.channels(), count]
            .into_iter()
            .try_fold(1_usize, |a, b| a.checked_mul(b));
        let mut pixels = Vec::new();
        match bytes {
            Some(bytes) if pixels.try_reserve_exact(bytes).is_ok() => pixels.resize(bytes, 0),
            _ => {
                let problem = format!(
                    "its {count} pictures of {} x {} pixels do not fit into memory: choose a \
                     smaller `size`",
                    size[0], size[1]
                );
                return Err(Error::file(&found.folder, problem));
            }
        }
        Ok(Pixels { size, pixels })
    }
}
