//! What a test waits for in a line.

/// A description of the line that a test waits for.
///
/// A text: the line contains it. Several texts: the line contains each. A function: it says yes.
///
/// ```
/// use chapter_tests::LinePattern;
///
/// assert!("PONG".accepts(":server PONG server :1"));
/// assert!(["353", "#lobby"].accepts(":server 353 bob = #lobby :@alice bob"));
/// assert!((|line: &str| line.ends_with('!')).accepts("hello!"));
/// ```
pub trait LinePattern {
    /// Whether this is the line.
    fn accepts(&self, line: &str) -> bool;

    /// What is waited for, to be named when it does not come.
    fn describe(&self) -> String;
}

impl LinePattern for &str {
    fn accepts(&self, line: &str) -> bool {
        line.contains(*self)
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl LinePattern for &String {
    fn accepts(&self, line: &str) -> bool {
        self.as_str().accepts(line)
    }

    fn describe(&self) -> String {
        self.as_str().describe()
    }
}

impl<const N: usize> LinePattern for [&str; N] {
    fn accepts(&self, line: &str) -> bool {
        self.iter().all(|part| line.contains(part))
    }

    fn describe(&self) -> String {
        format!("all of {self:?}")
    }
}

impl<F: Fn(&str) -> bool> LinePattern for F {
    fn accepts(&self, line: &str) -> bool {
        self(line)
    }

    fn describe(&self) -> String {
        "that the test's function accepts".to_owned()
    }
}
