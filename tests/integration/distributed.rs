//! Tables whose rows an extension keeps elsewhere.

mod refused;
