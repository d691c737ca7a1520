//! The room side of the server: who is there, what they say, who hears it.
//!
//! It is pure: it opens no socket and reads no clock. The loop side tells it
//! what happened ([`State::connect`], [`State::receive`],
//! [`State::disconnect`]) and when ([`Now`]); what it has to say in return it
//! appends to what waits for each client ([`State::flush`]). So a test
//! can hold a whole conversation without a server.
//!
//! ```
//! use std::time::{Instant, SystemTime};
//! use chat_server::room::{Kind, Now, Rules, State};
//!
//! let now = Now { instant: Instant::now(), wall: SystemTime::now() };
//! let mut state = State::new(Rules::default(), now);
//! let ann = state.connect("127.0.0.1:50000".parse()?, Kind::Irc, now)?;
//! for line in ["NICK ann", "USER ann 0 * :Ann", "PING hello"] {
//!     state.receive(ann, line.as_bytes(), now);
//! }
//! let mut sent = Vec::new();
//! state.flush(ann, |queue| queue.write_to(&mut sent));
//! assert!(sent.ends_with(b":chat.localhost PONG chat.localhost :hello\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Shows: one table of commands (`dispatch.rs`), one file a family of commands,
//! one place through which everything goes that is sent (`mail.rs`).
//! Leaves out: linking servers, accounts, history.

mod away;
mod batch;
mod capabilities;
mod channel;
mod channel_modes;
mod client;
mod dispatch;
mod fixed_limits;
#[cfg(test)]
mod invariants;
mod invite;
mod isupport;
mod join;
mod leaving;
mod letter;
mod limits;
mod mail;
mod mask_lists;
mod membership;
mod messages;
mod mode_table;
mod modes;
mod name_table;
mod numerics;
mod operators;
mod outgoing;
mod part;
mod plain;
mod plain_text;
mod queries;
mod record;
mod registration;
mod rules;
mod setname;
mod slots;
mod state;
mod topic;
mod user_modes;
mod view;

pub use client::{ClientId, Kind};
pub use fixed_limits::{FixedLimit, MAX_COUNTS, MAX_LENGTHS};
pub use outgoing::Outgoing;
pub use record::{Octets, RecordError, RoomRecord};
pub use rules::{Limits, Operator, Rules, Secret, is_network_name, is_server_name};
pub use state::{Counters, Now, Refusal, State};
