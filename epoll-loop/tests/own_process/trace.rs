//! What `--trace` prints.

use std::io::Write;
use std::time::Duration;

use chapter_tests::{Mask, Transcript};
use epoll_loop::{Event, EventLoop, Interest, Trace, Watch, Watched};
use std::os::unix::net::UnixStream;

use crate::harness::{again_as, part};
use crate::sockets::pair;

crate::harness::tests![
    a_trace_has_a_line_for_each_step_with_labels_and_the_kernels_names,
    a_trace_that_nobody_reads_does_not_keep_the_loop_busy,
];

/// A peer that says goodbye, a timer, and a file.
struct Traced {
    peer: Option<Watched<UnixStream>>,
    far: Option<UnixStream>,
}

impl Traced {
    fn hang_up(&mut self, event_loop: &mut EventLoop<Traced>, _: Event) {
        let peer = self.peer.as_ref().unwrap();
        let both = Interest::READABLE | Interest::WRITABLE;
        peer.set_interest(event_loop, both);
        peer.set_interest(event_loop, Interest::READABLE);
        let mut far = self.far.take().unwrap();
        far.write_all(b"goodbye").unwrap();
    }

    fn read(&mut self, _: &mut EventLoop<Traced>, _: Event) {
        self.peer = None;
    }
}

fn a_trace_has_a_line_for_each_step_with_labels_and_the_kernels_names() {
    if part().is_some() {
        let mut event_loop = EventLoop::new().unwrap();
        let output = Trace::start(&mut event_loop).unwrap();
        let (near, far) = pair();
        let watch = Watch::new(Interest::READABLE).label("peer");
        let peer = event_loop.watch(near, watch, Traced::read).unwrap();
        event_loop.after(Duration::from_millis(1), Traced::hang_up);
        let mut traced = Traced {
            peer: Some(peer),
            far: Some(far),
        };
        event_loop.run(&mut traced).unwrap();
        output.drain(Duration::from_secs(30));
        return;
    }
    let finished = again_as("traced").run();
    assert!(finished.status.success(), "{}", finished.stderr);
    Transcript::new("tests/own_process/trace.txt")
        .hide(Mask::Times)
        .hide(Mask::After("fd "))
        .compare(&finished.stderr);
}

fn a_trace_that_nobody_reads_does_not_keep_the_loop_busy() {
    if part().is_some() {
        // Standard output is a pipe that nobody reads.
        nix::unistd::dup2_stderr(std::io::stdout()).unwrap();
        let mut event_loop = EventLoop::<u32>::new().unwrap();
        let output = Trace::start(&mut event_loop).unwrap();
        let idle = event_loop.when_idle(|_, _, _| {});
        while output.dropped() == 0 {
            event_loop.turn(&mut 0, None).unwrap();
        }
        event_loop.cancel(idle);
        // Waits for a time, and not for the pipe, which never has room.
        event_loop.after_wait(|turns, _, _| *turns += 1);
        event_loop.after(Duration::from_millis(20), |_, _, _| {});
        let mut turns = 0;
        event_loop.run(&mut turns).unwrap();
        assert_eq!(turns, 1);
        return;
    }
    let finished = again_as("unread").stdout_unread().run();
    assert!(finished.status.success(), "{}", finished.stderr);
}
