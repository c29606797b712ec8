//! Methods of an optimizer that are those of the one it contains.

/// Writes methods of [`AnyOptimizer`](super::AnyOptimizer) that call those of the optimizer in this field.
macro_rules! forwarded {
    ($optimizer:ident: $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $returned:ty)?;)+) => {
        $(
            fn $name(&self, $($argument: $type),*) $(-> $returned)? {
                $crate::optim::AnyOptimizer::$name(&self.$optimizer, $($argument),*)
            }
        )+
    };
}

pub(super) use forwarded;
