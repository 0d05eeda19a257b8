//! Requests that are not answered with predictions.

use gradus::Error;
use hyper::StatusCode;

/// A status and the reason for it.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub reason: String,
}

impl Refusal {
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Refusal { status, reason }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.is_users_mistake() {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refusal::new(status, error.to_string())
    }
}
