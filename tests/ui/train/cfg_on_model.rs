//! A key or a value has an unsupported attribute.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        #[cfg(all())]
        //~ instead:
        model: Net,
        data: Digits8x8::embedded(),
        /// The size.
        //~ instead: // The size.
        batch: 64,
        metrics: [#[allow(unused)] Accuracy],
        //~ instead: metrics: [Accuracy],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
