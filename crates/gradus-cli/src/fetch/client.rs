//! HTTP: a request for the rest of a file, and the server's answer.

use std::io::Read;
use std::time::Duration;
use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

const CONNECT: Duration = Duration::from_secs(15);
/// Time-out of a silent server.
const SILENCE: Duration = Duration::from_secs(30);
const REDIRECTS: u32 = 5;

/// A server's answer: the file's contents from a byte on.
pub struct Answer {
    /// First byte: as requested, or 0 from a server that always sends the whole file.
    pub start: u64,
    /// The contents.
    pub body: Box<dyn Read>,
}

/// A client with time-outs.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .user_agent(concat!("gradus/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .max_redirects(REDIRECTS)
        .http_status_as_error(false)
        .build();
    Agent::new_with_config(config)
}

/// Requests a file of `length` bytes from byte `start` on. The error is in words.
pub fn get(agent: &Agent, url: &str, start: u64, length: u64) -> Result<Answer, String> {
    let mut request = agent.get(url);
    if start > 0 {
        request = request.header(RANGE, format!("bytes={start}-"));
    }
    let response = request.call().map_err(|error| error.to_string())?;
    let wrong_length = |found: u64| format!("it offers {found} bytes, expected {length}");
    match response.status() {
        StatusCode::OK => match response.body().content_length() {
            Some(found) if found != length => Err(wrong_length(found)),
            _ => Ok(answer(0, response)),
        },
        StatusCode::PARTIAL_CONTENT if start > 0 => {
            let range = response.headers().get(CONTENT_RANGE);
            let range = range.and_then(|range| range.to_str().ok()).unwrap_or("");
            match content_range(range) {
                Some((from, total)) if from == start => match total {
                    Some(found) if found != length => Err(wrong_length(found)),
                    _ => Ok(answer(start, response)),
                },
                _ => Err(format!(
                    "asked for the bytes from {start} on, found `Content-Range: {range}`"
                )),
            }
        }
        status => Err(format!("the server says {status}")),
    }
}

fn answer(start: u64, response: Response<Body>) -> Answer {
    Answer {
        start,
        body: Box::new(response.into_body().into_reader()),
    }
}

/// The first byte and the whole length of `bytes FIRST-LAST/LENGTH`; the length
/// may be `*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((first.parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_refused() {
        assert_eq!(content_range("bytes 7-99/100"), Some((7, Some(100))));
        assert_eq!(content_range("bytes 7-99/*"), Some((7, None)));
        for text in [
            "",
            "bytes",
            "bytes */100",
            "bytes -/",
            "items 0-1/2",
            "bytes 1-2/x",
        ] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
