//! Conversations with the room side of the server, without a server.

mod away;
mod capabilities;
mod channel_modes;
mod delivery;
mod harness;
mod joining;
mod leaving;
mod messages;
mod operators;
mod plain;
mod queries;
mod registration;
mod topics;
mod user_modes;
