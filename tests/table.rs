//! A small training program that reads its data from the file in the environment variable `TABLE`; if `STUCK` is set, it
//! prints this and never checks for interruption again.

use trainspec::Result;
use trainspec::data::InMemory;
use trainspec::prelude::*;

/// One layer.
#[model]
pub fn Line(x: Features<2>) -> Values<1> {
    x.linear(out = 1)
}

fn table() -> Result<InMemory<Features<2>, Values<1>>> {
    if std::env::var_os("STUCK").is_some() {
        println!("stuck");
        loop {
            std::thread::park();
        }
    }
    Csv::open(data_file(std::env::var_os("TABLE").unwrap_or_default())).read()
}

train! {
    /// Fits a line.
    pub Table { model: Line, data: table(), batch: 4, epochs: 1 }
}

fn main() -> Result<()> {
    Table::main()
}
