//! The two names of a rename have different wildcards.
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
        init_from: InitFrom { file: "a.safetensors", names: &[Rename { from: "layer.*", to: "*.linear.*" }] },
        //~ instead: init_from: InitFrom { file: "a.safetensors", names: &[Rename { from: "layer.*", to: "linear.*" }] },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
