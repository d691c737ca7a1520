//! Questions that clients ask about the server and about each other.

mod lusers;
mod motd;
mod names;
