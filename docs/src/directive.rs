//! What a line `{{#...}}` of a page asks for.

use std::time::Duration;

use nix::sys::signal::Signal;

/// A directive, alone on its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// A region of a file, or a short file as a whole.
    Listing {
        /// From the root of the workspace.
        path: String,
        /// The region; none for the whole file.
        anchor: Option<String>,
    },
    /// Console output.
    Transcript {
        /// From the root of the workspace.
        path: String,
        /// Shown from the first line with this text.
        from: Option<String>,
        /// Shown up to the next line with this text, that line included.
        to: Option<String>,
    },
    /// A command for the reader, which a test runs too.
    Run(Run),
    /// A claim of the claims program.
    Claim {
        /// Its name, as the program lists it.
        name: String,
    },
    /// A drawing.
    Figure {
        /// In `docs/pages/figures`.
        file: String,
        /// What is to be seen.
        caption: String,
    },
}

/// A command, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// For a shell, from the root of the workspace.
    pub command: String,
    /// How it ends.
    pub ending: Ending,
    /// Whether it goes on while the page's next commands run.
    pub keep: bool,
    /// In which terminal of the reader's, if not the first.
    pub terminal: Option<u8>,
    /// Its exit code.
    pub exit_code: i32,
    /// The tools of `chapter-tests/tools.txt` that it needs besides cargo.
    pub needs: Vec<String>,
}

/// How a command ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, within [`Run::LIMIT`].
    ByItself,
    /// It gets a signal after a text has appeared.
    Signal {
        /// What it prints, or has on its screen.
        until: String,
        /// What it gets then.
        signal: Signal,
    },
    /// It gets keys after a text has appeared.
    Keys {
        /// What it prints, or has on its screen.
        until: String,
        /// What is typed then.
        keys: String,
    },
}

impl Run {
    /// How long a command may take.
    pub const LIMIT: Duration = Duration::from_mins(1);
}

/// Whether a line is a directive, or wants to be one.
pub(crate) fn is_directive(line: &str) -> bool {
    line.trim_start().starts_with("{{#")
}

impl Directive {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in lower case.
    pub fn parse(line: &str) -> Result<Self, String> {
        if line.starts_with([' ', '\t']) {
            return Err("a directive begins at the beginning of its line".to_owned());
        }
        let inside = line
            .trim_end()
            .strip_prefix("{{#")
            .and_then(|rest| rest.strip_suffix("}}"))
            .ok_or("a directive is alone on its line, and ends with }}")?;
        let (name, rest) = inside
            .split_once(char::is_whitespace)
            .unwrap_or((inside, ""));
        let rest = rest.trim();
        match name {
            "listing" => listing(rest),
            "transcript" => transcript(rest),
            "run" => run(rest).map(Self::Run),
            "claim" => match rest {
                "" => Err("claim: it needs a name".to_owned()),
                name => Ok(Self::Claim {
                    name: name.to_owned(),
                }),
            },
            "figure" => figure(rest),
            name => Err(format!(
                "{name}: no such directive; there are listing, transcript, run, claim and figure"
            )),
        }
    }
}

fn listing(rest: &str) -> Result<Directive, String> {
    let (path, anchor) = match rest.split_once(':') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (rest, None),
    };
    if path.is_empty() || rest.contains(char::is_whitespace) {
        return Err("listing: it needs PATH or PATH:ANCHOR".to_owned());
    }
    Ok(Directive::Listing {
        path: path.to_owned(),
        anchor,
    })
}

fn transcript(rest: &str) -> Result<Directive, String> {
    let (path, mut rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if path.is_empty() {
        return Err("transcript: it needs the path of a file".to_owned());
    }
    let (mut from, mut to) = (None, None);
    while let Some(option) = option(&mut rest)? {
        match option {
            ("from", Some(text)) => from = Some(text),
            ("to", Some(text)) => to = Some(text),
            (other, _) => {
                return Err(format!(
                    "transcript: {other}: the options are from=\"TEXT\" and to=\"TEXT\""
                ));
            }
        }
    }
    if !rest.is_empty() {
        return Err(format!("transcript: {rest}: one file, and options only"));
    }
    Ok(Directive::Transcript {
        path: path.to_owned(),
        from,
        to,
    })
}

fn figure(rest: &str) -> Result<Directive, String> {
    let wanted = || "figure: it needs FILE.svg \"caption\"".to_owned();
    let (file, caption) = rest.split_once(char::is_whitespace).ok_or_else(wanted)?;
    let caption = caption.trim();
    let caption = caption
        .strip_prefix('"')
        .and_then(|caption| caption.strip_suffix('"'))
        .filter(|caption| !caption.is_empty())
        .ok_or_else(wanted)?;
    Ok(Directive::Figure {
        file: file.to_owned(),
        caption: caption.to_owned(),
    })
}

fn run(mut rest: &str) -> Result<Run, String> {
    let (mut until, mut then) = (None, None);
    let mut run = Run {
        command: String::new(),
        ending: Ending::ByItself,
        keep: false,
        terminal: None,
        exit_code: 0,
        needs: Vec::new(),
    };
    let number = |value: &str| format!("run: {value:?} is not a small number");
    while let Some((name, value)) = option(&mut rest)? {
        match (name, value) {
            ("until", Some(text)) => until = Some(text),
            ("then", Some(what)) => then = Some(what),
            ("keep", None) => run.keep = true,
            ("terminal", Some(value)) => {
                run.terminal = Some(value.parse().map_err(|_| number(&value))?);
            }
            ("fails", Some(value)) => run.exit_code = value.parse().map_err(|_| number(&value))?,
            ("needs", Some(tools)) => run.needs = tools.split(',').map(str::to_owned).collect(),
            (name, _) => {
                return Err(format!(
                    "run: {name}: the options are until=\"TEXT\", then=INT, TERM or keys:TEXT, keep, terminal=N, fails=N and needs=TOOL"
                ));
            }
        }
    }
    run.ending = ending(until, then.as_deref())?;
    if run.keep && run.ending == Ending::ByItself {
        return Err("run: keep is for what does not end by itself: until=... then=...".to_owned());
    }
    if rest.is_empty() {
        return Err("run: it needs a command".to_owned());
    }
    rest.clone_into(&mut run.command);
    Ok(run)
}

fn ending(until: Option<String>, then: Option<&str>) -> Result<Ending, String> {
    match (until, then) {
        (None, None) => Ok(Ending::ByItself),
        (Some(until), Some("INT")) => Ok(Ending::Signal {
            until,
            signal: Signal::SIGINT,
        }),
        (Some(until), Some("TERM")) => Ok(Ending::Signal {
            until,
            signal: Signal::SIGTERM,
        }),
        (Some(until), Some(keys)) if keys.starts_with("keys:") => Ok(Ending::Keys {
            until,
            keys: unescape(&keys["keys:".len()..])?,
        }),
        (Some(_), Some(what)) => Err(format!("run: then={what}: INT, TERM or keys:TEXT")),
        (None, Some(_)) => Err("run: then=... comes after until=\"TEXT\"".to_owned()),
        (Some(_), None) => Err("run: until=... needs then=INT, TERM or keys:TEXT".to_owned()),
    }
}

/// Keys as they are written in a page: `\r` is Enter, `\x03` a control character.
fn unescape(text: &str) -> Result<String, String> {
    let mut keys = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            keys.push(character);
            continue;
        }
        match rest.next() {
            Some('r') => keys.push('\r'),
            Some('n') => keys.push('\n'),
            Some('t') => keys.push('\t'),
            Some('e') => keys.push('\x1b'),
            Some('s') => keys.push(' '),
            Some('\\') => keys.push('\\'),
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let code = u8::from_str_radix(&digits, 16)
                    .ok()
                    .filter(u8::is_ascii)
                    .ok_or_else(|| format!("run: \\x{digits} is no ASCII character"))?;
                keys.push(code.into());
            }
            other => {
                let other = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "run: \\{other}: there are \\r \\n \\t \\e \\s \\\\ and \\x03"
                ));
            }
        }
    }
    Ok(keys)
}

/// The names of options that stand in front of a command; what else has `=` in it may be a part of
/// the command (`RUST_LOG=debug cargo ...`).
const OPTIONS: [&str; 8] = [
    "until", "then", "keep", "terminal", "fails", "needs", "from", "to",
];

/// Takes one option, `name`, `name=word` or `name="several words"`, off the front of `rest`.
fn option<'a>(rest: &mut &'a str) -> Result<Option<(&'a str, Option<String>)>, String> {
    let text = rest.trim_start();
    let name_end = text
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let (name, after) = text.split_at(name_end);
    if !OPTIONS.contains(&name) {
        *rest = text;
        return Ok(None);
    }
    let (value, after) = match after.strip_prefix('=') {
        None if after.is_empty() || after.starts_with(char::is_whitespace) => (None, after),
        None => {
            *rest = text;
            return Ok(None);
        }
        Some(quoted) if quoted.starts_with('"') => {
            let (value, after) = quoted[1..]
                .split_once('"')
                .ok_or_else(|| format!("{name}=\": the second quote is missing"))?;
            (Some(value.to_owned()), after)
        }
        Some(word) => {
            let (value, after) = word.split_once(char::is_whitespace).unwrap_or((word, ""));
            (Some(value.to_owned()), after)
        }
    };
    *rest = after.trim_start();
    Ok(Some((name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Run {
        match Directive::parse(line) {
            Ok(Directive::Run(run)) => run,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_listing_is_a_file_or_a_region_of_one() {
        let listing = |anchor: Option<&str>| {
            Ok(Directive::Listing {
                path: "a/b.rs".to_owned(),
                anchor: anchor.map(str::to_owned),
            })
        };
        assert_eq!(Directive::parse("{{#listing a/b.rs}}"), listing(None));
        assert_eq!(
            Directive::parse("{{#listing a/b.rs:the-turn}}"),
            listing(Some("the-turn"))
        );
    }

    #[test]
    fn a_part_of_a_transcript_is_named_by_its_first_and_last_line() {
        let parsed = Directive::parse("{{#transcript a.txt from=\"listen(2), 6\" to=\"SYN\"}}");
        assert_eq!(
            parsed,
            Ok(Directive::Transcript {
                path: "a.txt".to_owned(),
                from: Some("listen(2), 6".to_owned()),
                to: Some("SYN".to_owned()),
            })
        );
    }

    #[test]
    fn a_command_ends_by_itself_by_a_signal_or_by_keys() {
        assert_eq!(run("{{#run cargo run}}").ending, Ending::ByItself);
        let kept = run(
            "{{#run keep terminal=2 until=\"listening on\" then=INT cargo run -p chat-server}}",
        );
        assert!(kept.keep && kept.terminal == Some(2));
        assert_eq!(kept.command, "cargo run -p chat-server");
        assert_eq!(
            kept.ending,
            Ending::Signal {
                until: "listening on".to_owned(),
                signal: Signal::SIGINT
            }
        );
        let typed = run("{{#run until=x then=keys:/quit\\r\\x04 cargo run}}");
        assert_eq!(
            typed.ending,
            Ending::Keys {
                until: "x".to_owned(),
                keys: "/quit\r\x04".to_owned()
            }
        );
    }

    #[test]
    fn a_command_may_set_variables_and_look_like_an_option() {
        assert_eq!(run("{{#run A=1 sh -c 'keep'}}").command, "A=1 sh -c 'keep'");
        let failing = run("{{#run fails=1 needs=strace,nc until-now --keep}}");
        assert_eq!(failing.command, "until-now --keep");
        assert_eq!(failing.exit_code, 1);
        assert_eq!(failing.needs, ["strace", "nc"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, why) in [
            (" {{#run x}}", "begins at the beginning"),
            ("{{#run x}} y", "alone on its line"),
            ("{{#include x}}", "include: no such directive"),
            ("{{#listing}}", "needs PATH"),
            ("{{#claim}}", "needs a name"),
            ("{{#figure a.svg}}", "needs FILE.svg \"caption\""),
            ("{{#run}}", "needs a command"),
            ("{{#run until=\"x cargo}}", "second quote"),
            ("{{#run until=x cargo}}", "needs then="),
            ("{{#run then=INT cargo}}", "comes after until="),
            ("{{#run until=x then=HUP cargo}}", "then=HUP"),
            ("{{#run keep cargo}}", "does not end by itself"),
            ("{{#run from=x cargo}}", "run: from: the options"),
            ("{{#run fails=-x cargo}}", "not a small number"),
            ("{{#run until=x then=keys:\\q cargo}}", "\\q"),
            ("{{#transcript a.txt keep}}", "transcript: keep"),
            ("{{#transcript a.txt b.txt}}", "one file"),
        ] {
            let err = Directive::parse(line).unwrap_err();
            assert!(err.contains(why), "{line}: {err}");
        }
    }
}
