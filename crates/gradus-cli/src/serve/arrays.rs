//! Arrays in JSON: lists of lists, by the names of a model's inputs.

use super::rows::{check_rows, custom};
use gradus::{Dataset, Dtype, Error, Model, Result, Tensor, data};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// Axes of an array, the rows' included.
const MOST_AXES: usize = 16;

/// The inputs of a model.
pub struct Inputs {
    names: Vec<String>,
    /// True for each input of text.
    texts: Vec<bool>,
}

impl Inputs {
    pub fn new(model: &Model) -> Self {
        let inputs = model.inputs.iter();
        let (names, texts) = inputs
            .map(|input| (input.name.clone(), input.dtype == Dtype::String))
            .unzip();
        Inputs { names, texts }
    }

    /// The rows of arrays, each with the name of its input; a single one may have none.
    pub fn dataset(&self, arrays: Vec<(Option<String>, Array)>) -> Result<Dataset> {
        let mut tensors = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (name, array) in arrays {
            let place = match &name {
                None if self.names.len() == 1 => Some(0),
                None => {
                    let found = "one array without a name";
                    let named = self.names.iter().map(|name| format!("`{name}`"));
                    let expected = format!(
                        "an object with an array for each of {}",
                        named.collect::<Vec<_>>().join(", ")
                    );
                    return Err(Error::invalid("inputs", found, expected));
                }
                Some(name) => self.names.iter().position(|known| known == name),
            };
            let Some(place) = place else {
                let known = self.names.iter().map(String::as_str);
                let name = name.unwrap_or_default();
                return Err(Error::unknown("inputs", "input", &name, known));
            };
            let name = &self.names[place];
            if names.contains(name) {
                let found = format!("`{name}` twice");
                return Err(Error::invalid("inputs", found, "each input once"));
            }
            tensors.push(array.tensor(&format!("input `{name}`"), self.texts[place])?);
            names.push(name.clone());
        }
        if let Some(missing) = self.names.iter().find(|name| !names.contains(name)) {
            let found = format!("no input `{missing}`");
            return Err(Error::invalid("inputs", found, "all of the model's inputs"));
        }
        Dataset::from_parts(tensors, Vec::new())?.with_names(&names, &[""; 0])
    }
}

/// Numbers or texts with their dimensions, the rows first.
#[derive(Debug, Default)]
pub struct Array {
    pub dims: Vec<usize>,
    pub values: Values,
}

/// The values of an array, all of one kind.
#[derive(Debug, Default)]
pub enum Values {
    #[default]
    None,
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Array {
    /// The rows as a tensor, of texts or numbers.
    fn tensor(self, name: &str, is_text: bool) -> Result<Tensor> {
        let Some((&rows, dims)) = self.dims.split_first() else {
            return Err(Error::invalid(name, "no list", "a list of rows"));
        };
        if rows == 0 {
            return Err(Error::invalid(name, "no rows", "at least one"));
        }
        let dims = dims.to_vec();
        let tensor = match self.values {
            Values::Texts(_) if !is_text => {
                return Err(Error::invalid(name, "texts", "numbers"));
            }
            Values::Numbers(_) if is_text => {
                return Err(Error::invalid(name, "numbers", "texts"));
            }
            Values::Texts(texts) => of_texts(dims, &texts)?,
            Values::Numbers(numbers) => Tensor::from_f64(dims, numbers)?,
            Values::None => return Err(Error::invalid(name, "empty lists", "values")),
        };
        Ok(tensor.named(name))
    }
}

/// Texts in rows of any shape.
fn of_texts(dims: Vec<usize>, texts: &[String]) -> Result<Tensor> {
    let flat = Tensor::from_texts(texts)?;
    match flat.values() {
        data::Values::Text { names, codes } => {
            Tensor::from_dictionary(dims, Arc::new(names.to_vec()), codes.to_vec())
        }
        _ => Err(Error::Internal("texts that became numbers".into())),
    }
}

/// Reads an array of at most so many rows.
pub struct ArrayOf {
    pub most: usize,
}

impl<'de> DeserializeSeed<'de> for ArrayOf {
    type Value = Array;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Array, D::Error> {
        let mut building = Building {
            array: Array::default(),
            axes: None,
            most: self.most,
        };
        let level = Level {
            building: &mut building,
            depth: 0,
        };
        level.deserialize(from)?;
        Ok(building.array)
    }
}

/// An array in the making.
struct Building {
    array: Array,
    /// The number of axes, once there is a value.
    axes: Option<usize>,
    most: usize,
}

impl Building {
    fn add<E: serde::de::Error>(&mut self, depth: usize, value: Scalar<'_>) -> Result<(), E> {
        if depth == 0 {
            return Err(E::custom("found a single value, expected a list of rows"));
        }
        if *self.axes.get_or_insert(depth) != depth {
            return Err(ragged());
        }
        match (&mut self.array.values, value) {
            (Values::Numbers(all), Scalar::Number(number)) => all.push(number),
            (Values::Texts(all), Scalar::Text(text)) => all.push(text.to_owned()),
            (values @ Values::None, Scalar::Number(number)) => {
                *values = Values::Numbers(vec![number]);
            }
            (values @ Values::None, Scalar::Text(text)) => {
                *values = Values::Texts(vec![text.to_owned()]);
            }
            _ => return Err(E::custom("found texts among numbers, expected one kind")),
        }
        Ok(())
    }

    /// Ends a list at this depth.
    fn end<E: serde::de::Error>(&mut self, depth: usize, length: usize) -> Result<(), E> {
        // Deeper lists end first.
        let dims = &mut self.array.dims;
        if dims.len() <= depth {
            dims.resize(depth + 1, usize::MAX);
        }
        match dims[depth] {
            usize::MAX => dims[depth] = length,
            known if known != length => return Err(ragged()),
            _ => {}
        }
        match self.axes {
            Some(axes) if axes <= depth => Err(ragged()),
            _ => Ok(()),
        }
    }
}

fn ragged<E: serde::de::Error>() -> E {
    E::custom("found rows of different shapes, expected lists of the same lengths")
}

enum Scalar<'a> {
    Number(f64),
    Text(&'a str),
}

/// A value or list at this depth.
struct Level<'a> {
    building: &'a mut Building,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows: a list of numbers, texts, or lists of these")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.depth == MOST_AXES {
            let deep = format!("found more than {MOST_AXES} lists in each other");
            return Err(serde::de::Error::custom(deep));
        }
        let mut length = 0;
        loop {
            let inner = Level {
                building: &mut *self.building,
                depth: self.depth + 1,
            };
            if list.next_element_seed(inner)?.is_none() {
                return self.building.end(self.depth, length);
            }
            length += 1;
            if self.depth == 0 {
                check_rows(length, self.building.most).map_err(custom)?;
            }
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.building.add(self.depth, Scalar::Number(number))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    /// 1 or 0.
    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<(), E> {
        self.visit_f64(f64::from(u8::from(truth)))
    }

    /// A gap: NaN, which a model takes or refuses.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_f64(f64::NAN)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.building.add(self.depth, Scalar::Text(text))
    }
}
