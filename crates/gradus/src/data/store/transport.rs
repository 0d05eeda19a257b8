//! The HTTP requests of a store, made by `ureq` on the thread that asks.

use bytes::Bytes;
use http_body::{Body, Frame};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{ErrorKind, Read};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use ureq::http::header::{CONTENT_RANGE, RANGE};
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, BodyReader};

/// The environment variable for the seconds that a server may be silent.
pub(super) const SILENCE: &str = "GRADUS_STORE_TIMEOUT";
/// The longest silence of a server, in seconds, if nothing else is said.
const SECONDS: u64 = 30;
/// The time that a machine in a cloud takes to answer its own question for credentials.
const OWN: Duration = Duration::from_secs(2);
const REDIRECTS: u32 = 5;

/// The longest silence of a server.
pub(super) fn silence() -> Duration {
    let said = std::env::var(SILENCE).ok();
    let seconds = said.and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.filter(|n| *n > 0).unwrap_or(SECONDS))
}

/// A fault of a request that is found here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// The server sends whole objects only.
    WholeOnly,
    /// This machine is no cloud's, which would give credentials.
    NoCredentials,
    /// The answer's `Content-Range` is none.
    NoRange,
    /// A store is asked without encryption, which nobody has allowed.
    NotEncrypted,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::WholeOnly => "the server sends no parts of objects, only whole ones",
            Fault::NoCredentials => "there are no credentials",
            Fault::NoRange => "the server's answer says of no part which it is",
            Fault::NotEncrypted => {
                "its endpoint is a http:// one, over which credentials are not sent: AWS_ALLOW_HTTP=true \
                 (AZURE_ALLOW_HTTP, GOOGLE_ALLOW_HTTP) allows it"
            }
        })
    }
}

impl Error for Fault {}

/// Makes the clients of stores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let silence = Some(silence());
        let config = Agent::config_builder()
            .user_agent(concat!("gradus/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(silence)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .max_redirects(REDIRECTS)
            .http_status_as_error(false)
            .build();
        let agent = Agent::new_with_config(config);
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let plain = plain.is_some_and(|said| said == "true");
        Ok(HttpClient::new(Transport { agent, plain }))
    }
}

#[derive(Debug)]
struct Transport {
    agent: Agent,
    /// True if requests may go unencrypted.
    plain: bool,
}

impl HttpService for Transport {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move { self.answer(request) })
    }
}

impl Transport {
    fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let for_part = parts.headers.contains_key(RANGE);
        // The address where a cloud's machines ask for credentials.
        let own = parts
            .uri
            .host()
            .is_some_and(|host| host.starts_with("169.254."));
        if !self.plain && parts.uri.scheme_str() == Some("http") {
            return Err(HttpError::new(HttpErrorKind::Unknown, Fault::NotEncrypted));
        }
        let sent = match body.as_bytes().filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => self.send(Request::from_parts(parts, &bytes[..]), own),
            None => self.send(Request::from_parts(parts, ()), own),
        };
        let answer = sent.map_err(|error| match own {
            true => HttpError::new(HttpErrorKind::Unknown, Fault::NoCredentials),
            false => HttpError::new(kind(&error), error),
        })?;
        if for_part && answer.status() == StatusCode::OK {
            return Err(HttpError::new(HttpErrorKind::Unknown, Fault::WholeOnly));
        }
        if answer.status() == StatusCode::PARTIAL_CONTENT && !has_range(&answer) {
            return Err(HttpError::new(HttpErrorKind::Decode, Fault::NoRange));
        }
        let (parts, body) = answer.into_parts();
        let received = Received(Mutex::new(body.into_reader()));
        Ok(HttpResponse::from_parts(
            parts,
            HttpResponseBody::new(received),
        ))
    }

    fn send(
        &self,
        request: Request<impl ureq::AsSendBody>,
        own: bool,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        match own {
            false => self.agent.run(request),
            true => {
                let configured = self.agent.configure_request(request);
                let configured = configured
                    .timeout_connect(Some(OWN))
                    .timeout_recv_response(Some(OWN));
                self.agent.run(configured.build())
            }
        }
    }
}

/// True if `bytes FIRST-LAST/LENGTH` is said in numbers that a file could have: the crate adds to them
/// without a look.
fn has_range(answer: &Response<ureq::Body>) -> bool {
    let said = answer.headers().get(CONTENT_RANGE);
    let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
    let is_number = |text: &str| matches!(text.trim().parse(), Ok(0..=0x7fff_ffff_ffff_ffff_u64));
    said.trim().strip_prefix("bytes ").is_some_and(|said| {
        let mut numbers = said.split(['-', '/']);
        numbers.clone().count() == 3 && numbers.all(is_number)
    })
}

/// The kind of an error, by which the crate decides to ask again.
fn kind(error: &ureq::Error) -> HttpErrorKind {
    match error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(cause) => of_io(cause),
        _ => HttpErrorKind::Unknown,
    }
}

fn of_io(cause: &std::io::Error) -> HttpErrorKind {
    match cause.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => HttpErrorKind::Timeout,
        ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}

/// The body of an answer, read when it is asked for.
struct Received(Mutex<BodyReader<'static>>);

/// Bytes read at a time.
const PIECE: usize = 64 << 10;

impl Body for Received {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let reader = self.get_mut().0.get_mut();
        let mut piece = vec![0; PIECE];
        let read = reader
            .unwrap_or_else(PoisonError::into_inner)
            .read(&mut piece);
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(Frame::data(Bytes::from(piece))))
            }
            Err(cause) => Some(Err(HttpError::new(of_io(&cause), cause))),
        })
    }
}
