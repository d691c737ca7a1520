//! Several servers beside each other.
//!
//! Shows: rounds that take turns. A machine has better and worse minutes, and whoever is measured
//! in one go has all of one or the other; the median of several rounds is that of an ordinary one.
//! Each measurement has a fresh server, on a core of its own, with this program on another.
//! Leaves out: whether a difference is more than chance. Look at the rounds (--json).

use std::fmt;
use std::io;

use serde_json::{Map, Value, json};
use stress_client::Limits;

use crate::failure::Failure;
use crate::process::ServerProcess;
use crate::report::{Figure, Report};
use crate::run::Options;
use crate::started::{Core, ServerKind, Started};

/// Which servers, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) servers: Vec<ServerKind>,
    pub(crate) rounds: usize,
    /// Whether they limit how fast people talk.
    pub(crate) limits: Limits,
}

/// What has come of it.
#[derive(Debug)]
pub(crate) struct Comparison {
    rounds: usize,
    servers: Vec<Compared>,
    is_pinned: bool,
}

/// One server.
#[derive(Debug)]
struct Compared {
    kind: ServerKind,
    /// What is missing, if it is not installed.
    is_missing: bool,
    /// A report for each round.
    reports: Vec<Report>,
    /// Why it was given up.
    failure: Option<String>,
}

/// Measures each server in each round by `measure`.
pub(crate) fn compare(
    plan: &Plan,
    options: &Options,
    measure: &dyn Fn(&Options) -> io::Result<Report>,
) -> io::Result<Comparison> {
    let cores = Core::pair()?;
    let before = Core::pin(cores.map(|(generator, _)| generator))?;
    let mut servers: Vec<Compared> = plan
        .servers
        .iter()
        .map(|&kind| Compared {
            kind,
            is_missing: kind.find().is_none(),
            reports: Vec::new(),
            failure: None,
        })
        .collect();
    for round in 1..=plan.rounds {
        for server in &mut servers {
            if server.failure.is_some() {
                continue;
            }
            let Some(file) = server.kind.find() else {
                continue;
            };
            let started =
                Started::start(server.kind, &file, plan.limits, cores.map(|(_, core)| core));
            let result = started.and_then(|started| {
                measure(&Options {
                    server: started.address,
                    under_way: options.under_way.or(server.kind.under_way()),
                    process: Some(ServerProcess::new(started.pid())),
                    prefix: format!("{}, round {round} of {}: ", server.kind.name(), plan.rounds),
                    ..options.clone()
                })
            });
            match result {
                Ok(report) => server.reports.push(report),
                Err(err) if Failure::is_interrupted(&err) => return Err(err),
                Err(err) => server.failure = Some(chapter::why(&err)),
            }
        }
    }
    before.restore()?;
    Ok(Comparison {
        rounds: plan.rounds,
        servers,
        is_pinned: cores.is_some(),
    })
}

impl Compared {
    /// The median of a figure over all rounds.
    fn median(&self, key: &str) -> Option<f64> {
        let values = self.reports.iter().flat_map(|report| &report.figures);
        let of_this = values.filter(|figure| figure.key == key);
        let values: Vec<f64> = of_this.map(|figure| figure.value).collect();
        (!values.is_empty()).then(|| chapter::median(&values))
    }

    /// What its column says instead of figures.
    fn excuse(&self) -> Option<String> {
        if self.is_missing {
            return Some(format!("skipped: needs {}", self.kind.name()));
        }
        self.failure.as_ref().map(|why| format!("failed: {why}"))
    }
}

impl Comparison {
    /// The first failure of a server that is there.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.servers.iter().find_map(|server| {
            let why = server.failure.clone()?;
            Some(Failure::Server(server.kind.name(), why))
        })
    }

    /// The figures that there are, by the first report that has them.
    fn figures(&self) -> &[Figure] {
        let mut reports = self.servers.iter().flat_map(|server| &server.reports);
        reports.next().map_or(&[], |report| &report.figures)
    }

    fn title(&self) -> &str {
        let mut reports = self.servers.iter().flat_map(|server| &server.reports);
        reports.next().map_or("", |report| &report.title)
    }

    /// A figure of a server as a multiple of ours.
    fn ratio(&self, server: &Compared, key: &str) -> Option<f64> {
        let ours = self
            .servers
            .iter()
            .find(|server| server.kind == ServerKind::Ours)?;
        if server.kind == ServerKind::Ours {
            return None;
        }
        let (theirs, ours) = (server.median(key)?, ours.median(key)?);
        (ours > 0.0).then(|| theirs / ours)
    }

    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut servers = Map::new();
        for server in &self.servers {
            let mut medians = Map::new();
            let mut ratios = Map::new();
            for figure in self.figures() {
                medians.insert(figure.key.into(), json!(server.median(figure.key)));
                if let Some(ratio) = self.ratio(server, figure.key) {
                    ratios.insert(figure.key.into(), json!(ratio));
                }
            }
            let rounds: Vec<Value> = server
                .reports
                .iter()
                .map(|report| Value::Object(report.to_json()))
                .collect();
            let value = match server.excuse() {
                Some(excuse) => json!({ "excuse": excuse }),
                None => json!({ "medians": medians, "ratios_to_ours": ratios, "rounds": rounds }),
            };
            servers.insert(server.kind.name().into(), value);
        }
        let mut map = Map::new();
        map.insert("compared".into(), json!(self.title()));
        map.insert("rounds".into(), json!(self.rounds));
        map.insert("pinned".into(), json!(self.is_pinned));
        map.insert("servers".into(), Value::Object(servers));
        map
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = match self.rounds {
            1 => "1 round".to_owned(),
            rounds => format!("medians of {rounds} rounds"),
        };
        let mut kinds = self.servers.iter().map(|server| server.kind);
        let has_ratios = kinds.any(|kind| kind == ServerKind::Ours) && self.servers.len() > 1;
        let brackets = if has_ratios {
            "; in brackets, as a multiple of ours"
        } else {
            ""
        };
        writeln!(f, "{}; {rounds}{brackets}", self.title())?;
        let names = self.figures().iter().map(|figure| figure.name.len());
        let width = names.max().unwrap_or(0);
        write!(f, "  {:width$}", "")?;
        let shown: Vec<&Compared> = self
            .servers
            .iter()
            .filter(|server| !server.reports.is_empty())
            .collect();
        for server in &shown {
            write!(f, "  {:>14} {:8}", server.kind.name(), "")?;
        }
        writeln!(f)?;
        for figure in self.figures() {
            let cells = shown.iter().map(|server| {
                let value = server.median(figure.key);
                let value = value.map_or("-".to_owned(), |value| figure.unit.show(value));
                let ratio = self.ratio(server, figure.key);
                let ratio = ratio.map_or(String::new(), |ratio| format!("({ratio:.2})"));
                format!("  {value:>14} {ratio:8}")
            });
            let row = format!(
                "  {:width$}{}",
                figure.name,
                cells.collect::<Vec<_>>().concat()
            );
            writeln!(f, "{}", row.trim_end())?;
        }
        for server in &self.servers {
            let name = server.kind.name();
            if let Some(excuse) = server.excuse() {
                writeln!(f, "  {name}: {excuse}")?;
            }
            let mut notes: Vec<&String> = server.reports.iter().flat_map(|r| &r.notes).collect();
            notes.dedup();
            for note in notes {
                writeln!(f, "  {name}: {note}")?;
            }
        }
        if !self.is_pinned {
            writeln!(
                f,
                "  there is one core only, which servers and generator share"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stress_client::OtherServer;

    use super::*;
    use crate::report::Unit;

    fn compared(kind: ServerKind, values: &[f64]) -> Compared {
        let report = |&value| {
            let mut report = Report::new("fan-out".into());
            report.add("messages", "messages sent", value, Unit::Count);
            report
        };
        Compared {
            kind,
            is_missing: values.is_empty(),
            reports: values.iter().map(report).collect(),
            failure: None,
        }
    }

    #[test]
    fn each_server_has_its_medians_and_ratios_and_who_is_missing_is_named() {
        let comparison = Comparison {
            rounds: 3,
            servers: vec![
                compared(ServerKind::Ours, &[10.0, 2_000.0, 30.0]),
                compared(ServerKind::Other(OtherServer::Ngircd), &[60.0, 0.0, 100.0]),
                compared(ServerKind::Other(OtherServer::Inspircd), &[]),
            ],
            is_pinned: true,
        };
        let table = comparison.to_string();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["ours", "ngircd"]);
        assert_eq!(lines[2], ["messages", "sent", "30", "60", "(2.00)"]);
        assert_eq!(lines[3].join(" "), "inspircd: skipped: needs inspircd");
        let json = comparison.to_json();
        assert_eq!(json["servers"]["ngircd"]["ratios_to_ours"]["messages"], 2.0);
        assert_eq!(
            json["servers"]["inspircd"]["excuse"],
            "skipped: needs inspircd"
        );
    }
}
