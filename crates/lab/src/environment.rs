//! What a run happened on, in words: version, threads, instructions, system, processor.

use crate::record::Environment;
use seedbed_nn::kernels::SimdLevel;
use std::num::NonZeroUsize;

impl Environment {
    /// This machine; `started` is the time as the caller writes it. The processor is an empty word where the system
    /// does not tell.
    pub fn detect(threads: NonZeroUsize, started: &str) -> Self {
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            seedbed_version: env!("CARGO_PKG_VERSION").to_owned(),
            threads: threads.get(),
            simd: SimdLevel::detect().to_string(),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: processor(&processors).unwrap_or_default().to_owned(),
            started: started.to_owned(),
        }
    }
}

/// The model name in the text of `/proc/cpuinfo`.
fn processor(text: &str) -> Option<&str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == "model name")
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found_in_the_systems_table() {
        let text = "processor\t: 0\nvendor_id\t: X\nmodel name\t: Some CPU @ 2: fast\nprocessor\t: 1\nmodel name\t: B\n";
        assert_eq!(processor(text), Some("Some CPU @ 2: fast"));
        assert_eq!(processor("processor : 0\n"), None);
    }

    #[test]
    fn the_environment_is_complete() {
        let environment = Environment::detect(NonZeroUsize::MIN, "now");
        assert_eq!((environment.threads, environment.started.as_str()), (1, "now"));
        assert!(!environment.os.is_empty() && !environment.simd.is_empty());
    }
}
