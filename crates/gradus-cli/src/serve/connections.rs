//! Connections: accepted until a signal comes, each with a limit to what its client may delay.

use super::routes;
use super::service::Service;
use super::stalled::Impatient;
use crate::interrupt;
use crate::output::message;
use gradus::{Error, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::net;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Bytes of a request's line and headers.
const HEADERS: usize = 64 * 1024;
/// Threads that read and write: more would take cores from the one that predicts.
const THREADS: usize = 4;
/// Pause after a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until a signal comes, and then finishes what is in flight. `ready` is said once a signal
/// does so.
pub fn run(service: Service, listener: net::TcpListener, ready: &str) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(THREADS))
        .enable_io()
        .enable_time()
        .build();
    let runtime = runtime.map_err(|cause| Error::io("start", "the server's threads", cause))?;
    let (stop, stopping) = watch::channel(false);
    interrupt::on_first(move || {
        message("the server ends with the requests in flight; a second signal ends it at once");
        stop.send_replace(true);
    });
    message(ready);
    let served = runtime.block_on(serve(Arc::new(service), listener, stopping));
    // Who has not finished in time is left behind.
    runtime.shutdown_background();
    served.map_err(|cause| Error::io("listen on", "the address", cause))
}

async fn serve(
    service: Arc<Service>,
    listener: net::TcpListener,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let most = service.limits.connections;
    let places = Arc::new(Semaphore::new(most as usize));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let stop = stopping.wait_for(|stop| *stop);
        match either(next, stop).await.map_err(drop) {
            Ok((Ok(place), Ok((stream, _)))) => {
                let client = client(service.clone(), stream, place, stopping.clone());
                tokio::spawn(client);
            }
            Ok(_) => sleep(PAUSE).await,
            Err(()) => break,
        }
    }
    drop(listener);
    let all = places.acquire_many(most);
    if timeout(service.limits.time, all).await.is_err() {
        let left = most as usize - places.available_permits();
        message(&format!(
            "{left} connections were not finished within {} s",
            service.limits.time.as_secs()
        ));
    }
    Ok(())
}

/// Answers one client's requests; keeps its place until it is gone.
async fn client(
    service: Arc<Service>,
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are written whole: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let time = service.limits.time;
    let stream = TokioIo::new(Impatient::new(stream, time));
    let answer = service_fn(|request| routes::answer(service.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(time)
        .max_buf_size(HEADERS)
        .serve_connection(stream, answer);
    let mut connection = pin!(connection);
    // A failure is the client's: there is nobody left to tell.
    let stop = stopping.wait_for(|stop| *stop);
    if either(connection.as_mut(), stop).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
    drop(place);
}

/// The result of whichever is done first.
async fn either<A, B>(
    a: impl Future<Output = A>,
    b: impl Future<Output = B>,
) -> std::result::Result<A, B> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => b.as_mut().poll(context).map(Err),
    })
    .await
}
