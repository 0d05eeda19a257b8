//! The end of a server.

use crate::client::Server;
use crate::trained;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

const HALF: &str = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n{\"si";

/// Waits until nobody listens any more.
fn until_closed(server: &Server) {
    let start = Instant::now();
    while TcpStream::connect(&server.address).is_ok() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it listens still"
        );
        sleep(Duration::from_millis(5));
    }
}

/// Waits until the server has seen a request besides the one that asks for it.
fn until_seen(server: &Server) {
    let seen = "gradus_requests_in_flight 2\n";
    while !server.get("/metrics").text().contains(seen) {
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_lets_requests_in_flight_be_answered() {
    let place = trained();
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&place, "run", &[]);
        let mut idle = server.connect();
        idle.send("POST /predict HTTP/1.1", br#"{"size": 3}"#);
        let wanted = idle.answer().body;
        let mut client = server.connect();
        client.write(HALF.as_bytes());
        until_seen(&server);
        server.signal(signal);
        until_closed(&server);
        client.write(b"ze\": 3}");
        let answer = client.answer();
        assert_eq!((answer.status, &answer.body), (200, &wanted));
        assert_eq!(client.maybe_answer(), None);
        assert_eq!(idle.maybe_answer(), None);
        let (code, said) = server.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("a second signal ends it at once"), "{said}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = trained();
    let mut server = Server::start(&place, "run", &[]);
    let mut client = server.connect();
    client.write(HALF.as_bytes());
    until_seen(&server);
    server.signal("-TERM");
    until_closed(&server);
    server.signal("-TERM");
    assert_eq!(server.end().0, Some(143));
}

#[test]
fn a_client_that_never_ends_does_not_keep_it() {
    let place = trained();
    let mut server = Server::start(&place, "run", &["--timeout", "1"]);
    let mut client = server.connect();
    client.write(HALF.as_bytes());
    until_seen(&server);
    until_seen(&server);
    server.signal("-TERM");
    assert_eq!(server.end().0, Some(0));
}
