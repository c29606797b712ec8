//! Generates specs of any length.

use std::fmt;

/// A program that depends on trainspec and declares nothing.
pub(crate) const EMPTY: &str = "use trainspec as _;\nfn main() {}\n";

/// How the layers are connected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// One chain of calls.
    Chain,
    /// Residual blocks of four layers in `let`s.
    Residual,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "a chain",
            Self::Residual => "residual blocks",
        })
    }
}

impl Kind {
    /// Returns a complete program whose model has this many layers, at least 1.
    pub(crate) fn source(self, layers: usize) -> String {
        let body = match self {
            Self::Chain => chain(layers),
            Self::Residual => residual(layers),
        };
        format!(
            "use trainspec::prelude::*;\n\
             use trainspec::data::Digits8x8;\n\
             #[model]\n\
             pub fn Net(image: Image<1, 8, 8>) -> Logits<10> {{\n{body}}}\n\
             train! {{\n\
             pub Digits {{\n\
             model: Net,\n\
             data: Digits8x8::embedded(),\n\
             loss: CrossEntropy {{ label_smoothing: 0.05 }},\n\
             metrics: [Accuracy],\n\
             batch: 64,\n\
             optimizer: AdamW {{ lr: 3e-3, weight_decay: 0.05 }},\n\
             schedule: [Warmup {{ steps: 50 }}, Cosine {{ floor: 1e-5 }}],\n\
             clip: GlobalNorm {{ max: 1.0 }},\n\
             }}\n\
             }}\n\
             fn main() -> trainspec::Result<()> {{ Digits::main() }}\n"
        )
    }
}

/// The four layers of a block.
const LAYERS: [&str; 4] = [
    ".conv2d(out = 8, kernel = 3, padding = 1, bias = false)",
    ".batch_norm()",
    ".relu()",
    ".dropout(p = 0.1)",
];

fn chain(layers: usize) -> String {
    let inner: String =
        LAYERS.iter().cycle().take(layers.saturating_sub(2)).flat_map(|layer| [*layer, "\n"]).collect();
    format!("image\n{inner}.flatten()\n.linear(out = 10)\n")
}

fn residual(layers: usize) -> String {
    let block = LAYERS.concat();
    let blocks = format!("let x = x + x{block};\n").repeat(layers.saturating_sub(3) / LAYERS.len());
    format!("let x = image.conv2d(out = 8, kernel = 3, padding = 1);\n{blocks}x.flatten().linear(out = 10)\n")
}
