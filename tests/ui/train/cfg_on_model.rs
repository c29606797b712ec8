//! A run whose model depends on a feature.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        #[cfg(all())]
        model: Net,
        data: Digits8x8::embedded(),
        /// The size.
        batch: 64,
        metrics: [#[allow(unused)] Accuracy],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
