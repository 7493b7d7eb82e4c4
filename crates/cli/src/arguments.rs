//! What can be asked for: the program's options and subcommands, and how values are read.

use crate::commands::Command;
use clap::Parser;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use seedbed::nn::prelude::{Dropout, Regularizer, Sequential};
use std::error::Error;
use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

/// A neural-network lab: what does a training choice really do to training accuracy and to test accuracy?
///
/// Start with `seedbed lesson`. Results go to stdout, progress and logs to stderr.
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Shows results only: no explanations, no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some trials diverged, \
    4 data are damaged, 130 interrupted.";

/// Reads a value by a name from a closed list, which help and completions show.
pub(crate) struct Name<T> {
    names: &'static [&'static str],
    of: PhantomData<fn() -> T>,
}

impl<T> Name<T> {
    pub(crate) fn of(names: &'static [&'static str]) -> Self {
        Self { names, of: PhantomData }
    }
}

impl<T> Clone for Name<T> {
    fn clone(&self) -> Self {
        Self::of(self.names)
    }
}

impl<T> TypedValueParser for Name<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        StringValueParser::new().try_map(|name| name.parse::<T>()).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(PossibleValue::new)))
    }
}

/// A whole number, at least 1.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number >= 1);
    number.ok_or_else(|| "expected a whole number, at least 1".to_owned())
}

/// A rate that Dropout takes.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let layer = |&rate: &f64| Sequential::new([1]).add(Dropout::new(rate)).summary().is_ok();
    text.parse().ok().filter(layer).ok_or_else(|| "expected a number from 0 to below 1".to_owned())
}

/// The factor of a penalty.
pub(crate) fn penalty(text: &str) -> Result<f64, String> {
    let valid = |&factor: &f64| Regularizer::l1(factor).validate().is_ok();
    text.parse().ok().filter(valid).ok_or_else(|| "expected a finite number, at least 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!((count("3"), rate("0.5"), penalty("0")), (Ok(3), Ok(0.5), Ok(0.0)));
        assert!(["0", "-1", "1.5", "", "x"].iter().all(|text| count(text).is_err()));
        assert!(["1.5", "1", "-0.1", "nan", "inf", "x"].iter().all(|text| rate(text).is_err()));
        assert!(["-1", "nan", "inf"].iter().all(|text| penalty(text).is_err()));
    }
}
