//! Pictures that were decoded before, kept in the cache folder so that a second start decodes nothing.
//!
//! Two kinds of files under `own/`:
//!
//! ```text
//! <key of the listing>.key     name of the content: what path, sizes and times of all files led to
//! <key of the content>.samples the decoded samples
//! ```
//!
//! The key of the content is the SHA-256 of every file's class and bytes, so pictures that were moved, copied or
//! touched are not decoded again. While path, sizes and times of all files are the same, the files themselves are not even read,
//! unless one of them was changed within the last seconds, when a clock may not tell two versions apart. What is read
//! from the cache is checked by its own SHA-256; what fails is decoded anew. Nothing here is ever an error: without
//! a cache it only takes longer.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::cores::on_all_cores;
use super::pictures::Files;
use super::samples::{Labels, Samples, Values};
use crate::cache;
use crate::hash::{hex, sha256};

/// First in every file of samples; another number for another form of them, or another way to decode.
const MAGIC: &[u8; 16] = b"seedbed samples1";

/// A file changed this recently might change again without a clock noticing.
const RECENT: Duration = Duration::from_secs(2);

/// Samples that nobody asked for in so long are removed.
const FORGOTTEN: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// The place in the cache where a folder's samples belong.
pub(super) struct Store<'a> {
    folder: PathBuf,
    parts: [Option<&'a Files>; 2],
    /// The key of the listing; `None` where it cannot be trusted.
    listing: Option<String>,
    /// The key of the content, once it was needed: every file is read for it.
    content: OnceCell<Option<String>>,
}

impl<'a> Store<'a> {
    pub(super) fn new(cache: &Path, data: &Path, parts: [Option<&'a Files>; 2]) -> Store<'a> {
        Store { folder: cache.join("own"), parts, listing: listing(data, parts), content: OnceCell::new() }
    }

    /// The decoded samples, if they are there.
    pub(super) fn load(&self) -> Option<(Samples, Option<Samples>)> {
        let remembered = self.listing.as_ref().and_then(|key| {
            let name = fs::read_to_string(self.folder.join(format!("{key}.key"))).ok()?;
            name.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(name)
        });
        let known = remembered.and_then(|content| self.read(&content));
        known.or_else(|| {
            let content = self.content()?;
            let samples = self.read(content)?;
            self.remember(content);
            Some(samples)
        })
    }

    /// Keeps samples that were decoded just now.
    pub(super) fn save(&self, (train, test): &(Samples, Option<Samples>)) {
        let Some(content) = self.content() else { return };
        if cache::prepare(&self.folder).is_ok() {
            self.forget();
            let body = encode(train, test.as_ref());
            if self
                .write(&format!("{content}.samples"), &[MAGIC, &Sha256::digest(&body)[..], &body])
                .is_some()
            {
                self.remember(content);
            }
        }
    }

    fn remember(&self, content: &str) {
        if let Some(listing) = &self.listing {
            self.write(&format!("{listing}.key"), &[content.as_bytes()]);
        }
    }

    /// Writes a file whole or not at all, but does not wait for the disk: that can take minutes, and what a power cut
    /// would leave is noticed by its checksum.
    fn write(&self, name: &str, parts: &[&[u8]]) -> Option<()> {
        let mut file = cache::begin(&self.folder).ok()?;
        parts.iter().try_for_each(|part| file.write_all(part)).ok()?;
        file.persist(self.folder.join(name)).ok().map(drop)
    }

    /// Removes what nobody asked for in a long time.
    fn forget(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let used = entry.metadata().and_then(|data| data.modified()).ok();
            if used.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > FORGOTTEN) {
                // Best effort: another process may be cleaning up as well.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn read(&self, content: &str) -> Option<(Samples, Option<Samples>)> {
        let path = self.folder.join(format!("{content}.samples"));
        let mut file = File::open(path).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (head, body) = bytes.split_at_checked(MAGIC.len() + 32)?;
        let intact = head.starts_with(MAGIC) && head[MAGIC.len()..] == Sha256::digest(body)[..];
        let samples = intact.then(|| decode(body)).flatten()?;
        // The time of its last use; where that cannot be written, it is only decoded again some day.
        let _ = file.set_modified(SystemTime::now());
        Some(samples)
    }

    /// SHA-256 over every file's class and bytes.
    fn content(&self) -> Option<&str> {
        self.content.get_or_init(|| self.hash()).as_deref()
    }

    fn hash(&self) -> Option<String> {
        let mut hash = Sha256::new();
        for files in self.parts {
            hash.update([u8::from(files.is_some())]);
            let Some(Files { paths, labels }) = files else { continue };
            for (path, &code) in paths.iter().zip(&labels.codes) {
                let class = &labels.names[code as usize];
                let bytes = fs::read(path).ok()?;
                hash.update((class.len() as u64).to_le_bytes());
                hash.update(class);
                hash.update((bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
        }
        Some(hex(hash.finalize().as_slice()))
    }
}

/// SHA-256 over path, size and time of every file.
fn listing(data: &Path, parts: [Option<&Files>; 2]) -> Option<String> {
    let mut text = format!("{}\n", data.canonicalize().ok()?.display());
    let now = SystemTime::now();
    let line = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        let time = data.modified().ok()?;
        let settled = now.duration_since(time).map_or(true, |age| age >= RECENT);
        let since_epoch = time.duration_since(UNIX_EPOCH).ok().filter(|_| settled)?;
        Some(format!("{} {} {}\n", data.len(), since_epoch.as_nanos(), path.display()))
    };
    for files in parts {
        text.push_str("part\n");
        let paths = files.map_or(&[][..], |files| &files.paths);
        let lines = on_all_cores(paths, |path| line(path).ok_or(())).ok()?;
        text.push_str(&lines.concat());
    }
    Some(sha256(text.as_bytes()))
}

/// Everything little-endian: numbers of 8 bytes, texts and lists with their length before them.
fn encode(train: &Samples, test: Option<&Samples>) -> Vec<u8> {
    let mut to = Vec::new();
    for samples in [Some(train), test].into_iter().flatten() {
        let number = |to: &mut Vec<u8>, number: usize| to.extend((number as u64).to_le_bytes());
        number(&mut to, samples.shape().len());
        samples.shape().iter().for_each(|&axis| number(&mut to, axis));
        let Labels { names, codes, .. } = samples.labels();
        number(&mut to, names.len());
        for name in names {
            number(&mut to, name.len());
            to.extend(name.as_bytes());
        }
        number(&mut to, codes.len());
        codes.iter().for_each(|code| to.extend(code.to_le_bytes()));
        if let Values::Bytes(bytes) = samples.values() {
            number(&mut to, bytes.len());
            to.extend(bytes);
        }
    }
    to
}

/// Reads from left to right; `None` where something is missing.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.bytes(8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    }

    /// A length, which cannot be more than there are bytes left.
    fn length(&mut self) -> Option<usize> {
        self.number().filter(|&length| length <= self.0.len())
    }

    fn samples(&mut self) -> Option<Samples> {
        let axes = self.length()?;
        let shape = (0..axes).map(|_| self.number()).collect::<Option<Vec<_>>>()?;
        let count = self.length()?;
        let names = (0..count).map(|_| {
            let length = self.length()?;
            String::from_utf8(self.bytes(length)?.to_vec()).ok()
        });
        let names = names.collect::<Option<Vec<_>>>()?;
        let count = self.length()?;
        let codes = self.bytes(count.checked_mul(4)?)?;
        let code = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |code, &byte| (code << 8) | u32::from(byte));
        let codes = codes.chunks_exact(4).map(code).collect();
        let length = self.length()?;
        let values = Values::Bytes(self.bytes(length)?.to_vec());
        Samples::new(shape, values, Labels::of(names, codes)?).ok()
    }
}

fn decode(bytes: &[u8]) -> Option<(Samples, Option<Samples>)> {
    let mut cursor = Cursor(bytes);
    let train = cursor.samples()?;
    let test = if cursor.0.is_empty() { None } else { Some(cursor.samples()?) };
    cursor.0.is_empty().then_some((train, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Labels {
        let mut labels = Labels::default();
        names.iter().for_each(|name| labels.push(name).unwrap());
        labels
    }

    fn samples(names: &[&str]) -> Samples {
        let bytes = (0..6 * names.len() as u8).collect();
        Samples::new(vec![1, 2, 3], Values::Bytes(bytes), labels(names)).unwrap()
    }

    /// A folder with three old files, and the lists that name them.
    fn files(folder: &Path) -> [Files; 2] {
        let part = |part: &str, names: &[&str]| {
            let paths = names.iter().enumerate().map(|(i, name)| {
                let path = folder.join(format!("{part}{i}"));
                fs::write(&path, format!("{part}{name}")).unwrap();
                File::open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
                path
            });
            Files { paths: paths.collect(), labels: labels(names) }
        };
        [part("train", &["a", "b"]), part("test", &["b"])]
    }

    #[test]
    fn samples_are_the_same_again_and_every_truncation_is_noticed() {
        for both in [(samples(&["ä", "b", "ä"]), Some(samples(&["c"]))), (samples(&["a", "b"]), None)] {
            let bytes = encode(&both.0, both.1.as_ref());
            assert_eq!(decode(&bytes).unwrap(), both);
            let whole = |length: &usize| both.1.is_some() && *length == encode(&both.0, None).len();
            for length in (0..bytes.len()).filter(|length| !whole(length)) {
                assert!(decode(&bytes[..length]).is_none(), "{length}");
            }
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0xff;
                let _ = decode(&damaged);
            }
        }
    }

    #[test]
    fn what_was_saved_is_found_by_listing_and_by_content() {
        let place = tempfile::tempdir().unwrap();
        let (data, cache) = (place.path().join("data"), place.path().join("cache"));
        fs::create_dir(&data).unwrap();
        let [train, test] = files(&data);
        let store = || Store::new(&cache, &data, [Some(&train), Some(&test)]);
        assert!(store().load().is_none());
        let both = (samples(&["a", "b"]), Some(samples(&["b"])));
        store().save(&both);
        assert_eq!(store().load().as_ref(), Some(&both));

        // The same sizes and times: files are not read, so their content does not matter.
        let time = fs::metadata(&train.paths[0]).unwrap().modified().unwrap();
        let rewrite = |text: &str| {
            fs::write(&train.paths[0], text).unwrap();
            File::open(&train.paths[0]).unwrap().set_modified(time).unwrap();
        };
        rewrite("trainX");
        assert_eq!(store().load().as_ref(), Some(&both));
        // Another time: content decides.
        File::open(&test.paths[0]).unwrap().set_modified(time - Duration::from_secs(9)).unwrap();
        assert!(store().load().is_none());
        rewrite("traina");
        assert_eq!(store().load().as_ref(), Some(&both));
        // Changed just now: the listing is not believed.
        File::open(&test.paths[0]).unwrap().set_modified(SystemTime::now()).unwrap();
        assert!(store().listing.is_none());
        assert_eq!(store().load().as_ref(), Some(&both));
    }

    #[test]
    fn damage_is_noticed_and_old_samples_are_forgotten() {
        let place = tempfile::tempdir().unwrap();
        let [train, test] = files(place.path());
        let store = || Store::new(place.path(), place.path(), [Some(&train), Some(&test)]);
        let both = (samples(&["a", "b"]), None);
        store().save(&both);
        let kept = || {
            let files = fs::read_dir(place.path().join("own")).unwrap().flatten();
            files.map(|file| file.path()).find(|path| path.extension().unwrap() == "samples").unwrap()
        };
        let whole = fs::read(kept()).unwrap();
        for at in [0, 20, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(kept(), damaged).unwrap();
            assert!(store().load().is_none(), "{at}");
        }
        fs::write(kept(), whole).unwrap();
        assert_eq!(store().load(), Some(both.clone()));
        let old = place.path().join("own/old.samples");
        File::create(&old).unwrap().set_modified(SystemTime::now() - 2 * FORGOTTEN).unwrap();
        store().save(&both);
        assert!(!old.exists() && kept().exists());
    }

    #[test]
    fn without_a_cache_nothing_fails() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let [train, _] = files(place.path());
        let store = Store::new(&file, place.path(), [Some(&train), None]);
        store.save(&(samples(&["a", "b"]), None));
        assert!(store.load().is_none());
    }
}
