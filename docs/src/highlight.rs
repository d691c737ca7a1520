//! Colours for source text, as classes.
//!
//! Shows: rustc's own lexer says what is a comment, a string or a name, so that no raw string and
//! no lifetime is mistaken; what kind of name it is follows from its neighbours. Every line is whole
//! by itself, with no element open at its end, so that lines can be numbered, marked and wrapped.
//! The colours of the few classes are in `theme/book.css`.
//! Leaves out: the grammars of shell and TOML, of which comments alone are told apart.

use std::iter::Peekable;
use std::path::Path;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, Token, TokenKind, tokenize};

use crate::html::{self, put};

const KEYWORDS: [&str; 41] = [
    "Self",
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro_rules",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "type",
    "union",
    "unsafe",
    "use",
    "where",
    "while",
    "yield",
];

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16",
    "u32", "u64", "u8", "usize",
];

const END: &str = "</i>";

/// The lines of a file as HTML, without their line ends.
pub(crate) fn lines(path: &str, text: &str) -> Vec<String> {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    match ending {
        Some("rs") => rust(text),
        Some("toml" | "sh") => text.lines().map(with_comment).collect(),
        _ if text.starts_with("#!") => text.lines().map(with_comment).collect(),
        _ => text.lines().map(html::escape).collect(),
    }
}

fn with_comment(line: &str) -> String {
    let mut html = String::new();
    let is_comment = line.trim_start().starts_with('#');
    push(&mut html, if is_comment { "c" } else { "" }, line);
    html
}

fn rust(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut tokens = tokenize(text, FrontmatterAllowed::No).peekable();
    let mut rest = text;
    let mut attribute = Attribute::None;
    let mut before = "";
    // The class of the last element, which the next may go on with.
    let mut open = "";
    while let Some(token) = tokens.next() {
        let (word, after) = rest.split_at(token.len as usize);
        rest = after;
        attribute = attribute.next(token.kind, after);
        let class = match attribute {
            Attribute::None => class(token.kind, word, before, &mut tokens),
            Attribute::Begun | Attribute::Inside(_) => "m",
        };
        for (index, part) in word.split('\n').enumerate() {
            if index > 0 {
                lines.push(String::new());
                open = "";
            }
            let line = lines.last_mut().expect("there is one from the beginning");
            if !part.is_empty() {
                if class == open && line.ends_with(END) {
                    line.truncate(line.len() - END.len());
                    line.push_str(&html::escape(part));
                    line.push_str(END);
                } else {
                    push(line, class, part);
                }
                open = class;
            }
        }
        if token.kind != TokenKind::Whitespace {
            before = word;
        }
    }
    // What comes behind the last line end is no line.
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn push(line: &mut String, class: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let text = html::escape(text);
    if class.is_empty() {
        line.push_str(&text);
    } else {
        put!(*line, "<i class=\"{class}\">{text}{END}");
    }
}

/// Whether the tokens belong to an attribute: `#[...]` or `#![...]`.
#[derive(Clone, Copy)]
enum Attribute {
    None,
    /// Behind the `#`.
    Begun,
    /// So many brackets are open.
    Inside(usize),
}

impl Attribute {
    /// Where this token is, which is followed by the text `after`.
    fn next(self, kind: TokenKind, after: &str) -> Self {
        match (self, kind) {
            (Self::None, TokenKind::Pound) if after.starts_with('[') || after.starts_with("![") => {
                Self::Begun
            }
            (Self::Begun, TokenKind::OpenBracket) => Self::Inside(1),
            (Self::Inside(open), TokenKind::OpenBracket) => Self::Inside(open + 1),
            (Self::Inside(0), _) => Self::None.next(kind, after),
            (Self::Inside(open), TokenKind::CloseBracket) => Self::Inside(open - 1),
            (same, _) => same,
        }
    }
}

fn class(
    kind: TokenKind,
    word: &str,
    before: &str,
    following: &mut Peekable<impl Iterator<Item = Token>>,
) -> &'static str {
    match kind {
        TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => "c",
        TokenKind::Lifetime { .. } | TokenKind::RawLifetime => "l",
        TokenKind::Literal {
            kind: LiteralKind::Int { .. } | LiteralKind::Float { .. },
            ..
        } => "n",
        TokenKind::Literal { .. } => "s",
        TokenKind::Ident => {
            let next = following.peek().map(|token| token.kind);
            name(word, before, next)
        }
        _ => "",
    }
}

/// What a name is, by itself and by what stands before and behind it.
fn name(word: &str, before: &str, next: Option<TokenKind>) -> &'static str {
    let is_field = before == ".";
    if word == "macro_rules" || next == Some(TokenKind::Bang) && !is_field {
        "m"
    } else if KEYWORDS.contains(&word) {
        "k"
    } else if before == "fn" || next == Some(TokenKind::OpenParen) && !is_capitalized(word) {
        "f"
    } else if PRIMITIVES.contains(&word) && !is_field {
        "t"
    } else if is_capitalized(word) {
        if word.len() > 1 && !word.chars().any(char::is_lowercase) {
            "n"
        } else {
            "t"
        }
    } else {
        ""
    }
}

fn is_capitalized(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let [line] = &lines("a.rs", text)[..] else {
            panic!("{text:?}")
        };
        line.clone()
    }

    #[test]
    fn an_element_does_not_go_over_a_line_end() {
        let lines = lines("a.rs", "/* one\n\ntwo */ 'x'\n");
        assert_eq!(
            lines,
            [
                "<i class=\"c\">/* one</i>",
                "",
                "<i class=\"c\">two */</i> <i class=\"s\">'x'</i>"
            ]
        );
    }

    #[test]
    fn names_are_told_apart_by_their_neighbours() {
        assert_eq!(
            line("fn main() { say(&'a X::new(MAX, 1)) }"),
            "<i class=\"k\">fn</i> <i class=\"f\">main</i>() { <i class=\"f\">say</i>(&amp;\
             <i class=\"l\">'a</i> <i class=\"t\">X</i>::<i class=\"f\">new</i>(\
             <i class=\"n\">MAX</i>, <i class=\"n\">1</i>)) }"
        );
        assert_eq!(line("vec![a]"), "<i class=\"m\">vec</i>![a]");
        assert_eq!(line("a.len != b"), "a.len != b");
    }

    #[test]
    fn an_attribute_is_one_up_to_its_last_bracket() {
        assert_eq!(line("#[a([b])] c"), "<i class=\"m\">#[a([b])]</i> c");
    }

    #[test]
    fn there_are_as_many_lines_as_the_text_has() {
        for text in ["", "a", "a\n", "a\n\n", "\n\nfn x() {\n}\n"] {
            assert_eq!(lines("a.rs", text).len(), text.lines().count(), "{text:?}");
        }
    }

    #[test]
    fn what_has_no_grammar_is_shown_plainly() {
        assert_eq!(lines("a.txt", "a < b\n"), ["a &lt; b"]);
        assert_eq!(
            lines("a.toml", "# x\na = 1"),
            ["<i class=\"c\"># x</i>", "a = 1"]
        );
        assert_eq!(
            lines("run", "#!/bin/sh\n")[0],
            "<i class=\"c\">#!/bin/sh</i>"
        );
    }
}
