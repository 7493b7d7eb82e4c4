//! What several tests share: a dataset of five tiny pictures, and a web server on this machine that can misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};

use crate::catalog::{Entry, FASHION_MNIST, MNIST};
use crate::download::Patience;
use crate::hash::sha256;
use crate::idx::{self, Idx};

/// A dataset of three training and two test pictures of 2×2.
pub(crate) fn tiny() -> [Vec<u8>; 4] {
    let idx =
        |dims: &[usize], values: &[u8]| idx::write(&Idx { dims: dims.to_vec(), values: values.to_vec() });
    [
        idx(&[3, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        idx(&[3], &[7, 0, 9]),
        idx(&[2, 2, 2], &[0, 0, 0, 0, 255, 255, 255, 255]),
        idx(&[2], &[1, 2]),
    ]
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The catalogue entry of [`tiny`]; the hashes are leaked, they are few.
pub(crate) fn tiny_entry(content_hash_known: bool) -> Entry {
    const DIMS: [&[usize]; 4] = [&[3, 2, 2], &[3], &[2, 2, 2], &[2]];
    let mut files = FASHION_MNIST.files.clone();
    for ((file, bytes), dims) in files.iter_mut().zip(tiny()).zip(DIMS) {
        file.dims = dims;
        file.gz_bytes = gzip(&bytes).len() as u64;
        file.gz_sha256 = sha256(&gzip(&bytes)).leak();
        file.sha256 = content_hash_known.then(|| &*sha256(&bytes).leak());
    }
    Entry {
        name: "tiny",
        title: "Tiny",
        shows: "ascending bytes",
        authors: "nobody",
        licence: "none",
        class_names: MNIST.class_names,
        mirrors: &[],
        files,
    }
}

/// Waits no longer than a test should.
pub(crate) const HASTY: Patience = Patience {
    connect: Duration::from_millis(500),
    idle: Duration::from_millis(400),
    attempts: 2,
    pause: Duration::from_millis(1),
    assume_offline: true,
};

/// What a test server does with a connection after reading the request for `path`.
pub(crate) type Reply = fn(path: &str, request: usize, connection: &mut TcpStream);

/// A server on this machine; its address ends with a slash.
pub(crate) fn serve(reply: Reply) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (request, connection) in listener.incoming().enumerate() {
            std::thread::spawn(move || {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.find(String::is_empty);
                reply(first.split(' ').nth(1).unwrap_or_default(), request, &mut connection);
            });
        }
    });
    format!("http://{address}/")
}

/// Answers with a status line (and more headers), a length and a body.
pub(crate) fn send(connection: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    // A client that has seen enough hangs up.
    let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body));
}

/// The compressed file of the tiny dataset that a path asks for.
pub(crate) fn content(path: &str) -> Vec<u8> {
    let entry = tiny_entry(true);
    let index = entry.files.iter().position(|file| path.ends_with(&file.gz_name())).unwrap();
    gzip(&tiny()[index])
}

/// A mirror that does its duty.
pub(crate) fn honest(path: &str, _: usize, connection: &mut TcpStream) {
    send(connection, "200 OK", &content(path));
}
