//! IRC message grammar, line framing, names and limits, without I/O.
