//! A paste of several lines, which is asked about before anything is sent.

/// Lines that were pasted and wait for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paste {
    /// Without the empty ones, which cannot be said.
    pub(crate) lines: Vec<String>,
}

/// What was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pasted {
    Nothing,
    /// For the input line.
    Text(String),
    /// To be asked about.
    Lines(Paste),
}

impl Paste {
    /// Looks at what was pasted; lines end by CR, LF or both.
    pub(crate) fn read(text: &str) -> Pasted {
        let lines: Vec<String> = text
            .split(['\r', '\n'])
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        match lines.len() {
            0 if text.contains(' ') => Pasted::Text(text.replace(['\r', '\n'], "")),
            0 => Pasted::Nothing,
            1 => Pasted::Text(text.trim_matches(['\r', '\n']).to_owned()),
            _ => Pasted::Lines(Paste { lines }),
        }
    }

    /// All lines in one, without what they are indented by.
    pub(crate) fn joined(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.trim()).collect();
        lines.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_by_cr_lf_or_both() {
        for text in ["one\ntwo", "one\rtwo\r", "one\r\n\r\ntwo\r\n"] {
            let Pasted::Lines(paste) = Paste::read(text) else {
                panic!("{text:?} has two lines");
            };
            assert_eq!(paste.lines, ["one", "two"]);
            assert_eq!(paste.joined(), "one two");
        }
    }

    #[test]
    fn one_line_is_text_even_with_its_end() {
        assert_eq!(Paste::read("one \n"), Pasted::Text("one ".to_owned()));
        assert_eq!(Paste::read("\r\n"), Pasted::Nothing);
        assert_eq!(Paste::read(" "), Pasted::Text(" ".to_owned()));
    }
}
