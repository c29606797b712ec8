//! Parameters and gradients on the host, for rules that are written in Rust.

use crate::error::Result;

/// The parameters and gradients of a graph in host memory, in the order of its parameters.
#[derive(Debug)]
pub struct HostParameters<'a> {
    /// All parameters and running statistics.
    pub parameters: &'a mut [Vec<f32>],
    /// The summed gradients; between an update and the next micro-batch their values are arbitrary.
    pub gradients: &'a mut [Vec<f32>],
}

/// Access to parameters and gradients on the host, implemented by an [`Engine`](crate::engine::Engine).
pub trait HostAccess {
    /// Calls `work`, which may read and change the parameters and the summed gradients of the current window. An engine on a
    /// device copies them to the host and back. `work` uses the floating-point mode of the engine: the planned engine flushes
    /// subnormal values to zero.
    ///
    /// # Errors
    /// If a parameter cannot be read or written.
    fn edit(&mut self, work: &mut dyn FnMut(HostParameters<'_>)) -> Result<()>;
}
