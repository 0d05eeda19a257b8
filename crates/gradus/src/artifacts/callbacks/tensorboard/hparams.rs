//! The run for TensorBoard's HParams dashboard: a session with its hyper-parameters.

use super::file::seconds;
use super::messages::{HParam, HParams, Plain, SessionEnd, SessionStart, Value};
use super::values::plugin_data;
use crate::base::registry;
use prost::Message;

/// The beginning of the session. Numbers, texts and truth values of `hparams` are hyper-parameters.
pub fn start(hparams: &[(String, registry::Value)]) -> Value {
    let hparams = hparams.iter().filter_map(|(name, value)| {
        let plain = match value {
            registry::Value::Number(number) => Plain::Number(number.as_f64()?),
            registry::Value::String(text) => Plain::Text(text.clone()),
            registry::Value::Bool(truth) => Plain::Bool(*truth),
            _ => return None,
        };
        let plain = Some(plain);
        Some((name.clone(), HParam { plain }))
    });
    let start = SessionStart {
        hparams: hparams.collect(),
        time: seconds(),
    };
    let data = HParams {
        start: Some(start),
        end: None,
    };
    session("_hparams_/session_start_info", &data)
}

/// The end of the session.
pub fn end(succeeded: bool) -> Value {
    let status = match succeeded {
        true => SessionEnd::SUCCESS,
        false => SessionEnd::FAILURE,
    };
    let end = SessionEnd {
        status,
        time: seconds(),
    };
    let data = HParams {
        start: None,
        end: Some(end),
    };
    session("_hparams_/session_end_info", &data)
}

fn session(tag: &str, data: &HParams) -> Value {
    plugin_data("hparams", data.encode_to_vec(), tag)
}
