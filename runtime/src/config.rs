//! Configuration: the keys that a user writes between braces or parentheses.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::shape::CheckResult;

/// A configuration type: a layer, a model, an optimizer, a loss, a phase of a schedule.
///
/// It is a braced struct (`struct Relu {}`, never `struct Relu;`) whose fields are the keys that a user
/// may set; the others use [`Config::DEFAULT`]. Besides this trait it has an inherent
/// `const fn check(&self) -> CheckResult`, which the macros call by name in a `const`.
///
/// It is written with braces, `Swish {}`. To allow a bare name, declare a constant of the same name next to the type:
/// `pub const Swish: Swish = Swish::DEFAULT;`, under `#[allow(non_upper_case_globals)]`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::{Config, CheckError, CheckResult};
///
/// /// `y = x * sigmoid(beta * x)`
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct Swish {
///     /// How sharp the gate is, above 0.
///     pub beta: f64,
/// }
///
/// impl Swish {
///     pub const fn check(&self) -> CheckResult {
///         if self.beta > 0.0 {
///             return Ok(());
///         }
///         Err(CheckError::new("beta is ").float(self.beta).text("; expected a number above 0"))
///     }
/// }
///
/// impl Config for Swish {
///     const NAME: &'static str = "swish";
///     const DEFAULT: Self = Self { beta: 1.0 };
///     const CHECK: fn(&Self) -> CheckResult = Self::check;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration",
    label = "expected a layer or another configuration type",
    note = "implement `trainspec::Config` for this type"
)]
pub trait Config: Copy + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name that a user writes: `conv2d`, `AdamW`.
    const NAME: &'static str;
    /// The default value of every key.
    const DEFAULT: Self;
    /// The required keys, each with its meaning (`"the number of output features"`).
    const REQUIRED: &'static [(&'static str, &'static str)] = &[];
    /// The inherent `check`, for values that are only known at run time.
    const CHECK: fn(&Self) -> CheckResult;
}

/// A configuration of any type, as stored in a spec at run time.
pub trait Setting: Debug + Send + Sync {
    /// [`Config::NAME`]
    fn name(&self) -> &'static str;
    /// Every key and value, with the name under `type`.
    fn to_json(&self) -> serde_json::Value;
    /// Runs the configuration's check and prefixes errors with its name.
    ///
    /// # Errors
    /// The first failed check.
    fn validate(&self) -> CheckResult;
}

impl<C: Config> Setting for C {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "type": C::NAME });
        if let (Some(json), Ok(serde_json::Value::Object(keys))) =
            (json.as_object_mut(), serde_json::to_value(self))
        {
            json.extend(keys);
        }
        json
    }

    fn validate(&self) -> CheckResult {
        (C::CHECK)(self).map_err(|problem| problem.of(C::NAME))
    }
}

/// Reads a configuration back from [`Setting::to_json`], perhaps with changed values, and checks it.
///
/// # Errors
/// If a key is unknown, a value has the wrong type, or a check fails.
pub(crate) fn from_json<C: Config>(json: &serde_json::Value) -> Result<C, String> {
    let mut json = json.clone();
    let Some(keys) = json.as_object_mut() else {
        return Err(format!(
            "`{json}` is not a `{0}`, whose type is fixed at compile time; set one of the keys of `{0}`",
            C::NAME
        ));
    };
    if let Some(kind) = keys.remove("type").filter(|kind| kind != C::NAME) {
        return Err(format!(
            "{kind} is not `{0}`, whose type is fixed at compile time; set keys of `{0}`",
            C::NAME
        ));
    }
    let configuration: C = serde_json::from_value(json).map_err(|error| error.to_string())?;
    configuration.validate().map_err(|problem| problem.as_str().to_owned())?;
    Ok(configuration)
}

/// Implements the object-safe counterpart of a trait over configurations: `boxed` copies, and `with` builds
/// a value of the same type from changed JSON.
macro_rules! with_changes {
    ($face:ty) => {
        fn boxed(&self) -> Box<$face> {
            Box::new(*self)
        }

        fn with(&self, json: &serde_json::Value) -> Result<Box<$face>, String> {
            Ok(Box::new($crate::config::from_json::<Self>(json)?))
        }
    };
}
pub(crate) use with_changes;
