//! The bytes of an attachment, whole or a range of them, opened as they are read.

use std::{ops::Range, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse as _, Response},
};
use tokio::sync::mpsc;

use super::{
    answer::{Failure, Segments, blocking, usage},
    attachments::{missing, named},
    caller::Caller,
    shared::Shared,
};
use crate::attachments::{AttachmentsError, Content};

pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let attached = named(&shared, &caller, &path).await?;
    let files = shared.attachments.files().clone();
    let opened = tokio::task::spawn_blocking(move || files.open_content(&attached)).await;
    let content = match opened.unwrap_or(Err(AttachmentsError::Unexpected)) {
        Ok(content) => Arc::new(content),
        Err(error) => return Err(missing(&shared, path.id(0)?, error).await.into()),
    };
    let total = content.layout().plaintext_bytes();
    let wanted = headers.get(RANGE).map(|range| range_of(range, total)).transpose()?;
    let range = wanted.clone().unwrap_or(0..total);
    let length = range.end - range.start;
    // What goes wrong before the first bytes is an answer of its own.
    let (first, from) = (content.clone(), range.clone());
    let first = blocking(move || first.step(&from)).await?;
    let (parts, body) = mpsc::channel(2);
    tokio::spawn(stream(content, first, range.clone(), parts));
    let mut body = body;
    let body = Body::from_stream(futures_util::stream::poll_fn(move |context| body.poll_recv(context)));
    let mut answer = body.into_response();
    let headers = answer.headers_mut();
    // Whatever the record says it is, nothing that shows it may act on it.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(Range { start, end }) = wanted {
        let shown = format!("bytes {start}-{}/{total}", end.saturating_sub(1));
        headers.extend(HeaderValue::from_str(&shown).ok().map(|shown| (CONTENT_RANGE, shown)));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(answer)
}

/// Sends what is read, as fast as it is taken. An answer that is cut is not the file.
async fn stream(
    content: Arc<Content>,
    first: Vec<u8>,
    mut range: Range<u64>,
    parts: mpsc::Sender<Result<Bytes, AttachmentsError>>,
) {
    let mut step = Ok(first);
    loop {
        let is_last = match &step {
            Ok(bytes) => {
                range.start += bytes.len() as u64;
                bytes.is_empty()
            }
            Err(_) => true,
        };
        let is_end = matches!(&step, Ok(bytes) if bytes.is_empty());
        if (!is_end && parts.send(step.map(Bytes::from)).await.is_err()) || is_last || range.start >= range.end {
            return;
        }
        let (content, range) = (content.clone(), range.clone());
        let reading = tokio::task::spawn_blocking(move || content.step(&range));
        step = reading.await.unwrap_or(Err(AttachmentsError::Unexpected));
    }
}

/// One range of bytes, as RFC 9110 writes it: `bytes=2-5`, `bytes=2-`, `bytes=-5`.
fn range_of(value: &HeaderValue, total: u64) -> Result<Range<u64>, Failure> {
    let refused =
        || Failure::from(usage("one range of bytes within the file can be asked for, such as `bytes=0-65535`"));
    let text = value.to_str().ok().and_then(|text| text.strip_prefix("bytes=")).ok_or_else(refused)?;
    let (first, last) = text.split_once('-').ok_or_else(refused)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| refused());
    let range = match (first.trim(), last.trim()) {
        ("", length) => total.saturating_sub(number(length)?)..total,
        (first, "") => number(first)?..total,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(total),
    };
    if range.start < range.end { Ok(range) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let range = |text: &'static str| range_of(&HeaderValue::from_static(text), 100).ok();
        assert_eq!(range("bytes=2-5"), Some(2..6));
        assert_eq!(range("bytes=98-"), Some(98..100));
        assert_eq!(range("bytes=-5"), Some(95..100));
        assert_eq!(range("bytes=0-18446744073709551615"), Some(0..100));
        for wrong in ["bytes=5-2", "bytes=100-", "bytes=-0", "bytes=1-2,5-6", "lines=1-2", "bytes=x-"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
