//! Tests of the loop that share one process, a thread each.
//!
//! What belongs to the whole process, such as its signals and the numbers of
//! its descriptors, is tested in `own_process`.

mod callbacks;
mod changes;
mod edges;
mod model;
mod observer;
mod ordinary_files;
mod ownership;
mod priorities;
#[path = "../record/mod.rs"]
mod record;
#[path = "../sockets/mod.rs"]
mod sockets;
mod spins;
mod timeouts;
mod timers;
mod turns;
mod wakers;
