//! A window that slides over a picture: what convolution and pooling share.
//!
//! Rows and columns in this order everywhere. At the place (oy, ox) of the output, the window's row ky and
//! column kx lie on the picture at
//!
//! `iy = oy·strides + ky·dilation − before`, `ix` likewise; outside the picture there is padding.
//!
//! Source: Keras `keras/src/ops/operation_utils.py` (`compute_conv_output_shape`), TensorFlow's `SAME` and `VALID`.

use crate::shape::{MAX_SAMPLE, Shape};
use serde::{Deserialize, Deserializer, Serialize};

/// What happens at the edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// The window stays inside the picture.
    #[default]
    Valid,
    /// As many places as the picture has pixels, divided by the strides and rounded up; the odd pixel of padding is
    /// below and on the right.
    Same,
}

/// Rows and columns: a file may have one number for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Pair(pub [usize; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Self([both; 2])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Self {
        Self(pair)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a whole number, or two: [rows, columns]")]
        enum Either {
            Both(usize),
            Pair([usize; 2]),
        }
        Ok(match Either::deserialize(from)? {
            Either::Both(both) => both.into(),
            Either::Pair(pair) => pair.into(),
        })
    }
}

/// The largest size, stride or dilation: far above any picture, and products of it still fit.
const MOST: usize = 1 << 16;

impl Pair {
    /// Refuses zeros and absurd sizes.
    pub(crate) fn check(self, parameter: &str) -> Result<(), String> {
        match self.0.iter().find(|n| !(1..=MOST).contains(*n)) {
            None => Ok(()),
            Some(wrong) => Err(format!("{parameter}: expected 1 to {MOST}, received {wrong}")),
        }
    }
}

/// A window over pictures of one size; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the picture.
    pub input: [usize; 2],
    /// Numbers per pixel of the picture.
    pub channels: usize,
    /// Rows and columns of what comes out.
    pub output: [usize; 2],
    /// Rows and columns of the window.
    pub size: [usize; 2],
    /// Pixels between neighbouring places.
    pub strides: [usize; 2],
    /// Pixels between neighbouring rows or columns of the window.
    pub dilation: [usize; 2],
    /// Pixels of padding above and on the left.
    pub before: [usize; 2],
}

impl Window {
    /// The window over pictures of the shape `input`, `[rows, columns, channels]`.
    ///
    /// # Errors
    /// Where a window without padding is larger than the picture, or the picture with its padding is absurdly large. `size`
    /// names the parameter.
    pub(crate) fn new(
        input: [usize; 3],
        (parameter, size): (&str, Pair),
        strides: Pair,
        dilation: Pair,
        padding: Padding,
    ) -> Result<Self, String> {
        let (mut output, mut before) = ([0; 2], [0; 2]);
        let mut padded = input[2];
        for axis in 0..2 {
            let reach = (size.0[axis] - 1) * dilation.0[axis] + 1;
            let (length, stride) = (input[axis], strides.0[axis]);
            if padding == Padding::Same {
                output[axis] = length.div_ceil(stride);
                before[axis] = ((output[axis] - 1) * stride + reach).saturating_sub(length) / 2;
            } else if reach > length {
                let dilated = if dilation.0 == [1, 1] { "" } else { ", dilated" };
                return Err(format!(
                    "{parameter}: expected at most the picture's {} {}, received {}{dilated}; \
                     use padding \"same\" or a smaller window",
                    length,
                    ["rows", "columns"][axis],
                    reach
                ));
            } else {
                output[axis] = (length - reach) / stride + 1;
            }
            padded = padded.saturating_mul(length + reach);
        }
        if padded > 4 * MAX_SAMPLE {
            return Err(format!(
                "{parameter}: expected at most {} numbers in a picture with its padding, received about {padded}",
                4 * MAX_SAMPLE
            ));
        }
        Ok(Self {
            input: [input[0], input[1]],
            channels: input[2],
            output,
            size: size.0,
            strides: strides.0,
            dilation: dilation.0,
            before,
        })
    }

    /// The window that covers the whole picture.
    pub(crate) fn whole([rows, columns, channels]: [usize; 3]) -> Self {
        Self {
            input: [rows, columns],
            channels,
            output: [1, 1],
            size: [rows, columns],
            strides: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
        }
    }

    /// How many places the output has.
    pub fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// How many positions the window has.
    pub fn positions(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The row (axis 0) or column (axis 1) of the picture under the window's `k`-th at the output's `o`-th.
    #[inline(always)]
    pub(crate) fn under(&self, axis: usize, o: usize, k: usize) -> Option<usize> {
        let padded = o * self.strides[axis] + k * self.dilation[axis];
        padded.checked_sub(self.before[axis]).filter(|&i| i < self.input[axis])
    }

    /// The output's row or column at which the window's `k`-th lies on the picture's `i`-th.
    pub(crate) fn place(&self, axis: usize, i: usize, k: usize) -> Option<usize> {
        let from_first = (i + self.before[axis]).checked_sub(k * self.dilation[axis])?;
        let o = from_first / self.strides[axis];
        (from_first.is_multiple_of(self.strides[axis]) && o < self.output[axis]).then_some(o)
    }

    /// The window's positions at a place that lie on the picture, in ascending order: the position and the pixel.
    pub(crate) fn taps(&self, place: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let window = *self;
        let [oy, ox] = [place / window.output[1], place % window.output[1]];
        (0..window.size[0]).filter_map(move |ky| Some((ky, window.under(0, oy, ky)?))).flat_map(
            move |(ky, iy)| {
                (0..window.size[1]).filter_map(move |kx| {
                    let ix = window.under(1, ox, kx)?;
                    Some((ky * window.size[1] + kx, iy * window.input[1] + ix))
                })
            },
        )
    }

    /// Whether no pixel lies under two places of the window.
    pub(crate) fn is_disjoint(&self) -> bool {
        self.dilation == [1, 1] && (0..2).all(|axis| self.strides[axis] >= self.size[axis])
    }
}

/// The axes of a picture layer's input.
///
/// # Errors
/// Where the input is not `[rows, columns, channels]`: what to do about it.
pub(crate) fn picture(input: &Shape) -> Result<[usize; 3], String> {
    match *input.axes() {
        [rows, columns, channels] => Ok([rows, columns, channels]),
        [rows, columns] => Err(format!(
            "expected pictures (None, rows, columns, channels), received the shape {input}; \
             give the model the input_shape [{rows}, {columns}, 1], or put Reshape([{rows}, {columns}, 1]) before it"
        )),
        _ => Err(format!(
            "expected pictures (None, rows, columns, channels), received the shape {input}; \
             put a Reshape layer before it"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(input: usize, size: usize, stride: usize, dilation: usize, padding: Padding) -> Window {
        let pair = |n: usize| Pair::from(n);
        Window::new([input, input, 1], ("size", pair(size)), pair(stride), pair(dilation), padding).unwrap()
    }

    /// Output lengths and padding as `tf.nn.conv2d` has them.
    #[test]
    fn lengths_and_padding_are_tensorflows() {
        for (input, size, stride, dilation, padding, output, before) in [
            (28, 3, 1, 1, Padding::Valid, 26, 0),
            (28, 3, 1, 1, Padding::Same, 28, 1),
            (28, 4, 1, 1, Padding::Same, 28, 1),
            (7, 3, 2, 1, Padding::Valid, 3, 0),
            (7, 3, 2, 1, Padding::Same, 4, 1),
            (8, 3, 2, 1, Padding::Same, 4, 0),
            (7, 3, 1, 2, Padding::Valid, 3, 0),
            (7, 3, 1, 2, Padding::Same, 7, 2),
            (5, 2, 3, 1, Padding::Valid, 2, 0),
            (5, 1, 3, 1, Padding::Same, 2, 0),
            (2, 5, 1, 1, Padding::Same, 2, 2),
        ] {
            let window = window(input, size, stride, dilation, padding);
            assert_eq!((window.output[0], window.before[0]), (output, before), "{window:?}");
        }
    }

    #[test]
    fn a_place_and_a_pixel_find_each_other() {
        for (input, size, stride, dilation) in [(9, 3, 1, 1), (9, 3, 2, 1), (9, 2, 1, 3), (5, 2, 3, 1)] {
            for padding in [Padding::Valid, Padding::Same] {
                let window = window(input, size, stride, dilation, padding);
                let down = (0..window.output[0]).flat_map(|o| (0..size).map(move |k| (o, k)));
                let down: Vec<_> = down.filter_map(|(o, k)| Some((o, k, window.under(0, o, k)?))).collect();
                let up = (0..input).flat_map(|i| (0..size).map(move |k| (i, k)));
                let mut up: Vec<_> = up.filter_map(|(i, k)| Some((window.place(0, i, k)?, k, i))).collect();
                up.sort();
                assert_eq!(down, up, "{window:?}");
            }
        }
    }

    #[test]
    fn taps_ascend_and_leave_out_the_padding() {
        let window = window(3, 3, 1, 1, Padding::Same);
        let taps: Vec<_> = window.taps(0).collect();
        assert_eq!(taps, [(4, 0), (5, 1), (7, 3), (8, 4)]);
        assert_eq!(window.taps(4).map(|(k, _)| k).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn a_window_beyond_the_picture_is_refused() {
        let of = |size: [usize; 2], dilation: usize| {
            Window::new([4, 6, 1], ("pool_size", size.into()), 1.into(), dilation.into(), Padding::Valid)
        };
        assert!(of([4, 6], 1).is_ok());
        let error = of([5, 2], 1).unwrap_err();
        assert!(
            error.starts_with("pool_size: expected at most the picture's 4 rows, received 5; use"),
            "{error}"
        );
        let error = of([1, 3], 3).unwrap_err();
        assert!(error.contains("6 columns, received 7, dilated"), "{error}");
        let same = |size: usize, dilation: usize| {
            Window::new([4, 6, 1], ("kernel_size", size.into()), 1.into(), dilation.into(), Padding::Same)
        };
        assert!(same(9, 9).is_ok());
        let error = same(MOST, MOST).unwrap_err();
        assert!(error.starts_with("kernel_size: expected at most 67108864 numbers"), "{error}");
    }

    #[test]
    fn one_number_stands_for_both() {
        assert_eq!(serde_json::from_str::<Pair>("3").unwrap(), Pair([3, 3]));
        assert_eq!(serde_json::from_str::<Pair>("[3, 2]").unwrap(), Pair([3, 2]));
        assert!(serde_json::from_str::<Pair>("[3]").unwrap_err().to_string().contains("[rows, columns]"));
        assert!(Pair([1, 0]).check("strides").unwrap_err().contains("received 0"));
    }
}
