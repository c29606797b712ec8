//! A model returns the kind of target of a segmentation.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> ClassMap<3, 8, 8> {
    //~ instead: fn Net(image: Image<1, 8, 8>) -> LogitMap<3, 8, 8> {
    image.conv2d(out = 3, kernel = 1)
}

fn main() {}
