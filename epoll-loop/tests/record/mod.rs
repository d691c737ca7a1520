//! What a loop tells its observer, kept for a test to look at.

use std::cell::RefCell;
use std::rc::Rc;

use epoll_loop::{Entry, EventLoop};

/// Everything that a loop has done since the last look.
pub(crate) struct Record(Rc<RefCell<Vec<Entry>>>);

impl Record {
    /// Begins to record what `event_loop` does.
    pub(crate) fn of<S>(event_loop: &mut EventLoop<S>) -> Record {
        let entries = Rc::new(RefCell::new(Vec::new()));
        let record = Record(Rc::clone(&entries));
        let observer = move |entry: &Entry| entries.borrow_mut().push(*entry);
        event_loop.set_observer(Some(Box::new(observer)));
        record
    }

    /// Takes what was recorded so far.
    pub(crate) fn take(&self) -> Vec<Entry> {
        self.0.take()
    }

    /// Takes what was recorded so far and counts in it what `is_wanted` wants.
    pub(crate) fn count(&self, is_wanted: impl Fn(&Entry) -> bool) -> usize {
        self.take().iter().filter(|entry| is_wanted(entry)).count()
    }
}
