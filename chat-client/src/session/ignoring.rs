//! People whose words the person does not want to see.
//!
//! Shows: it is the client that leaves them out; the server is not asked, and
//! nobody is told.

use chat_protocol::{Source, mask_matches, neutral};

use super::Session;

/// The most masks.
const MAX_MASKS: usize = 100;

impl Session {
    /// Shows no words of whoever matches `mask`: a nick, or `nick!user@host`
    /// with `*` and `?`.
    pub(super) fn ignore(&mut self, mask: &str) {
        if !self.ignored.iter().any(|ignored| ignored == mask) {
            if self.ignored.len() == MAX_MASKS {
                return self.hint(format!("{MAX_MASKS} masks are ignored, and no more can be"));
            }
            self.ignored.push(mask.to_owned());
        }
        self.hint(format!(
            "what {} says is not shown",
            neutral(mask.as_bytes())
        ));
    }

    pub(super) fn stop_ignoring(&mut self, mask: &str) {
        let before = self.ignored.len();
        self.ignored
            .retain(|ignored| !ignored.eq_ignore_ascii_case(mask));
        let mask = neutral(mask.as_bytes());
        self.hint(if self.ignored.len() < before {
            format!("what {mask} says is shown again")
        } else {
            format!("{mask} was not ignored; /ignore lists who is")
        });
    }

    pub(super) fn list_ignored(&mut self) {
        let ignored = neutral(self.ignored.join(" ").as_bytes());
        self.hint(match ignored.as_str() {
            "" => "nobody is ignored".to_owned(),
            ignored => format!("ignored: {ignored}"),
        });
    }

    /// Whether the words of this person are not to be shown.
    pub(super) fn is_ignored(&self, source: Source<'_>) -> bool {
        self.ignored.iter().any(|mask| {
            let is_nick = !mask.contains(['!', '@']);
            let text = if is_nick { source.nick() } else { source.raw() };
            mask_matches(mask.as_bytes(), text)
        })
    }
}
