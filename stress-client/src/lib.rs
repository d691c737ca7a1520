//! Servers that others have written, as they are started for a measurement or a test.
//!
//! The program of this crate measures IRC servers; this library is what its comparison and the tests
//! of `chat-client` share: which programs there are, and a configuration for each that serves many
//! people from one address, as fast as they talk.
//!
//! Shows: how the limits of ngircd and `InspIRCd` are lifted that would be measured otherwise.
//! Leaves out: starting them. A test has its own way to do that (`chapter-tests`), and a program
//! another.

mod other_server;

pub use other_server::{Limits, OtherServer, free_address};
