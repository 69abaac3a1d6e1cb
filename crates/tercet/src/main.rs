//! What can a person type?

mod commands;
mod config;
mod examples;
mod output;
mod pipeline;

use std::process::ExitCode;

use clap::Parser;

/// Gives back what a stage held before the next one starts, where the system's allocator of Linux keeps most of it.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = commands::Arguments::parse();
    let environment = config::Environment::of_process();
    match commands::run(&arguments, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
