//! Both `decay` and `half_life` of a moving average are set.
//~ about: Gradients and weights

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        ema: Ema { decay: 0.9, half_life: 100.0 },
        //~ instead: ema: Ema { half_life: 100.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
