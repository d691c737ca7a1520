//! The line by which a server tells where it can be reached.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints `listening on ADDR` on standard output, at once.
///
/// Called before the first wait, once for each listener, with what `local_addr` says: for port 0
/// that is the only way to learn the port. Scripts and tests wait for this line instead of
/// sleeping; a connection made after it waits in the backlog at worst.
///
/// # Errors
///
/// What writing to standard output reports, `EPIPE` for example.
///
/// ```
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// chapter::listening_on(listener.local_addr()?)?;
/// # std::io::Result::Ok(())
/// ```
pub fn listening_on(address: impl Display) -> io::Result<()> {
    write_to(io::stdout().lock(), address)
}

fn write_to(mut out: impl Write, address: impl Display) -> io::Result<()> {
    writeln!(out, "listening on {address}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::io::BufWriter;

    use super::*;

    #[test]
    fn the_line_leaves_the_buffer_at_once() {
        let mut buffered = BufWriter::new(Vec::new());
        write_to(&mut buffered, "127.0.0.1:6667").unwrap();
        assert_eq!(buffered.buffer(), b"");
        assert_eq!(buffered.get_ref(), b"listening on 127.0.0.1:6667\n");
    }
}
