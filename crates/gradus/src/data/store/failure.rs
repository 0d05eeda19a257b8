//! The words for what a store or a server refused. Nothing is repeated that could hold a secret:
//! of an answer, only its status and the code in it.

use super::transport::{Fault, SILENCE, silence};
use std::error::Error;
use std::io::{self, ErrorKind};

/// The longest part of a library's message that is repeated, in characters.
const MOST: usize = 200;

/// True if the server sends no parts of objects.
pub(super) fn is_whole_only(error: &object_store::Error) -> bool {
    chain(error).any(|cause| cause.downcast_ref() == Some(&Fault::WholeOnly))
}

/// True if there was no byte at the place that was asked for: the object is empty.
pub(super) fn is_beyond(error: &object_store::Error) -> bool {
    status(error).is_some_and(|status| status.starts_with("416"))
}

/// The error in words, for an object of that scheme.
pub(super) fn of(error: object_store::Error, scheme: &str) -> io::Error {
    let timed_out = |cause: &(dyn Error + 'static)| {
        matches!(cause.downcast_ref(), Some(ureq::Error::Timeout(_)))
            || cause.downcast_ref().is_some_and(|cause: &io::Error| {
                [ErrorKind::TimedOut, ErrorKind::WouldBlock].contains(&cause.kind())
            })
    };
    let (kind, problem) = match &error {
        object_store::Error::NotFound { .. } => (
            ErrorKind::NotFound,
            "there is no such object (404)".to_owned(),
        ),
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => {
            let code = code(&error).map_or(String::new(), |code| format!(", {code}"));
            let status = status(&error).unwrap_or_else(|| "403".to_owned());
            let problem = format!("access is denied ({status}{code}): {}", credentials(scheme));
            (ErrorKind::PermissionDenied, problem)
        }
        _ if chain(&error).any(|c| c.downcast_ref() == Some(&Fault::NoCredentials)) => {
            let problem = format!("there are no credentials: {}", credentials(scheme));
            (ErrorKind::PermissionDenied, problem)
        }
        _ if chain(&error).any(timed_out) => (
            ErrorKind::TimedOut,
            format!(
                "no answer within {} s, which {SILENCE} may raise",
                silence().as_secs()
            ),
        ),
        _ => match status(&error) {
            Some(status) => {
                let code = code(&error).map_or(String::new(), |code| format!(", {code}"));
                (ErrorKind::Other, format!("the answer is {status}{code}"))
            }
            None => (ErrorKind::Other, innermost(&error)),
        },
    };
    io::Error::new(kind, problem)
}

/// The error and its causes.
fn chain(error: &object_store::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// The last cause's words, with nothing of a body.
fn innermost(error: &object_store::Error) -> String {
    let last = chain(error).last().map(ToString::to_string);
    let text = last.unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    first.chars().take(MOST).collect()
}

/// The status of an answer: `500 Internal Server Error`.
fn status(error: &object_store::Error) -> Option<String> {
    let text = chain(error).last()?.to_string();
    let (_, said) = text.split_once("status code: ")?;
    Some(said.split(": ").next().unwrap_or(said).to_owned())
}

/// The code within the body of an answer, as S3 and its like have it: `InvalidAccessKeyId`.
fn code(error: &object_store::Error) -> Option<String> {
    let text = chain(error).last()?.to_string();
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_word = code.len() < 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

/// The variables with the credentials of a store.
fn credentials(scheme: &str) -> &'static str {
    match scheme {
        "s3" => {
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION name who reads it (and AWS_ENDPOINT a \
             store that is not Amazon's); AWS_SKIP_SIGNATURE=true reads a public bucket"
        }
        "gs" => {
            "GOOGLE_SERVICE_ACCOUNT is the path of the key of who reads it; GOOGLE_SKIP_SIGNATURE=true \
             reads a public bucket"
        }
        "az" => {
            "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY name who reads it; \
             AZURE_SKIP_SIGNATURE=true reads a public container"
        }
        _ => "only what anyone may read is read from a server: download the file",
    }
}
