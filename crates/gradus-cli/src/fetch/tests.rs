//! Tests of downloads from a server on loopback, with every fault of a server.

use super::super::{client, part};
use super::{Failed, download};
use gradus::data::remote::RemoteFile;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LENGTH: usize = 200_000;

/// The behaviour of a server.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Correct, ranges included.
    Good,
    /// Sends the whole file, ignoring ranges.
    NoRanges,
    /// Sends the whole file without its length.
    NoLength,
    /// Promises all and hangs up after this many bytes, counted from the range's start.
    Cut(usize),
    /// Sends the right length with other contents.
    Other,
    /// Sends more bytes than the file has, without a length.
    TooLong,
    /// Sends a page of a few bytes.
    Page,
    /// 404.
    Missing,
    /// Redirects to itself, again and again.
    Redirects,
    /// Redirects once to the file.
    Moved,
    /// Sends a range that begins elsewhere.
    WrongRange,
    /// Does not speak HTTP.
    Nonsense,
}

fn contents() -> Vec<u8> {
    (0..LENGTH as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

/// A server's address, and the ranges requested from it.
fn serve(manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let ranges = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up is not the server's fault.
            let _ = answer(stream, manner, &ranges);
        }
    });
    (address, asked)
}

fn answer(
    mut stream: TcpStream,
    manner: Manner,
    ranges: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (mut range, mut target) = (String::new(), String::new());
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        if let Some(path) = line.strip_prefix("GET ") {
            target = path.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(value) = line.to_lowercase().strip_prefix("range: ") {
            range = value.to_owned();
        }
    }
    ranges.lock().unwrap().push(range.clone());
    let all = contents();
    let start: Option<usize> = range
        .strip_prefix("bytes=")
        .and_then(|rest| rest.strip_suffix('-'))
        .and_then(|first| first.parse().ok());
    let whole = |extra: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{extra}\r\n");
    let length = format!("Content-Length: {LENGTH}\r\n");
    let part = |start: usize, said: usize| {
        format!(
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Range: bytes {said}-{}/{LENGTH}\r\n\r\n",
            LENGTH - start,
            LENGTH - 1
        )
    };
    let (head, body) = match (manner, start) {
        (Manner::Good | Manner::Cut(_), Some(start)) => (part(start, start), &all[start..]),
        (Manner::WrongRange, Some(start)) => (part(start, start - 1), &all[start..]),
        (Manner::NoLength, _) => (whole(""), &all[..]),
        (Manner::Page, _) => (whole("Content-Length: 5\r\n"), &b"hello"[..]),
        (Manner::Missing, _) => (
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".into(),
            &b""[..],
        ),
        (Manner::Moved, _) if target.starts_with("/there") => (whole(&length), &all[..]),
        (Manner::Redirects | Manner::Moved, _) => (
            "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /there\r\n\
             Content-Length: 0\r\n\r\n"
                .replace(
                    "/there",
                    if matches!(manner, Manner::Moved) {
                        "/there"
                    } else {
                        "/"
                    },
                ),
            &b""[..],
        ),
        (Manner::Nonsense, _) => ("220 mail.example.org ESMTP\r\n".into(), &b""[..]),
        (Manner::Other | Manner::TooLong, _) => (whole(""), &all[..]),
        _ => (whole(&length), &all[..]),
    };
    stream.write_all(head.as_bytes())?;
    match manner {
        Manner::Cut(after) => stream.write_all(&body[..after.min(body.len())])?,
        Manner::Other => stream.write_all(&body.iter().map(|byte| !byte).collect::<Vec<_>>())?,
        Manner::TooLong => stream.write_all(&[body, b"and more"].concat())?,
        _ => stream.write_all(body)?,
    }
    stream.flush()?;
    // Wait until it is read: closing would discard unread bytes.
    std::thread::sleep(Duration::from_millis(20));
    Ok(())
}

fn file() -> RemoteFile {
    let sha256 = part::sha256(&mut &contents()[..]).unwrap();
    RemoteFile {
        name: "a.bin",
        length: LENGTH as u64,
        sha256: sha256.leak(),
    }
}

/// A new folder, with these initial contents of the incomplete file.
fn folder(part: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if !part.is_empty() {
        fs::write(folder.path().join("a.bin.part"), part).unwrap();
    }
    folder
}

/// Runs a download from servers with these behaviours; returns the folder, the error if it failed,
/// and the ranges requested from each server.
fn run(part: &[u8], manners: &[Manner]) -> (tempfile::TempDir, Option<String>, Vec<Vec<String>>) {
    let folder = folder(part);
    let servers: Vec<_> = manners.iter().map(|&manner| serve(manner)).collect();
    let mirrors: Vec<&str> = servers
        .iter()
        .map(|(address, _)| address.as_str())
        .collect();
    let done = download(&client::agent(), &file(), folder.path(), &mirrors);
    let said = match done {
        Ok(()) => None,
        Err(Failed::There(text)) => Some(text),
        Err(Failed::Here(error)) => panic!("{error}"),
    };
    let asked = servers
        .iter()
        .map(|(_, asked)| asked.lock().unwrap().clone());
    let asked = asked.collect();
    (folder, said, asked)
}

fn names(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().file_name().into())
        .collect();
    names.sort();
    names
}

/// Asserts success, with the file and nothing beside it.
fn ok(part: &[u8], manners: &[Manner]) -> Vec<Vec<String>> {
    let (folder, said, asked) = run(part, manners);
    assert_eq!(said, None, "{manners:?}");
    assert_eq!(names(&folder), [PathBuf::from("a.bin")], "{manners:?}");
    assert!(fs::read(folder.path().join("a.bin")).unwrap() == contents());
    asked
}

/// Asserts failure, without a file of the final name; returns the error, and the number of bytes
/// kept for the next try.
fn fails(part: &[u8], manners: &[Manner]) -> (String, u64) {
    let (folder, said, _) = run(part, manners);
    assert!(!folder.path().join("a.bin").exists(), "{manners:?}");
    let kept = fs::metadata(folder.path().join("a.bin.part")).map_or(0, |about| about.len());
    if kept == 0 {
        assert!(names(&folder).is_empty(), "{manners:?}");
    }
    (
        said.unwrap_or_else(|| panic!("{manners:?} succeeded")),
        kept,
    )
}

#[test]
fn a_file_comes_whole() {
    assert_eq!(ok(b"", &[Manner::Good]), [[""]]);
    ok(b"", &[Manner::NoLength]);
    ok(b"", &[Manner::Moved]);
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let begun = &contents()[..150_000];
    assert_eq!(ok(begun, &[Manner::Good]), [["bytes=150000-"]]);
    // A server without ranges starts again, and so does a wrong range.
    assert_eq!(ok(begun, &[Manner::NoRanges]), [["bytes=150000-"]]);
    assert_eq!(ok(&[7; 150_000], &[Manner::Good]), [["bytes=150000-", ""]]);
    // All bytes are there, right or wrong or too many.
    assert_eq!(ok(&contents(), &[Manner::Good]), [[""; 0]]);
    assert_eq!(ok(&[7; LENGTH], &[Manner::Good]), [[""]]);
    assert_eq!(ok(&[7; LENGTH + 1], &[Manner::Good]), [[""]]);
    // The file itself.
    let (folder, _, _) = run(b"", &[Manner::Good]);
    let (address, asked) = serve(Manner::Good);
    let again = || download(&client::agent(), &file(), folder.path(), &[&address]);
    assert!(again().is_ok() && asked.lock().unwrap().is_empty());
    fs::write(folder.path().join("a.bin"), vec![7; LENGTH]).unwrap();
    assert!(again().is_ok() && asked.lock().unwrap().len() == 1);
    assert!(fs::read(folder.path().join("a.bin")).unwrap() == contents());
}

#[test]
fn the_next_mirror_goes_on_where_one_fails() {
    for bad in [
        Manner::Other,
        Manner::TooLong,
        Manner::Page,
        Manner::Missing,
        Manner::Redirects,
        Manner::Nonsense,
    ] {
        assert_eq!(ok(b"", &[bad, Manner::Good])[1], [""], "{bad:?}");
    }
    let asked = ok(b"", &[Manner::Cut(60_000), Manner::Good]);
    assert_eq!(asked[1], ["bytes=60000-"]);
    // The same mirror again, as long as it makes progress.
    let asked = ok(b"", &[Manner::Cut(70_000)]);
    assert_eq!(asked, [["", "bytes=70000-", "bytes=140000-"]]);
}

#[test]
fn failures_name_the_mirror_and_what_it_did() {
    let right = file().sha256;
    let (said, kept) = fails(b"", &[Manner::Other]);
    assert!(
        said.contains(right) && said.contains("found the SHA-256"),
        "{said}"
    );
    assert_eq!((kept, said.matches("http://127.0.0.1").count()), (0, 1));
    for (manner, words, left) in [
        (Manner::Cut(100), "after 100 of 200000 bytes", 300),
        (Manner::TooLong, "goes on after the 200000 bytes", 0),
        (Manner::Page, "offers 5 bytes, expected 200000", 0),
        (Manner::Missing, "404", 0),
        (Manner::Redirects, "redirect", 0),
        (Manner::Nonsense, "http", 0),
    ] {
        let (said, kept) = fails(b"", &[manner]);
        assert!(said.contains(words), "{manner:?}: {said}");
        assert!(said.starts_with("a.bin from\n  http://127.0.0.1"), "{said}");
        assert_eq!(kept, left, "{manner:?}: {said}");
    }
    // Existing bytes stay for another try.
    let (said, kept) = fails(&contents()[..500], &[Manner::WrongRange, Manner::Missing]);
    assert!(
        said.contains("Content-Range: bytes 499-") && said.contains("404"),
        "{said}"
    );
    assert_eq!(kept, 500);
}

#[test]
fn no_server_is_a_failure_and_two_at_once_are_refused() {
    let folder = folder(b"");
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let fetch = || {
        download(
            &client::agent(),
            &file(),
            folder.path(),
            &[&address, "http://"],
        )
    };
    let Err(Failed::There(said)) = fetch() else {
        panic!("there is no server");
    };
    assert!(
        said.contains("refused") && names(&folder).is_empty(),
        "{said}"
    );
    let other = part::Part::open(&folder.path().join("a.bin")).unwrap();
    let Err(Failed::Here(error)) = fetch() else {
        panic!("somebody else writes");
    };
    assert!(error.to_string().contains("another gradus"), "{error}");
    drop(other);
}
