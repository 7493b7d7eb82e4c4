//! Packs Keras's records, `benches/peers/fixtures`, for `src/parity/records.rs`: 4.6 MB of JSON become 1.6 MB of the program.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::{Error, Result, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn folder(variable: &str) -> Result<PathBuf> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| Error::other(format!("{variable} is not set")))
}

/// The JSON files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn packed(path: &Path) -> Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&fs::read(path)?)?;
    packer.finish()
}

fn main() -> Result<()> {
    let fixtures = folder("CARGO_MANIFEST_DIR")?.join("../../benches/peers/fixtures");
    let out = folder("OUT_DIR")?;
    let mut list = String::from("&[\n");
    for group in ["parity", "layers"] {
        println!("cargo::rerun-if-changed={}", fixtures.join(group).display());
        for file in files(&fixtures.join(group))? {
            let name = format!("{group}/{}", file.file_name().unwrap_or_default().display());
            let to = out.join(format!("{}.gz", name.replace('/', "_")));
            fs::write(&to, packed(&file)?)?;
            writeln!(list, "    ({name:?}, include_bytes!({to:?})),").map_err(Error::other)?;
        }
    }
    list.push(']');
    fs::write(out.join("records.rs"), list)
}
