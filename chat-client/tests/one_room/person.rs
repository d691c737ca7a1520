//! What one can ask of everybody in the room, whatever program he uses.

/// Somebody in the lobby, by way of his client.
pub(crate) trait Person {
    fn nick(&self) -> &'static str;

    /// Types a line into the client: text for the lobby, or a command.
    fn types(&mut self, line: &str);

    /// Waits until the client shows `text`.
    fn sees(&mut self, text: &str);

    /// Waits until the client shows that `nick` has said `text`.
    fn hears(&mut self, nick: &str, text: &str);

    /// Waits until the client shows that `nick` does something: `/me`.
    fn hears_action(&mut self, nick: &str, does: &str);
}
