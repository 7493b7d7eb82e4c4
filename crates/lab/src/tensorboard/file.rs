//! Event files: records of length, checksum, message, checksum.
//!
//! ```text
//! 8 bytes  length of the message, little-endian
//! 4 bytes  masked CRC-32C of these 8 bytes
//! n bytes  the message
//! 4 bytes  masked CRC-32C of the message
//! ```
//!
//! Format: `tensorflow/core/lib/io/record_writer.h`; the mask is `rotate right by 15, then add 0xa282ead8`.

use super::event::{self, Summary};
use super::message::Message;
use crate::error::LabError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that grows event by event; everything is in the operating system's hands when a call returns, so that
/// TensorBoard can watch.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

impl EventFile {
    /// A new file in `folder`, which is made if it is not there, with its first event.
    pub(super) fn new(folder: &Path, seconds: f64) -> Result<Self, LabError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(folder).map_err(LabError::io("create the folder", folder))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("events.out.tfevents.{}.seedbed.{}.{number}", seconds as u64, std::process::id());
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(LabError::io("create", &path))?;
        let mut file = Self { path, file };
        file.write(&event::version(seconds))?;
        Ok(file)
    }

    /// Appends what belongs to a step.
    pub(super) fn add(&mut self, summary: &Summary, step: u64, seconds: f64) -> Result<(), LabError> {
        self.write(&summary.event(step, seconds))
    }

    fn write(&mut self, message: &Message) -> Result<(), LabError> {
        self.file.write_all(&record(message.bytes())).map_err(LabError::io("write", &self.path))
    }
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), message, &masked(message)].concat()
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The checksum of RFC 3720 (Castagnoli's polynomial), reflected.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_record_as_tensorboards_writer_writes_it() {
        // tensorboard.summary.writer.record_writer.RecordWriter(f).write(b"seedbed")
        let expected = [
            7, 0, 0, 0, 0, 0, 0, 0, 187, 215, 159, 17, b's', b'e', b'e', b'd', b'b', b'e', b'd', 255, 200,
            240, 140,
        ];
        assert_eq!(record(b"seedbed"), expected);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let error = EventFile::new(&file.join("below"), 0.0).unwrap_err().to_string();
        assert!(error.starts_with("cannot create the folder ") && error.contains("below"), "{error}");
    }
}
