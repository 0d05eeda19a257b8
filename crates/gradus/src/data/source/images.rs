//! From a `[data]` table that names a folder of pictures to rows that are read, decoded,
//! while a model is trained.

use crate::base::shape::Shape;
use crate::data::array_keys::ArrayKeys;
use crate::data::config::{DataConfig, HeldOut, ScaleName};
use crate::data::hold_out;
use crate::data::images::{Images, Order, PictureRows};
use crate::data::load::{check_classes, weighted};
use crate::data::load_stream::Parts;
use crate::data::memory::Memory;
use crate::data::opened::Streamed;
use crate::data::stream::Stream;
use crate::error::{Error, Result};
use std::path::Path;

/// While pictures are decoded, they take that part of the memory that rows may take.
const SHARE: u64 = 4;

impl DataConfig {
    /// What all pictures would take, decoded, and those that are held out.
    pub(super) fn bytes_of_pictures(&self, images: &Images, base: &Path) -> Result<u64> {
        let images = images.sized(base)?;
        let mut whole = images.bytes(base)?;
        for how in [&self.validation, &self.test].into_iter().flatten() {
            if let HeldOut::Images { images: folder } = how {
                whole = whole.saturating_add(images.other(folder).bytes(base)?);
            }
        }
        Ok(whole)
    }

    /// The pictures of a folder that are larger than memory, decoded.
    pub(super) fn stream_pictures(
        &self,
        images: &Images,
        base: &Path,
        seed: u64,
        (memory, whole): (Memory, Memory),
    ) -> Result<Streamed> {
        let at_once = memory.bytes() / SHARE;
        // By the options as they are: what is kept is kept for pictures in memory, too.
        let mut all = images.rows(base, Order::Spread, None, at_once)?;
        let mut about = all.about().data()?;
        check_classes(&about)?;
        if let Some(path) = &self.sample_weight {
            about = weighted(about, "data.sample_weight", path, base)?;
            let weights = about.sample_weight().map(|weights| weights.to_f32());
            all = all.weighted(weights.unwrap_or_default());
        }
        let keys = ArrayKeys { data: &about, base };
        let chosen = hold_out::choose(self, &keys, seed)?;
        let part = |at: &str, how: &Option<HeldOut>, chosen: Option<Vec<usize>>| {
            let rows: PictureRows = match (how, chosen) {
                (None, _) => return Ok(None),
                (Some(_), Some(chosen)) => all.picked(&chosen),
                (Some(HeldOut::Images { images: folder }), None) => {
                    let classes = Some(about.class_names());
                    let own = images.sized(base)?.other(folder);
                    own.rows(base, Order::Spread, classes, at_once)?
                }
                (Some(other), None) => {
                    let expected = "a folder of pictures (`images`), as the training rows are";
                    return Err(Error::invalid(at, other, expected));
                }
            };
            Stream::new(rows).map(Some)
        };
        let validation = part("data.validation", &self.validation, chosen.validation)?;
        let test = part("data.test", &self.test, chosen.test)?;
        let train = all.picked(&chosen.train);
        let targets = Stream::new(train.about().clone())?;
        let parts = Parts {
            train: Stream::new(train)?,
            validation,
            test,
            targets: Some(targets),
        };
        let mut streamed = self.streamed(parts, ScaleName::Unit, memory, whole)?;
        streamed.pictures = self.pictures_of(None, streamed.train.sample());
        Ok(streamed)
    }
}

impl Images {
    /// The pictures of a folder that are larger than memory, decoded, in the shape that a
    /// model takes.
    pub(super) fn stream(
        &self,
        order: Order,
        classes: Option<&[String]>,
        shape: Option<&Shape>,
        memory: Memory,
    ) -> Result<Stream> {
        let rows = self.rows(Path::new(""), order, classes, memory.bytes() / SHARE)?;
        let rows = match shape {
            Some(shape) => rows.shaped(shape),
            None => rows,
        };
        Ok(Stream::new(rows)?.memory(memory.bytes()))
    }
}
