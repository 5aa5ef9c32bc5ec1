//! What is read, watched on its way: how many lines there were, and whether the last one came to its end.

use super::ROW_LIMIT;
use std::cell::Cell;
use std::io::{self, Read};

/// How much may pass without the end of a row: the largest row with each of its bytes a doubled quote between delimiters.
/// A quote that is never closed would else take the whole file into memory.
const UNENDED: u64 = 4 * ROW_LIMIT as u64;

/// Counts lines and quotes of what passes, and stops where a row does not end.
pub(super) struct Watched<R> {
    inner: R,
    passed: u64,
    /// Where reading stops. Behind the buffers of whoever reads, so it is set through a shared reference.
    until: Cell<u64>,
    lines: u64,
    quotes: u64,
    last: u8,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(inner: R) -> Watched<R> {
        Watched { inner, passed: 0, until: Cell::new(u64::MAX), lines: 0, quotes: 0, last: b'\n' }
    }

    /// A row begins: it has to end soon.
    pub(super) fn begin_row(&self) {
        self.until.set(self.passed + UNENDED);
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
        if self.passed > self.until.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.inner.read(buffer)?;
        self.passed += length as u64;
        for byte in buffer.iter().take(length) {
            self.lines += u64::from(*byte == b'\n');
            self.quotes += u64::from(*byte == b'"');
            self.last = *byte;
        }
        Ok(length)
    }
}
