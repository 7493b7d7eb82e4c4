//! TensorBoard's messages: scalars, histograms, hyperparameters.
//!
//! Definitions: `tensorflow/core/util/event.proto`, `tensorflow/core/framework/summary.proto`, and
//! `tensorboard/plugins/hparams/{api,plugin_data}.proto`.

use super::message::Message;
use serde_json::Value;

/// Bins of a histogram, as many as Keras's callback has.
const BINS: usize = 30;

/// The plugin of hyperparameters, and the names of what it reads.
const HPARAMS: &str = "hparams";
const EXPERIMENT: &str = "_hparams_/experiment";
const SESSION_START: &str = "_hparams_/session_start_info";
const SESSION_END: &str = "_hparams_/session_end_info";

/// The empty float tensor that stands where only metadata matter: type 1, one axis of length 0.
const NO_TENSOR: [u8; 6] = [0x08, 0x01, 0x12, 0x02, 0x12, 0x00];

/// What belongs to one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary(Message);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success = 1,
    Failure = 2,
}

/// A hyperparameter and the values it takes.
pub(super) struct Hyperparameter<'a> {
    pub(super) name: &'a str,
    /// Numbers, texts or truth values.
    pub(super) values: Vec<Value>,
}

impl Summary {
    fn value(self, value: &Message) -> Self {
        Self(self.0.message(1, value))
    }

    /// One number under a name.
    pub(super) fn scalar(self, tag: &str, value: f64) -> Self {
        self.value(&Message::default().blob(1, tag).float(2, value as f32))
    }

    /// How numbers are spread; those that are not finite are left out.
    pub(super) fn histogram(self, tag: &str, numbers: &[f32]) -> Self {
        self.value(&Message::default().blob(1, tag).message(5, &histogram(numbers)))
    }

    /// What the hyperparameters are, over all sessions, and which metrics are shown beside them: run, tag, name.
    pub(super) fn experiment(
        self,
        hyperparameters: &[Hyperparameter<'_>],
        metrics: &[(&str, &str, &str)],
        seconds: f64,
    ) -> Self {
        let mut experiment = Message::default().double(3, seconds);
        for Hyperparameter { name, values } in hyperparameters {
            let kind = match values.first() {
                Some(Value::Number(_)) => 3,
                Some(Value::Bool(_)) => 2,
                _ => 1,
            };
            let list =
                values.iter().fold(Message::default(), |list, value| list.message(1, &protobuf_value(value)));
            experiment =
                experiment.message(4, &Message::default().blob(1, name).number(4, kind).message(5, &list));
        }
        for (run, tag, name) in metrics {
            let metric = Message::default().blob(1, run).blob(2, tag);
            experiment = experiment.message(5, &Message::default().message(1, &metric).blob(3, name));
        }
        self.hparams(EXPERIMENT, 2, &experiment)
    }

    /// The hyperparameters of one session; sessions of one group are repetitions of each other.
    pub(super) fn session_start(self, values: &[(&str, Value)], group: &str, seconds: f64) -> Self {
        let entry = |(name, value): &(&str, Value)| {
            Message::default().blob(1, name).message(2, &protobuf_value(value))
        };
        let values = values.iter().fold(Message::default(), |start, value| start.message(1, &entry(value)));
        self.hparams(SESSION_START, 3, &values.blob(4, group).double(5, seconds))
    }

    /// How a session ended.
    pub(super) fn session_end(self, status: Status, seconds: f64) -> Self {
        self.hparams(SESSION_END, 4, &Message::default().number(1, status as u64).double(2, seconds))
    }

    fn hparams(self, tag: &str, field: u64, content: &Message) -> Self {
        let content = Message::default().number(1, 0).message(field, content);
        let plugin = Message::default().blob(1, HPARAMS).message(2, &content);
        let metadata = Message::default().message(1, &plugin);
        self.value(&Message::default().blob(1, tag).blob(8, NO_TENSOR).message(9, &metadata))
    }

    /// The event that holds it.
    pub(super) fn event(&self, step: u64, seconds: f64) -> Message {
        Message::default().double(1, seconds).number(2, step).message(5, &self.0)
    }
}

/// The first event of a file.
pub(super) fn version(seconds: f64) -> Message {
    Message::default().double(1, seconds).blob(3, "brain.Event:2")
}

/// `google.protobuf.Value`: a number, a truth value, or a text.
fn protobuf_value(value: &Value) -> Message {
    match value {
        Value::Number(number) => Message::default().double(2, number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(truth) => Message::default().number(4, u64::from(*truth)),
        Value::String(text) => Message::default().blob(3, text),
        other => Message::default().blob(3, other.to_string()),
    }
}

/// `HistogramProto`.
fn histogram(numbers: &[f32]) -> Message {
    let finite = || numbers.iter().filter(|number| number.is_finite()).map(|&number| f64::from(number));
    let Bins { low, high, limits, counts } = Bins::of(finite);
    Message::default()
        .double(1, low)
        .double(2, high)
        .double(3, counts.iter().sum())
        .double(4, finite().sum())
        .double(5, finite().map(|number| number * number).sum())
        .doubles(6, limits)
        .doubles(7, counts)
}

/// Bins of equal width from the smallest to the largest number; one bin where these are the same.
struct Bins {
    low: f64,
    high: f64,
    /// The right edge of each bin.
    limits: Vec<f64>,
    /// How many numbers lie in it.
    counts: Vec<f64>,
}

impl Bins {
    fn of<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> Self {
        let extent = numbers().fold(None, |extent: Option<[f64; 2]>, number| {
            let [low, high] = extent.unwrap_or([number; 2]);
            Some([low.min(number), high.max(number)])
        });
        let [low, high] = extent.unwrap_or_default();
        let bins = if high > low { BINS } else { 1 };
        let mut counts = vec![0.0; bins];
        for number in numbers() {
            let share = if high > low { (number - low) / (high - low) } else { 0.0 };
            counts[((share * bins as f64) as usize).min(bins - 1)] += 1.0;
        }
        let limit = |bin: usize| low + (high - low) * (bin + 1) as f64 / bins as f64;
        let limits = (0..bins).map(|bin| if bin + 1 == bins { high } else { limit(bin) }).collect();
        Self { low, high, limits, counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_bytes_that_tensorboards_own_messages_write() {
        // event_pb2.Event(wall_time=1.5, step=3, summary=Summary(value=[Summary.Value(tag="a", simple_value=0.5)]))
        let event = Summary::default().scalar("a", 0.5).event(3, 1.5);
        let expected = b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x03\x2a\x0a\x0a\x08\x0a\x01a\x15\0\0\0\x3f";
        assert_eq!(event.bytes(), expected);
    }

    #[test]
    fn every_number_lies_in_one_bin() {
        let of = |numbers: &[f64]| Bins::of(|| numbers.iter().copied());
        let spread: Vec<f64> = (0..=60).map(|i| 2.0 + f64::from(i) / 60.0).collect();
        let bins = of(&spread);
        assert_eq!((bins.low, bins.high, bins.limits.len(), bins.limits[BINS - 1]), (2.0, 3.0, BINS, 3.0));
        assert_eq!((bins.counts.iter().sum::<f64>(), bins.counts[BINS - 1]), (61.0, 3.0));
        assert!(bins.limits.is_sorted());
        assert_eq!((of(&[7.0, 7.0]).counts, of(&[7.0, 7.0]).limits), (vec![2.0], vec![7.0]));
        assert_eq!(of(&[]).counts, [0.0]);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let with = histogram(&[1.0, f32::NAN, 2.0, f32::INFINITY]);
        assert_eq!(with, histogram(&[1.0, 2.0]));
    }
}
