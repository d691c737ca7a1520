//! Connecting without blocking: to one target or to thousands, with a deadline.
//!
//! Chapter: non-blocking connect (the book's section 9.5, listing 9-5).
//!
//! Shows: `connect(2)` answers `EINPROGRESS`; the socket becomes writable when the attempt is over;
//! `SO_ERROR` tells how, once ([`begin`], [`outcome`]). A timeout ends the waiting and not the
//! attempt: that goes on in the kernel until the descriptor is closed. A name is looked up by
//! threads, since that blocks ([`Resolver`]), and its addresses are raced ([`Connector`]).
//! Leaves out: TLS, proxies, and the caching of a real resolver.
//!
//! # What the printed listing gets wrong
//!
//! Listing 9-5 waits with `select(2)`, and clears `readfds` where it means `writefds`: what is
//! asked for is what happened to be on the stack. With the bit of another descriptor in it that is
//! ready, `select` answers at once, the listing does not find its own socket in the answer and
//! reports a failure, of an attempt that is still on its way. The test
//! `a_write_set_that_is_not_cleared_fails_a_connect_that_would_have_worked` shows it. A watch of
//! epoll is told of by its own name, and there is no set to clear.
//!
//! Listing 11-1 limits a blocking connect by `SO_SNDTIMEO` instead. That works, and holds the
//! thread for as long; but the listing returns without closing the socket, and so the attempt goes
//! on: the test `a_connect_that_timed_out_goes_on_until_it_is_closed`.
//!
//! # Where to begin reading
//!
//! `connect.rs` is the chapter in forty lines; `connector.rs` is what a program makes of it.

mod connect;
mod connect_error;
mod connector;
mod race;
mod resolver;
mod silent;
mod target;

pub use connect::{begin, begin_on, bind_source, new_socket, outcome};
pub use connect_error::ConnectError;
pub use connector::{ATTEMPT_DELAY, AttemptId, Connected, Connector, Connects};
pub use race::race_order;
pub use resolver::{Answer, Lookup, RESOLVER_THREADS, Resolver, system_lookup};
pub use silent::SilentListener;
pub use target::{Target, TargetError, TargetRange, split_port};
