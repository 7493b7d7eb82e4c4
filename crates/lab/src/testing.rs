//! A small dataset for tests: 4 × 4 pictures of three classes, each a brighter row with noise around it.

use seedbed_data::{DataName, Dataset, Loaded, Pictures, Source};

/// 60 pictures to learn from and 30 to be judged by.
pub(crate) fn rows() -> Dataset {
    Dataset {
        name: DataName::Digits,
        title: "Bright rows".into(),
        source: Source::BuiltIn,
        class_names: ["top", "middle", "bottom"].map(str::to_owned).to_vec(),
        train: pictures(60, 1),
        test: pictures(30, 7_919),
    }
}

/// The same as it comes from loading.
pub(crate) fn loaded() -> Loaded {
    Loaded { dataset: rows(), notice: Some("made up for a test".into()) }
}

fn pictures(count: usize, key: usize) -> Pictures {
    let labels: Vec<u16> = (0..count).map(|index| (index * 2 % 3) as u16).collect();
    let pixel = |at: usize| {
        let (picture, row) = (at / 16, at / 4 % 4);
        let noise = (at + key).wrapping_mul(2_654_435_761) >> 7 & 127;
        (noise + if row == usize::from(labels[picture]) { 90 } else { 0 }) as u8
    };
    Pictures::new([4, 4, 1], (0..count * 16).map(pixel).collect(), labels.clone(), 3).unwrap()
}
