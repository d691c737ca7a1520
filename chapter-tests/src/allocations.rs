//! What allocates and what does not: an allocator that counts, for a test that takes it as its own.
//!
//! ```
//! use chapter_tests::allocations::{self, Counting};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let counts = allocations::measure(|| drop(std::hint::black_box(vec![0_u8; 1000])));
//! assert_eq!((counts.allocations, counts.live_bytes, counts.peak_bytes), (1, 0, 1000));
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Passes everything on to the system's allocator and counts, for each thread of its own: the test
/// runner has several.
#[derive(Debug)]
pub struct Counting;

/// What one thread did during a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often memory was asked for, or asked to be of another size.
    pub allocations: u64,
    /// Bytes that are still held of those that were asked for; negative if more was given back.
    pub live_bytes: isize,
    /// The most bytes that were held at a time.
    pub peak_bytes: isize,
}

thread_local! {
    // Const and without a destructor, so that counting itself neither allocates nor comes too late.
    static COUNTS: Cell<Counts> = const {
        Cell::new(Counts { allocations: 0, live_bytes: 0, peak_bytes: 0 })
    };
}

fn count(allocations: u64, bytes: isize) {
    let mut counts = COUNTS.get();
    counts.allocations += allocations;
    counts.live_bytes += bytes;
    counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
    COUNTS.set(counts);
}

#[allow(unsafe_code, reason = "an allocator is an unsafe trait")]
// SAFETY: every call goes to `System` with the arguments as they came, and its answer goes back
// unchanged; counting touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size().cast_signed());
        // SAFETY: the caller keeps the promises of `alloc`, which are the same for `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -layout.size().cast_signed());
        // SAFETY: the pointer came from `System`, by `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        count(1, new_bytes.cast_signed() - layout.size().cast_signed());
        // SAFETY: the pointer came from `System` with this layout; the caller promises that the new
        // size fits.
        unsafe { System.realloc(pointer, layout, new_bytes) }
    }
}

/// What `work` did on this thread, in a program whose allocator is [`Counting`]; in another one
/// everything is 0, which a test rules out by an allocation that it knows of.
pub fn measure(work: impl FnOnce()) -> Counts {
    let before = COUNTS.get();
    COUNTS.set(Counts {
        peak_bytes: before.live_bytes,
        ..before
    });
    work();
    let after = COUNTS.get();
    Counts {
        allocations: after.allocations - before.allocations,
        live_bytes: after.live_bytes - before.live_bytes,
        peak_bytes: after.peak_bytes - before.live_bytes,
    }
}
