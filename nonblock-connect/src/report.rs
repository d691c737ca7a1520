//! What is told of each target, and of all of them.
//!
//! Shows: one line each on standard output, for people or as one JSON object for programs.

use std::fmt::{self, Write};
use std::time::Duration;

use nonblock_connect::{ConnectError, Target};
use serde::Serialize;

/// How it went with one target.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) target: Target,
    pub(crate) outcome: Outcome,
    /// Of the last attempt.
    pub(crate) took: Duration,
    /// 0 if the time was over before it was its turn.
    pub(crate) attempts: u32,
    /// Since the first attempt.
    pub(crate) waited: Duration,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// To this address.
    Connected(std::net::SocketAddr),
    Failed(ConnectError),
    NotTried,
}

/// What the outcomes are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Connected,
    Refused,
    TimedOut,
    NotFound,
    NotTried,
    Failed,
}

impl Outcome {
    fn kind(&self) -> Kind {
        match self {
            Outcome::Connected(_) => Kind::Connected,
            Outcome::NotTried => Kind::NotTried,
            Outcome::Failed(err) if err.is_refusal() => Kind::Refused,
            Outcome::Failed(err) if err.is_timeout() => Kind::TimedOut,
            Outcome::Failed(ConnectError::Lookup(_) | ConnectError::NoAddress) => Kind::NotFound,
            Outcome::Failed(_) => Kind::Failed,
        }
    }
}

/// As the object of one line. A field that has nothing to tell is left out.
#[derive(Serialize)]
struct Line {
    target: String,
    result: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tried: Vec<Tried>,
    ms: f64,
    attempts: u32,
    waited_ms: f64,
}

/// An address that has failed, with the name of its error.
#[derive(Serialize)]
struct Tried {
    address: String,
    errno: String,
}

impl Report {
    /// Why it has failed.
    pub(crate) fn why(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Connected(_) => None,
            Outcome::NotTried => Some("not tried: the time was over before".to_owned()),
            // How long that was stands behind it.
            Outcome::Failed(ConnectError::LookupTimedOut(_)) => {
                Some("timed out while the name was looked up".to_owned())
            }
            // Where the target is a name, it tells which address said so.
            Outcome::Failed(ConnectError::Addresses(tried))
                if tried.len() == 1 && self.target.ip().is_none() =>
            {
                let (address, why) = &tried[0];
                Some(format!("{} {}", address.ip(), chapter::why(why)))
            }
            Outcome::Failed(err) => Some(err.to_string()),
        }
    }

    /// The line without its end.
    pub(crate) fn json(&self) -> String {
        let (mut address, mut tried) = (None, Vec::new());
        match &self.outcome {
            Outcome::Connected(connected) => address = Some(connected.to_string()),
            Outcome::Failed(ConnectError::Addresses(failed)) => {
                tried.extend(failed.iter().map(|(address, err)| Tried {
                    address: address.to_string(),
                    errno: chapter::errno_name(err),
                }));
            }
            Outcome::Failed(_) | Outcome::NotTried => {}
        }
        let line = Line {
            target: self.target.to_string(),
            result: self.outcome.kind(),
            address,
            error: self.why(),
            tried,
            ms: milliseconds(self.took),
            attempts: self.attempts,
            waited_ms: milliseconds(self.waited),
        };
        serde_json::to_string(&line).expect("text and finite numbers are JSON")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.target)?;
        match (&self.outcome, self.why()) {
            (Outcome::Connected(address), _) => write!(f, "connected to {address} in ")?,
            (_, Some(why)) => write!(f, "{why} after ")?,
            (_, None) => {}
        }
        write!(f, "{:.3} ms", milliseconds(self.took))?;
        if self.attempts > 1 {
            let waited = self.waited.as_secs_f64();
            write!(f, ", attempt {}, {waited:.1} s in all", self.attempts)?;
        }
        Ok(())
    }
}

/// To the microsecond, which is more than it means.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// How it went with all targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) targets: usize,
    pub(crate) connected: usize,
    refused: usize,
    timed_out: usize,
    not_found: usize,
    not_tried: usize,
    failed: usize,
    ms: f64,
}

impl Summary {
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        self.targets += 1;
        *match outcome.kind() {
            Kind::Connected => &mut self.connected,
            Kind::Refused => &mut self.refused,
            Kind::TimedOut => &mut self.timed_out,
            Kind::NotFound => &mut self.not_found,
            Kind::NotTried => &mut self.not_tried,
            Kind::Failed => &mut self.failed,
        } += 1;
    }

    pub(crate) fn set_time(&mut self, took: Duration) {
        self.ms = milliseconds(took);
    }

    pub(crate) fn json(self) -> String {
        #[derive(Serialize)]
        struct Line {
            summary: Summary,
        }
        let line = Line { summary: self };
        serde_json::to_string(&line).expect("finite numbers are JSON")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.targets == 1 { "" } else { "s" };
        let mut line = format!(
            "{} target{plural}: {} connected",
            self.targets, self.connected
        );
        for (count, what) in [
            (self.refused, "refused"),
            (self.timed_out, "timed out"),
            (self.not_found, "not found"),
            (self.not_tried, "not tried"),
            (self.failed, "failed otherwise"),
        ] {
            if count > 0 {
                write!(line, ", {count} {what}")?;
            }
        }
        write!(f, "{line}, in {:.1} ms", self.ms)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn report(outcome: Outcome) -> Report {
        Report {
            target: Target {
                host: "localhost".into(),
                port: 80,
            },
            outcome,
            took: Duration::from_micros(1_234),
            attempts: 1,
            waited: Duration::from_micros(1_234),
        }
    }

    fn refused(address: &str) -> (std::net::SocketAddr, io::Error) {
        (address.parse().unwrap(), io::Error::from_raw_os_error(111))
    }

    #[test]
    fn a_line_tells_the_result_the_address_and_the_time() {
        let connected = report(Outcome::Connected("127.0.0.1:80".parse().unwrap()));
        assert_eq!(
            connected.to_string(),
            "localhost:80: connected to 127.0.0.1:80 in 1.234 ms"
        );
        let mut failed = report(Outcome::Failed(ConnectError::Addresses(vec![refused(
            "[::1]:80",
        )])));
        assert_eq!(
            failed.to_string(),
            "localhost:80: ::1 connection refused after 1.234 ms"
        );
        let slow = report(Outcome::Failed(ConnectError::LookupTimedOut(
            Duration::ZERO,
        )));
        assert_eq!(
            slow.to_string(),
            "localhost:80: timed out while the name was looked up after 1.234 ms"
        );
        failed.attempts = 15;
        failed.waited = Duration::from_secs(3);
        assert_eq!(
            failed.to_string(),
            "localhost:80: ::1 connection refused after 1.234 ms, attempt 15, 3.0 s in all"
        );
    }

    #[test]
    fn the_object_of_a_line_has_no_empty_fields() {
        let connected = report(Outcome::Connected("127.0.0.1:80".parse().unwrap()));
        assert_eq!(
            connected.json(),
            r#"{"target":"localhost:80","result":"connected","address":"127.0.0.1:80","ms":1.234,"attempts":1,"waited_ms":1.234}"#
        );
        let failed = report(Outcome::Failed(ConnectError::Addresses(vec![refused(
            "[::1]:80",
        )])));
        assert_eq!(
            failed.json(),
            r#"{"target":"localhost:80","result":"refused","error":"::1 connection refused","tried":[{"address":"[::1]:80","errno":"ECONNREFUSED"}],"ms":1.234,"attempts":1,"waited_ms":1.234}"#
        );
    }

    #[test]
    fn the_summary_names_what_there_was() {
        let mut summary = Summary::default();
        for outcome in [
            Outcome::Connected("127.0.0.1:80".parse().unwrap()),
            Outcome::Failed(ConnectError::Addresses(vec![refused("[::1]:80")])),
            Outcome::Failed(ConnectError::LookupTimedOut(Duration::ZERO)),
            Outcome::Failed(ConnectError::NoAddress),
            Outcome::NotTried,
            Outcome::Failed(ConnectError::Addresses(Vec::new())),
        ] {
            summary.count(&outcome);
        }
        summary.set_time(Duration::from_millis(1_500));
        assert_eq!(
            summary.to_string(),
            "6 targets: 1 connected, 1 refused, 1 timed out, 1 not found, 1 not tried, \
             1 failed otherwise, in 1500.0 ms"
        );
        assert_eq!(
            summary.json(),
            r#"{"summary":{"targets":6,"connected":1,"refused":1,"timed_out":1,"not_found":1,"not_tried":1,"failed":1,"ms":1500.0}}"#
        );
    }
}
