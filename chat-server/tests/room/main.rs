//! Conversations with the room side of the server, without a server.

mod harness;
mod messages;
mod plain;
mod registration;
