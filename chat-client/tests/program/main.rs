//! The whole program against a server that the test plays, and against the real one.
//!
//! Shows: what goes over the wire, what comes out on both outputs, and how it ends.

mod config;
mod ending;
mod fake_server;
mod network;
mod output;
mod own_room;
mod pages;
mod raw;
mod reconnecting;
mod screen;
mod standard_input;
mod terminal;
