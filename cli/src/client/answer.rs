//! An answer as one piece, and what to say where there is none, or one that cannot be understood.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{Response, body::Incoming};
use portolan_protocol::api::{ApiError, ErrorKind, VERSION_HEADER};

use crate::error::Result;

/// Largest answer that is taken as one piece. A page of the longest list is far below it.
const ANSWER_BYTES_MAX: usize = 64 << 20;

pub(super) fn release(response: &Response<Incoming>) -> Option<String> {
    response.headers().get(VERSION_HEADER)?.to_str().ok().map(str::to_owned)
}

pub(super) async fn collect(response: Response<Incoming>) -> Result<Bytes> {
    let body = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    body.collect().await.map(|body| body.to_bytes()).map_err(|error| {
        ApiError::new(ErrorKind::Unavailable, format!("the daemon's answer was cut off: {error}"))
            .safe("What it had acknowledged before is kept; what this command asked for may or may not be done.")
            .next("See `portolan status`, then run the command again.")
    })
}

pub(super) fn cut(error: hyper::Error) -> ApiError {
    ApiError::new(ErrorKind::Unavailable, format!("the connection to the daemon was cut: {error}"))
        .safe("What it had acknowledged before is kept; what this command asked for may or may not be done.")
        .next("See whether the daemon still runs (`portolan status`), then run the command again.")
}

pub(super) fn misunderstood(release: &Option<String>, why: &str) -> ApiError {
    let daemon = release.as_deref().unwrap_or("an unknown release");
    let own = env!("CARGO_PKG_VERSION");
    ApiError::new(
        ErrorKind::Conflict,
        format!("the daemon ({daemon}) and this `portolan` ({own}) do not understand each other: {why}"),
    )
    .safe("What the daemon has acknowledged is kept.")
    .next("Install the same release of both, and restart the daemon.")
}
