//! A chat room on one epoll loop.

pub mod room;
