//! The head of a request, and what is asked for by it.
//!
//! Shows: a path from the network is taken apart and decoded before anything is opened, and what
//! could lead out of the book's directory is no path at all.
//! Leaves out: the grammar of HTTP, which is httparse's; bodies, which no request to this server
//! has.

use std::net::IpAddr;

/// The longest head. A browser's is one or two KiB.
pub(super) const MAX_HEAD_BYTES: usize = 8 * 1024;

/// The most header lines.
const MAX_HEADERS: usize = 64;

/// A request that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Decoded, without the first slash and the query.
    pub(super) path: String,
    /// The answer has no body: the method is HEAD.
    pub(super) is_head: bool,
    /// Another request may follow on the connection.
    pub(super) keep_alive: bool,
}

/// One that cannot; the connection ends with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not HTTP, or not a path.
    Bad,
    /// Neither GET nor HEAD.
    Method,
    /// For another host: a page of somebody else's that has this address under its own name.
    Misdirected,
    /// The head did not come in time.
    TooSlow,
    /// The head is over the limit.
    TooLarge,
}

/// Takes a request off the front of `bytes`: how long it is, and what it asks for. None if it is
/// not whole yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(usize, Request)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_HEAD_BYTES => {
            return Err(Refusal::TooLarge);
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
        Err(_) => return Err(Refusal::Bad),
    };
    let is_head = match head.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(Refusal::Method),
    };
    let mut keep_alive = head.version == Some(1);
    for header in head.headers.iter() {
        let value = str::from_utf8(header.value).map_err(|_| Refusal::Bad)?;
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("connection") {
            let mut words = value.split(',').map(str::trim);
            keep_alive &= !words.any(|word| word.eq_ignore_ascii_case("close"));
        } else if is("content-length") || is("transfer-encoding") {
            // What would follow is a body and not the next request.
            keep_alive = false;
        } else if is("host") && !is_own(value) {
            return Err(Refusal::Misdirected);
        }
    }
    let path = head.path.and_then(decode).ok_or(Refusal::Bad)?;
    Ok(Some((
        length,
        Request {
            path,
            is_head,
            keep_alive,
        },
    )))
}

/// Whether a `Host` header names this machine.
fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The path below the root that a request means: decoded, every part of it a plain name, the last
/// one empty for a directory.
fn decode(target: &str) -> Option<String> {
    let path = target.strip_prefix('/')?;
    let path = path.split(['?', '#']).next()?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    is_plain(&path).then_some(path)
}

/// Whether all parts of a path are names, but the last one, which may be empty.
fn is_plain(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    let (name, directories) = parts.split_last().unwrap_or((&"", &[]));
    !path.contains(char::is_control)
        && !directories.contains(&"")
        && parts.iter().all(|part| *part != "." && *part != "..")
        && name.len() < 256
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<String, Refusal> {
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost:3000\r\n\r\n");
        parse(head.as_bytes()).map(|request| request.expect("it is whole").1.path)
    }

    #[test]
    fn a_path_is_decoded_and_its_query_left_out() {
        assert_eq!(
            path("/a%20b/c.html?highlight=x"),
            Ok("a b/c.html".to_owned())
        );
        assert_eq!(path("/"), Ok(String::new()));
        assert_eq!(path("/source/"), Ok("source/".to_owned()));
    }

    #[test]
    fn no_path_leads_out_of_the_book() {
        for target in [
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "/a/%2E%2E",
            "//etc/passwd",
            "/%2fetc",
            "/a%00b",
            "/a%0d%0ab",
            "/%",
            "/%zz",
            "/%ff",
            "/./x",
            "*",
            "http://a/b",
            "/a//b/c",
        ] {
            assert_eq!(path(target), Err(Refusal::Bad), "{target}");
        }
    }

    #[test]
    fn a_head_is_waited_for_up_to_its_limit() {
        let head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET";
        for end in 0..head.len() - 3 {
            assert_eq!(parse(&head[..end]), Ok(None), "{end}");
        }
        assert_eq!(parse(head).unwrap().unwrap().0, head.len() - 3);
        let endless = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(
            parse(&endless.as_bytes()[..MAX_HEAD_BYTES]),
            Err(Refusal::TooLarge)
        );
    }

    #[test]
    fn a_connection_is_kept_if_both_sides_want_it() {
        let keeps = |version: &str, more: &str| {
            let head = format!("GET / HTTP/1.{version}\r\n{more}\r\n");
            parse(head.as_bytes()).unwrap().unwrap().1.keep_alive
        };
        assert!(keeps("1", ""));
        assert!(!keeps("0", ""));
        assert!(!keeps("1", "Connection: TE, Close\r\n"));
        assert!(!keeps("1", "Content-Length: 5\r\n"));
    }

    #[test]
    fn what_is_no_question_for_a_page_is_refused() {
        assert_eq!(parse(b"POST / HTTP/1.1\r\n\r\n"), Err(Refusal::Method));
        assert_eq!(parse(b"\x16\x03\x01\x02\x00"), Err(Refusal::Bad));
        for host in ["evil.example", "10.0.0.1:3000", ""] {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(parse(head.as_bytes()), Err(Refusal::Misdirected), "{host}");
        }
        for host in ["localhost", "127.0.0.1:80", "[::1]:3000"] {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert!(parse(head.as_bytes()).is_ok(), "{host}");
        }
    }
}
