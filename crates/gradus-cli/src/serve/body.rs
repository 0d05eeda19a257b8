//! The body of a request, within its limits.

use super::refusal::Refusal;
use super::service::{Limits, Service};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Time for which the rest of a refused body is read: a client that is still sending would not
/// read the refusal.
const DISCARD: Duration = Duration::from_secs(2);

/// The bytes of a body, and the room that they take until they are dropped.
pub struct Body {
    pub bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

/// Reads the body of a request.
pub async fn read(service: &Service, request: Request<Incoming>) -> Result<Body, Refusal> {
    let (head, mut body) = request.into_parts();
    let Limits {
        body: most, time, ..
    } = service.limits;
    let read = match refuse(&head.headers, &body, most) {
        Some(refusal) => Err(refusal),
        None => match timeout(time, collect(&mut body, most, &service.room)).await {
            Ok(read) => read,
            Err(_) => {
                let reason = format!("the body did not come within {} s", time.as_secs());
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, reason));
            }
        },
    };
    if read.is_err() {
        let _ = timeout(DISCARD, discard(&mut body, most)).await;
    }
    read
}

/// The refusal of a body by its headers.
fn refuse(headers: &HeaderMap, body: &Incoming, most: usize) -> Option<Refusal> {
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        let reason = "found no body, expected one with a Content-Length";
        return Some(Refusal::new(StatusCode::LENGTH_REQUIRED, reason));
    }
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && encoding != "identity"
    {
        let reason = format!("Content-Encoding: found {encoding:?}, expected a plain body");
        return Some(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let length = body.size_hint().lower();
    (length > most as u64).then(|| too_large(&format!("{length} bytes"), most))
}

fn too_large(found: &str, most: usize) -> Refusal {
    let reason = format!("body: found {found}, expected at most {most}, the server's --max-body");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
}

async fn collect(body: &mut Incoming, most: usize, room: &Arc<Semaphore>) -> Result<Body, Refusal> {
    let mut read = Body {
        bytes: Vec::new(),
        room: None,
    };
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let reason = "body: it ended before its length";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = read.bytes.len() + data.len();
        if length > most {
            return Err(too_large("more bytes", most));
        }
        read.take_room(length, room)?;
        read.bytes.extend_from_slice(&data);
    }
    Ok(read)
}

impl Body {
    /// Takes room for this many bytes in all.
    fn take_room(&mut self, bytes: usize, room: &Arc<Semaphore>) -> Result<(), Refusal> {
        let taken = self
            .room
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(1024).saturating_sub(taken);
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let Ok(more) = room.clone().try_acquire_many_owned(more) else {
            let reason = "other requests' bodies take all the memory for bodies: try again";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason));
        };
        match &mut self.room {
            Some(taken) => taken.merge(more),
            None => self.room = Some(more),
        }
        Ok(())
    }
}

/// Reads this many bytes more, and forgets them.
async fn discard(body: &mut Incoming, most: usize) {
    let mut left = most;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len());
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}
