//! Frames on the one stream of a connection: a length of four bytes, big-endian, and that many bytes.

use bytes::{Buf, Bytes, BytesMut};
use portolan_protocol::limits::FRAME_BYTES_MAX;
use quinn::{RecvStream, SendStream};

use super::{CloseCode, TransportError, connection::Handle};

const LENGTH_BYTES: usize = 4;
/// The greeting: an empty frame, which is valid nowhere else.
const GREETING: [u8; LENGTH_BYTES] = [0; LENGTH_BYTES];
/// A frame's buffer starts no larger than this and grows with what has come: a length alone costs the peer too little.
const FIRST_BUFFER_BYTES: usize = 64 << 10;

/// Sends frames to the peer, in order.
#[derive(Debug)]
pub struct FrameSender {
    stream: SendStream,
    handle: Handle,
    midway: bool,
}

impl FrameSender {
    pub(super) fn new(stream: SendStream, handle: Handle) -> Self {
        Self { stream, handle, midway: false }
    }

    /// The connection that frames go to.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Hands a frame over to be sent. It waits while the peer is slow: there is no queue of ours beyond the window.
    /// If the future is dropped midway the stream cannot go on, and every later call fails.
    ///
    /// # Errors
    /// When the frame is empty or too long, an earlier call was dropped midway, or the connection has ended.
    pub async fn send(&mut self, frame: impl Into<Bytes>) -> Result<(), TransportError> {
        let frame = frame.into();
        let length = match u32::try_from(frame.len()) {
            Ok(length) if (1..=FRAME_BYTES_MAX).contains(&frame.len()) => length,
            _ => return Err(TransportError::Unsendable("a frame has 1 byte to the most that peers take")),
        };
        if self.midway {
            return Err(TransportError::Unsendable("an earlier frame was left half sent"));
        }
        self.midway = true;
        let head = Bytes::copy_from_slice(&length.to_be_bytes());
        // Chunks are kept by reference until they are acknowledged: a frame is not copied.
        self.stream.write_all_chunks(&mut [head, frame]).await?;
        self.midway = false;
        Ok(())
    }

    /// Says that no frame follows, and waits until the peer's machine has everything. What its program has made of it,
    /// only an answer tells.
    ///
    /// # Errors
    /// When the connection ends first, or the peer does not want the rest.
    pub async fn finish(mut self) -> Result<(), TransportError> {
        self.stream.finish().map_err(|_| TransportError::Closed)?;
        match self.stream.stopped().await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(TransportError::Broken("the peer stopped reading".into())),
            Err(quinn::StoppedError::ConnectionLost(error)) => Err(error.into()),
            Err(quinn::StoppedError::ZeroRttRejected) => Err(TransportError::Closed),
        }
    }

    pub(super) async fn greet(&mut self) -> Result<(), TransportError> {
        Ok(self.stream.write_all(&GREETING).await?)
    }
}

/// Receives the peer's frames, in order.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
    handle: Handle,
    /// What the stream gave beyond what was asked for.
    chunk: Bytes,
    head: Head,
    body: BytesMut,
}

/// The length of the next frame, as far as it has come.
#[derive(Debug)]
enum Head {
    Coming([u8; LENGTH_BYTES], usize),
    Known(usize),
}

impl Head {
    const START: Head = Head::Coming([0; LENGTH_BYTES], 0);
}

impl FrameReceiver {
    pub(super) fn new(stream: RecvStream, handle: Handle) -> Self {
        Self { stream, handle, chunk: Bytes::new(), head: Head::START, body: BytesMut::new() }
    }

    /// The connection that frames come from.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The next frame; `None` when the peer has finished. The future may be dropped at any time without loss.
    ///
    /// # Errors
    /// When the peer breaks the rules of frames (the connection is closed for it), or the connection has ended.
    pub async fn recv(&mut self) -> Result<Option<Bytes>, TransportError> {
        let length = match self.length().await? {
            None => return Ok(None),
            Some(length) if (1..=FRAME_BYTES_MAX).contains(&length) => length,
            Some(length) => {
                let error = TransportError::FrameLength(length as u64);
                self.handle.close(CloseCode::Frame, &error.to_string());
                return Err(error);
            }
        };
        loop {
            if self.chunk.is_empty() && !self.fill().await? {
                return Err(self.truncated());
            }
            if self.body.is_empty() {
                if self.chunk.len() >= length {
                    self.head = Head::START;
                    return Ok(Some(self.chunk.split_to(length)));
                }
                self.body = BytesMut::with_capacity(length.min(FIRST_BUFFER_BYTES));
            }
            let take = self.chunk.len().min(length - self.body.len());
            self.body.extend_from_slice(&self.chunk.split_to(take));
            if self.body.len() == length {
                self.head = Head::START;
                return Ok(Some(std::mem::take(&mut self.body).freeze()));
            }
        }
    }

    /// Reads the peer's greeting.
    pub(super) async fn greeted(&mut self) -> Result<(), TransportError> {
        match self.length().await? {
            Some(0) => {
                self.head = Head::START;
                Ok(())
            }
            _ => {
                let error = TransportError::Broken("no greeting".into());
                self.handle.close(CloseCode::Frame, &error.to_string());
                Err(error)
            }
        }
    }

    async fn length(&mut self) -> Result<Option<usize>, TransportError> {
        loop {
            match &mut self.head {
                Head::Known(length) => return Ok(Some(*length)),
                Head::Coming(bytes, have) => {
                    for byte in bytes.iter_mut().skip(*have) {
                        if !self.chunk.has_remaining() {
                            break;
                        }
                        *byte = self.chunk.get_u8();
                        *have += 1;
                    }
                    let have = *have;
                    if have == LENGTH_BYTES {
                        self.head = Head::Known(u32::from_be_bytes(*bytes) as usize);
                    } else if !self.fill().await? {
                        return if have == 0 { Ok(None) } else { Err(self.truncated()) };
                    }
                }
            }
        }
    }

    /// Waits for more bytes; false at the end of the stream.
    async fn fill(&mut self) -> Result<bool, TransportError> {
        match self.stream.read_chunk(usize::MAX, true).await? {
            Some(chunk) => {
                self.chunk = chunk.bytes;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn truncated(&self) -> TransportError {
        self.handle.close(CloseCode::Frame, "the stream ended inside a frame");
        TransportError::Truncated
    }
}
