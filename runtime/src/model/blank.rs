//! Keys of a model without a default.

/// The value of a required key in a model's `DEFAULT`. It is never read: leaving out the key is an
/// error.
#[diagnostic::on_unimplemented(
    message = "a key of the type `{Self}` must have a default",
    label = "write it before the key: `#[default(…)]`"
)]
pub trait Blank {
    /// A placeholder: 0, `false`, a space.
    const BLANK: Self;
}

macro_rules! blank {
    ($($ty:ty = $value:expr),* $(,)?) => { $(
        #[diagnostic::do_not_recommend]
        impl Blank for $ty {
            const BLANK: Self = $value;
        }
    )* };
}

blank!(
    usize = 0,
    u8 = 0,
    u16 = 0,
    u32 = 0,
    u64 = 0,
    isize = 0,
    i8 = 0,
    i16 = 0,
    i32 = 0,
    i64 = 0,
    f32 = 0.0,
    f64 = 0.0,
    bool = false,
    char = ' ',
);
