//! Answers of `POST /predict`: the rows that `gradus predict --out x.json` writes, or a `.npy` file.

use super::batches::Outputs;
use super::refusal::Refusal;
use super::request::Asked;
use super::service::Service;
use crate::commands::predict::json::List;
use crate::commands::predict::scored;
use gradus::{Error, Result, Tensor, data};
use hyper::StatusCode;
use std::io::{self, Write};

impl Service {
    /// `{"predictions": …}`, and of several samples `"std"`: a list with an item for each row, or an
    /// object with such a list for each of several outputs without columns. Values that the model
    /// does not know are named in `"warnings"`.
    pub fn write_json(&self, asked: &Asked, outputs: &Outputs) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let failed = |cause| Error::io("write", "an answer", cause);
        text.extend(b"{\"predictions\": ");
        self.write_rows(&mut text, asked, &outputs.values, true)?;
        if let Some(std) = &outputs.std {
            text.extend(b", \"std\": ");
            self.write_rows(&mut text, asked, std, false)?;
        }
        if !asked.warnings.is_empty() {
            let warnings = serde_json::Value::from(asked.warnings.clone());
            write!(text, ", \"warnings\": {warnings}").map_err(failed)?;
        }
        text.extend(b"}\n");
        Ok(text)
    }

    /// The rows' columns, or numbers. `values` is false for deviations.
    fn write_rows(
        &self,
        to: &mut Vec<u8>,
        asked: &Asked,
        outputs: &[Tensor],
        values: bool,
    ) -> Result<()> {
        let failed = |cause| Error::io("write", "an answer", cause);
        if asked.by_columns || self.is_classifier {
            let scored = match values {
                true => scored(&self.model, &asked.rows, outputs, self.reject_below)?,
                false => self.model.scored_about(&asked.rows, outputs)?,
            };
            let mut list = List::default();
            return list
                .scored(to, &scored)
                .and_then(|()| list.end(to))
                .map_err(failed);
        }
        if let [output] = outputs {
            return write_numbers(to, output).map_err(failed);
        }
        to.push(b'{');
        for (n, (output, name)) in outputs.iter().zip(self.model.output_names()).enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(to, "{comma}{}: ", serde_json::Value::from(name)).map_err(failed)?;
            write_numbers(to, output).map_err(failed)?;
        }
        to.push(b'}');
        Ok(())
    }

    /// The only output as a `.npy` file.
    pub fn write_npy(&self, outputs: &Outputs) -> Result<Vec<u8>, Refusal> {
        let ([output], None) = (&outputs.values[..], &outputs.std) else {
            let reason = "Accept: a .npy file holds one array, and the answer has several; expected \
                          application/json";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, reason));
        };
        let mut bytes = Vec::new();
        data::write_npy(&mut bytes, output.shape(), &output.to_f32())
            .map_err(|cause| Error::io("write", "an answer", cause))?;
        Ok(bytes)
    }
}

fn write_numbers(to: &mut Vec<u8>, output: &Tensor) -> io::Result<()> {
    let mut list = List::default();
    list.rows(to, output.shape().dims(), &output.to_f32())?;
    list.end(to)
}
