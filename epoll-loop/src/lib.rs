//! An event loop on epoll that can be read in an afternoon.
