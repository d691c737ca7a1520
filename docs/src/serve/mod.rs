//! Serves the book to a browser on this machine, and tells it of each new one.
//!
//! Shows: a server of files on the loop: one thread for all browsers, for the files that are
//! watched, for the build that is under way and for the signals; limits for all that a browser may
//! do. Who behaves badly loses his own connection and nothing else.
//! Leaves out: TLS, caches, ranges and bodies; other machines, to whom it does not listen.

mod connection;
mod files;
mod rebuild;
mod request;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use epoll_loop::{
    Accepted, Event, EventLoop, Interest, Output, Readiness, Signal, Watch, Watched, WatcherId,
    WatcherMap, accept, listen,
};

use self::connection::{Connection, Next};
use self::files::Found;
use self::rebuild::Rebuild;
use self::request::{Refusal, Request};
use crate::html;

/// Connections at a time. For one more the one that has been silent longest is closed.
const MAX_CONNECTIONS: usize = 256;

/// How long a connection may be silent, whether it is to ask or to listen.
const IDLE_TIME: Duration = Duration::from_mins(1);

/// How long nobody is accepted after descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the last lines on standard error may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where a page asks for news.
const NEWS: &str = "live-reload";

/// A page for as long as there is no book.
const NO_BOOK: &str = include_str!("no-book.html");

/// The state of the server.
#[derive(Debug)]
struct Server {
    listener: Watched<TcpListener>,
    connections: WatcherMap<Connection>,
    /// Their ids.
    open: Vec<WatcherId>,
    directory: PathBuf,
    rebuild: Rebuild,
    /// Which book this is. Another server's have other numbers, so that a page which outlives one
    /// sees that it is old.
    edition: u64,
    /// What was wrong with the last build.
    error: Option<String>,
    /// What opens the browser.
    opener: Option<Child>,
    /// Standard error. Nobody may be reading it, and browsers are not to wait for that.
    log: Output,
}

/// What the program is asked for.
pub(crate) struct Settings<'a> {
    pub(crate) root: &'a Path,
    /// A directory for the books of all servers.
    pub(crate) directory: &'a Path,
    pub(crate) port: u16,
    pub(crate) open: bool,
    pub(crate) trace: chapter::Trace,
}

/// Builds the book and serves it until SIGINT or SIGTERM.
///
/// `first` builds it for the first time, into the directory that it is given.
///
/// # Errors
///
/// If the port is taken, or the files cannot be watched.
pub(crate) fn serve(
    settings: &Settings<'_>,
    first: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let _blocked = EventLoop::block_signals(&[Signal::SIGINT, Signal::SIGTERM])?;
    let mut event_loop = EventLoop::new()?;
    let _tracing = settings.trace.start(&mut event_loop)?;
    let log = event_loop.standard_error()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
    let listener = listen(address)
        .map_err(|err| io::Error::new(err.kind(), format!("{address}: {}", chapter::why(&err))))?;
    let address = listener.local_addr()?;
    // No other server has this port.
    let directory = settings.directory.join(address.port().to_string());
    // Before the first build, so that no change is missed.
    let rebuild = Rebuild::new(&mut event_loop, settings.root, &directory, &log)?;
    let error = first(&directory).err().map(|err| err.to_string());
    if let Some(error) = &error {
        say(&log, error);
    }
    let watch = Watch::new(Interest::READABLE).label("listener");
    let listener = event_loop.watch(listener, watch, Server::accept)?;
    let stop = |_: &mut Server, event_loop: &mut EventLoop<Server>, _| event_loop.stop(Ok(()));
    event_loop.on_signal(Signal::SIGINT, stop)?;
    event_loop.on_signal(Signal::SIGTERM, stop)?;
    chapter::listening_on(address)?;
    writeln!(io::stdout(), "the book is at http://{address}/")?;
    let opener = match settings
        .open
        .then(|| open_browser(&mut event_loop, address))
    {
        Some(Ok(child)) => Some(child),
        Some(Err(err)) => {
            say(&log, &format!("xdg-open: {}", chapter::why(&err)));
            None
        }
        None => None,
    };
    let mut server = Server {
        listener,
        connections: WatcherMap::new(),
        open: Vec::new(),
        directory: directory.clone(),
        rebuild,
        edition: u64::from(std::process::id()) << 32,
        error,
        opener,
        log: log.clone(),
    };
    let result = event_loop.run(&mut server);
    drop(server);
    log.drain(LAST_WORDS);
    match std::fs::remove_dir_all(&directory) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => result.and(Err(err)),
        _ => result,
    }
}

/// Asks the desktop for a browser. If there is none, the address has been printed.
fn open_browser(event_loop: &mut EventLoop<Server>, address: SocketAddr) -> io::Result<Child> {
    let mut command = Command::new("xdg-open");
    command
        .arg(format!("http://{address}/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = epoll_loop::spawn(&mut command)?;
    event_loop.on_exit(&child, Server::see_browser_opened)?;
    Ok(child)
}

impl Server {
    fn say(&self, line: &str) {
        say(&self.log, line);
    }

    /// The desktop has opened a browser, or has none.
    fn see_browser_opened(&mut self, _: &mut EventLoop<Server>, _: Event) {
        match self.opener.take().map(|mut child| child.wait()) {
            Some(Ok(status)) if !status.success() => self.say(&format!("xdg-open: {status}")),
            Some(Err(err)) => self.say(&format!("xdg-open: {}", chapter::why(&err))),
            _ => {}
        }
    }

    /// The listener is readable: browsers wait.
    fn accept(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        loop {
            match accept(&*self.listener) {
                Accepted::Peer(stream, _) => {
                    self.make_room();
                    let watch = Watch::new(Interest::READABLE)
                        .timeout(IDLE_TIME)
                        .label("browser");
                    match event_loop.watch(stream, watch, Server::attend) {
                        Ok(stream) => {
                            let connection = Connection::new(stream, event_loop.now());
                            let id = connection.stream.id();
                            self.open.push(id);
                            self.connections.insert(id, connection);
                        }
                        Err(err) => self.say(&format!("a connection: {}", chapter::why(&err))),
                    }
                }
                Accepted::Gone => {}
                Accepted::Nobody => return,
                Accepted::Exhausted(err) => {
                    self.say(&format!("accept: {}", chapter::why(&err)));
                    // The listener stays readable: to look again at once is to spin.
                    self.listener.set_interest(event_loop, Interest::NONE);
                    event_loop.after(PAUSE, |server, event_loop, _| {
                        server.listener.set_interest(event_loop, Interest::READABLE);
                    });
                    return;
                }
            }
        }
    }

    /// Closes the connection that has been silent longest, if there are as many as there may be.
    fn make_room(&mut self) {
        if self.open.len() < MAX_CONNECTIONS {
            return;
        }
        let connections = &self.connections;
        let silent = self.open.iter().copied().min_by_key(|id| {
            connections
                .get(*id)
                .map(|connection| connection.last_active)
        });
        if let Some(id) = silent {
            self.close(id);
        }
    }

    fn close(&mut self, id: WatcherId) {
        self.open.retain(|other| *other != id);
        self.connections.remove(id);
    }

    /// A browser has asked, takes more, or has been silent for too long.
    fn attend(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        let now = event_loop.now();
        let Some(connection) = self.connections.get_mut(event.id) else {
            return;
        };
        let next = if event.readiness.intersects(Readiness::TIMEOUT) {
            if connection.wants_news {
                // A comment to the page; a browser that has gone without a word shows by it.
                connection.push(b":\n\n");
                Next::Wait
            } else {
                Next::Close
            }
        } else if event.readiness.is_readable()
            && connection
                .stream
                .interest(event_loop)
                .contains(Interest::READABLE)
        {
            connection.read(event.readiness, now)
        } else {
            Next::Wait
        };
        self.go_on(event_loop, event.id, next);
    }

    /// Answers, and goes on with what was asked behind it, for as long as the browser takes it.
    fn go_on(&mut self, event_loop: &mut EventLoop<Server>, id: WatcherId, mut next: Next) {
        loop {
            match next {
                Next::Close => return self.close(id),
                Next::Wait => {}
                Next::Answer(request) => self.answer(id, &request),
                Next::Refuse(refusal) => self.refuse(id, refusal),
            }
            let Some(connection) = self.connections.get_mut(id) else {
                return;
            };
            match connection.write(event_loop) {
                Err(_) => return self.close(id),
                Ok(false) => return,
                Ok(true) if connection.is_last() => {
                    if !connection.begin_farewell(event_loop) {
                        self.close(id);
                    }
                    return;
                }
                Ok(true) => next = connection.next_request(event_loop.now()),
            }
            if next == Next::Wait {
                return;
            }
        }
    }

    fn answer(&mut self, id: WatcherId, request: &Request) {
        if request.path == NEWS {
            return self.begin_news(id);
        }
        let found = files::find(&self.directory, &request.path);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        match found {
            Ok(Found::File {
                file,
                length,
                content_type,
            }) => {
                connection
                    .push(head("200 OK", content_type, length, connection.is_last()).as_bytes());
                if !request.is_head {
                    connection.push_file(file, length);
                }
            }
            Ok(Found::Directory) => {
                let more = format!("Location: /{}/\r\n", request.path);
                let text = "The book has it with a slash behind.";
                push_text(
                    connection,
                    "301 Moved Permanently",
                    &more,
                    text,
                    request.is_head,
                );
            }
            Ok(Found::Nothing) => {
                let text = format!("The book has no {}.", html::escape(&request.path));
                push_text(connection, "404 Not Found", "", &text, request.is_head);
            }
            Err(err) => {
                let why = self.error.clone().unwrap_or_else(|| chapter::why(&err));
                let page = NO_BOOK.replace("WHY", &html::escape(&why));
                push_text(
                    connection,
                    "503 Service Unavailable",
                    "",
                    &page,
                    request.is_head,
                );
            }
        }
    }

    fn refuse(&mut self, id: WatcherId, refusal: Refusal) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let (status, more) = match refusal {
            Refusal::Bad => ("400 Bad Request", ""),
            Refusal::Method => ("405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
            Refusal::Misdirected => ("421 Misdirected Request", ""),
            Refusal::TooSlow => ("408 Request Timeout", ""),
            Refusal::TooLarge => ("431 Request Header Fields Too Large", ""),
        };
        connection.end_after_answer();
        push_text(connection, status, more, status, false);
    }

    /// The page wants to know of the next book.
    fn begin_news(&mut self, id: WatcherId) {
        let (edition, error) = (self.edition, self.error.clone());
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.begin_news();
        connection.push(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n",
        );
        connection.push(news("book", &edition.to_string()).as_bytes());
        if let Some(error) = error {
            connection.push(news("failed", &error).as_bytes());
        }
    }

    /// There is a new book.
    fn succeed(&mut self, event_loop: &mut EventLoop<Server>) {
        self.edition += 1;
        if self.error.take().is_some() {
            self.say("the book is built again");
        }
        self.tell(event_loop, &news("book", &self.edition.to_string()));
    }

    /// A book could not be built; the old one stays.
    fn fail(&mut self, event_loop: &mut EventLoop<Server>, why: &str) {
        let lines = why.lines();
        let lines: Vec<_> = lines
            .map(|line| line.strip_prefix("docs: ").unwrap_or(line))
            .collect();
        for line in &lines {
            self.say(line);
        }
        let why = lines.join("\n");
        self.tell(event_loop, &news("failed", &why));
        self.error = Some(why);
    }

    /// Tells all pages that listen.
    fn tell(&mut self, event_loop: &mut EventLoop<Server>, news: &str) {
        for id in self.open.clone() {
            let Some(connection) = self.connections.get_mut(id) else {
                continue;
            };
            if !connection.wants_news {
                continue;
            }
            connection.push(news.as_bytes());
            // Who does not listen any more is not told for ever.
            if connection.is_behind() {
                self.close(id);
            } else {
                self.go_on(event_loop, id, Next::Wait);
            }
        }
    }
}

/// Has a line written when standard error takes it.
fn say(log: &Output, line: &str) {
    log.write_line(format!("docs: {line}\n").as_bytes());
}

/// An event as a browser's `EventSource` reads it.
fn news(event: &str, data: &str) -> String {
    let mut text = format!("event: {event}\n");
    for line in data.split(['\n', '\r']) {
        html::put!(text, "data: {line}\n");
    }
    text.push('\n');
    text
}

fn head(status: &str, content_type: &str, length: u64, is_last: bool) -> String {
    let connection = if is_last { "close" } else { "keep-alive" };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
         Connection: {connection}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         \r\n"
    )
}

/// Pushes an answer of a few words, or of a page that is short.
fn push_text(connection: &mut Connection, status: &str, more: &str, text: &str, is_head: bool) {
    let page = if text.starts_with('<') {
        text.to_owned()
    } else {
        format!("<!DOCTYPE html><meta charset=\"utf-8\"><title>{status}</title><p>{text}</p>\n")
    };
    let head = head(
        status,
        "text/html; charset=utf-8",
        page.len() as u64,
        connection.is_last(),
    );
    let (status_line, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    connection.push(format!("{status_line}\r\n{more}{rest}").as_bytes());
    if !is_head {
        connection.push(page.as_bytes());
    }
}
