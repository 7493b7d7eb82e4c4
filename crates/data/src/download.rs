//! Fetching the files of a dataset from its mirrors into a folder.
//!
//! A mirror is trusted with nothing: the size and the SHA-256 of what it serves are the catalogue's, or the file is
//! not kept. What is broken on the way is tried again; what is wrong sends us to the next mirror.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::{Agent, Error, Timeout};

use crate::cache;
use crate::catalog::File;
use crate::error::DataError;
use crate::hash::hex;
use crate::progress::Progress;

/// How long to wait, and how often to try.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// For a name to be resolved, and again for a connection.
    pub(crate) connect: Duration,
    /// For the next byte.
    pub(crate) idle: Duration,
    /// Attempts at each file on each mirror.
    pub(crate) attempts: u32,
    /// Before the second attempt; twice as long before the third, and so on.
    pub(crate) pause: Duration,
    /// Whether one server that cannot be found means that there is no network, and no other mirror is asked.
    pub(crate) assume_offline: bool,
}

impl Patience {
    /// For somebody who asked for these very data.
    pub(crate) const ASKED: Patience = Patience {
        connect: Duration::from_secs(10),
        idle: Duration::from_secs(20),
        attempts: 3,
        pause: Duration::from_millis(500),
        assume_offline: false,
    };

    /// For somebody who is content with the built-in digits and should not wait for a network that is not there.
    pub(crate) const CASUAL: Patience = Patience {
        connect: Duration::from_secs(2),
        idle: Duration::from_secs(5),
        attempts: 2,
        pause: Duration::from_millis(200),
        assume_offline: true,
    };
}

/// No file takes longer than this, however steadily it trickles.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Why a file did not come.
enum Failure {
    /// The mirror's name cannot be resolved, or no way leads there.
    NoNetwork(String),
    /// What came is not what the catalogue promises; trying again would bring the same.
    Wrong(String),
    /// The transfer broke off or stalled; trying again may help.
    Broken(String),
    /// The file cannot be written; no mirror can help.
    Disk(DataError),
}

/// Fetches `files` into `folder`, from the first mirror that has them.
///
/// Returns the mirror that served the last file.
///
/// # Errors
/// One line for everything that was tried, in order.
pub(crate) fn fetch(
    files: &[&File],
    mirrors: &[String],
    folder: &Path,
    patience: &Patience,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, Vec<String>> {
    let agent = agent(patience);
    let mut wanted = files;
    let mut tried = Vec::new();
    cache::prepare(folder).map_err(|error| vec![error.to_string()])?;
    for mirror in mirrors {
        loop {
            let Some((file, rest)) = wanted.split_first() else { return Ok(mirror.clone()) };
            match fetch_file(&agent, file, mirror, folder, patience, progress) {
                Ok(()) => wanted = rest,
                Err(failure) => {
                    let (line, hopeless) = match failure {
                        Failure::NoNetwork(line) => (line, patience.assume_offline),
                        Failure::Wrong(line) | Failure::Broken(line) => (line, false),
                        Failure::Disk(error) => (error.to_string(), true),
                    };
                    progress(Progress::Failed { reason: line.clone() });
                    tried.push(line);
                    if hopeless {
                        return Err(tried);
                    }
                    break;
                }
            }
        }
    }
    Err(tried)
}

fn agent(patience: &Patience) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("seedbed/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.idle))
        .timeout_per_read(Some(patience.idle))
        .timeout_recv_body(Some(LONGEST))
        .tls_config(
            ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build(),
        )
        .build()
        .new_agent()
}

/// Fetches one file from one mirror, again if the transfer breaks.
fn fetch_file(
    agent: &Agent,
    file: &File,
    mirror: &str,
    folder: &Path,
    patience: &Patience,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let url = format!("{mirror}{}", file.gz_name());
    let mut pause = patience.pause;
    for _ in 1..patience.attempts {
        match attempt(agent, file, &url, folder, progress) {
            Err(Failure::Broken(reason)) => progress(Progress::Failed { reason }),
            settled => return settled,
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
    attempt(agent, file, &url, folder, progress)
}

/// Asks for a file once, checks what comes while it comes, and keeps it if all of it is right.
fn attempt(
    agent: &Agent,
    file: &File,
    url: &str,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let response = agent.get(url).call().map_err(|error| classify(url, &error))?;
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    if header("content-type").starts_with("text/html") {
        return Err(Failure::Wrong(format!("{url}: expected a gzip file, received a web page")));
    }
    if let Some(length) =
        header("content-length").parse().ok().filter(|&length: &u64| length != file.gz_bytes)
    {
        return Err(Failure::Wrong(format!(
            "{url}: expected {} bytes, the server announces {length}",
            file.gz_bytes
        )));
    }

    let mut part = cache::begin(folder).map_err(Failure::Disk)?;
    let mut hash = Sha256::new();
    let mut received = 0u64;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        progress(Progress::Receiving { url: url.to_owned(), received, total: file.gz_bytes });
        let chunk = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => &buffer[..length],
            Err(error) => {
                return Err(Failure::Broken(format!("{url}: broke off after {received} bytes: {error}")));
            }
        };
        if received == 0 && chunk[0] != 0x1f {
            return Err(Failure::Wrong(format!("{url}: expected a gzip file, received something else")));
        }
        received += chunk.len() as u64;
        if received > file.gz_bytes {
            return Err(Failure::Wrong(format!("{url}: expected {} bytes, received more", file.gz_bytes)));
        }
        hash.update(chunk);
        part.write_all(chunk).map_err(cache::io("write to", folder)).map_err(Failure::Disk)?;
    }
    if received < file.gz_bytes {
        return Err(Failure::Broken(format!("{url}: broke off after {received} of {} bytes", file.gz_bytes)));
    }
    let hash = hex(hash.finalize().as_slice());
    if hash != file.gz_sha256 {
        return Err(Failure::Wrong(format!("{url}: expected SHA-256 {}, received {hash}", file.gz_sha256)));
    }
    cache::keep(part, folder, &file.gz_name()).map_err(Failure::Disk)
}

/// What an error before the body means for what to do next.
fn classify(url: &str, error: &Error) -> Failure {
    use io::ErrorKind::*;
    let line = format!("{url}: {error}");
    match error {
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => unreachable_server(url, error),
        // Waited for long enough.
        Error::Timeout(Timeout::Connect) => Failure::Wrong(line),
        Error::Timeout(_) | Error::Protocol(_) => Failure::Broken(line),
        Error::StatusCode(status) if *status >= 500 => Failure::Broken(line),
        Error::Io(reason) => match reason.kind() {
            ConnectionRefused | InvalidData => Failure::Wrong(line),
            ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof | TimedOut => {
                Failure::Broken(line)
            }
            // A name that does not resolve has no kind of its own; the others are NetworkUnreachable and its like.
            _ => unreachable_server(url, error),
        },
        _ => Failure::Wrong(line),
    }
}

fn unreachable_server(url: &str, error: &Error) -> Failure {
    Failure::NoNetwork(format!("{url}: the server cannot be found ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Entry;
    use crate::testing::{HASTY, Reply, content, honest, send, serve, tiny_entry};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    /// The sizes stay those promised, the bytes do not.
    fn forged(path: &str, _: usize, connection: &mut TcpStream) {
        let mut bytes = content(path);
        bytes[15] ^= 1;
        send(connection, "200 OK", &bytes);
    }

    fn web_page(_: &str, _: usize, connection: &mut TcpStream) {
        send(
            connection,
            "200 OK\r\nContent-Type: text/html; charset=utf-8",
            b"<html>Log in to this network</html>",
        );
    }

    /// A portal that calls its page what was asked for, without a length.
    fn disguised_web_page(_: &str, _: usize, connection: &mut TcpStream) {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>Log in</html>");
    }

    fn missing(_: &str, _: usize, connection: &mut TcpStream) {
        send(connection, "404 Not Found", b"no");
    }

    fn without_length(connection: &mut TcpStream, bytes: &[u8]) {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        let _ = connection.write_all(bytes);
    }

    fn too_long(path: &str, _: usize, connection: &mut TcpStream) {
        without_length(connection, &[content(path), vec![0; 1 << 20]].concat());
    }

    fn announcing_another_size(path: &str, _: usize, connection: &mut TcpStream) {
        send(connection, "200 OK", &[content(path), vec![0; 1000]].concat()[..1000]);
    }

    fn cut_off(path: &str, _: usize, connection: &mut TcpStream) {
        let bytes = content(path);
        without_length(connection, &bytes[..bytes.len() - 5]);
    }

    fn stalling(path: &str, _: usize, connection: &mut TcpStream) {
        let bytes = content(path);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&bytes[..10]));
        std::thread::sleep(Duration::from_secs(5));
    }

    fn silent(_: &str, _: usize, _: &mut TcpStream) {
        std::thread::sleep(Duration::from_secs(5));
    }

    fn redirecting(path: &str, _: usize, connection: &mut TcpStream) {
        match path.strip_prefix("/moved") {
            Some(path) => honest(path, 0, connection),
            None => send(connection, &format!("302 Found\r\nLocation: /moved{path}"), b""),
        }
    }

    fn going_in_circles(path: &str, _: usize, connection: &mut TcpStream) {
        send(connection, &format!("302 Found\r\nLocation: {path}"), b"");
    }

    /// Fails the first request only.
    fn shaky(path: &str, request: usize, connection: &mut TcpStream) {
        match request {
            0 => send(connection, "503 Service Unavailable", b""),
            _ => honest(path, request, connection),
        }
    }

    fn fetch_all(entry: &Entry, folder: &Path, mirrors: &[String]) -> Result<String, Vec<String>> {
        let files: Vec<&File> = entry.files.iter().collect();
        fetch(&files, mirrors, folder, &HASTY, &mut |_| {})
    }

    fn names(folder: &Path) -> Vec<String> {
        let names =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_comes_right_is_kept() {
        for mirror in [honest as Reply, redirecting, shaky] {
            let folder = tempfile::tempdir().unwrap();
            let entry = tiny_entry(true);
            let mirror = serve(mirror);
            assert_eq!(fetch_all(&entry, folder.path(), std::slice::from_ref(&mirror)), Ok(mirror));
            assert_eq!(names(folder.path()).len(), 4);
            assert!(crate::folder::read(&entry, folder.path()).unwrap().verified);
        }
    }

    #[test]
    fn what_is_wrong_is_refused_and_leaves_nothing_behind() {
        let cases: [(Reply, &str); 10] = [
            (forged, "train-images-idx3-ubyte.gz: expected SHA-256 "),
            (web_page, "expected a gzip file, received a web page"),
            (disguised_web_page, "expected a gzip file, received something else"),
            (missing, "http status: 404"),
            (too_long, "bytes, received more"),
            (announcing_another_size, "bytes, the server announces 1000"),
            (cut_off, "broke off after "),
            (stalling, "broke off after 10 bytes: "),
            (silent, "timeout"),
            (going_in_circles, "redirects"),
        ];
        for (reply, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let start = Instant::now();
            let tried = fetch_all(&tiny_entry(true), folder.path(), &[serve(reply)]).unwrap_err();
            assert!(tried.len() == 1 && tried[0].contains(expected), "{expected:?} in {tried:?}");
            assert!(start.elapsed() < Duration::from_secs(3), "{expected}: {:?}", start.elapsed());
            assert_eq!(names(folder.path()), [""; 0]);
        }
    }

    #[test]
    fn the_next_mirror_serves_what_is_still_wanted() {
        /// Has the training files only.
        fn half(path: &str, request: usize, connection: &mut TcpStream) {
            if path.contains("train") {
                honest(path, request, connection)
            } else {
                missing(path, request, connection)
            }
        }
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        fn counting(path: &str, request: usize, connection: &mut TcpStream) {
            ASKED.fetch_add(1, Ordering::Relaxed);
            honest(path, request, connection);
        }
        let folder = tempfile::tempdir().unwrap();
        let mirrors = [half as Reply, forged, counting].map(serve);
        assert_eq!(fetch_all(&tiny_entry(true), folder.path(), &mirrors).as_ref(), Ok(&mirrors[2]));
        assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn without_a_network_the_first_unknown_name_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        // Names under .invalid never resolve (RFC 6761).
        let mirrors = ["http://one.invalid/", "http://two.invalid/"].map(str::to_owned);
        let start = Instant::now();
        let tried = fetch_all(&tiny_entry(true), folder.path(), &mirrors).unwrap_err();
        assert!(tried.len() == 1 && tried[0].contains("the server cannot be found"), "{tried:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[test]
    fn nobody_listening_is_found_out_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let tried = fetch_all(&tiny_entry(true), folder.path(), &[format!("http://127.0.0.1:{port}/")]);
        assert!(tried.unwrap_err()[0].contains("refused"));
    }

    #[test]
    fn two_at_once_do_not_collide() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = [serve(honest)];
        let entry = tiny_entry(true);
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| fetch_all(&entry, folder.path(), &mirror)));
            for one in both {
                assert!(one.join().unwrap().is_ok());
            }
        });
        assert_eq!(names(folder.path()).len(), 4);
        assert!(crate::folder::read(&entry, folder.path()).unwrap().verified);
    }

    #[test]
    fn progress_reaches_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let entry = tiny_entry(true);
        let mut last = None;
        let files = [&entry.files[3]];
        fetch(&files, &[serve(honest)], folder.path(), &HASTY, &mut |progress| last = Some(progress))
            .unwrap();
        let Some(Progress::Receiving { url, received, total }) = last else { panic!("{last:?}") };
        assert!(url.ends_with("/t10k-labels-idx1-ubyte.gz"));
        assert_eq!((received, total), (entry.files[3].gz_bytes, entry.files[3].gz_bytes));
    }
}
