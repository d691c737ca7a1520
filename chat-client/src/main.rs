//! A chat client: standard input and a socket in one epoll loop.

fn main() {}
