//! Answers that come line by line: values, and events.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{Response, body::Incoming};
use portolan_protocol::api::Event;
use serde::de::DeserializeOwned;

use super::answer::{cut, misunderstood, release};
use crate::error::Result;

/// Longest line of a streamed answer.
const LINE_BYTES_MAX: usize = 16 << 20;

/// The values of an answer that comes line by line.
#[derive(Debug)]
pub struct Lines<T> {
    body: Incoming,
    buffer: BytesMut,
    /// Bytes of the buffer that were searched and hold no line break.
    searched: usize,
    release: Option<String>,
    ended: bool,
    values: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(super) fn new(response: Response<Incoming>) -> Self {
        let release = release(&response);
        Self {
            body: response.into_body(),
            buffer: BytesMut::new(),
            searched: 0,
            release,
            ended: false,
            values: std::marker::PhantomData,
        }
    }

    /// The next value; none at the end of the stream.
    ///
    /// # Errors
    /// When the stream was cut or holds something else.
    pub async fn next(&mut self) -> Result<Option<T>> {
        loop {
            match self.line().await? {
                None => return Ok(None),
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => {
                    let value = serde_json::from_slice(&line);
                    return value.map(Some).map_err(|error| misunderstood(&self.release, &error.to_string()));
                }
            }
        }
    }

    async fn line(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(at) = self.buffer.iter().skip(self.searched).position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(line.freeze()));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(misunderstood(&self.release, "a line of its answer is too long"));
            }
            if self.ended {
                self.searched = 0;
                let rest = self.buffer.split();
                return Ok((!rest.is_empty()).then(|| rest.freeze()));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => return Err(cut(error)),
                None => self.ended = true,
            }
        }
    }
}

/// An answer of bytes as they come.
#[derive(Debug)]
pub struct Bytestream(pub(super) Incoming);

impl Bytestream {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// When the answer was cut: then it is worth nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.0.frame().await {
            if let Ok(bytes) = frame.map_err(cut)?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// Server-sent events.
#[derive(Debug)]
pub struct Events(pub(super) Lines<serde::de::IgnoredAny>);

impl Events {
    /// The next event; none when the daemon ends the stream.
    ///
    /// # Errors
    /// When the stream was cut or holds something else.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        while let Some(line) = self.0.line().await? {
            // An event of ours is one `data` line; `event`, `id` and comments repeat it or keep the connection alive.
            if let Some(data) = line.strip_prefix(b"data:") {
                let event = serde_json::from_slice(data);
                return event.map(Some).map_err(|error| misunderstood(&self.0.release, &error.to_string()));
            }
        }
        Ok(None)
    }
}
