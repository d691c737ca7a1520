//! A server is replaced while people talk, and they do not notice; or it is not, and they do not
//! notice that either.

mod crowd;
mod exact;
mod refused;
mod successor;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test program needs its part")]
mod support;
mod under_load;
