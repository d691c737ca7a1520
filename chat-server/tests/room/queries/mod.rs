//! What clients are told when they ask.

mod help;
mod list;
mod long_answers;
mod names;
mod presence;
mod server;
mod who;
mod whois;
mod whowas;
