//! `dataset = "NAME"`: a built-in set of pictures.

use super::arrays::files::{array, own_rows};
use super::in_memory::{InMemory, weighted};
use super::kind::{Request, SourceKind, read_own};
use super::table::file::is_table;
use crate::base::memory::Memory;
use crate::base::registry::Value;
use crate::data::builtin::{BUILT_IN, BuiltIn, HOUSING};
use crate::data::conflict::conflict;
use crate::data::dataset::Split;
use crate::data::excess::Excess;
use crate::data::npy::is_array;
use crate::data::pictures::Pictures;
use crate::data::run_data::RunData;
use crate::data::scale_name::ScaleName;
use crate::data::stream::Data;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use std::path::Path;

/// The name of a built-in set: `fashion-mnist`, or of a split: `fashion-mnist:train`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct BuiltInSet {
    /// A built-in set by its name, with its own test rows, or a split of it (`"digits:train"`, which has no
    /// test rows): `gradus data list` shows the names.
    /// Default none.
    #[schemars(extend("examples" = ["fashion-mnist"]))]
    dataset: String,
}

#[derive(Deserialize)]
struct Keys {
    dataset: Option<String>,
}

impl SourceKind for BuiltInSet {
    fn keys() -> &'static [&'static str] {
        &["dataset"]
    }

    fn read(at: &str, fields: &Map<String, Value>) -> Result<Option<Self>> {
        let keys: Keys = read_own(at, fields)?;
        // The one built-in set that is a table is no set of pictures.
        let is_table = |name: &String| name == HOUSING && !fields.contains_key("table");
        let name = keys.dataset.filter(|name| !is_table(name));
        Ok(name.map(|dataset| BuiltInSet { dataset }))
    }

    fn recognise(spec: &str) -> Result<Option<Self>> {
        let found = named(spec)?;
        Ok(found.map(|_| BuiltInSet {
            dataset: spec.to_owned(),
        }))
    }

    fn check(&self, _scale: Option<ScaleName>, memory: Option<Memory>) -> Result<()> {
        match memory {
            None => Ok(()),
            Some(_) => Err(conflict(
                "`memory` belongs to arrays (`x`), `table` and `images`: a `dataset` is read as a \
                 whole",
            )),
        }
    }

    fn keeps(&self) -> bool {
        true
    }

    fn load(&self, request: &Request<'_>) -> Result<RunData> {
        let (set, split) = self.set()?;
        let test = match split {
            None => Some(set.load(Split::Test)?),
            Some(_) => None,
        };
        let rows = set.load(split.unwrap_or(Split::Train))?;
        let rows = weighted(rows, request)?;
        if let (Some(_), Some(own)) = (request.test, &test) {
            let name = &self.dataset;
            let found = format!("a test beside {}, which is the set's own", own.name());
            let expected = format!("one of the two: `dataset = \"{name}:train\"` leaves it out");
            return Err(Error::invalid("data.test", found, expected));
        }
        let rows = InMemory {
            rows,
            test,
            own: &|at, how, train| own_rows(at, how, train, request.base),
            usual: ScaleName::Unit,
            unit: set.unit_scale(),
        };
        let mut run = rows.split(request)?;
        let scale = request.scale.unwrap_or_default();
        if scale != ScaleName::default() {
            run.facts.pictures = Some(Pictures {
                scale,
                ..Pictures::default()
            });
        }
        Ok(run)
    }

    fn rows(
        &self,
        _spec: &str,
        default: Split,
        request: &Request<'_>,
        _excess: Option<Excess>,
    ) -> Result<Data> {
        let (set, split) = self.set()?;
        let data = set.load(split.unwrap_or(default))?;
        let scale = request.purpose.scale(set.unit_scale())?;
        let data = data.map_inputs(|_, input| input.scaled(scale.clone()))?;
        Ok(data.into())
    }

    fn is_pictures(&self) -> bool {
        true
    }

    fn test_spec(&self) -> Option<String> {
        let name = &self.dataset;
        (!name.contains(':')).then(|| format!("{name}:test"))
    }
}

impl BuiltInSet {
    /// The set, and the split if one is named.
    fn set(&self) -> Result<(&'static BuiltIn, Option<Split>)> {
        let name = &self.dataset;
        if let Some(found) = named(name)? {
            return Ok(found);
        }
        let is_file = name.split(',').any(|part| is_array(part.trim()))
            || is_table(name)
            || name.to_ascii_lowercase().ends_with(".toml")
            || Path::new(name).is_dir();
        if is_file {
            let expected = "a built-in set; files go under `x` and `y`";
            return Err(Error::invalid(
                "data.dataset",
                format!("`{name}`"),
                expected,
            ));
        }
        Err(unknown(name))
    }
}

/// The set of a name, and the split behind it if there is one; `None` where no set has the
/// name.
fn named(spec: &str) -> Result<Option<(&'static BuiltIn, Option<Split>)>> {
    let (name, split) = match spec.split_once(':') {
        None => (spec, None),
        Some((name, split)) => (name, Some(split)),
    };
    let Some(set) = BUILT_IN.iter().find(|set| set.name == name) else {
        return Ok(None);
    };
    let split = match split {
        None => None,
        Some("train") => Some(Split::Train),
        Some("test") => Some(Split::Test),
        Some(other) => return Err(Error::unknown("data", "split", other, ["train", "test"])),
    };
    Ok(Some((set, split)))
}

/// The error of words that name no data: a file of another kind, or a name like a set's.
pub(in crate::data) fn unknown(spec: &str) -> Error {
    let is_path = Path::new(spec).exists() || spec.contains(['.', '/']);
    let problem = match is_path {
        true => array("data", spec).err(),
        false => {
            let name = spec.split(':').next().unwrap_or(spec);
            BuiltIn::find("data", name).err()
        }
    };
    problem.unwrap_or_else(|| Error::Internal(format!("`{spec}` names data")))
}
