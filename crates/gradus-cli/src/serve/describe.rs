//! Words of the server at its start: what it takes, and how to ask.

use super::service::Service;
use crate::output::quoted;
use gradus::Result;

/// Columns named in a line.
const MOST_COLUMNS: usize = 12;

impl Service {
    /// The inputs and outputs, and a command that asks for a prediction.
    pub fn describe(&self, address: &str) -> Result<String> {
        let inputs = match &self.schema {
            Some(schema) => {
                let features = schema.features.iter();
                let names = features.map(|f| format!("{} ({})", f.name, f.kind.name()));
                format!("columns {}", first(names.collect()))
            }
            None => {
                let inputs = self.model.inputs.iter();
                let names = inputs.map(|input| match &input.shape {
                    Some(shape) => format!("{} {shape}", input.name),
                    None => input.name.clone(),
                });
                format!("inputs {}", first(names.collect()))
            }
        };
        let shapes = self.model.output_shapes()?;
        let outputs = self.model.output_names().into_iter().zip(&shapes);
        let outputs = outputs.map(|(name, shape)| format!("{name} {shape}"));
        let command = match self.example() {
            Some(body) => format!(
                "-H 'Content-Type: application/json' -d {}",
                quoted(&body.to_string())
            ),
            None => "-H 'Content-Type: application/x-npy' --data-binary @x.npy".to_owned(),
        };
        Ok(format!(
            "{inputs}; outputs {}\n  curl http://{address}/predict {command}",
            first(outputs.collect())
        ))
    }
}

fn first(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST_COLUMNS);
    names.truncate(MOST_COLUMNS);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.join(", ") + &more
}
