//! The keys have fewer heads than the queries, and `kv_heads` is missing.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let x = tokens.embedding(out = 32);
    let k = x.linear(out = 16);
    x.attention(k, k, heads = 4).linear(out = 65)
    //~ instead: x.attention(k, k, heads = 4, kv_heads = 2).linear(out = 65)
}

fn main() {}
