//! The declaration of an optimizer: its keys with their defaults. The four penalty keys, which all optimizers have, are written here.

/// Declares the struct of an optimizer, the constant of the same name that has every key at its default, and its `Config`. After the
/// keys, it names the penalty that is more common with this optimizer: `l2`, or `weight_decay` with its documentation and default.
macro_rules! optimizer {
    (
        $(#[$docs:meta])*
        pub struct $name:ident { $($(#[$about:meta])* pub $key:ident: $type:ty = $default:expr,)* }
        l2
    ) => {
        optimizer! { @
            $(#[$docs])*
            $name {
                $($(#[$about])* $key: $type = $default,)*
                /// L2 penalty: adds `l2 * w` to the gradient (PyTorch's `weight_decay` of this optimizer), 0 or more; 0 by default.
                l2: f64 = 0.0,
                /// Decoupled weight decay, multiplied by the learning rate, 0 or more; 0 by default. `l2` is more common
                /// here.
                weight_decay: f64 = 0.0,
            }
        }
    };
    (
        $(#[$docs:meta])*
        pub struct $name:ident { $($(#[$about:meta])* pub $key:ident: $type:ty = $default:expr,)* }
        $(#[$decay_docs:meta])*
        weight_decay = $decay:expr
    ) => {
        optimizer! { @
            $(#[$docs])*
            $name {
                $($(#[$about])* $key: $type = $default,)*
                $(#[$decay_docs])*
                weight_decay: f64 = $decay,
                /// L2 penalty: adds `l2 * w` to the gradient, 0 or more; 0 by default. `weight_decay` is more common here.
                l2: f64 = 0.0,
            }
        }
    };
    (@
        $(#[$docs:meta])*
        $name:ident { $($(#[$about:meta])* $key:ident: $type:ty = $default:expr,)* }
    ) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$about])* pub $key: $type,)*
            /// L1 penalty: adds `l1 * sign(w)` to the gradient, 0 or more; 0 by default.
            pub l1: f64,
            /// Which parameters `l1`, `l2` and `weight_decay` apply to; matrices by default.
            pub decay: $crate::optim::Decay,
        }

        #[doc = concat!("[`", stringify!($name), "`](struct@", stringify!($name), ") with every key at its default.")]
        #[allow(non_upper_case_globals)]
        pub const $name: $name = <$name as $crate::config::Config>::DEFAULT;

        impl $crate::config::Config for $name {
            const NAME: &'static str = stringify!($name);
            const DEFAULT: Self =
                Self { $($key: $default,)* l1: 0.0, decay: $crate::optim::Decay::Matrices };
            const CHECK: fn(&Self) -> $crate::shape::CheckResult = |this| this.check().map(|_| ());
        }
    };
}
pub(super) use optimizer;
