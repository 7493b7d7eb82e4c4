#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seedbed_fuzz::weights_h5(bytes));
