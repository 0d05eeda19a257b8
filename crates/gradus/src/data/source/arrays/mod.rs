//! `x` and `y`: array files.
//!
//! `files` reads them into memory, `streams` leaves them where they are, `keys` is what a
//! split may ask of them.

pub(super) mod files;
pub(super) mod keys;
mod streams;

use super::in_memory::{InMemory, weighted};
use super::kind::{Request, SourceKind, read_own};
use crate::base::registry::Value;
use crate::data::dataset::{Dataset, Split};
use crate::data::excess::Excess;
use crate::data::files::Files;
use crate::data::npy::{is_array, read_npy, split_key};
use crate::data::run_data::RunData;
use crate::data::scale::Scale;
use crate::data::scale_name::ScaleName;
use crate::data::split::HoldOut;
use crate::data::stream::{Data, NpyRows};
use crate::error::{Error, Result, join};
use files::{array, own_rows, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// The array files of inputs and targets.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ArrayFiles {
    /// The inputs: an array file (`.npy`, or `"file.npz:key"`), one row for each example; or a table
    /// of them, for a model with several inputs. Default none.
    #[schemars(extend("examples" = ["x.npy"]))]
    x: Files,
    /// The targets: an array file, or a table of them, for a model with several outputs. Default none, for
    /// a pretraining without labels.
    #[schemars(extend("examples" = ["y.npy"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Files>,
}

#[derive(Deserialize)]
struct Keys {
    x: Option<Value>,
    y: Option<Value>,
}

impl SourceKind for ArrayFiles {
    fn keys() -> &'static [&'static str] {
        &["x", "y"]
    }

    fn read(at: &str, fields: &Map<String, Value>) -> Result<Option<Self>> {
        let keys: Keys = read_own(at, fields)?;
        let files = |key: &str, value: Option<Value>| {
            let files = value.map(|value| Files::from_value(&join(at, key), &value));
            files.transpose()
        };
        let (x, y) = (files("x", keys.x)?, files("y", keys.y)?);
        Ok(x.map(|x| ArrayFiles { x, y }))
    }

    fn recognise(spec: &str) -> Result<Option<Self>> {
        let parts: Vec<&str> = spec.split(',').map(str::trim).collect();
        if !parts.iter().any(|part| is_array(part)) {
            return Ok(None);
        }
        let file = |path: &str| {
            array("data", path)?;
            Ok(Files::One(path.to_owned()))
        };
        let (x, y) = match parts[..] {
            [x] => (file(x)?, None),
            [x, y] => (file(x)?, Some(file(y)?)),
            _ => {
                let expected = "one or two array files: `x.npy,y.npy`";
                return Err(Error::invalid("data", format!("`{spec}`"), expected));
            }
        };
        Ok(Some(ArrayFiles { x, y }))
    }

    fn map_paths(&self, change: &dyn Fn(&String) -> String) -> Self {
        ArrayFiles {
            x: self.x.map(change),
            y: self.y.as_ref().map(|y| y.map(change)),
        }
    }

    fn bytes(&self, request: &Request<'_>) -> Result<Option<u64>> {
        let mut paths = vec![("data.x", self.x.paths())];
        paths.extend(self.y.as_ref().map(|y| ("data.y", y.paths())));
        let weight = request.sample_weight;
        paths.extend(weight.map(|path| ("data.sample_weight", vec![path.as_str()])));
        for (at, how) in request.held_out() {
            if let HoldOut::Files {
                x,
                y,
                sample_weight,
            } = how
            {
                paths.extend([(at, x.paths()), (at, y.paths())]);
                paths.extend(sample_weight.as_ref().map(|path| (at, vec![path.as_str()])));
            }
        }
        let mut whole = 0_u64;
        for (at, path) in paths
            .into_iter()
            .flat_map(|(at, all)| all.into_iter().map(move |p| (at, p)))
        {
            let path = request.base.join(array(at, path)?);
            match split_key(&path) {
                // An archive's arrays are compressed, one after the other: none can be read by
                // itself.
                Some(_) if request.memory.is_some() => {
                    let found = format!("`{}` beside `memory`", path.display());
                    let expected = "a .npy file: an archive is read as a whole, into memory";
                    return Err(Error::invalid(at, found, expected));
                }
                Some(_) => return Ok(None),
                None => whole = whole.saturating_add(NpyRows::memory_of(&path)?),
            }
        }
        Ok(Some(whole))
    }

    fn keeps(&self) -> bool {
        true
    }

    fn load(&self, request: &Request<'_>) -> Result<RunData> {
        let rows = read("data", &self.x, self.y.as_ref(), request.base)?;
        let rows = InMemory {
            rows: weighted(rows, request)?,
            test: None,
            own: &|at, how, train| own_rows(at, how, train, request.base),
            usual: ScaleName::None,
            unit: Scale::Divide(255.0),
        };
        rows.split(request)
    }

    fn stream(&self, request: &Request<'_>, excess: Excess) -> Result<RunData> {
        request.kept.refuse().map_err(|error| error.under("data"))?;
        let streams = streams::open(&self.x, self.y.as_ref(), request)?;
        streams.share(ScaleName::None, request, excess)
    }

    fn rows(
        &self,
        spec: &str,
        _split: Split,
        request: &Request<'_>,
        excess: Option<Excess>,
    ) -> Result<Data> {
        if let Some(excess) = excess {
            return self.stream(request, excess).map(|run| run.train);
        }
        let read = |files: &Files| read_npy(&request.base.join(files.paths()[0]));
        let x = read(&self.x)?;
        let data = match &self.y {
            None => Dataset::unlabelled(x),
            Some(y) => Dataset::new(x, read(y)?)?,
        };
        // Called as SPEC has it.
        Ok(data.named(spec).into())
    }
}
