//! KServe's protocol, version 2, over HTTP with JSON.

use super::arrays::{Array, ArrayOf, Values};
use super::batches::Outputs;
use super::request::{Asked, not_json};
use super::rows::{Cells, check_rows};
use super::service::Service;
use crate::commands::predict::json;
use gradus::data::{Feature, Kind, RawCell};
use gradus::{Dtype, Error, Result};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::io::{self, Write};

/// A request, of whose fields `parameters` are ignored.
#[derive(Deserialize)]
pub struct Infer {
    id: Option<String>,
    inputs: Vec<Input>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    data: Data,
}

#[derive(Deserialize)]
struct Output {
    name: String,
}

/// Values row by row, in nested lists or not.
struct Data(Values);

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::DeserializeSeed;
        // The shape has the number of rows.
        let array = ArrayOf { most: usize::MAX }.deserialize(from)?;
        Ok(Data(array.values))
    }
}

impl Infer {
    /// Reads a request.
    pub fn read(bytes: &[u8]) -> Result<Infer> {
        serde_json::from_slice(bytes).map_err(|error| not_json(&error))
    }
}

impl Service {
    /// The rows of a request: a table's by its columns, others by the model's inputs.
    pub fn inferred(&self, infer: &mut Infer) -> Result<Asked> {
        let inputs = std::mem::take(&mut infer.inputs);
        let most = self.limits.rows;
        let arrays = inputs.into_iter().map(|input| input.array(most));
        if self.inputs.is_some() {
            let named = arrays.map(|array| array.map(|(name, array)| (Some(name), array)));
            return self.of_arrays(named.collect::<Result<_>>()?);
        }
        let Some(columns) = &self.columns else {
            return Err(Error::Internal("a model without inputs or columns".into()));
        };
        let mut cells = Cells::new(columns, most);
        for array in arrays {
            let (name, array) = array?;
            if array.dims.iter().skip(1).any(|&dim| dim != 1) {
                let at = format!("input `{name}`");
                let found = format!("shape {:?}", array.dims);
                return Err(Error::invalid(&at, found, "one value a row: [rows, 1]"));
            }
            let column = match array.values {
                Values::Numbers(all) => all.into_iter().map(RawCell::Number).collect(),
                Values::Texts(all) => all.into_iter().map(RawCell::Text).collect(),
                Values::None => Vec::new(),
            };
            cells.set(&name, column)?;
        }
        self.of_columns(cells)
    }

    /// The answer to a request: the outputs as the model gives them.
    pub fn write_inferred(&self, infer: &Infer, outputs: &Outputs) -> Result<Vec<u8>> {
        let names = self.model.output_names();
        for wanted in &infer.outputs {
            if !names.contains(&wanted.name) {
                let known = names.iter().map(String::as_str);
                return Err(Error::unknown("outputs", "output", &wanted.name, known));
            }
        }
        let wanted = |name: &String| {
            infer.outputs.is_empty() || infer.outputs.iter().any(|output| output.name == *name)
        };
        let mut text = Vec::new();
        let mut write = || -> io::Result<()> {
            let head = json!({ "model_name": self.name, "id": infer.id });
            let head = head.to_string();
            write!(text, "{}, \"outputs\": [", head.trim_end_matches('}'))?;
            let stds = outputs.std.iter().flatten();
            let stds = names.iter().zip(stds).filter(|(name, _)| wanted(name));
            let stds = stds.map(|(name, std)| (format!("{name}_std"), std));
            let means = names.iter().zip(&outputs.values);
            let means = means.filter(|(name, _)| wanted(name));
            let means = means.map(|(name, mean)| (name.clone(), mean));
            for (n, (name, tensor)) in means.chain(stds).enumerate() {
                let shape = [&[tensor.rows()], tensor.shape().dims()].concat();
                let head = json!({ "name": name, "shape": shape, "datatype": "FP32" }).to_string();
                let comma = if n > 0 { ", " } else { "" };
                write!(text, "{comma}{}, \"data\": ", head.trim_end_matches('}'))?;
                json::nested(
                    &mut text,
                    &[tensor.rows() * tensor.size()],
                    &tensor.to_f32(),
                )?;
                text.push(b'}');
            }
            text.write_all(b"]}\n")
        };
        write().map_err(|cause| Error::io("write", "an answer", cause))?;
        Ok(text)
    }

    /// The model's inputs and outputs.
    pub fn metadata(&self) -> Result<Value> {
        let columns = self.schema.as_ref().filter(|_| self.inputs.is_none());
        let inputs: Vec<Value> = match columns {
            Some(schema) => {
                let features = schema.features.iter();
                let column = |feature: &Feature| {
                    let datatype = match feature.kind {
                        Kind::Number => "FP64",
                        Kind::Boolean => "BOOL",
                        _ => "BYTES",
                    };
                    json!({ "name": feature.name, "datatype": datatype, "shape": [-1, 1] })
                };
                features.map(column).collect()
            }
            None => self.model.inputs.iter().map(input).collect(),
        };
        let shapes = self.model.output_shapes()?;
        let outputs = self.model.output_names().into_iter().zip(&shapes);
        let outputs: Vec<Value> = outputs
            .map(|(name, shape)| {
                json!({ "name": name, "datatype": "FP32", "shape": with_rows(shape.dims()) })
            })
            .collect();
        Ok(json!({
            "name": self.name,
            "versions": [],
            "platform": "keras",
            "inputs": inputs,
            "outputs": outputs,
        }))
    }
}

fn input(input: &gradus::model::Input) -> Value {
    let datatype = match input.dtype {
        Dtype::String => "BYTES",
        _ => "FP32",
    };
    let dims = input.shape.as_ref().map_or(&[][..], |shape| shape.dims());
    json!({ "name": input.name, "datatype": datatype, "shape": with_rows(dims) })
}

/// Any number of rows of these dimensions.
fn with_rows(dims: &[usize]) -> Vec<Value> {
    let dims = dims.iter().map(|&dim| dim.into());
    std::iter::once(Value::from(-1)).chain(dims).collect()
}

impl Input {
    /// The values in their shape, with the input's name.
    fn array(self, most: usize) -> Result<(String, Array)> {
        let at = format!("input `{}`", self.name);
        let (values, count) = self.data.of_type(&at, &self.datatype)?;
        let sizes = self
            .shape
            .iter()
            .try_fold(1_usize, |a, &b| a.checked_mul(b));
        if sizes != Some(count) || self.shape.is_empty() {
            let found = format!("{count} values");
            let expected = format!("as many as its shape {:?} has", self.shape);
            return Err(Error::invalid(&at, found, expected));
        }
        check_rows(self.shape[0], most)?;
        let dims = self.shape;
        Ok((self.name, Array { dims, values }))
    }
}

impl Data {
    /// The values and their number, if they are of that type.
    fn of_type(self, at: &str, datatype: &str) -> Result<(Values, usize)> {
        const TYPES: [&str; 13] = [
            "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
            "FP16", "FP32", "FP64", "BYTES",
        ];
        if !TYPES.contains(&datatype) {
            return Err(Error::unknown(at, "datatype", datatype, TYPES));
        }
        let wrong = |found: &str| Error::invalid(at, found, format!("values of {datatype}"));
        match self.0 {
            Values::Numbers(_) if datatype == "BYTES" => Err(wrong("numbers")),
            Values::Texts(_) if datatype != "BYTES" => Err(wrong("texts")),
            Values::Numbers(all) => {
                let whole = datatype.contains("INT");
                let bad = |x: &&f64| match datatype {
                    "BOOL" => **x != 0.0 && **x != 1.0,
                    _ => whole && x.fract() != 0.0,
                };
                if let Some(bad) = all.iter().find(bad) {
                    return Err(wrong(&bad.to_string()));
                }
                let count = all.len();
                Ok((Values::Numbers(all), count))
            }
            Values::Texts(all) => {
                let count = all.len();
                Ok((Values::Texts(all), count))
            }
            Values::None => Ok((Values::None, 0)),
        }
    }
}
