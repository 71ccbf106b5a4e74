//! Tables whose rows an extension keeps elsewhere.

mod citus;
mod cut;
mod exchange;
mod refused;
