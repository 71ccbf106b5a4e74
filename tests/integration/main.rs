//! What needs a real PostgreSQL server.

// A test that cannot set up its world can only panic.
#![allow(clippy::unwrap_used)]

mod connect;
