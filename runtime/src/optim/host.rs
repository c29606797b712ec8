//! Parameters and gradients on the host, for rules that are written in Rust.

use crate::error::Result;

/// The parameters and gradients of a graph in host memory, in the order of its parameters.
#[derive(Debug)]
pub struct HostParameters<'a> {
    /// Every parameter and running statistic.
    pub parameters: &'a mut [Vec<f32>],
    /// The summed gradients; between an update and the next micro-batch their values are arbitrary.
    pub gradients: &'a mut [Vec<f32>],
}

/// What can lend its parameters and gradients to the host: an [`Engine`](crate::engine::Engine).
pub trait HostAccess {
    /// Lets `work` read and change the parameters and the summed gradients of the window so far: for what is neither
    /// forward, backward nor update. An engine on a device copies them to the host and back. `work` computes as the engine does,
    /// the planned one with subnormal values flushed to zero.
    ///
    /// # Errors
    /// If a parameter cannot be read or written.
    fn edit(&mut self, work: &mut dyn FnMut(HostParameters<'_>)) -> Result<()>;
}
