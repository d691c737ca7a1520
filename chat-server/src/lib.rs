//! A chat room on one epoll loop, for IRC clients and for plain `nc`.
//!
//! Two layers that do not know each other's business: the loop side ([`Server`]
//! in `server.rs`, `accepting.rs`, `reading.rs`, `connection.rs`, `closing.rs`) accepts, reads,
//! frames and flushes; the [`room`] takes lines and appends answers to queues, with no
//! socket and no clock of its own.
//!
//! A server can give everything it has to a successor and nobody notices: see
//! [`Server::offer_takeover`] and [`Server::inherit`].
//!
//! The program `chat-server` runs a [`Server`] on the loop of its main thread;
//! a program that wants one inside itself takes [`Embedded`].

mod accepting;
mod closing;
mod connection;
mod embedded;
mod flood;
mod handover;
mod inbox;
mod listener;
mod plain_lines;
mod reading;
pub mod room;
mod server;
mod settings;

pub use embedded::Embedded;
pub use flood::FloodLimit;
pub use handover::{DEFAULT_TIMEOUT, FORMAT_VERSION, Inheritance, TakeoverError, Taking};
pub use server::Server;
pub use settings::Settings;
