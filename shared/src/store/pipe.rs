//! From chunks that come one after the other to a reader that waits for them, on a thread of its own.

use std::io::{self, Read};
use tokio::sync::mpsc;

/// How many chunks may wait: the next is read while one is parsed.
const WAITING: usize = 1;

/// The end that is read. Only on a thread that may wait.
#[derive(Debug)]
pub(crate) struct Pipe {
    chunks: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

/// The end that chunks go into, and the one that they come out of. An empty chunk is the end.
pub(crate) fn pipe() -> (mpsc::Sender<Vec<u8>>, Pipe) {
    let (sender, chunks) = mpsc::channel(WAITING);
    (sender, Pipe { chunks, chunk: Vec::new(), at: 0, ended: false })
}

/// *Invariant*: whoever feeds it and stops half-way is no end of the file. That is an error, so no part passes for the whole.
impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() && !self.ended {
            self.chunk = self.chunks.blocking_recv().ok_or(io::ErrorKind::BrokenPipe)?;
            self.at = 0;
            self.ended = self.chunk.is_empty();
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_one_stream_and_the_end_must_be_told() {
        let read = |chunks: &'static [&'static str]| {
            let (sender, mut pipe) = pipe();
            let feeder = std::thread::spawn(move || {
                chunks.iter().try_for_each(|chunk| sender.blocking_send(chunk.as_bytes().to_vec())).unwrap();
            });
            let mut text = String::new();
            let answer = pipe.read_to_string(&mut text).map(|_| text).map_err(|error| error.kind());
            feeder.join().unwrap();
            answer
        };
        assert_eq!(read(&["one ", "stre", "am", ""]).as_deref(), Ok("one stream"));
        assert_eq!(read(&["one ", "stre"]), Err(io::ErrorKind::BrokenPipe));
    }
}
