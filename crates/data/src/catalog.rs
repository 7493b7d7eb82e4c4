//! The datasets that can be had, and what is known about each of their files.
//!
//! Sizes and hashes of the compressed files are those of the checksum lists that TensorFlow Datasets publishes.
//! MNIST's uncompressed hashes identify its content whichever program compressed it.

use crate::idx;

/// A dataset that is kept as four IDX files.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name by which it is asked for, and of its folder.
    pub name: &'static str,
    /// The name as a sentence writes it.
    pub title: &'static str,
    /// What the pictures show.
    pub shows: &'static str,
    /// Who made it.
    pub authors: &'static str,
    /// Under which licence it may be used.
    pub licence: &'static str,
    /// The name of each class.
    pub class_names: [&'static str; 10],
    /// Addresses to which a file's name is appended, best first.
    pub mirrors: &'static [&'static str],
    /// Training images and labels, test images and labels.
    pub files: [File; 4],
}

/// One file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Name of the uncompressed file; the compressed one adds `.gz`.
    pub stem: &'static str,
    /// Dimensions in its IDX header.
    pub dims: &'static [usize],
    /// Bytes of the compressed file as mirrors serve it.
    pub gz_bytes: u64,
    /// SHA-256 of the compressed file as mirrors serve it.
    pub gz_sha256: &'static str,
    /// SHA-256 of the uncompressed file, where it is known.
    pub sha256: Option<&'static str>,
}

impl Entry {
    /// Bytes to download for the whole dataset.
    pub fn download_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.gz_bytes).sum()
    }
}

impl File {
    /// Name of the compressed file.
    pub fn gz_name(&self) -> String {
        format!("{}.gz", self.stem)
    }

    /// Bytes of the uncompressed file.
    pub fn bytes(&self) -> usize {
        idx::file_size(self.dims)
    }
}

const STEMS: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];
const DIMS: [&[usize]; 4] = [&[60_000, 28, 28], &[60_000], &[10_000, 28, 28], &[10_000]];
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// All three are 60,000 + 10,000 pictures of 28×28 under the same file names.
const fn files(gz: [(u64, &'static str); 4], sha256: [Option<&'static str>; 4]) -> [File; 4] {
    let mut files = [const { File { stem: "", dims: &[], gz_bytes: 0, gz_sha256: "", sha256: None } }; 4];
    let mut i = 0;
    while i < 4 {
        files[i] =
            File { stem: STEMS[i], dims: DIMS[i], gz_bytes: gz[i].0, gz_sha256: gz[i].1, sha256: sha256[i] };
        i += 1;
    }
    files
}

/// Handwritten digits 0 to 9.
pub static MNIST: Entry = Entry {
    name: "mnist",
    title: "MNIST",
    shows: "handwritten digits",
    authors: "Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
    licence: "CC BY-SA 3.0",
    class_names: DIGITS,
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ],
    files: files(
        [
            (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ],
        [
            Some("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            Some("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            Some("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            Some("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
    ),
};

/// Pieces of clothing, harder than MNIST.
pub static FASHION_MNIST: Entry = Entry {
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    shows: "pieces of clothing",
    authors: "Han Xiao, Kashif Rasul, Roland Vollgraf",
    licence: "MIT",
    class_names: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    mirrors: &[
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ],
    files: files(
        [
            (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ],
        [None; 4],
    ),
};

/// Handwritten hiragana in the cursive of old books.
pub static KMNIST: Entry = Entry {
    name: "kmnist",
    title: "KMNIST",
    shows: "handwritten hiragana",
    authors: "Tarin Clanuwat, Mikel Bober-Irizar, Asanobu Kitamoto, Alex Lamb, Kazuaki Yamamoto, David Ha",
    licence: "CC BY-SA 4.0",
    class_names: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    // Plain HTTP is all that is offered; the hashes protect the files.
    mirrors: &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    files: files(
        [
            (18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ],
        [None; 4],
    ),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_well_formed_and_all_different() {
        let entries = [&MNIST, &FASHION_MNIST, &KMNIST];
        let files = || entries.iter().flat_map(|entry| &entry.files);
        let mut hashes: Vec<&str> =
            files().map(|file| file.gz_sha256).chain(files().filter_map(|f| f.sha256)).collect();
        assert!(
            hashes
                .iter()
                .all(|hash| hash.len() == 64 && hash.bytes().all(|b| b"0123456789abcdef".contains(&b)))
        );
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn sizes_are_those_of_the_files() {
        assert_eq!(MNIST.files.each_ref().map(File::bytes), [47_040_016, 60_008, 7_840_016, 10_008]);
        assert_eq!(MNIST.files[3].gz_name(), "t10k-labels-idx1-ubyte.gz");
        assert_eq!(MNIST.download_bytes(), 11_594_722);
    }
}
