//! Advice on how the program was built.

use super::Facts;

pub(super) fn unoptimized_kernels(_: &Facts<'_>) -> Option<String> {
    unoptimized(trainspec_kernels::OPT_LEVEL, trainspec_kernels::is_optimized())
}

fn unoptimized(level: &str, is_optimized: bool) -> Option<String> {
    (!is_optimized).then(|| format!("the kernels were compiled with `opt-level = {level}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unoptimized_kernels_are_reported() {
        assert_eq!(unoptimized("0", false).unwrap(), "the kernels were compiled with `opt-level = 0`");
        assert_eq!(unoptimized("3", true), None);
    }
}
