//! A small HTTP server on the loopback, of one object under many manners, for the tests of object stores.
#![allow(dead_code)] // every test file uses its part of it

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The server's way with requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// Sends ranges.
    Well,
    /// Sends whole objects, whatever is asked for.
    Whole,
    /// Answers with that status, and a body of a word that nobody may repeat.
    Refuses(&'static str),
    /// Says nothing.
    Hangs,
    /// Sends half of what it promises.
    Short,
    /// Says that the object is that much longer.
    Longer(u64),
    /// Sends another range than was asked for.
    Elsewhere,
    /// Says of the range what no file has.
    Absurd,
    /// Has another version for each request.
    Changes,
}

/// The word in the body of a refusal.
pub const SECRET: &str = "hush-hush";

pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves these bytes under any name, until the test ends.
    pub fn start(object: Vec<u8>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (object, kept) = (Arc::new(object), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (object, asked) = (Arc::clone(&object), Arc::clone(&kept));
                // A client that leaves is no error of the server's.
                thread::spawn(move || drop(answer(stream, &object, manner, &asked)));
            }
        });
        Server { address, asked }
    }

    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// The heads of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The bytes of all ranges that were asked for, as first and end.
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        self.asked().iter().filter_map(|head| range(head)).collect()
    }
}

/// First and end of the range in a request's head.
fn range(head: &str) -> Option<(u64, u64)> {
    let lower = head.to_ascii_lowercase();
    let (_, rest) = lower.split_once("range: bytes=")?;
    let (first, last) = rest.lines().next()?.split_once('-')?;
    let end: u64 = last.trim().parse().ok()?;
    Some((first.parse().ok()?, end + 1))
}

fn answer(
    stream: TcpStream,
    object: &[u8],
    manner: Manner,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let number = {
            let mut asked = asked.lock().unwrap();
            asked.push(head.clone());
            asked.len()
        };
        if manner == Manner::Hangs {
            thread::sleep(Duration::from_secs(60));
            return Ok(());
        }
        if let Manner::Refuses(status) = manner {
            let body = format!("<Error><Code>OddCode</Code><Token-0>{SECRET}</Token-0></Error>");
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
            continue;
        }
        let length = object.len() as u64;
        let total = match manner {
            Manner::Longer(more) => length + more,
            _ => length,
        };
        let tag = match manner {
            Manner::Changes => number,
            _ => 1,
        };
        let about = format!("ETag: \"v{tag}\"\r\nLast-Modified: Tue, 01 Dec 2026 10:00:00 GMT\r\n");
        let part = range(&head).filter(|_| manner != Manner::Whole);
        let Some((first, end)) = part else {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n{about}\r\n"
            )?;
            stream.write_all(object)?;
            continue;
        };
        if first >= length {
            write!(
                stream,
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{length}\r\n\
                 Content-Length: 0\r\n\r\n"
            )?;
            continue;
        }
        let end = end.min(length);
        let said = match manner {
            Manner::Elsewhere => format!("{}-{}/{total}", first + 1, end),
            Manner::Absurd => format!("{first}-{}/{}", u64::MAX, u64::MAX),
            _ => format!("{first}-{}/{total}", end - 1),
        };
        write!(
            stream,
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {said}\r\n\
             {about}\r\n",
            end - first
        )?;
        let part = &object[first as usize..end as usize];
        if manner == Manner::Short {
            stream.write_all(&part[..part.len() / 2])?;
            return Ok(());
        }
        stream.write_all(part)?;
    }
}
