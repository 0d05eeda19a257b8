//! Times the reading of a table: `read_table FILE.csv [TIMES]` (see `bench/csv`).

use gradus::data::{ReadTable, Table};
use std::time::Instant;

fn main() -> gradus::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "mixed.csv".into());
    let times = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    for _ in 0..times {
        let start = Instant::now();
        let table = Table::read(&path, &ReadTable::default())?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "gradus {seconds:.2} s, {} rows, {} columns",
            table.rows,
            table.columns.len()
        );
    }
    Ok(())
}
