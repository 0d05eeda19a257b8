//! A request that the model takes, for its users to begin with.

use super::service::Service;
use gradus::data::{Feature, Kind, Schema};
use gradus::{Dtype, Result};
use serde_json::{Map, Value, json};

/// Days as people write them: a column's format reads one of them at least, unless it is a pattern
/// of its own.
const DAYS: [&str; 6] = [
    "2024-05-31",
    "31.05.2024",
    "05/31/2024",
    "31/05/2024",
    "20240531",
    "31 May 2024",
];
const TIMES: [&str; 3] = [
    "2024-05-31 13:45:00",
    "31.05.2024 13:45",
    "05/31/2024 13:45",
];
/// Values of an array that is too long to print.
const MOST_VALUES: usize = 12;

impl Service {
    /// A body for `POST /predict`; `None` for a model whose inputs are too large to write by hand.
    pub fn example(&self) -> Option<Value> {
        if let Some(schema) = &self.schema {
            let features = schema.features.iter();
            let cells = features.map(|feature| {
                let cell = self.cell(schema, feature);
                (feature.name.clone(), cell)
            });
            return Some(json!({ "rows": [cells.collect::<Map<_, _>>()] }));
        }
        let inputs = self.model.inputs.iter();
        let rows = inputs.map(|input| {
            let dims = input.shape.as_ref()?.dims();
            let size = dims.iter().product::<usize>();
            let value = match input.dtype {
                Dtype::String => json!("a"),
                _ => json!(0),
            };
            let row = dims.iter().rev();
            let row = row.fold(value, |inner, &dim| Value::from(vec![inner; dim.min(size)]));
            (size <= MOST_VALUES).then(|| (input.name.clone(), json!([row])))
        });
        let rows = rows.collect::<Option<Vec<_>>>()?;
        Some(match &rows[..] {
            [(_, only)] => json!({ "inputs": only }),
            _ => json!({ "inputs": rows.into_iter().collect::<Map<_, _>>() }),
        })
    }

    /// A value of a column: a category that the model knows, a day in the column's format.
    pub fn cell(&self, schema: &Schema, feature: &Feature) -> Value {
        match feature.kind {
            Kind::Number => match feature.offset {
                Some(offset) => json!(offset),
                None => json!(1),
            },
            Kind::Boolean => json!(true),
            Kind::Category => {
                let inputs = self.model.inputs.iter().zip(self.model.known_texts());
                let mut of_feature = inputs.filter(|(input, _)| input.name == feature.input);
                let known = of_feature.next().map(|(_, texts)| texts);
                let mut known = known.into_iter().flatten();
                json!(known.find(|text| !text.is_empty()).unwrap_or("a"))
            }
            Kind::Date => self.readable(schema, feature, &DAYS),
            Kind::DateTime => self.readable(schema, feature, &TIMES),
        }
    }

    /// The first of these texts that the column's format reads; null, which is a gap, if none is.
    fn readable(&self, schema: &Schema, feature: &Feature, texts: &[&str]) -> Value {
        let reads = |text: &&&str| -> Result<()> {
            let mut one = schema.clone();
            one.features.retain(|other| other.name == feature.name);
            let cell = gradus::data::RawCell::Text((**text).to_string());
            let column = vec![(feature.name.clone(), vec![cell])];
            one.rows(gradus::data::RawTable::new("example", column), false)?;
            Ok(())
        };
        let found = texts.iter().find(|text| reads(text).is_ok());
        found.map_or(Value::Null, |text| json!(text))
    }
}
