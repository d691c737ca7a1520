//! Builds, checks and serves the book: prose on the left, the code it speaks of on the right.
//!
//! Run it: `cargo run -p docs -- serve --open`
//!
//! Shows: code reaches a page only by the name of a region in its source, so that the page cannot
//! say what the program does not; a page that names what is not there is an error with its line.
//! Leaves out: Markdown, the table of contents and the search, which are mdBook's.
//!
//! `pages/` is the text, `theme/` what it looks like. A page is read by `page.rs`, its directives
//! (`directive.rs`) are made into HTML by `render.rs`, and `book.rs` puts all together.

mod anchors;
mod book;
mod build;
mod check;
mod claim_box;
mod directive;
mod figure;
mod highlight;
mod html;
mod links;
mod listing;
mod page;
mod problem;
mod program;
mod render;
mod run_box;
mod serve;
mod source_pages;
mod transcript;
mod workspace;

pub use book::Book;
pub use directive::{Directive, Ending, Run};
pub use page::Page;
pub use problem::{Problem, Problems};
pub use program::main;
pub use workspace::Workspace;
