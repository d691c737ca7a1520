//! A chat room on one epoll loop.
