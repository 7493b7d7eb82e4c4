//! Files that NumPy and Pillow wrote, and what these programs read in them: `tests/fixtures/make_own.py`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::npz;
use super::pictures::{self, decode};
use super::samples::{Samples, Values};
use super::{OwnData, csv, load};
use crate::error::DataError;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own")
}

fn known() -> Value {
    serde_json::from_slice(&fs::read(folder().join("own.json")).unwrap()).unwrap()
}

fn floats(of: &Value) -> Vec<f32> {
    of.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

fn texts(of: &Value) -> Vec<String> {
    of.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn labels(samples: &Samples) -> Vec<String> {
    let labels = samples.labels();
    labels.codes.iter().map(|&code| labels.names[code as usize].clone()).collect()
}

fn assert_same(samples: Samples, x: &Value, y: &Value, file: &str) {
    let shape: Vec<usize> = [samples.len()].iter().chain(samples.shape()).copied().collect();
    assert_eq!(serde_json::json!(shape), x["shape"], "{file}");
    assert_eq!(labels(&samples), texts(y), "{file}");
    assert_eq!(samples.into_values().into_numbers(), floats(&x["values"]), "{file}");
}

fn damaged(error: DataError, file: &str) -> String {
    let text = error.to_string();
    assert!(error.is_damage() && text.starts_with(file), "{text}");
    text
}

#[test]
fn arrays_are_what_numpy_reads() {
    let known = known();
    for file in ["mnist-like.npz", "plain.npz", "colour.npz", "fortran.npz", "big-endian.npz", "bytes.npz"] {
        let (train, test) = npz::read(&folder().join(file), None).unwrap();
        let of = &known[file];
        match test {
            Some(test) => {
                assert_same(train, &of["x_train"], &of["y_train"], file);
                assert_same(test, &of["x_test"], &of["y_test"], file);
            }
            None => assert_same(train, &of["x"], &of["y"], file),
        }
    }
}

#[test]
fn objects_and_half_numbers_are_refused() {
    for (file, entry) in [("object.npz", "y.npy"), ("half.npz", "x.npy")] {
        let error = npz::read(&folder().join(file), None).unwrap_err().to_string();
        assert!(error.contains(&format!("{file}, {entry}, byte 10: type: expected a plain type")), "{error}");
    }
}

#[test]
fn every_truncation_of_an_archive_is_refused() {
    for file in ["mnist-like.npz", "plain.npz", "fortran.npz"] {
        let whole = fs::read(folder().join(file)).unwrap();
        for length in 0..whole.len() {
            let error = npz::parse(file, std::io::Cursor::new(&whole[..length]), None).unwrap_err();
            damaged(error, file);
        }
    }
}

#[test]
fn no_flipped_bit_of_an_archive_changes_what_is_read() {
    let whole = fs::read(folder().join("mnist-like.npz")).unwrap();
    let expected = npz::parse("f", std::io::Cursor::new(&whole), None).unwrap();
    for bit in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = npz::parse("f", std::io::Cursor::new(flipped), None) {
            assert_eq!(found, expected, "bit {bit}");
        }
    }
}

#[test]
fn a_table_is_what_numpy_wrote() {
    let known = known();
    let own = OwnData { label: Some("species".into()), ..OwnData::at(folder().join("table.csv")) };
    let samples = csv::read(&own.path, &own).unwrap();
    assert_same(samples, &known["table.csv"]["x"], &known["table.csv"]["y"], "table.csv");
}

#[test]
fn pictures_are_what_pillow_reads() {
    let known = known();
    for (name, of) in known.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("pictures/")) {
        let picture = decode::picture(&folder().join(name), None).unwrap();
        let shape = match picture.channels {
            1 => vec![picture.height, picture.width],
            channels => vec![picture.height, picture.width, channels],
        };
        assert_eq!(serde_json::json!(shape), of["shape"], "{name}");
        let expected = floats(&of["bytes"]);
        let off = picture.bytes.iter().zip(&expected).map(|(&byte, pillow)| (f32::from(byte) - pillow).abs());
        let (most, mean) = (off.clone().fold(0.0, f32::max), off.sum::<f32>() / expected.len() as f32);
        assert_eq!(picture.bytes.len(), expected.len());
        eprintln!("{name}: largest deviation {most}, mean {mean}");
        assert!(most <= allowed(name), "{name}: {most} {mean}");
    }
}

/// How far a byte may be off. PNG is exact; a JPEG's decoders round its cosines and stretch its colours each in
/// their way.
fn allowed(name: &str) -> f32 {
    match name.rsplit_once('.') {
        Some((_, "png")) => 0.0,
        _ => 3.0,
    }
}

#[test]
fn every_truncation_of_a_picture_is_refused() {
    for file in fs::read_dir(folder().join("pictures")).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let whole = fs::read(file.path()).unwrap();
        for length in 0..whole.len() {
            let error = match decode::parse(&name, &whole[..length], None) {
                Err(error) => error,
                Ok(_) => panic!("{name}: {length} of {}", whole.len()),
            };
            let text = damaged(error, &name);
            assert!(text.contains(", byte "), "{text}");
        }
    }
}

#[test]
fn no_flipped_bit_of_a_picture_panics_and_no_png_changes_unnoticed() {
    for file in fs::read_dir(folder().join("pictures")).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let whole = fs::read(file.path()).unwrap();
        let expected = decode::parse(&name, &whole, None).unwrap();
        for bit in 0..8 * whole.len() {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = decode::parse(&name, &flipped, None)
                && name.ends_with(".png")
            {
                assert_eq!(found, expected, "{name}, bit {bit}");
            }
        }
    }
}

/// A folder of pictures: `classes` by name, each with these fixtures.
fn pictures_in(place: &Path, classes: &BTreeMap<&str, Vec<&str>>) {
    for (class, files) in classes {
        fs::create_dir_all(place.join(class)).unwrap();
        for (i, file) in files.iter().enumerate() {
            let ending = file.rsplit_once('.').unwrap().1;
            fs::copy(folder().join("pictures").join(file), place.join(class).join(format!("{i}.{ending}")))
                .unwrap();
        }
    }
}

#[test]
fn a_folder_of_classes_becomes_a_dataset_the_same_with_and_without_the_cache() {
    let place = tempfile::tempdir().unwrap();
    let (data, cache) = (place.path().join("data"), place.path().join("cache"));
    let classes = BTreeMap::from([
        ("cats", vec!["grey.png", "grey.jpg", "bit.png"]),
        ("dogs", vec!["444.jpg", "palette.png"]),
    ]);
    pictures_in(&data, &classes);
    fs::write(data.join("cats/notes.txt"), "not a picture").unwrap();
    fs::write(data.join("cats/.hidden.png"), "not a picture").unwrap();
    let own = OwnData { test_fraction: Some(0.4), ..OwnData::at(&data) };
    let first = load(&own, Some(&cache)).unwrap();
    assert_eq!(first.class_names, ["cats", "dogs"]);
    // One colourful file is enough: all have three channels.
    assert_eq!(first.train.axes(), [13, 17, 3]);
    assert_eq!((first.train.count, first.test.count), (3, 2));
    for again in [load(&own, Some(&cache)).unwrap(), load(&own, None).unwrap()] {
        assert_eq!(
            (again.fingerprint(), &again.train, &again.test),
            (first.fingerprint(), &first.train, &first.test)
        );
    }
    let grey = OwnData::at(data.join("cats"));
    let error = load(&grey, None).unwrap_err().to_string();
    assert!(error.contains("pictures: expected a folder per class"), "{error}");
}

#[test]
fn train_and_test_folders_are_kept_apart() {
    let place = tempfile::tempdir().unwrap();
    let classes =
        |files: [&'static str; 2]| BTreeMap::from([("a", vec![files[0]; 3]), ("b", vec![files[1]])]);
    pictures_in(&place.path().join("train"), &classes(["grey.png", "bit.png"]));
    pictures_in(&place.path().join("test"), &classes(["bit.png", "grey.png"]));
    let dataset = load(&OwnData::at(place.path()), None).unwrap();
    assert_eq!((dataset.train.axes(), dataset.train.count, dataset.test.count), (vec![13, 17], 4, 4));
    let grey = decode::picture(&folder().join("pictures/grey.png"), None).unwrap().bytes;
    for (part, class) in [(&dataset.train, 0), (&dataset.test, 1)] {
        let shown = (0..4).filter(|&index| part.picture(index) == grey);
        assert!(shown.map(|index| part.labels[index]).all(|label| label == class));
    }
    let split = OwnData { test_fraction: Some(0.5), ..OwnData::at(place.path()) };
    let error = load(&split, None).unwrap_err().to_string();
    assert!(error.starts_with("test_fraction: expected none") && error.ends_with("received 0.5"), "{error}");
}

/// A link is what it leads to; one that leads nowhere, and a folder that is called like a picture, are left alone.
#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let place = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (place.path().join("data"), place.path().join("elsewhere"));
    pictures_in(&data, &BTreeMap::from([("a", vec!["grey.png"])]));
    pictures_in(&elsewhere, &BTreeMap::from([("b", vec!["bit.png", "grey.png"])]));
    fs::create_dir(data.join("a/folder.png")).unwrap();
    for (from, to) in [("b", "b"), ("b/0.png", "a/1.png"), ("gone", "a/2.png"), ("gone", "c")] {
        symlink(elsewhere.join(from), data.join(to)).unwrap();
    }
    let (samples, _) = pictures::read(&data, None).unwrap();
    assert_eq!(labels(&samples), ["a", "a", "b", "b"]);
}

#[test]
fn pictures_that_do_not_belong_are_named() {
    let place = tempfile::tempdir().unwrap();
    pictures_in(place.path(), &BTreeMap::from([("a", vec!["grey.png"]), ("b", vec!["bit.png"])]));
    let message = |name: &str, content: &[u8]| {
        let path = place.path().join("b").join(name);
        fs::write(&path, content).unwrap();
        let error = load(&OwnData::at(place.path()), None).unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        error.replace(&place.path().display().to_string(), "DIR")
    };
    assert_eq!(message("x.webp", b""), "DIR/b/x.webp: format: expected PNG or JPEG, received .webp");
    assert_eq!(
        message("x.png", b"GIF89a"),
        "DIR/b/x.png, byte 0: first bytes: expected those of a PNG (89504e47) or a JPEG (ffd8ff), received 474946383961"
    );
    let mut small = Vec::new();
    let mut encoder = png::Encoder::new(&mut small, 2, 3);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0; 6]).unwrap();
    assert_eq!(
        message("x.png", &small),
        "DIR/b/x.png, byte 0: size: expected 13×17 pixels, as the first picture has, received 3×2"
    );
    // A bomb: 8,000 × 8,000 white pixels in a few bytes.
    let mut bomb = Vec::new();
    let mut encoder = png::Encoder::new(&mut bomb, 8000, 8000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().unwrap().write_image_data(&vec![255; 64_000_000]).unwrap();
    let error = decode::parse("bomb.png", &bomb, None).unwrap_err().to_string();
    assert!(error.starts_with("bomb.png, byte 0: size: expected 1 to 16777216 values"), "{error}");
}

#[test]
fn what_is_no_data_is_refused_with_what_would_be() {
    let place = tempfile::tempdir().unwrap();
    let message = |name: &str| {
        let error = load(&OwnData::at(place.path().join(name)), None).unwrap_err().to_string();
        error.replace(&place.path().display().to_string(), "DIR")
    };
    assert!(message("missing.npz").starts_with("cannot read DIR/missing.npz: "));
    fs::write(place.path().join("x.txt"), "1,2").unwrap();
    assert_eq!(
        message("x.txt"),
        "DIR/x.txt: ending: expected a folder, or a file that ends in .npz, .csv or .tsv, received .txt"
    );
    fs::create_dir(place.path().join("empty")).unwrap();
    assert!(
        message("empty").starts_with("DIR/empty: pictures: expected a folder per class with PNG or JPEG")
    );
    fs::write(place.path().join("x.npz"), "PK").unwrap();
    assert!(message("x.npz").starts_with("DIR/x.npz: zip archive: expected an intact one, received "));
    let label = OwnData { label: Some("y".into()), ..OwnData::at(folder().join("plain.npz")) };
    let error = load(&label, None).unwrap_err().to_string();
    assert_eq!(error, "label: expected none: only a CSV file has columns, received \"y\"");
}

#[test]
fn training_samples_weigh_what_their_column_or_array_says() {
    let place = tempfile::tempdir().unwrap();
    let weighted = |path: &Path| OwnData { weight: Some("w".into()), ..OwnData::at(path) };
    let lines: String = (0..20).map(|i| format!("{},{i},{}\n", ["a", "b"][i % 2], i + 1)).collect();
    let csv = place.path().join("t.csv");
    fs::write(&csv, format!("label,x,w\n{lines}")).unwrap();
    let dataset = load(&weighted(&csv), None).unwrap();
    let numbers = dataset.train.numbers.as_ref().unwrap();
    let weights: Vec<f32> = numbers.iter().map(|x| x + 1.0).collect();
    assert_eq!((dataset.train.weights.as_ref(), &dataset.test.weights), (Some(&weights), &None));
    assert_eq!(dataset.train.axes(), [1], "the weight is no input");
    let other = fs::write(&csv, format!("label,x,w\n{}", lines.replace(",7,8", ",7,9")));
    other.unwrap();
    assert_ne!(load(&weighted(&csv), None).unwrap().fingerprint(), dataset.fingerprint());

    let mut archive = zip::ZipWriter::new(fs::File::create(place.path().join("t.npz")).unwrap());
    for (name, values) in [("x", &numbers[..2]), ("y", &[0.0, 1.0]), ("w", &[0.5, 2.0]), ("v", &[0.5, -1.0])]
    {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        let shape = if name == "x" { [2, 1].as_slice() } else { &[2] };
        let mut header = crate::npy::begin(shape);
        if name == "y" {
            let kind = header.windows(3).position(|bytes| bytes == b"<f4").unwrap();
            header[kind + 1] = b'i';
        }
        archive.write_all(&header).unwrap();
        for value in values {
            let bytes = if name == "y" { (*value as i32).to_le_bytes() } else { value.to_le_bytes() };
            archive.write_all(&bytes).unwrap();
        }
    }
    archive.finish().unwrap();
    let read = |weight: &str| {
        npz::read(&place.path().join("t.npz"), Some(weight)).map(|(mut samples, _)| samples.take_weights())
    };
    assert_eq!(read("w").unwrap(), Some(vec![0.5, 2.0]));
    let message = |weight| read(weight).unwrap_err().to_string();
    assert!(
        message("v").ends_with("v.npy, byte 0: weight: expected finite numbers ≥ 0, received -1 of sample 1")
    );
    assert!(message("z").contains("z.npy"), "{}", message("z"));
    for class in ["a", "b"] {
        fs::create_dir_all(place.path().join("pictures").join(class)).unwrap();
        let to = place.path().join("pictures").join(class).join("x.png");
        fs::copy(folder().join("pictures/grey.png"), to).unwrap();
    }
    let error = load(&weighted(&place.path().join("pictures")), None).unwrap_err().to_string();
    assert_eq!(error, "weight: expected none: only CSV and NPZ files say what samples weigh, received \"w\"");
}

#[test]
fn defaults_are_spelled_out_and_numbers_are_kept() {
    let own = OwnData { label: Some("species".into()), ..OwnData::at(folder().join("table.csv")) };
    let dataset = load(&own, None).unwrap();
    let crate::DataName::Own(resolved) = &dataset.name else { panic!("{:?}", dataset.name) };
    assert_eq!((resolved.test_fraction, resolved.split_seed), (Some(0.2), 0));
    assert_eq!(
        (dataset.title.as_str(), dataset.class_names.as_slice()),
        ("table", ["setosa".to_owned(), "virginica".to_owned()].as_slice())
    );
    assert_eq!((dataset.train.axes(), dataset.train.count, dataset.test.count), (vec![3], 6, 2));
    assert!(dataset.train.numbers.is_some() && dataset.test.numbers.is_some());
    let again = load(resolved, None).unwrap();
    assert_eq!(again.fingerprint(), dataset.fingerprint());
    let reshaped = OwnData { sample_shape: Some(vec![1, 1, 3]), ..own.clone() };
    assert_eq!(load(&reshaped, None).unwrap().train.axes(), [1, 1, 3]);
    let other = OwnData { split_seed: 1, ..own };
    assert_ne!(load(&other, None).unwrap().fingerprint(), dataset.fingerprint());
}

#[test]
fn idx_files_of_any_size_are_read() {
    use crate::idx::{Idx, write};
    let place = tempfile::tempdir().unwrap();
    let put = |name: &str, dims: &[usize], first: u8| {
        let count = dims.iter().product::<usize>() as u8;
        let values =
            (0..count).map(|i| i.wrapping_add(first) % if dims.len() == 1 { 2 } else { 251 }).collect();
        fs::write(place.path().join(name), write(&Idx { dims: dims.to_vec(), values })).unwrap();
    };
    put("train-images-idx4-ubyte", &[4, 2, 3, 3], 0);
    put("train-labels-idx1-ubyte", &[4], 0);
    put("t10k-images-idx4-ubyte", &[2, 2, 3, 3], 7);
    let error = load(&OwnData::at(place.path()), None).unwrap_err().to_string();
    assert!(
        error.contains("IDX files: expected train-images, train-labels, t10k-images, t10k-labels"),
        "{error}"
    );
    put("t10k-labels-idx1-ubyte", &[2], 0);
    let dataset = load(&OwnData::at(place.path()), None).unwrap();
    assert_eq!((dataset.train.axes(), dataset.class_names.len()), (vec![2, 3, 3], 2));
    assert_eq!((dataset.train.labels, dataset.test.picture(0)[0]), (vec![0, 1, 0, 1], 7));
    put("t10k-labels-idx1-ubyte", &[3], 0);
    let error = load(&OwnData::at(place.path()), None).unwrap_err().to_string();
    assert!(
        error.contains("t10k-images-idx4-ubyte, byte 3: dimensions: expected [3, height, width]"),
        "{error}"
    );
}

#[test]
fn a_folder_that_cannot_be_read_as_pictures_lists_nothing_twice() {
    let place = tempfile::tempdir().unwrap();
    pictures_in(place.path(), &BTreeMap::from([("a", vec!["grey.png"; 2]), ("b", vec!["grey.png"; 2])]));
    let (samples, test) = pictures::read(place.path(), None).unwrap();
    assert!(test.is_none());
    assert_eq!(labels(&samples), ["a", "a", "b", "b"]);
    let Values::Bytes(bytes) = samples.into_values() else { panic!("pictures are bytes") };
    let grey = decode::picture(&folder().join("pictures/grey.png"), None).unwrap().bytes;
    assert_eq!(bytes, [&grey[..]; 4].concat());
}
