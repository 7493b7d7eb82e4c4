//! Every training choice and every layer gives Keras's numbers: `seedbed_lab::parity`, which says what is compared and how
//! far apart it may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use seedbed_lab::parity::{GROUPS, Records, Row};

/// Replays a group: none of its records deviates, and `understood` of them are replayed.
fn check(name: &str, understood: usize) {
    let group = GROUPS.into_iter().find(|group| group.name() == name).unwrap();
    let (_, rows) = group.replay(Records::BuiltIn).unwrap();
    let (replayed, left_out): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.problem.is_none());
    for row in left_out {
        println!("{name}: {} is not understood: {}", row.name, row.problem.unwrap());
    }
    let wrong: Vec<&Row> = replayed.iter().filter(|row| !row.agrees()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(replayed.len(), understood, "{name}: records that are understood");
}

#[test]
fn optimizers() {
    check("optimizers", 120);
}

#[test]
fn schedules() {
    check("schedules", 28);
}

#[test]
fn losses() {
    check("losses", 98);
}

#[test]
fn regularizers() {
    check("regularizers", 18);
}

#[test]
fn constraints() {
    check("constraints", 16);
}

#[test]
fn initializers() {
    check("initializers", 29);
}

#[test]
fn metrics() {
    check("metrics", 38);
}

#[test]
fn activations() {
    check("activations", 74);
}

#[test]
fn activation_functions() {
    check("activation functions", 2 * 34 + 4);
}

#[test]
fn activation_layers() {
    check("activation layers", 26);
}

#[test]
fn convolution_layers() {
    check("convolution layers", 46);
}

#[test]
fn pooling_layers() {
    check("pooling layers", 28);
}

#[test]
fn normalization_layers() {
    check("normalization layers", 46);
}

#[test]
fn noise_layers() {
    check("noise layers", 14);
}

#[test]
fn augmentation_layers() {
    check("augmentation layers", 18);
}

/// Constraints and penalties on outputs of every layer that has them.
#[test]
fn options_of_layers() {
    check("options of layers", 18);
}
