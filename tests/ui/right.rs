//! The corrections of `docs/errors.md`, compiled. Generated from the UI cases by `ERRORS=overwrite cargo test -p
//! trainspec-tests --test spec errors`; do not edit.

#![allow(warnings, clippy::all, clippy::pedantic)]

fn main() {}

#[rustfmt::skip]
mod model_assigned_configuration {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
        let width = 8;
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_assigned_field {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        y = x.relu();
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_async_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attention_dropout_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).self_attention(heads = 4, dropout = 0.1).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attention_heads_do_not_divide {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).self_attention(heads = 4).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attention_heads_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).self_attention(heads = 4).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attention_of_features {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.reshape(to = [4, 2]).self_attention(heads = 2).flatten().linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attribute_argument {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_attribute_on_step {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = x.relu();
        let y = y.tanh();
        let z = y.gelu();
        for i in 0..2 {}
        z
    }

    fn main() {
        let _ = Net::graph();
    }
}

#[rustfmt::skip]
mod model_avg_pool_without_kernel {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.avg_pool2d(kernel = 2, stride = 2).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_bad_key_and_bad_shape {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    #[model]
    fn Other(x: Features<8>) -> Logits<10> {
        x.dropout(p = 0.2).linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_bad_literal_in_sub_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value) -> Value {
        x.linear(out = 8).dropout(p = 0.5)
    }

    #[model]
    fn First(x: Features<8>) -> Values<8> {
        x.block().block()
    }

    #[model]
    fn Second(x: Features<8>) -> Values<8> {
        x.block()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_bad_signature {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {
        let _ = Net::graph();
    }
}

#[rustfmt::skip]
mod model_batch_norm_eps_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.batch_norm(eps = 1e-5).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_batch_norm_of_four_axes {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.batch_norm().flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_batch_norm_update_above_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.batch_norm(update = 0.1).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_block_without_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = { let h = x.relu(); h };
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_borrowed_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = x;
        y.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_bounds_as_type {
    use trainspec::prelude::*;

    #[model]
        fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_branch_ends_with_let {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
        if deep { x.relu() } else { x }
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_branch_without_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
        if deep { x.linear(out = 8) } else { x }
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_call_name_is_a_keyword {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {
        let _ = Net::graph();
    }
}

#[rustfmt::skip]
mod model_calls_itself {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        for _ in 0..3 {
            y = y.linear(out = 8);
        }
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_channels_not_divisible {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<3, 8, 8>) -> Logits<10> {
        image.conv2d(out = 9, kernel = 3, groups = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_closure_for_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_closure_in_body {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = x.relu();
        let y = y.relu();
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_colon_for_equals {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_compound_assignment {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut h = x.linear(out = 8);
        h = h + x;
        h
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_concat_axis_above_limit {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.concat(x, axis = 0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_concat_axis_missing {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.concat(x, axis = 0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_concat_other_axes_differ {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        let a = image.conv2d(out = 4, kernel = 5);
        let b = image.conv2d(out = 4, kernel = 3);
        a.concat(b.conv2d(out = 4, kernel = 3), axis = 0).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_const_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_dilation_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_groups_of_output {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<4, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3, groups = 2).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_groups_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3, groups = 1).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_kernel_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_of_features {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<64>) -> Logits<10> {
        x.reshape(to = [1, 8, 8]).conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_out_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_conv2d_without_kernel {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_default_of_wrong_type {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_default_without_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_dilated_kernel_too_large {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3, dilation = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_divided_values {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x * x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_dropout_of_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().dropout(p = 0.1).linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_dropout_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.dropout(p = 0.1).linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_embedding_of_numbers {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 4).linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_embedding_out_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_embedding_twice {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_empty_body {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_extern_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_features_with_two_numbers {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<64>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_flag_for_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_flatten_forgotten_before_the_first {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Values<1> {
        image.flatten().linear(out = 32).relu().dropout(p = 0.1).linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_float_for_count {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_for_by_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        for _ in 0..4 {
            y = y.relu();
        }
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_for_in_pattern {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        for i in 0..4 {
            y = y.relu();
        }
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_for_without_end {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        for _ in 0..4 {
            y = y.relu();
        }
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_function_call {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_generic_for_plain_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value) -> Value {
        x.relu()
    }

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.block()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_global_avg_pool_of_features {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<64>) -> Logits<10> {
        x.linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_group_norm_channels {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<3, 8, 8>) -> Logits<10> {
        image.group_norm(groups = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_group_norm_eps_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.group_norm(groups = 1, eps = 1e-5).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_group_norm_groups_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.group_norm(groups = 1).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_gru_of_image {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.reshape(to = [8, 8]).gru(out = 4).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_gru_without_out {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).gru(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_half_typed {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = x.dropout(p = 0.5).linear(out = 8, bias = false);
        y.relu()
    }

    fn main() {
        let _ = Net::graph();
    }
}

#[rustfmt::skip]
mod model_if_on_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_if_without_else {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
        if deep { x.linear(out = 8) } else { x }
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_image_as_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 10, kernel = 3).relu().flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_image_without_numbers {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Image<1, 8, 8>) -> Values<8> {
        x.flatten().linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_image_without_rows {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_image_without_width {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Image<1, 8, 8>) -> Values<8> {
        x.flatten().linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_indexed_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_init_bound_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8, init = Uniform { bound: 0.1 })
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_init_gain_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8, init = Orthogonal { gain: 1.0 })
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_inner_closure {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let twice = x.relu();
        twice
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_input_of_no_kind {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_inside_for {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        let mut x = image;
        for _ in 0..3 {
            x = x.conv2d(out = 8, kernel = 3, padding = 1).max_pool2d(kernel = 2);
        }
        x.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_inside_sub_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value, heads: usize) -> Value {
        x + x.layer_norm().self_attention(heads = heads)
    }

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 64).block(heads = 4).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_item_in_body {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        const WIDTH: usize = 8;
        x.linear(out = WIDTH)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_kernel_too_large {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 4, 4>) -> Logits<10> {
        image.conv2d(out = 1, kernel = 3, padding = 1).conv2d(out = 8, kernel = 4).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_key_from_loop {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        let mut x = x;
        for i in 0..4 {
            x = x.linear(out = 8 - i);
        }
        x.linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_key_is_a_keyword {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.leaky_relu(slope = 0.1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_key_is_no_name {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_key_without_blank {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, #[default((0.1, 0.2))] by: (f64, f64)) -> Values<8> {
        x.leaky_relu(slope = by.0)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_kind_of_any_length {
    use trainspec::prelude::*;

    struct Sound {}

    impl trainspec::Kind for Sound {
        type Element = f32;
        const NAME: &'static str = "Sound";
        const SHAPE: trainspec::Shape = trainspec::Shape::of(&[16_000]);
    }
    impl trainspec::InputKind for Sound {}

    #[model]
    fn Net(sound: Sound) -> Values<1> {
        sound.linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_layer_norm_eps_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.layer_norm(eps = 1e-5)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_layer_that_is_not_there {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_leaky_relu_infinite {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.leaky_relu(slope = 0.01)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_linear_out_too_large {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_linear_too_large {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 4_000).linear(out = 4_000).linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_log_softmax_before_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_loop_over_array {
    use trainspec::prelude::*;

    const WIDTHS: [usize; 2] = [8, 16];

    #[model]
    fn Net(x: Features<8>) -> Values<16> {
        let mut x = x;
        for i in 0..2 {
            x = x.linear(out = WIDTHS[i]);
        }
        x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_lstm_of_features {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.reshape(to = [8, 1]).lstm(out = 4).flatten().linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_lstm_out_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).lstm(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_max_pool_after_flatten {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.max_pool2d(kernel = 2).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_max_pool_padding_above_half {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.max_pool2d(kernel = 2, padding = 1).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_missing_mut {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut h = x.linear(out = 8);
        h = h.relu();
        h
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_missing_out {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 1, bias = false)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_mutable_configuration {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_name_of_nothing {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_negated_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x + x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_negative_count {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_negative_size {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_nested_too_deeply {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {
        let _ = Net::graph();
    }
}

#[rustfmt::skip]
mod model_no_input {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_no_layer {
    use trainspec::prelude::*;

    struct Thing {}

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_no_output_kind {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_no_tail {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_not_a_function {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, width: usize) -> Values<1> {
        x.linear(out = width).linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_number_for_axes {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.reshape(to = [8]).flatten()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_number_for_flag {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4, bias = true)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_number_for_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value, width: usize) -> Value {
        x.linear(out = width)
    }

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.block(width = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_number_times_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.dropout(p = 0.5)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_optimizer_as_layer {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_output_of_no_kind {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_pattern_parameter {
    use trainspec::prelude::*;

    #[model]
    fn Net(a: Features<8>, b: Features<8>) -> Values<8> {
        a + b
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_plain_method {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_position_embedding_without_out {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        (tokens.embedding(out = 32) + tokens.position_embedding(out = 32)).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_positional_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_positional_key_of_no_required {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8).leaky_relu(slope = 0.2)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_positional_keys {
    use trainspec::prelude::*;

    const WIDTH: usize = 16;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = WIDTH, kernel = 3, padding = 1).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_product_of_different_shapes {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x * x.linear(out = 8).sigmoid()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_question_mark {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_reference_to_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_repeated_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_reshape_axis_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.reshape(to = [1, 8]).flatten()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_reshape_six_axes {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.reshape(to = [1, 1, 1, 1, 8]).flatten()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_reshape_size {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.reshape(to = [2, 4]).flatten()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_residual_mismatch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        let x = image.conv2d(out = 16, kernel = 3, padding = 1);
        let x = x + x.conv2d(out = 16, kernel = 3, padding = 1);
        x.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_rest_by_default {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_return_statement {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_rms_norm_eps_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.rms_norm(eps = 1e-6)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_self_parameter {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_sequence_given_as_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> Logits<65> {
        tokens.embedding(out = 32).flatten().linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_sigmoid_before_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_softmax_before_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_softmax_by_name_before_logits {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        let probabilities = image.flatten().linear(out = 10);
        probabilities
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_some_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_still_usable {
    use trainspec::prelude::*;

    #[model]
    pub fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    #[model]
    pub fn Outer(image: Image<1, 8, 8>) -> Logits<10> {
        image.net()
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        let _ = Net::graph()?;
        Run::main()
    }
}

#[rustfmt::skip]
mod model_stochastic_depth_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x + x.linear(out = 8).stochastic_depth(p = 0.1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_sub_model_key_missing {
    use trainspec::prelude::*;

    #[model]
    fn Block(
        x: Value,
        /// The number of attention heads.
        heads: usize,
    ) -> Value {
        x + x.self_attention(heads = heads)
    }

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 64).block(heads = 4).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_sub_model_wants_another_kind {
    use trainspec::prelude::*;

    #[model]
    fn Head(x: Features<16>) -> Values<1> {
        x.linear(out = 1)
    }

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 16).head()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tail_in_loop {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let mut y = x;
        for _ in 0..4 {
            y = y.relu();
        }
        y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_text_for_init {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4, init = Xavier)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_text_for_variant {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.gelu(approximate = Approximate::Tanh)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tokens_added {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tokens_as_output {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 32).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tokens_without_embedding {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        tokens.embedding(out = 64).linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_too_few_values {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.concat(x, axis = 0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_too_few_values_for_model {
    use trainspec::prelude::*;

    #[model]
    fn Gate(x: Value, by: Value) -> Value {
        x * by.sigmoid()
    }

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.gate(x)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_too_many_values {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let y = x.linear(out = 8);
        x.relu() + y
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tuple_for_axes {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.reshape(to = [2, 4]).flatten()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tuple_output {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.relu().concat(x.tanh(), axis = 0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_tuple_pattern {
    use trainspec::prelude::*;

    #[model]
    fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
        let h = tokens.embedding(out = 32).lstm(out = 32);
        h.linear(out = 65)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_two_mistakes {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image
            .conv2d(out = 8, kernel = 3, stride = 1)
            .leaky_relu(slope = 0.01)
            .global_avg_pool()
            .dropout(p = 0.5)
            .linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_type_parameter {
    use trainspec::prelude::*;

    #[model]
    fn Net<const N: usize>(x: Features<8>) -> Values<8> {
        x.relu()
    }

    #[model]
    fn Outer(x: Features<8>) -> Values<8> {
        x.net::<3>()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_typed_let {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let h = x.linear(out = 8);
        h.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 4, kernel = 3).flatten().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_key_of_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value, width: usize) -> Value {
        x.linear(out = width)
    }

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.block(width = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_kind {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Image<1, 8, 8>) -> Values<8> {
        x.flatten().linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_layer {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 4).dropout(p = 0.5).linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_parameter_attribute {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unknown_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let h = x.linear(out = 8);
        h + x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_unused_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        let x = x.linear(out = 8);
        x
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_value_after_configuration {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>, width: usize) -> Values<8> {
        x.linear(out = width)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_value_in_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_values_after_keys {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.concat(x, axis = 0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_variable_for_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<4> {
        x.linear(out = 4)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_where_clause {
    use trainspec::prelude::*;

    #[model]
    fn Net<const N: usize>(x: Features<8>) -> Values<8> {
        x.relu()
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_whole_number_for_probability {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.dropout(p = 0.0).linear(out = 8)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_wrong_output {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Logits<10> {
        x.linear(out = 16).relu().linear(out = 10)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_wrong_type {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<8>) -> Values<1> {
        x.linear(out = 1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod model_wrong_type_for_model {
    use trainspec::prelude::*;

    #[model]
    fn Block(x: Value, p: f64) -> Value {
        x.dropout(p = p)
    }

    #[model]
    fn Net(x: Features<8>) -> Values<8> {
        x.block(p = 0.1)
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_ada_delta_rho_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdaDelta { rho: 0.9 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_ada_grad_accumulator_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdaGrad { initial_accumulator: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_ada_grad_lr_decay_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdaGrad { lr_decay: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_adam_eps_below_f32 {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Adam { eps: 1e-8 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_adam_eps_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { eps: 1e-8 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_adaptive_grad_eps_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: AdaptiveGrad { eps: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_adaptive_grad_factor_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: AdaptiveGrad { factor: 0.01 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_advice_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            allow: [Advice::NoWeightDecay],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_average_binary_of_ten {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [F1 { average: Average::Macro }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_bare_word_unknown {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: RAdam,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_batch_by_variable {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_batch_in_list {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_batch_in_some {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_batch_norm_of_one_sample {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 32).batch_norm().relu().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_batch_norm_of_one_sample_in_part {
    use trainspec::prelude::*;

    #[model]
    fn Normed(x: Value, width: usize) -> Value {
        x.linear(out = width).batch_norm().relu()
    }

    #[model]
    fn Net<const WIDTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
        let mut x = image.flatten();
        for i in 0..2 {
            x = x.normed(width = WIDTH * (i + 1));
        }
        x.linear(out = 10)
    }

    train! {
        Digits {
            model: Net<16>,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_betas_in_brackets {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { betas: (0.9, 0.999) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_betas_out_of_range {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { betas: (0.9, 0.999) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_broken_value {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cfg_on_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            // The size.
            batch: 64,
            metrics: [Accuracy],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_check_gives_flag {
    use serde::{Deserialize, Serialize};
    use trainspec::metric::{Direction, Mean, Metric, Outcomes};
    use trainspec::prelude::*;
    use trainspec::{Config, CheckResult};

    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    struct WorstValue {}

    impl WorstValue {
        const fn check(&self) -> CheckResult {
            Ok(())
        }
    }

    impl Config for WorstValue {
        const NAME: &'static str = "WorstValue";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
    }

    impl Metric<Logits<10>, Class<10>> for WorstValue {
        type State = Mean;
        const LABEL: &'static str = "worst_value";
        const DIRECTION: Direction = Direction::Lower;

        fn update(&self, _: &mut Mean, _: &Outcomes<'_, u32>) {}
    }

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [WorstValue {}],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_checkpoint_every_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            checkpoint: Checkpoint { every: Steps(500) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_class_as_output {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<4>) -> Logits<3> {
        x.linear(out = 3)
    }

    train! {
        pub Run {
            model: Net,
            data: Csv::open("iris.csv").read::<Features<4>, Class<3>>(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_class_weight_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Logits<2> {
        x.linear(out = 2)
    }

    train! {
        pub Run {
            model: Net,
            data: InMemory::<Features<2>, Class<2>>::new(vec![0.0, 1.0], vec![1]),
            loss: CrossEntropy { weights: &[1.0, 2.0] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_class_weights_all_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Logits<2> {
        x.linear(out = 2)
    }

    train! {
        pub Run {
            model: Net,
            data: InMemory::<Features<2>, Class<2>>::new(vec![0.0, 1.0], vec![1]),
            loss: CrossEntropy { weights: &[0.0, 1.0] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_class_weights_too_few {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { weights: &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_classes_differ {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_clip_as_constraint {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_clip_value_without_max {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: ClipValue { max: 0.5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_clip_value_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: ClipValue { max: 0.5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_clip_without_max {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_const_generic {
    use trainspec::prelude::*;

    #[model]
    fn Net<const DEPTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
        let mut x = image;
        for _ in 0..DEPTH {
            x = x.conv2d(out = 4, kernel = 3);
        }
        x.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net<3>,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_constant_factor_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Constant { factor: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cosine_floor_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Cosine { floor: 1e-5 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cosine_restarts_multiply_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [CosineRestarts { period: Epochs(10), multiply: 2 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cosine_restarts_period_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [CosineRestarts { period: Steps(100) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cosine_restarts_without_period {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [CosineRestarts { period: Epochs(10) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_csv_not_read {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<4>) -> Logits<3> {
        x.linear(out = 3)
    }

    train! {
        pub Run {
            model: Net,
            data: Csv::open("iris.csv").header().read::<Features<4>, Class<3>>(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cut_mix_alpha_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            mix: CutMix { alpha: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_cut_mix_p_above_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            mix: CutMix { p: 0.5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_data_as_closure {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_data_as_path {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_data_as_type {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_data_do_not_fit {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_data_in_vector {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_decay_at_largest_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { lr: 0.1, weight_decay: 0.5 },
            schedule: [OneCycle { max: 1.0 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_decay_at_scaled_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 1024,
            optimizer: Sgd { lr: 0.1, momentum: 0.9, weight_decay: 0.5 },
            scale_lr: LinearScaling { base_batch: 256 },
            schedule: [Warmup { steps: 10 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_decay_takes_whole_weight {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: SignSgd { lr: 0.5, weight_decay: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_device_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            device: Cpu,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_early_stop_on_a_table {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, ConfusionMatrix],
            early_stop: EarlyStop { monitor: ValMetric("accuracy") },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_early_stop_on_misspelt_metric {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, TopK { k: 3 }],
            early_stop: EarlyStop { monitor: ValMetric("accuracy"), patience: 3 },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_ema_decay_and_half_life {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            ema: Ema { half_life: 100.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_ema_decay_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            ema: Ema { decay: 0.999 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_ema_half_life_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            ema: Ema { half_life: 10.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_empty_list {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_epochs_and_steps {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 3,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_epochs_sum_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 2 + 2,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_epochs_with_fraction {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 2,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_equals_sign {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 3,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_exponential_factor_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Exponential { factor: 0.95 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_exponential_without_factor {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Exponential { factor: 0.95 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_f16_bare {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_f16_max_skips_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic, max_skips: 20 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_f16_with_on_non_finite {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic, max_skips: 3 },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_f16_without_loss_scale {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_flag_for_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_flag_for_checkpoint {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            checkpoint: Checkpoint {},
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_flatten_forgotten {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.conv2d(out = 8, kernel = 3).relu().flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_floor_above_default_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [ReduceOnPlateau { min: 1e-5 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_floor_above_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
            schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-5 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_generic_for_plain_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_gradient_noise_gamma_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            gradient_noise: GradientNoise { eta: 0.01, gamma: 0.55 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_gradient_noise_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            gradient_noise: GradientNoise { eta: 0.01 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_gradient_noise_without_eta {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            gradient_noise: GradientNoise { eta: 0.01 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_changes_nothing {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", weight_decay: 0.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_decay_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.weight", weight_decay: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_freeze_and_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", freeze: true }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_pattern_empty {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", freeze: true }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_pattern_with_empty_name {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "linear_1.bias", freeze: true }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_rate_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", lr: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_rate_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", freeze: true }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_group_without_pattern {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", lr: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_groups_freeze_everything {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            groups: [Group { pattern: "**.bias", lr: 0.5 }, Group { pattern: "**.weight", freeze: true }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_half_typed {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { label_smoothing: 0.1 },
            optimizer: AdamW,
            metrics: [Accuracy, TopK { k: 3 }, F1],
            clip: GlobalNorm { max: 1.0 },
            schedule: [Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_half_typed_before_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 32,
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_hinge_margin_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: Hinge { margin: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_hinge_power_three {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: Hinge { power: 2 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_huber_delta_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Values<1> {
        x.linear(out = 1)
    }

    train! {
        pub Run {
            model: Net,
            data: InMemory::<Features<2>, Values<1>>::new(vec![0.0, 1.0], vec![1.0]),
            loss: Huber { delta: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_empty {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "digits.safetensors" },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_initializer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init: Xavier,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_key_unknown {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "digits.safetensors", names: &[] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_names_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "a.safetensors", names: &[Rename { from: "layer.*", to: "linear.*" }] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: "digits.safetensors",
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_pattern_empty {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "a.safetensors", except: &["linear.bias"] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_stars_differ {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "a.safetensors", names: &[Rename { from: "layer.*", to: "linear.*" }] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_from_without_file {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init_from: InitFrom { file: "digits.safetensors", only: &["linear.*"] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_key_unknown {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init: Initializer::Uniform { bound: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_init_std_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init: Initializer::Normal { std: 0.02 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_inverse_sqrt_without_warmup {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [InverseSqrt { warmup: Steps(100) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_keep_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            checkpoint: Checkpoint { keep: 3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_key_of_optimizer_outside {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_key_without_colon {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_keys_without_name {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_l1_infinite {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { l1: 1e-5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_l2_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { l2: 1e-4 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_label_smoothing_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { label_smoothing: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_lars_momentum_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Lars { momentum: 0.9 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_lars_trust_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Lars { trust: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_linear_to_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Linear { to: 0.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_linear_without_end {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Linear { to: 0.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_lion_beta_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Lion { betas: (0.9, 0.99) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_list_in_list {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_as_closure {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_as_metric {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_does_not_fit {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_in_some {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_as_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Static(1024) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_growth_below_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic { growth: 2.0 } },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_init_too_large {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic { init: 65_536 } },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_interval_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic { interval: 2000 } },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_min_above_init {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic { init: 2048, min: 1024 } },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_loss_scale_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Dynamic { backoff: 0.5 } },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_lr_not_a_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Adamax { lr: 2e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_max_norm_without_max {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            constrain: MaxNorm { max: 3.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_max_norm_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            constrain: MaxNorm { max: 3.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_metric_as_loss {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_metric_as_phase {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_metric_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_metric_does_not_fit {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_metric_twice {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, F1],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_min_delta_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            early_stop: EarlyStop { min_delta: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_missing_data {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_missing_generic {
    use trainspec::prelude::*;

    #[model]
    fn Deep<const DEPTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10 * DEPTH)
    }

    train! {
        pub Run {
            model: Deep<1>,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_missing_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_misspelt_advice {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            allow: [Advice::NoWeightDecay],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_misspelt_data {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_mixup_alpha_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            mix: Mixup { alpha: 0.2 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_mixup_with_p {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            mix: CutMix { p: 0.5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_by_call_name {
    use trainspec::prelude::*;

    #[model]
    fn DigitNet(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: DigitNet,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_by_reference {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_gives_an_image {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.relu().flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_is_a_layer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_is_a_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_is_a_part {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_is_a_program {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Digits {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    train! {
        pub Longer {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 100,
        }
    }

    fn main() -> trainspec::Result<()> {
        Longer::main()
    }
}

#[rustfmt::skip]
mod train_model_is_a_structure {
    use trainspec::prelude::*;

    struct Mine {}

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_of_two_values {
    use trainspec::prelude::*;

    #[model]
    fn Net(a: Image<1, 8, 8>) -> Logits<10> {
        a.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_model_unknown {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_monitor_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            early_stop: EarlyStop { monitor: ValLoss },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_multi_step_at_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [MultiStep { at: &[Epochs(30)] }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_multi_step_empty {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [MultiStep { at: &[Epochs(30)] }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_multi_step_mixed {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [MultiStep { at: &[Epochs(30), Epochs(60)] }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_multi_step_unsorted {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [MultiStep { at: &[Epochs(10), Epochs(30)] }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_multi_step_without_reference {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [MultiStep { at: &[Epochs(30)] }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_nadam_momentum_decay_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: NAdam { momentum_decay: 4e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_negative_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 1,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_negative_lr {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_negative_seed {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            seed: 1,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_negative_steps {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Warmup { steps: 5 }, Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_nesterov_with_dampening {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { momentum: 0.9, nesterov: true },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_nesterov_without_momentum {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { lr: 0.1, momentum: 0.9, nesterov: true },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_no_data_set {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_no_default_loss {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_no_name {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_no_type_for_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_number_as_phase {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Constant],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_clip {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_constraint {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            constrain: MaxNorm { max: 3.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_drop_last {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            drop_last: true,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_early_stop {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            early_stop: EarlyStop { patience: 5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_ema {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            ema: Ema { decay: 0.999 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_mix {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            mix: Mixup { alpha: 0.2 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_noise {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            gradient_noise: GradientNoise { eta: 0.01 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_number_for_scaling {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            scale_lr: LinearScaling { base_batch: 256 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_beta {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { betas: (0.9, 0.999) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_class {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Logits<2> {
        x.linear(out = 2)
    }

    fn points() -> trainspec::Result<trainspec::data::InMemory<Features<2>, Class<2>>> {
        trainspec::data::InMemory::new(vec![0.0; 8], vec![0; 4])
    }

    train! {
        Digits {
            model: Net,
            data: points(),
            batch: 8,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_one_cycle_div_below_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1, div: 25.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_cycle_final_div_below_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1, final_div: 1e4 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_cycle_max_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_cycle_rise_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1, rise: 0.3 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_cycle_three_phases {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1, rise: 0.4, three_phase: true }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_one_cycle_without_max {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [OneCycle { max: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_as_call {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_as_phase {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_by_new {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_by_reference {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_in_list {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_optimizer_in_some {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_own_metric_misspelt {
    use serde::{Deserialize, Serialize};
    use trainspec::metric::{Direction, Mean, Metric, Outcomes};
    use trainspec::prelude::*;
    use trainspec::{Config, CheckResult};

    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    struct WorstValue {}

    impl WorstValue {
        const fn check(&self) -> CheckResult {
            Ok(())
        }
    }

    impl Config for WorstValue {
        const NAME: &'static str = "WorstValue";
        const DEFAULT: Self = Self {};
        const CHECK: fn(&Self) -> CheckResult = Self::check;
    }

    impl Metric<Logits<10>, Class<10>> for WorstValue {
        type State = Mean;
        const LABEL: &'static str = "worst_value";
        const DIRECTION: Direction = Direction::Lower;

        fn update(&self, _: &mut Mean, _: &Outcomes<'_, u32>) {}
    }

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [WorstValue {}],
            early_stop: EarlyStop { monitor: ValMetric("worst_value") },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_own_phase_longer_than_run {
    use serde::{Deserialize, Serialize};
    use trainspec::prelude::*;
    use trainspec::schedule::{Clock, Interval, Phase};
    use trainspec::{Config, Facts, CheckResult};

    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    struct Rest {
        steps: u64,
    }

    impl Rest {
        const fn check(&self) -> CheckResult<Facts> {
            Ok(Facts::NOTHING.lasting(Some(Steps(self.steps))).times(1.0))
        }
    }

    impl Config for Rest {
        const NAME: &'static str = "Rest";
        const DEFAULT: Self = Self { steps: 1 };
        const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
    }

    impl Phase for Rest {
        fn length(&self) -> Option<Interval> {
            Some(Steps(self.steps))
        }

        fn rate(&self, _: u64, eta: f64, _: Clock<'_>) -> f64 {
            eta
        }
    }

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            schedule: [Warmup { steps: 50 }, Rest { steps: 30 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_patience_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            early_stop: EarlyStop { patience: 5 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_per_parameter_max_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: PerParameter { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_per_parameter_without_max {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            clip: PerParameter { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_phase_as_optimizer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_phase_of_two_lengths {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Warmup { steps: 100 }, Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_phase_without_length_first {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Constant { factor: 0.5, steps: 100 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_phases_leave_nothing {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            schedule: [Warmup { steps: 10 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_phases_longer_than_epochs {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 5,
            schedule: [Warmup { epochs: 2 }, Cosine { epochs: 3 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_phases_longer_than_run {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            schedule: [Warmup { steps: 40 }, Constant { steps: 60 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_phases_shorter_than_run {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            schedule: [Warmup { steps: 10 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_plateau_factor_above_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [ReduceOnPlateau { factor: 0.5 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_plateau_factor_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [ReduceOnPlateau { factor: 0.1 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_plateau_min_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [ReduceOnPlateau { min: 1e-6 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_plateau_on_undeclared_metric {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, F1],
            schedule: [Warmup { steps: 50 }, ReduceOnPlateau { monitor: ValMetric("f1_macro") }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_plateau_threshold_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [ReduceOnPlateau { threshold: 1e-4 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_polynomial_power_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Polynomial { power: 2.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_polynomial_to_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Polynomial { to: 0.0 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_pos_weight_not_a_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Logits<1> {
        x.linear(out = 1)
    }

    train! {
        pub Run {
            model: Net,
            data: InMemory::<Features<2>, Labels<1>>::new(vec![0.0, 1.0], vec![1.0]),
            loss: BinaryCrossEntropy { pos_weight: &[2.0] },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_precision_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: Bf16,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_quoted_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_rate_as_optimizer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_repeated_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_repeated_optimizer_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { label_smoothing: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_rest_by_default {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_rest_by_default_in_list {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Warmup { steps: 10 }, Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_rms_prop_alpha_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: RmsProp { alpha: 0.99 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_run_named_like_another_model {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    #[model]
    fn Deep(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 32).relu().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_run_named_like_data {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 28, 28>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub MnistRun {
            model: Net,
            data: Mnist::open("mnist")?,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_run_named_like_model {
    use trainspec::prelude::*;

    #[model]
    fn Digits(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub DigitsRun {
            model: Digits,
            data: Digits8x8::embedded(),
        }
    }

    fn main() -> trainspec::Result<()> {
        DigitsRun::main()
    }
}

#[rustfmt::skip]
mod train_run_named_like_optimizer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub AdamWRun {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_rust_type_as_precision {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F32,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_scale_lr_base_batch_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            scale_lr: LinearScaling { base_batch: 256 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_scale_lr_in_vain {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
            schedule: [OneCycle { max: 0.025 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_scale_lr_without_base_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            scale_lr: LinearScaling { base_batch: 256 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_seed_as_text {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            seed: 7,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_semicolon_between_keys {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_several_mistakes {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
            optimizer: AdamW { lr: 1e-3 },
            epochs: 3,
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_sgd_dampening_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { momentum: 0.9, dampening: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_sgd_dampening_without_momentum {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { momentum: 0.9, dampening: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_sgd_momentum_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: Sgd { lr: 0.1, momentum: 0.9 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_sign_sgd_momentum_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: SignSgd { momentum: 0.9 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_skip_bare {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            on_non_finite: Skip { limit: 20 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_skip_limit_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            on_non_finite: Skip { limit: 20 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_skip_without_limit {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            on_non_finite: Skip { limit: 20 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_smooth_l1_beta_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(x: Features<2>) -> Values<1> {
        x.linear(out = 1)
    }

    train! {
        pub Run {
            model: Net,
            data: InMemory::<Features<2>, Values<1>>::new(vec![0.0, 1.0], vec![1.0]),
            loss: SmoothL1 { beta: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_sqrt_scaling_without_base_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            scale_lr: SqrtScaling { base_batch: 256 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_static_loss_scale_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            precision: F16 { loss_scale: Static(1024) },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_step_every_number {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Step { every: Epochs(10) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_step_every_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Step { every: Epochs(10) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_step_without_every {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Step { every: Epochs(10) }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_structure_as_block {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_structure_as_loss {
    use trainspec::prelude::*;

    struct Mine {}

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_decay {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { decay: Decay::All },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_init_of_all {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            init: Xavier,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_reduction {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { reduction: Reduction::Sum },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_text_for_schedule {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: Cosine,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_top_k_of_all_classes {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy, TopK { k: 3 }],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_top_k_zero {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [TopK { k: 5 }],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_two_mistakes {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
            optimizer: AdamW { lr: 1e-3, weight_decay: 0.01 },
            clip: GlobalNorm { max: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_two_mistakes_between_keys {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            metrics: [Accuracy, TopK { k: 3 }],
            early_stop: EarlyStop { monitor: ValMetric("accuracy") },
            schedule: [Warmup { steps: 20 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_two_programs {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_two_runs_alike {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
        }
    }

    train! {
        pub LongRun {
            model: Net,
            data: Digits8x8::embedded(),
            epochs: 100,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_unknown_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_unknown_optimizer {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1e-3 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_unknown_optimizer_key {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { weight_decay: 0.1 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_unknown_reduction {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            loss: CrossEntropy { reduction: Reduction::Mean },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_value_missing {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_warmup_from_above_one {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Warmup { steps: 10, from: 0.1 }, Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_warmup_longer_than_run {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Digits {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
            schedule: [Warmup { steps: 20 }, Cosine],
        }
    }

    fn main() {}
}

#[rustfmt::skip]
mod train_warmup_without_length {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            schedule: [Warmup { steps: 100 }, Cosine],
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_watched_without_metrics {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [Accuracy],
            early_stop: EarlyStop { monitor: ValMetric("accuracy") },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_weight_decay_negative {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { weight_decay: 0.01 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_whole_number_for_rate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            optimizer: AdamW { lr: 1.0 },
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_wrong_type {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_zero_accumulate {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            accumulate: 4,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_zero_batch {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            batch: 64,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}

#[rustfmt::skip]
mod train_zero_steps {
    use trainspec::prelude::*;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        pub Run {
            model: Net,
            data: Digits8x8::embedded(),
            steps: 100,
        }
    }

    fn main() -> trainspec::Result<()> {
        Run::main()
    }
}
