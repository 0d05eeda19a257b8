//! A model's predictions over HTTP.
//!
//! `connections` accepts clients and ends them at a signal; `routes` has a function for each path;
//! `body` reads what a request sends, within limits. `request` makes rows of it: `rows` by a
//! table's columns, `arrays` by a model's inputs, `infer` of KServe's protocol. `batches` has one
//! thread predict for all requests; `answer` writes what comes out. `describe` and `openapi` say
//! what this model takes, by `example`; `metrics` counts.

mod answer;
mod arrays;
mod batches;
mod body;
mod connections;
mod describe;
mod example;
mod infer;
mod metrics;
mod openapi;
mod refusal;
mod request;
mod routes;
mod rows;
mod service;
mod stalled;

pub use connections::run;
pub use service::{Limits, Service, Settings};
