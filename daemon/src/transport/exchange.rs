//! A request and its answer on a stream of their own, beside the frames and behind them: frames go first whenever there is a
//! choice. What is asked is not known here.

use bytes::Bytes;
use quinn::{ReadExactError, RecvStream, SendStream, VarInt};

use super::TransportError;

/// Below that of frames.
const PRIORITY: i32 = -1;

/// One such stream. Who drops it in the middle gives it up, and the other side is told.
#[derive(Debug)]
pub struct Exchange {
    send: SendStream,
    receive: RecvStream,
}

impl Exchange {
    pub(super) fn new((send, receive): (SendStream, RecvStream)) -> Exchange {
        // Fails when the stream has ended already; then so does what follows.
        let _ = send.set_priority(PRIORITY);
        Exchange { send, receive }
    }

    /// Hands bytes over to be sent; waits while the peer is slow.
    ///
    /// # Errors
    /// When the peer wants no more, or the connection has ended.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), TransportError> {
        Ok(self.send.write_chunk(bytes.into()).await?)
    }

    /// Says that nothing follows. What was written still arrives.
    pub fn finish(&mut self) {
        // Fails when the peer has given up.
        let _ = self.send.finish();
    }

    /// Gives up sending, so that what was sent is not taken for the whole.
    pub fn abandon(&mut self) {
        let _ = self.send.reset(VarInt::from_u32(0));
    }

    /// Fills `buffer`.
    ///
    /// # Errors
    /// When the stream or the connection ends before.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<(), TransportError> {
        self.receive.read_exact(buffer).await.map_err(|error| match error {
            ReadExactError::FinishedEarly(_) => TransportError::Truncated,
            ReadExactError::ReadError(error) => error.into(),
        })
    }
}
