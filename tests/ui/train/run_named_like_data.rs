//! A run has the name of its data set.
//! The prelude imports the data set, and the name of the run hides it.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 28, 28>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Mnist {
    //~ instead: pub MnistRun {
        model: Net,
        data: Mnist::open("mnist")?,
    }
}

fn main() {}
