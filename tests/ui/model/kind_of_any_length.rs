//! A layer with parameters is applied to an axis of unknown length.
//~ about: Shapes

use trainspec::prelude::*;

struct Sound {}

impl trainspec::Kind for Sound {
    type Element = f32;
    const NAME: &'static str = "Sound";
    const SHAPE: trainspec::Shape = trainspec::Shape::of(&[trainspec::Shape::ANY]);
    //~ instead: const SHAPE: trainspec::Shape = trainspec::Shape::of(&[16_000]);
}
impl trainspec::InputKind for Sound {}

#[model]
fn Net(sound: Sound) -> Values<1> {
    sound.linear(out = 1)
}

fn main() {}
