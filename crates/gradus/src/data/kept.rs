//! `classes` and `rows` of a `[data]` table: the rows that are kept of all.

use super::classes::codes;
use super::conflict::conflict;
use super::dataset::Dataset;
use super::tensor::Tensor;
use crate::base::registry::Value;
use crate::error::{Error, Result, join};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;
use std::num::NonZeroUsize;

/// The rows that are kept of all that a source has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(default)]
pub(crate) struct Kept {
    /// The classes, by their numbers or names, or lists of those that are to be one; their rows'
    /// labels become their places here. Default all.
    #[schemars(length(min = 2), extend("examples" = [[5, 6], [[5, 7, 9], 6]]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<Group>>,
    /// The number of training rows: the first of those that are not held out. Default all of them.
    #[schemars(with = "Option<NonZeroUsize>", extend("examples" = [200]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
}

/// The classes that get one label.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
enum Group {
    One(Class),
    Several(Vec<Class>),
}

impl Group {
    fn all(&self) -> &[Class] {
        match self {
            Group::One(class) => std::slice::from_ref(class),
            Group::Several(classes) => classes,
        }
    }

    /// The classes joined by a word.
    fn joined(&self, by: &str) -> String {
        let names: Vec<String> = self.all().iter().map(Class::to_string).collect();
        names.join(by)
    }
}

/// A class, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
enum Class {
    Number(i32),
    Name(String),
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Class::Number(number) => write!(f, "{number}"),
            Class::Name(name) => write!(f, "{name}"),
        }
    }
}

impl Kept {
    /// Reads the values of the keys `classes` and `rows` of the table at `at`.
    pub fn from_values(at: &str, classes: Option<Value>, rows: Option<Value>) -> Result<Self> {
        let classes = classes.map(|value| read_classes(&join(at, "classes"), &value));
        let rows = rows.map(|value| {
            let rows = value.as_u64().filter(|&rows| rows > 0);
            let rows = rows.and_then(|rows| usize::try_from(rows).ok());
            let expected = "a whole number of 1 or more, the rows to train on";
            rows.ok_or_else(|| Error::invalid(&join(at, "rows"), value, expected))
        });
        Ok(Kept {
            classes: classes.transpose()?,
            rows: rows.transpose()?,
        })
    }

    /// True if some classes are chosen, so that labels are not the source's.
    pub fn renumbers(&self) -> bool {
        self.classes.is_some()
    }

    /// Refuses the keys for a kind of data that they do not belong to.
    pub fn refuse(&self) -> Result<()> {
        let key = match self {
            Kept {
                classes: Some(_), ..
            } => "classes",
            Kept { rows: Some(_), .. } => "rows",
            _ => return Ok(()),
        };
        Err(conflict(&format!(
            "`{key}` belongs to a `dataset` of pictures and to arrays (`x` and `y`) in memory"
        )))
    }

    /// The rows of the classes, their labels numbered anew.
    pub fn of_classes(&self, rows: Dataset) -> Result<Dataset> {
        let Some(classes) = &self.classes else {
            return Ok(rows);
        };
        let at = "data.classes";
        let [target] = rows.targets() else {
            let found = format!("{} targets", rows.targets().len());
            return Err(Error::invalid(at, found, "one target, of classes"));
        };
        let codes = codes(target)?;
        let mut places = HashMap::new();
        let members = classes.iter().enumerate();
        let members =
            members.flat_map(|(place, group)| group.all().iter().map(move |c| (place, c)));
        for (place, class) in members {
            let number = number(at, class, &rows)?;
            if places.insert(number as u32, place).is_some() {
                let found = format!("{class} twice");
                return Err(Error::invalid(at, found, "each class once"));
            }
            if !codes.contains(&(number as u32)) {
                let last = codes.iter().filter(|&&code| code < 1 << 24).max();
                let last = last.copied().unwrap_or_default();
                let found = format!("{class}, which no row has");
                let expected = format!("classes of {}, at most {last}", rows.name());
                return Err(Error::invalid(at, found, expected));
            }
        }
        let place = |(row, code): (usize, &u32)| Some((row, *places.get(code)?));
        let kept: Vec<(usize, usize)> = codes.iter().enumerate().filter_map(place).collect();
        let numbers: Vec<usize> = kept.iter().map(|&(row, _)| row).collect();
        let labels: Vec<f32> = match target.size() {
            1 => kept.iter().map(|&(_, place)| place as f32).collect(),
            _ => {
                let one_hot = |&(_, of_row): &(usize, usize)| {
                    (0..classes.len()).map(move |place| f32::from(u8::from(place == of_row)))
                };
                kept.iter().flat_map(one_hot).collect()
            }
        };
        let labels = match target.size() {
            1 => Tensor::from_f32(target.shape().clone(), labels)?,
            _ => Tensor::from_f32([classes.len()], labels)?,
        };
        let names: Vec<String> = match rows.class_names() {
            [] => Vec::new(),
            names => {
                let name = |group: &Group| {
                    let name = |class: &Class| {
                        let number = number(at, class, &rows)?;
                        let known = usize::try_from(number).ok().and_then(|n| names.get(n));
                        Ok(known.cloned().unwrap_or_else(|| class.to_string()))
                    };
                    let all: Result<Vec<String>> = group.all().iter().map(name).collect();
                    Ok(all?.join(" or "))
                };
                classes.iter().map(name).collect::<Result<_>>()?
            }
        };
        let labels = labels.named(target.name());
        let rows = rows.select(&numbers)?.with_targets(vec![labels])?;
        Ok(rows.with_class_names(&names))
    }

    /// The rows that are trained on, of those that are not held out.
    pub fn to_train(&self, mut rows: Vec<usize>) -> Result<Vec<usize>> {
        if let Some(most) = self.rows {
            if most > rows.len() {
                let expected = format!("at most {}, the rows that are not held out", rows.len());
                return Err(Error::invalid("data.rows", most, expected));
            }
            rows.truncate(most);
        }
        Ok(rows)
    }

    /// The classes in words, if some are chosen.
    pub fn describe(&self) -> Option<String> {
        let classes = self.classes.as_ref()?;
        let pairs = classes.iter().enumerate();
        let pairs = pairs.map(|(place, class)| format!("{} as {place}", class.joined(" or ")));
        let pairs: Vec<String> = pairs.collect();
        Some(format!("of the classes {}", pairs.join(", ")))
    }
}

/// The number of a class, which may be given by its name.
fn number(at: &str, class: &Class, rows: &Dataset) -> Result<i32> {
    match class {
        Class::Number(number) => Ok(*number),
        Class::Name(name) => {
            let names = rows.class_names();
            let found = names.iter().position(|known| known == name);
            let known = names.iter().map(String::as_str);
            let number = found.and_then(|n| i32::try_from(n).ok());
            number.ok_or_else(|| Error::unknown(at, "class", name, known))
        }
    }
}

fn read_classes(at: &str, value: &Value) -> Result<Vec<Group>> {
    const EXPECTED: &str = "two classes or more, by their numbers or names, such as [5, 6]; a list \
                            among them makes one class of several: [[5, 7, 9], 6]";
    let wrong = || Error::invalid(at, value, EXPECTED);
    let class = |item: &Value| match item {
        Value::String(name) => Some(Class::Name(name.clone())),
        item => {
            let number = item.as_i64().and_then(|n| i32::try_from(n).ok());
            number.filter(|n| n.abs() < 1 << 24).map(Class::Number)
        }
    };
    let group = |item: &Value| match item {
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let all: Option<Vec<Class>> = items.iter().map(class).collect();
            all.map(Group::Several)
        }
        item => class(item).map(Group::One),
    };
    let items = value.as_array().filter(|items| items.len() > 1);
    let items = items.ok_or_else(wrong)?.iter();
    items.map(group).collect::<Option<_>>().ok_or_else(wrong)
}
