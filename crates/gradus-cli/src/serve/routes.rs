//! Paths, and what each answers.

use super::body;
use super::infer::Infer;
use super::refusal::Refusal;
use super::service::Service;
use crate::output::message;
use gradus::error::visible;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

const JSON: &str = "application/json";
const NPY: &str = "application/x-npy";
const BYTES: &str = "application/octet-stream";
/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Purpose of a path.
#[derive(Clone, Copy, PartialEq)]
enum Route {
    Predict,
    Infer,
    Health,
    Server,
    Model,
    Ready,
    Metrics,
    OpenApi,
}

impl Route {
    fn of(path: &str, model: &str) -> Option<Route> {
        Some(match path {
            "/predict" => Route::Predict,
            "/health" | "/v2/health/live" | "/v2/health/ready" => Route::Health,
            "/v2" => Route::Server,
            "/metrics" => Route::Metrics,
            "/openapi.json" => Route::OpenApi,
            _ => match path.strip_prefix("/v2/models/")?.strip_prefix(model)? {
                "" => Route::Model,
                "/ready" => Route::Ready,
                "/infer" => Route::Infer,
                _ => return None,
            },
        })
    }

    /// The name in metrics.
    fn name(self) -> &'static str {
        match self {
            Route::Predict => "predict",
            Route::Infer => "infer",
            Route::Health | Route::Ready => "health",
            Route::Server | Route::Model => "metadata",
            Route::Metrics => "metrics",
            Route::OpenApi => "openapi",
        }
    }

    fn predicts(self) -> bool {
        matches!(self, Route::Predict | Route::Infer)
    }

    fn allowed(self) -> &'static str {
        match self.predicts() {
            true => "POST",
            false => "GET, HEAD",
        }
    }
}

/// A body with its type.
struct Answer(&'static str, Vec<u8>);

/// Answers a request.
pub async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let start = Instant::now();
    let in_flight = service.metrics.begin();
    let route = Route::of(request.uri().path(), &service.name);
    let allowed = route.map_or("", Route::allowed);
    let answered = match route {
        Some(route) if fits(route, request.method()) => act(&service, route, request).await,
        Some(_) => {
            let reason = format!("method: found {}, expected {allowed}", request.method());
            Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason))
        }
        None => Err(not_found(&service, request.uri().path())),
    };
    let (status, kind, bytes) = match answered {
        Ok(Answer(kind, bytes)) => (StatusCode::OK, kind, bytes),
        Err(Refusal { status, reason }) => {
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                message(&format!("error: {reason}"));
            }
            let object = json!({ "error": reason });
            (status, JSON, format!("{object}\n").into_bytes())
        }
    };
    let took = route.is_some_and(Route::predicts).then(|| start.elapsed());
    let name = route.map_or("none", Route::name);
    service.metrics.count_answer(name, status.as_u16(), took);
    drop(in_flight);
    let mut response = Response::new(Full::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        // The rest of the body may still come.
        StatusCode::REQUEST_TIMEOUT => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    Ok(response)
}

/// True if a path answers that method.
fn fits(route: Route, method: &Method) -> bool {
    match route.predicts() {
        true => method == Method::POST,
        false => method == Method::GET || method == Method::HEAD,
    }
}

async fn act(
    service: &Service,
    route: Route,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let json = |value: Value| Answer(JSON, format!("{value}\n").into_bytes());
    Ok(match route {
        Route::Predict => predict(service, request).await?,
        Route::Infer => infer(service, request).await?,
        Route::Health => json(json!({ "live": true, "ready": true })),
        Route::Ready => json(json!({ "name": service.name, "ready": true })),
        Route::Server => json(json!({
            "name": "gradus",
            "version": env!("CARGO_PKG_VERSION"),
            "extensions": [],
        })),
        Route::Model => json(service.metadata()?),
        Route::Metrics => Answer(METRICS, service.metrics.text().into_bytes()),
        Route::OpenApi => json(service.openapi()?),
    })
}

async fn predict(service: &Service, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let is_npy = content_is_npy(request.headers())?;
    let wants_npy = wants_npy(request.headers());
    let body = body::read(service, request).await?;
    let asked = match is_npy {
        true => service.read_npy(&body.bytes)?,
        false => service.read_json(&body.bytes)?,
    };
    let outputs = service.batches.predict(&asked.rows).await?;
    Ok(match wants_npy {
        true => Answer(NPY, service.write_npy(&outputs)?),
        false => Answer(JSON, service.write_json(&asked, &outputs)?),
    })
}

async fn infer(service: &Service, request: Request<Incoming>) -> Result<Answer, Refusal> {
    if content_is_npy(request.headers())? {
        let reason = format!("Content-Type: found an array, expected {JSON}");
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let body = body::read(service, request).await?;
    let mut infer = Infer::read(&body.bytes)?;
    let asked = service.inferred(&mut infer)?;
    let outputs = service.batches.predict(&asked.rows).await?;
    Ok(Answer(JSON, service.write_inferred(&infer, &outputs)?))
}

/// True if the body is a `.npy` file, false if it is JSON; an error for another type.
fn content_is_npy(headers: &HeaderMap) -> Result<bool, Refusal> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Ok(false);
    };
    let given = String::from_utf8_lossy(given.as_bytes());
    let kind = given.split(';').next().unwrap_or_default().trim();
    let is = |known: &str| kind.eq_ignore_ascii_case(known);
    match (is(JSON), is(NPY) || is(BYTES)) {
        (true, _) => Ok(false),
        (_, true) => Ok(true),
        _ => {
            let found = visible(&given);
            let reason = format!("Content-Type: found {found}, expected {JSON} or {NPY}");
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason))
        }
    }
}

/// True if the client takes a `.npy` file.
fn wants_npy(headers: &HeaderMap) -> bool {
    let taken = headers.get_all(ACCEPT).into_iter();
    let mut taken = taken.filter_map(|value| value.to_str().ok());
    taken.any(|value| value.contains(NPY) || value.contains(BYTES))
}

fn not_found(service: &Service, path: &str) -> Refusal {
    let name = &service.name;
    let reason = format!(
        "path: found {}, expected /predict, /health, /metrics, /openapi.json, /v2, \
         /v2/health/live, /v2/health/ready, /v2/models/{name}, /v2/models/{name}/ready or \
         /v2/models/{name}/infer",
        visible(path)
    );
    Refusal::new(StatusCode::NOT_FOUND, reason)
}
