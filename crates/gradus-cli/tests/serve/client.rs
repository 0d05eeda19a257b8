//! A server that runs, and a client of sockets alone.

use crate::common::Place;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

/// A running server, killed at the end.
pub struct Server {
    pub child: Child,
    pub address: String,
    /// Its words at the start.
    pub said: String,
    rest: Option<JoinHandle<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server of a model.
    pub fn start(place: &Place, model: &str, more: &[&str]) -> Server {
        let arguments = [&["serve", model, "--listen", "127.0.0.1:0"], more].concat();
        let mut command = place.command(&arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        // The last line at the start is a command.
        while !said.lines().any(|line| line.starts_with("  curl ")) {
            assert!(lines.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        let address = said.split("http://").nth(1).unwrap();
        let address = address.split(' ').next().unwrap().to_owned();
        let rest = spawn(move || {
            let mut rest = String::new();
            let _ = lines.read_to_string(&mut rest);
            rest
        });
        Server {
            child,
            address,
            said,
            rest: Some(rest),
        }
    }

    pub fn connect(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(&self.address).unwrap()))
    }

    /// The answer to one request on a connection of its own.
    pub fn ask(&self, head: &str, body: &[u8]) -> Answer {
        let mut client = self.connect();
        client.send(head, body);
        client.answer()
    }

    pub fn get(&self, path: &str) -> Answer {
        let mut client = self.connect();
        client.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        client.answer()
    }

    pub fn post(&self, path: &str, json: &str) -> Answer {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json");
        self.ask(&head, json.as_bytes())
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// The exit code, and what was said after the start.
    pub fn end(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.rest.take().unwrap().join().unwrap())
    }
}

/// A connection.
pub struct Client(BufReader<TcpStream>);

/// An answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    pub fn write(&mut self, bytes: &[u8]) {
        // The server may have gone away, as it should for some requests.
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Sends a request with its length.
    pub fn send(&mut self, head: &str, body: &[u8]) {
        let length = body.len();
        let head = format!("{head}\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        self.write(&[head.as_bytes(), body].concat());
    }

    /// Reads an answer.
    pub fn answer(&mut self) -> Answer {
        self.maybe_answer().expect("no answer")
    }

    /// Reads an answer; `None` if the connection was closed.
    pub fn maybe_answer(&mut self) -> Option<Answer> {
        let (mut head, mut line) = (String::new(), String::new());
        let stream = self.0.get_ref();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        while line != "\r\n" {
            line.clear();
            match self.0.read_line(&mut line) {
                Ok(0) => return None,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                read => read.unwrap(),
            };
            head += &line;
        }
        let status = head.split(' ').nth(1)?.parse().unwrap();
        let lower = head.to_lowercase();
        let length = lower.split("content-length: ").nth(1);
        let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Some(Answer { status, head, body })
    }
}
