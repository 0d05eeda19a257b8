//! `images`: a folder of pictures.

use super::arrays::files::own_rows;
use super::arrays::keys::ArrayKeys;
use super::in_memory::{InMemory, weighted};
use super::kind::{Request, SourceKind, read_own};
use super::streams::Streams;
use crate::base::registry::Value;
use crate::data::conflict::conflict;
use crate::data::dataset::{Dataset, Split};
use crate::data::excess::Excess;
pub(super) use crate::data::images::Images;
use crate::data::images::{ColorMode, Order, PictureRows, no_classes, size_of};
use crate::data::pictures::{Pictures, Resize};
use crate::data::purpose::Purpose;
use crate::data::run_data::RunData;
use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::data::split::{HoldOut, choose};
use crate::data::stream::{Data, Stream};
use crate::error::{Error, Result, join};
use serde::Deserialize;
use serde_json::Map;
use std::path::Path;

/// Part of the memory limit that decoding may use.
const SHARE: u64 = 4;

#[derive(Deserialize)]
struct Keys {
    images: Option<String>,
    size: Option<Value>,
    resize: Option<String>,
    color_mode: Option<String>,
}

impl SourceKind for Images {
    fn keys() -> &'static [&'static str] {
        &["images", "size", "resize", "color_mode"]
    }

    fn read(at: &str, fields: &Map<String, Value>) -> Result<Option<Self>> {
        let keys: Keys = read_own(at, fields)?;
        let Some(folder) = keys.images else {
            let given = [
                ("size", keys.size.is_some()),
                ("resize", keys.resize.is_some()),
                ("color_mode", keys.color_mode.is_some()),
            ];
            return match given.iter().find(|key| key.1) {
                None => Ok(None),
                Some((key, _)) => {
                    let problem = format!("`{key}` needs `images`, a folder of pictures");
                    Err(conflict(&problem).under(at))
                }
            };
        };
        let size = keys.size.map(|size| size_of(&join(at, "size"), &size));
        let resize = keys
            .resize
            .map(|name| named(&join(at, "resize"), "way to resize", &name, &Resize::NAMES));
        let color_mode = keys.color_mode.map(|name| {
            let at = join(at, "color_mode");
            named(&at, "color mode", &name, &ColorMode::NAMES)
        });
        Ok(Some(Images {
            folder,
            size: size.transpose()?,
            resize: resize.transpose()?,
            color_mode: color_mode.transpose()?,
        }))
    }

    fn recognise(spec: &str) -> Result<Option<Self>> {
        let is_folder = Path::new(spec).is_dir();
        Ok(is_folder.then(|| Images::of(spec)))
    }

    fn map_paths(&self, change: &dyn Fn(&String) -> String) -> Self {
        self.other(&change(&self.folder))
    }

    fn bytes(&self, request: &Request<'_>) -> Result<Option<u64>> {
        let images = self.fitted(&request.purpose).sized(request.base)?;
        let mut whole = images.decoded_bytes(request.base)?;
        for (_, how) in request.held_out() {
            if let HoldOut::Images { images: folder } = how {
                whole = whole.saturating_add(images.other(folder).decoded_bytes(request.base)?);
            }
        }
        Ok(Some(whole))
    }

    fn load(&self, request: &Request<'_>) -> Result<RunData> {
        let base = request.base;
        let rows = self.decoded(base, Order::Spread, None)?;
        check_classes(&rows)?;
        let own = |at: &'static str, how: &HoldOut, train: &Dataset| match how {
            HoldOut::Images { images: folder } => {
                // In the size of the training pictures.
                let own = self.other(folder).fitting(train.inputs()[0].shape());
                own.decoded(base, Order::Spread, Some(train.class_names()))
            }
            other => own_rows(at, other, train, base),
        };
        let rows = InMemory {
            rows: weighted(rows, request)?,
            test: None,
            own: &own,
            usual: ScaleName::Unit,
            unit: Scale::Divide(255.0),
        };
        Ok(self.noted(rows.split(request)?, request))
    }

    fn stream(&self, request: &Request<'_>, excess: Excess) -> Result<RunData> {
        let base = request.base;
        let at_once = excess.memory.bytes() / SHARE;
        // By the configured options, so that the cache serves pictures in memory, too.
        let mut all = self.rows_in_file(base, Order::Spread, None, at_once)?;
        let mut about = all.about().data()?;
        check_classes(&about)?;
        if request.sample_weight.is_some() {
            about = weighted(about, request)?;
            let weights = about.sample_weight().map(|weights| weights.to_f32());
            all = all.weighted(weights.unwrap_or_default());
        }
        let keys = ArrayKeys { data: &about, base };
        let chosen = choose(request.validation, request.test, &keys, request.seed)?;
        let part = |at: &str, how: Option<&HoldOut>, chosen: Option<Vec<usize>>| {
            let rows: PictureRows = match (how, chosen) {
                (None, _) => return Ok(None),
                (Some(_), Some(chosen)) => all.picked(&chosen),
                (Some(HoldOut::Images { images: folder }), None) => {
                    let classes = Some(about.class_names());
                    let own = self.sized(base)?.other(folder);
                    own.rows_in_file(base, Order::Spread, classes, at_once)?
                }
                (Some(other), None) => {
                    let expected = "a folder of pictures (`images`), as the training rows are";
                    return Err(Error::invalid(at, other, expected));
                }
            };
            Stream::new(rows).map(Some)
        };
        let validation = part("data.validation", request.validation, chosen.validation)?;
        let test = part("data.test", request.test, chosen.test)?;
        let train = all.picked(&chosen.train);
        let targets = Stream::new(train.about().clone())?;
        let streams = Streams {
            train: Stream::new(train)?,
            validation,
            test,
            targets: Some(targets),
        };
        let run = streams.share(ScaleName::Unit, request, excess)?;
        Ok(self.noted(run, request))
    }

    fn rows(
        &self,
        _spec: &str,
        _split: Split,
        request: &Request<'_>,
        excess: Option<Excess>,
    ) -> Result<Data> {
        let images = self.fitted(&request.purpose);
        let input = request.purpose.input;
        let classes = classes(&request.purpose);
        let scale = || request.purpose.scale(Scale::Divide(255.0));
        if let Some(Excess { memory, .. }) = excess {
            let at_once = memory.bytes() / SHARE;
            let rows = images.rows_in_file(request.base, Order::Sorted, classes, at_once)?;
            let rows = match input {
                Some(shape) => rows.shaped(shape),
                None => rows,
            };
            let stream = Stream::new(rows)?.memory(memory.bytes());
            return stream.scaled(vec![scale()?]).map(Data::from);
        }
        let data = images.decoded(request.base, Order::Sorted, classes)?;
        let scale = scale()?;
        let data = data.map_inputs(|_, pictures| {
            let pictures = pictures.scaled(scale.clone())?;
            match input {
                // (28, 28) without channels, as in the built-in sets.
                Some(shape) if shape.size() == pictures.size() => pictures.reshaped(shape.dims()),
                _ => Ok(pictures),
            }
        })?;
        Ok(data.into())
    }

    fn is_pictures(&self) -> bool {
        true
    }
}

impl Images {
    /// The same folder, its pictures as a model takes them.
    fn fitted(&self, purpose: &Purpose<'_>) -> Self {
        let images = match purpose.input {
            Some(shape) => self.clone().fitting(shape),
            None => self.clone(),
        };
        Images {
            resize: purpose.pictures.map(|known| known.resize).or(images.resize),
            ..images
        }
    }

    /// The rows with what a model that is trained on them has to know of new pictures.
    fn noted(&self, mut run: RunData, request: &Request<'_>) -> RunData {
        run.facts.pictures = Some(Pictures {
            resize: self.resize.unwrap_or_default(),
            scale: request.scale.unwrap_or_default(),
            classes: run.train.sample().class_names().to_vec(),
        });
        run
    }
}

/// The classes of pictures, if a model knows them and they count.
fn classes<'a>(purpose: &Purpose<'a>) -> Option<&'a [String]> {
    let classes = purpose.pictures.map(|known| &known.classes[..]);
    classes.filter(|classes| !purpose.unlabelled && !classes.is_empty())
}

/// Refuses a folder of pictures with a single class, or without class folders.
fn check_classes(data: &Dataset) -> Result<()> {
    if let [only] = data.class_names() {
        let found = format!("one class folder, `{only}`");
        let expected = "two at least: one class cannot be told from another";
        return Err(Error::invalid(data.name(), found, expected));
    }
    if data.targets().is_empty() {
        return Err(no_classes(data.name().as_ref()));
    }
    Ok(())
}

/// The member of a family that has the name.
fn named<T: Copy>(
    at: &str,
    family: &'static str,
    name: &str,
    known: &[(&'static str, T)],
) -> Result<T> {
    let found = known.iter().find(|(known, _)| *known == name);
    let (_, value) = found
        .ok_or_else(|| Error::unknown(at, family, name, known.iter().map(|(name, _)| *name)))?;
    Ok(*value)
}
