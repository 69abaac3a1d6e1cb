//! What do the report pages look like?
//!
//! Writes all sample pages into a folder: `cargo run -p tercet-delivery --example sample_reports -- DIR`.

use std::path::PathBuf;

use tercet_delivery::report::backtest::BacktestReport;
use tercet_delivery::report::evaluation::EvaluationReport;
use tercet_delivery::report::lift::LiftReport;
use tercet_delivery::report::run::RunReport;
use tercet_delivery::report::uplift::UpliftReport;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write to")?);
    std::fs::write(folder.join("run.html"), RunReport::sample().html()?)?;
    std::fs::write(folder.join("backtest.html"), BacktestReport::sample().html()?)?;
    std::fs::write(folder.join("evaluation.html"), EvaluationReport::sample().html()?)?;
    std::fs::write(folder.join("lift.html"), LiftReport::sample().html()?)?;
    std::fs::write(folder.join("uplift.html"), UpliftReport::sample().html()?)?;
    Ok(())
}
