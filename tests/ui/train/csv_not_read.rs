//! The column types of a CSV file are missing.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Logits<3> {
    x.linear(out = 3)
}

train! {
    pub Run {
        model: Net,
        data: Csv::open("iris.csv").header(),
        //~ instead: data: Csv::open("iris.csv").header().read::<Features<4>, Class<3>>(),
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
