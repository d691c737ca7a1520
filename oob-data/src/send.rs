//! The end that sends: data and urgent data, in the order in which they are written.

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use chapter::Timeline;
use clap::Parser;
use oob_data::{send_urgent, unacknowledged};

/// How long the other end may take for what was sent.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Send parts to a receiver, in this order
///
/// Each part is on its way before the next one is sent: what was sent before has arrived in the
/// other kernel. The connection is closed at the end.
#[allow(clippy::doc_markdown, reason = "the help text is shown as it is")]
#[derive(Debug, Parser)]
pub(crate) struct SendArgs {
    /// Where the receiver listens, as ip:port
    pub(crate) to: SocketAddr,

    /// Text is data; after oob: it is sent with MSG_OOB, which makes its last byte urgent
    #[arg(value_name = "PART", default_values = ["123", "oob:abc", "123"])]
    parts: Vec<Part>,

    /// How long to wait after each part (500ms, 3s, 2m)
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = chapter::duration)]
    pause: Duration,
}

/// What is sent by one call.
#[derive(Clone, Debug)]
enum Part {
    Data(String),
    Urgent(String),
}

/// Why a text is no part.
#[derive(Debug)]
pub(crate) struct EmptyPart;

impl FromStr for Part {
    type Err = EmptyPart;

    fn from_str(text: &str) -> Result<Part, EmptyPart> {
        match text.strip_prefix("oob:") {
            // There is no urgent nothing.
            Some("") => Err(EmptyPart),
            Some(urgent) => Ok(Part::Urgent(urgent.to_owned())),
            None => Ok(Part::Data(text.to_owned())),
        }
    }
}

impl fmt::Display for EmptyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("behind oob: there must be at least one byte")
    }
}

impl std::error::Error for EmptyPart {}

/// Sends all parts.
///
/// It blocks, which a program with one connection and nothing else to do may.
pub(crate) fn run(args: &SendArgs) -> io::Result<()> {
    let mut stream = TcpStream::connect(args.to)?;
    // Else a small part waits for the acknowledgement of the one before (Nagle).
    stream.set_nodelay(true)?;
    let mut timeline = Timeline::new(io::stdout(), &["send"]);
    for part in &args.parts {
        match part {
            Part::Data(text) => {
                stream.write_all(text.as_bytes())?;
                timeline.say("send", format_args!("send '{text}'"))?;
            }
            Part::Urgent(text) => {
                let count = send_urgent(&stream, text.as_bytes())?;
                timeline.say(
                    "send",
                    format_args!(
                        "send(MSG_OOB) '{}'",
                        String::from_utf8_lossy(&text.as_bytes()[..count])
                    ),
                )?;
            }
        }
        wait_for_delivery(&stream)?;
        thread::sleep(args.pause);
    }
    Ok(())
}

/// Waits until the other kernel has acknowledged everything.
///
/// No readiness tells of that, so it is asked for again and again.
pub(crate) fn wait_for_delivery(stream: &TcpStream) -> io::Result<()> {
    let begin = Instant::now();
    while unacknowledged(stream)? > 0 {
        if begin.elapsed() > DELIVERY_TIMEOUT {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
