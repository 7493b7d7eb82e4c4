//! Stores that earlier versions wrote can be read for ever. `store-1.db` was written by the first version of the tables:
//! a study of the built-in digits, two variants on two seeds.

use seedbed_lab::study::store::Store;
use std::path::Path;

#[test]
fn a_store_of_version_1_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("store.db");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-1.db");
    std::fs::copy(fixture, &copy).unwrap();
    let record = Store::open_existing(&copy).unwrap().record("small").unwrap();
    assert_eq!((record.planned, record.trials.len(), record.seeds.as_slice()), (4, 4, [0, 1].as_slice()));
    let names: Vec<&str> = record.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names, ["baseline", "dropout 0.5"]);
    let accuracies: Vec<f64> = record.trials.iter().filter_map(|trial| trial.trial.test_accuracy()).collect();
    assert_eq!(accuracies, [0.1354, 0.1675, 0.1798, 0.1909]);
    assert!(record.trials.iter().all(|trial| trial.predicted.len() == record.test_labels.len()));
    assert_eq!((record.test_looks, record.environments.len(), record.complete()), (2, 1, true));
}
