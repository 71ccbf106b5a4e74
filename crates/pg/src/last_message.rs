//! Keeps the server's last message, and answers every later request to the ended session
//! with it.
//!
//! A server that ends a session says why and closes the connection. The driver loses
//! that message if no statement is waiting for an answer, and during COPY, which the
//! driver ends as soon as nothing can be written. So this stream sits between the driver
//! and the connection: it keeps the message, and from then on answers in the server's place.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use super::socket::Duplex;

/// The bytes before a message's body: its kind and its length, which includes itself.
const HEADER_BYTES: usize = 5;
const ERROR: u8 = b'E';
const NOTICE: u8 = b'N';
const READY: u8 = b'Z';
/// BackendKeyData: the process id and key for a cancel request.
const KEY: u8 = b'K';
/// The end of an answer: the server is ready, and not in a transaction.
const READY_FOR_QUERY: [u8; 6] = [READY, 0, 0, 0, 5, b'I'];

/// A connection that keeps answering requests after the server has ended the session.
pub(super) struct LastMessage {
    stream: Box<dyn Duplex>,
    /// Taken by the driver once.
    binding: Cell<Option<ChannelBinding>>,
    /// Bytes from the server that the driver has not read yet.
    received: BytesMut,
    /// Number of these that the driver may read: the rest may be the last message.
    judged: usize,
    /// Bytes still to come of a message whose start was judged.
    message_left: usize,
    /// Whether the session has begun. Before that, the driver gets all messages.
    has_begun: bool,
    requests: Requests,
    /// The server's last message, as a complete answer.
    last: Option<BytesMut>,
    /// Set when there is a last message.
    is_ended: Arc<AtomicBool>,
    /// Counts the bytes received and sent.
    carried: Arc<AtomicU64>,
    /// Whether writing has failed. Unread data from the server may contain the reason.
    is_broken: bool,
    /// The task that waits for an answer.
    reader: Option<Waker>,
    /// The process id that the peer reports for the session.
    process: Arc<AtomicI32>,
}

impl LastMessage {
    /// `is_ended` becomes true when the server's last message has arrived.
    pub(super) fn new(
        (stream, binding): (Box<dyn Duplex>, ChannelBinding),
        is_ended: Arc<AtomicBool>,
    ) -> Self {
        LastMessage {
            stream,
            binding: Cell::new(Some(binding)),
            received: BytesMut::new(),
            judged: 0,
            message_left: 0,
            has_begun: false,
            requests: Requests::default(),
            last: None,
            is_ended,
            carried: Arc::default(),
            is_broken: false,
            reader: None,
            process: Arc::default(),
        }
    }

    /// A counter of the bytes received and sent.
    pub(super) fn carried(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.carried)
    }

    /// The process id of the session, once it has begun: reported by the server, or made up
    /// by a pooler.
    pub(super) fn process(&self) -> Arc<AtomicI32> {
        Arc::clone(&self.process)
    }

    /// Determines how many of the received bytes the driver may read.
    fn judge(&mut self) {
        loop {
            let count = self.message_left.min(self.received.len() - self.judged);
            self.judged += count;
            self.message_left -= count;
            let message = &self.received[self.judged..];
            let &[kind, a, b, c, d, ..] = message else { return };
            let length = u32::from_be_bytes([a, b, c, d]).max(4) as usize + 1;
            if self.has_begun && matches!(kind, ERROR | NOTICE) {
                let Some(whole) = message.get(..length) else { return };
                if is_last(kind, &whole[HEADER_BYTES..]) {
                    let mut answer = BytesMut::from(whole);
                    // A notice would not answer a request.
                    answer[0] = ERROR;
                    answer.extend_from_slice(&READY_FOR_QUERY);
                    self.last = Some(answer);
                    self.received.truncate(self.judged);
                    self.is_ended.store(true, Ordering::Relaxed);
                    return;
                }
            }
            if !self.has_begun && kind == KEY {
                let Some(&[a, b, c, d, ..]) = message.get(HEADER_BYTES..length) else { return };
                self.process.store(i32::from_be_bytes([a, b, c, d]), Ordering::Relaxed);
            }
            if kind == READY {
                self.has_begun = true;
                self.requests.answered();
            }
            self.message_left = length;
        }
    }

    /// Accepts what the driver writes to a server that is gone.
    fn swallow(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.requests.written(bytes);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn is_gone(&self) -> bool {
        self.last.is_some() || self.is_broken
    }

    /// Turns a failed write into `None`: the connection is still read to its end.
    fn unless_closed<T>(
        &mut self,
        context: &Context<'_>,
        written: io::Result<T>,
    ) -> io::Result<Option<T>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match written {
            Err(e) if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
                self.is_broken = true;
                context.waker().wake_by_ref();
                Ok(None)
            }
            written => written.map(Some),
        }
    }
}

/// Whether the server ends the session with this message.
fn is_last(kind: u8, body: &[u8]) -> bool {
    let field = |wanted: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        fields.find_map(|field| field.strip_prefix(&[wanted]))
    };
    match kind {
        // The severity: `V` is never localized, `S` is.
        ERROR => matches!(field(b'V').or(field(b'S')), Some(b"FATAL" | b"PANIC")),
        // A crash and an immediate shutdown are reported to every session as a warning.
        _ => field(b'C').is_some_and(|code| code.starts_with(b"57P")),
    }
}

impl AsyncRead for LastMessage {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.judged > 0 {
                let count = this.judged.min(buffer.remaining());
                buffer.put_slice(&this.received.split_to(count));
                this.judged -= count;
                return Poll::Ready(Ok(()));
            }
            if let Some(last) = &this.last {
                if !this.requests.answered() {
                    this.reader = Some(context.waker().clone());
                    return Poll::Pending;
                }
                this.received.extend_from_slice(last);
                this.judged = last.len();
                continue;
            }
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            let new = &buffer.filled()[before..];
            if new.is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.carried.fetch_add(new.len() as u64, Ordering::Relaxed);
            this.received.extend_from_slice(new);
            buffer.set_filled(before);
            this.judge();
        }
    }
}

impl AsyncWrite for LastMessage {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_gone() {
            return self.swallow(bytes);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        match self.unless_closed(context, written)? {
            None => self.swallow(bytes),
            Some(count) => {
                self.carried.fetch_add(count as u64, Ordering::Relaxed);
                if self.has_begun {
                    self.requests.written(&bytes[..count]);
                }
                Poll::Ready(Ok(count))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_gone() {
            return Poll::Ready(Ok(()));
        }
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(self.unless_closed(context, flushed).map(drop))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_gone() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl TlsStream for LastMessage {
    fn channel_binding(&self) -> ChannelBinding {
        self.binding.take().unwrap_or_else(ChannelBinding::none)
    }
}

/// The driver's TLS connector for a connection that is already encrypted as needed: does
/// nothing.
pub(super) struct AsItIs;

impl TlsConnect<LastMessage> for AsItIs {
    type Stream = LastMessage;
    type Error = Infallible;
    type Future = Ready<Result<LastMessage, Infallible>>;

    fn connect(self, stream: LastMessage) -> Self::Future {
        ready(Ok(stream))
    }
}

/// The driver's requests.
#[derive(Default)]
struct Requests {
    /// Number of requests without an answer.
    open: usize,
    /// The part of a header written so far.
    header: Vec<u8>,
    /// Bytes still to be written of a message's body.
    body_left: usize,
    /// Whether the last message ended a COPY.
    copy_ended: bool,
}

impl Requests {
    /// Marks one request as answered; returns whether there was one.
    fn answered(&mut self) -> bool {
        let was_open = self.open > 0;
        self.open = self.open.saturating_sub(1);
        was_open
    }

    fn written(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.body_left > 0 {
                let count = self.body_left.min(bytes.len());
                self.body_left -= count;
                bytes = &bytes[count..];
                continue;
            }
            self.header.push(*first);
            bytes = rest;
            if let [kind, a, b, c, d] = self.header[..] {
                self.header.clear();
                self.body_left = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
                self.begun(kind);
            }
        }
    }

    /// Handles the start of a message from the driver: Query and Sync end a request.
    fn begun(&mut self, kind: u8) {
        match kind {
            b'S' if self.copy_ended => self.copy_ended = false,
            b'Q' | b'S' => self.open += 1,
            // CopyDone and CopyFail: the Sync after them ends a request that is already counted.
            b'c' | b'f' => self.copy_ended = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
