//! What is read, watched on its way: how many lines there were, and whether the last one came to its end.

use std::io::{self, Read};

/// Counts lines and quotes of what passes.
pub(super) struct Watched<R> {
    inner: R,
    lines: u64,
    quotes: u64,
    last: u8,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(inner: R) -> Watched<R> {
        Watched { inner, lines: 0, quotes: 0, last: b'\n' }
    }

    /// The line that was read last, from 1.
    pub(super) fn line(&self) -> u64 {
        (self.lines + u64::from(self.last != b'\n')).max(1)
    }

    /// A quote was opened and not closed: in CSV every one is doubled or closed, so their number is even.
    pub(super) fn is_in_quotes(&self) -> bool {
        !self.quotes.is_multiple_of(2)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        for byte in buffer.iter().take(length) {
            self.lines += u64::from(*byte == b'\n');
            self.quotes += u64::from(*byte == b'"');
            self.last = *byte;
        }
        Ok(length)
    }
}
