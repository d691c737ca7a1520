//! For tests: start a program, wait for a line, require or skip a tool.
