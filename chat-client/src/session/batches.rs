//! Messages that belong together.
//!
//! Shows: a batch is open between two messages, and others may come in between;
//! each says by a tag which it belongs to.
//! Leaves out: all kinds but history. What is in them is told as it comes.
//!
//! Source: <https://ircv3.net/specs/extensions/batch>.

/// The most that are open at a time; what is in further ones is told as if it
/// were in none.
const MAX_OPEN: usize = 32;

/// The longest name of one.
const MAX_REFERENCE_BYTES: usize = 100;

/// The batches that have begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// By their references; whether each is history.
    open: Vec<(Vec<u8>, bool)>,
}

impl Batches {
    /// `BATCH +reference kind ...` or `BATCH -reference`, which may itself be in
    /// the batch `outer`.
    pub(super) fn take(&mut self, parameters: &[&[u8]], outer: Option<&[u8]>) {
        let Some((sign, reference)) = parameters.first().and_then(|word| word.split_first()) else {
            return;
        };
        match sign {
            b'+' if self.open.len() < MAX_OPEN && reference.len() <= MAX_REFERENCE_BYTES => {
                let kind = parameters.get(1).copied().unwrap_or_default();
                let is_history = matches!(kind, b"chathistory" | b"draft/chathistory")
                    || outer.is_some_and(|outer| self.is_history(outer));
                self.open.push((reference.to_vec(), is_history));
            }
            b'-' => self.open.retain(|(open, _)| open != reference),
            _ => {}
        }
    }

    /// Whether what is in this batch was said before.
    pub(super) fn is_history(&self, reference: &[u8]) -> bool {
        let open = self.open.iter().rfind(|(open, _)| open == reference);
        open.is_some_and(|&(_, is_history)| is_history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_within_history_is_history_until_it_ends() {
        let mut batches = Batches::default();
        batches.take(&[b"+a", b"chathistory", b"#room"], None);
        batches.take(&[b"+b", b"netsplit"], Some(b"a"));
        batches.take(&[b"+c", b"netsplit"], None);
        assert!(batches.is_history(b"a") && batches.is_history(b"b"));
        assert!(!batches.is_history(b"c") && !batches.is_history(b"x"));
        batches.take(&[b"-a"], None);
        assert!(!batches.is_history(b"a") && batches.is_history(b"b"));
    }

    #[test]
    fn a_server_that_ends_none_takes_no_memory() {
        let mut batches = Batches::default();
        for number in 0..1_000 {
            batches.take(&[format!("+{number}").as_bytes(), b"chathistory"], None);
        }
        batches.take(&[&[b'+'; MAX_REFERENCE_BYTES + 2], b"chathistory"], None);
        batches.take(&[], None);
        batches.take(&[b""], None);
        assert_eq!(batches.open.len(), MAX_OPEN);
    }
}
