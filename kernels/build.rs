//! Passes the optimization level to the crate, which cannot see the profile that it is compiled with.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=TRAINSPEC_KERNELS_OPT_LEVEL={level}");
}
