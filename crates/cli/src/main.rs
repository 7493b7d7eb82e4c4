//! The command line: reads what is asked for, calls one command, says how it ended.

mod arguments;
mod commands;
mod exit;
mod interrupt;
mod load;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let code = exit::code(&error);
            if code != exit::Exit::PipeClosed {
                terminal::error(&exit::message(&error));
            }
            code.into()
        }
    }
}
