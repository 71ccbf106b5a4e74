//! Tables whose rows an extension keeps elsewhere.

mod citus;
mod refused;
