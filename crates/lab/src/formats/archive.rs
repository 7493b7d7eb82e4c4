//! Zip archives from elsewhere: members are read by name and never unpacked to a path, sizes are known before anything
//! is allocated.

use super::weights::{MAX_TENSORS, Problem, content};
use std::io::{Cursor, Read, Seek, Write};
use zip::read::ZipFile;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Opens an archive.
pub(super) fn open<R: Read + Seek>(source: R) -> Result<ZipArchive<R>, Problem> {
    let archive = ZipArchive::new(source).or_else(|error| damaged("archive", error))?;
    if archive.len() > MAX_TENSORS {
        return content("archive", format!("at most {MAX_TENSORS} members"), archive.len().to_string());
    }
    Ok(archive)
}

/// A member's bytes, if there is such a member and it has at most `most` bytes.
pub(super) fn member<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, Problem> {
    let members = archive.len();
    match archive.by_name(name) {
        Ok(member) => bytes(member, name, most),
        Err(ZipError::FileNotFound) => {
            content("archive", format!("a member {name}"), format!("{members} others"))
        }
        Err(error) => damaged(name, error),
    }
}

/// A member's bytes, of which there may be at most `most`.
pub(super) fn bytes<R: Read>(member: ZipFile<'_, R>, name: &str, most: u64) -> Result<Vec<u8>, Problem> {
    if member.size() > most {
        return content(name, format!("at most {most} bytes"), member.size().to_string());
    }
    let size = member.size();
    let mut bytes = Vec::new();
    // One byte more than said, so that a member that lies about its size is seen.
    member.take(size + 1).read_to_end(&mut bytes).or_else(|error| damaged(name, error))?;
    if bytes.len() as u64 != size {
        return content(name, format!("{size} bytes"), format!("{} or more", bytes.len()));
    }
    Ok(bytes)
}

pub(super) fn damaged<T>(what: &str, error: impl std::fmt::Display) -> Result<T, Problem> {
    content(what, "an undamaged zip archive", error.to_string())
}

/// An archive of these members, uncompressed and without a date, so that equal content gives equal bytes.
pub(super) fn write<'a>(members: impl IntoIterator<Item = (String, &'a [u8])>) -> std::io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(name, options.large_file(bytes.len() as u64 >= u64::from(u32::MAX)))?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}
