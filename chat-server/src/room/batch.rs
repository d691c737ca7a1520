//! What is said in one batch: written once, whoever hears it.
//!
//! Shows: a message to a thousand members is one copy in memory and a thousand
//! notes of where it stands. What follows it on the same sheet for the same
//! receiver makes the note longer, and a receiver's whole batch is in most cases
//! one stretch of a sheet, handed to one `write(2)`. The kernel then copies a
//! thousand times out of the same few kilobytes, which are in the processor's
//! cache, and not out of a thousand queues, which are not: that copying was 29 %
//! of the server's time (perf, 100 members).
//! Leaves out: what is not taken by the peer; that is copied into its own queue
//! (`outgoing.rs`), so that nothing here outlives the batch.

/// Notes that are kept, some 2 MiB of them. Whatever is said beyond them in one
/// batch is copied into the queues.
const MAX_PIECES: usize = 64 * 1024;

/// Bytes that a sheet keeps in memory from one batch to the next: as much as a
/// batch comes to, unless somebody asks for a long list.
const WARM_BYTES: usize = 128 * 1024;

/// The forms in which messages are wanted; a sheet each, so that what one
/// receiver gets stands in one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Line,
    WithTime,
    WithTags,
    WithBoth,
    Text,
}

impl Form {
    pub(super) const COUNT: usize = Form::Text as usize + 1;
}

/// A stretch of a sheet: a message, or several in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    form: Form,
    start: usize,
    end: usize,
}

impl Part {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    /// The same without its first `count` bytes.
    pub(super) fn skip(self, count: usize) -> Part {
        Part {
            start: self.start + count,
            ..self
        }
    }
}

/// A part that is somebody's, and where the next one stands in the table.
#[derive(Clone, Copy, Debug)]
struct Piece {
    part: Part,
    next: u32,
}

/// What one receiver has of the batch: a chain of pieces. Empty it costs no
/// memory beside itself.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Share {
    /// First and last piece; they mean nothing while `bytes` is 0.
    first: u32,
    last: u32,
    count: u32,
    bytes: usize,
}

impl Share {
    /// Bytes of all pieces.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Number of pieces.
    pub(super) fn pieces(&self) -> usize {
        self.count as usize
    }
}

/// The sheets, and who has what of them.
#[derive(Debug, Default)]
// ANCHOR: sheets
pub(super) struct Batch {
    sheets: [Vec<u8>; Form::COUNT],
    /// The links of all chains.
    pieces: Vec<Piece>,
    /// Shares that are not empty.
    holders: usize,
}
// ANCHOR_END: sheets

impl Batch {
    /// Begins new sheets if nobody needs the old ones any more. What parts there
    /// are besides shares mean nothing after this.
    pub(super) fn renew(&mut self) {
        if self.holders > 0 {
            return;
        }
        self.pieces.clear();
        for sheet in &mut self.sheets {
            sheet.clear();
            sheet.shrink_to(WARM_BYTES);
        }
    }

    /// Has `write` write on a sheet, and says where that stands.
    pub(super) fn write(&mut self, form: Form, write: impl FnOnce(&mut Vec<u8>)) -> Part {
        let sheet = &mut self.sheets[form as usize];
        let start = sheet.len();
        write(sheet);
        Part {
            form,
            start,
            end: sheet.len(),
        }
    }

    pub(super) fn bytes(&self, part: Part) -> &[u8] {
        &self.sheets[part.form as usize][part.start..part.end]
    }

    /// Adds a part to a share; false if there is no room for the note.
    pub(super) fn give(&mut self, share: &mut Share, part: Part) -> bool {
        if part.len() == 0 {
            return true;
        }
        if !share.is_empty() {
            // ANCHOR: in-a-row
            let last = &mut self.pieces[share.last as usize].part;
            if last.form == part.form && last.end == part.start {
                last.end = part.end;
                share.bytes += part.len();
                return true;
            }
            // ANCHOR_END: in-a-row
        }
        if self.pieces.len() == MAX_PIECES {
            return false;
        }
        let index = u32::try_from(self.pieces.len()).expect("not over MAX_PIECES");
        self.pieces.push(Piece { part, next: index });
        if share.is_empty() {
            self.holders += 1;
            share.first = index;
        } else {
            self.pieces[share.last as usize].next = index;
        }
        share.last = index;
        share.count += 1;
        share.bytes += part.len();
        true
    }

    /// The bytes of a share, in order.
    pub(super) fn pieces(&self, share: Share) -> impl Iterator<Item = &[u8]> {
        let mut at = (!share.is_empty()).then_some(share.first);
        std::iter::from_fn(move || {
            let piece = self.pieces[at? as usize];
            at = (at != Some(share.last)).then_some(piece.next);
            Some(self.bytes(piece.part))
        })
    }

    /// Empties a share.
    pub(super) fn take_back(&mut self, share: &mut Share) {
        if !share.is_empty() {
            self.holders -= 1;
            *share = Share::default();
        }
    }
}

#[cfg(test)]
impl Batch {
    /// Panics if the shares contradict the sheets.
    pub(super) fn check_invariants<'a>(&self, shares: impl Iterator<Item = &'a Share>) {
        let held: Vec<&Share> = shares.filter(|share| !share.is_empty()).collect();
        assert_eq!(held.len(), self.holders);
        for share in held {
            let bytes: usize = self.pieces(*share).map(<[u8]>::len).sum();
            assert_eq!(bytes, share.len());
            assert_eq!(self.pieces(*share).count(), share.pieces());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(batch: &mut Batch, form: Form, text: &str) -> Part {
        batch.write(form, |sheet| sheet.extend_from_slice(text.as_bytes()))
    }

    fn text(batch: &Batch, share: Share) -> Vec<&str> {
        let pieces = batch.pieces(share);
        pieces.map(|piece| str::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn messages_in_a_row_are_one_piece() {
        let mut batch = Batch::default();
        let (mut all, mut some) = (Share::default(), Share::default());
        for word in ["one ", "two ", "three "] {
            let part = say(&mut batch, Form::Line, word);
            assert!(batch.give(&mut all, part));
            if word != "two " {
                assert!(batch.give(&mut some, part));
            }
        }
        let timed = say(&mut batch, Form::WithTime, "four");
        assert!(batch.give(&mut some, timed));
        assert_eq!(text(&batch, all), ["one two three "]);
        assert_eq!(text(&batch, some), ["one ", "three ", "four"]);
        assert_eq!((some.len(), some.pieces()), (14, 3));
        batch.check_invariants([&all, &some].into_iter());
    }

    #[test]
    fn the_sheets_are_kept_as_long_as_somebody_needs_them() {
        let mut batch = Batch::default();
        let mut share = Share::default();
        let part = say(&mut batch, Form::Text, &"x".repeat(10 * WARM_BYTES));
        assert!(batch.give(&mut share, part));
        batch.renew();
        assert_eq!(text(&batch, share)[0].len(), part.len());
        batch.take_back(&mut share);
        batch.take_back(&mut share);
        batch.renew();
        assert!(share.is_empty() && batch.pieces.is_empty());
        let sheet = &batch.sheets[Form::Text as usize];
        assert!(sheet.is_empty() && sheet.capacity() <= WARM_BYTES);
    }

    #[test]
    fn when_the_table_is_full_a_note_is_refused_and_the_share_stays_as_it_is() {
        let mut batch = Batch::default();
        let mut shares = vec![Share::default(); MAX_PIECES];
        let part = say(&mut batch, Form::Line, "one");
        for share in &mut shares {
            assert!(batch.give(share, part));
        }
        let mut late = Share::default();
        assert!(!batch.give(&mut late, part));
        assert!(late.is_empty());
        let next = say(&mut batch, Form::Line, "two");
        assert!(batch.give(&mut shares[0], next), "no new note is needed");
        assert!(!batch.give(&mut shares[0], part));
        assert_eq!(text(&batch, shares[0]), ["onetwo"]);
    }
}
