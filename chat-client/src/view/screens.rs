//! Whole screens as text, compared with files that were looked at.
//!
//! A scene is a session that hears lines of a server and a person who presses
//! keys; what is drawn is in `tests/screens`. `UPDATE_TRANSCRIPTS=1` takes a new
//! drawing into the file.

mod cases;
mod endurance;
mod pictures;

mod scene;
