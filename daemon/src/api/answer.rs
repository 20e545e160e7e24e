//! Requests in, answers out: bounded bodies, queries and ids, and the one shape of errors. It knows no routes.

use std::{str::FromStr, time::Duration};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt as _;
use portolan_protocol::api::{ApiError, ErrorKind, NDJSON, REQUEST_BYTES_MAX};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::mpsc, time::timeout};

/// A body has to be there by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes beyond the limit that are read and dropped, so that the one who sends them hears the answer.
const EXCESS_BYTES_MAX: usize = 16 << 20;
/// What is read of a body that is refused or has failed, and for how long.
const DRAIN_BYTES_MAX: usize = 64 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Failure(pub(super) ApiError);

/// What a handler gives.
pub(super) type Answer<T> = Result<Json<T>, Failure>;

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

/// The request makes no sense as it stands.
pub(super) fn usage(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Usage, message).safe("Nothing was changed.")
}

/// What was named is not there.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::NotFound, message)
}

/// This login may not do that.
pub(super) fn forbidden(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::Forbidden, message).safe("Nothing was changed.")
}

/// JSON, as a body of a request or of an answer.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = timeout(BODY_TIMEOUT, whole(request.into_body())).await.map_err(|_| {
            ApiError::new(ErrorKind::Incomplete, "the body of the request did not come in time")
                .safe("Nothing was changed.")
        })??;
        let value = serde_json::from_slice(&bytes);
        Ok(Json(value.map_err(|error| usage(format!("the body of the request is not understood: {error}")))?))
    }
}

async fn whole(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| usage(format!("the body of the request was cut: {error}")))?;
        length = length.saturating_add(part.len());
        if length <= REQUEST_BYTES_MAX {
            bytes.extend_from_slice(&part);
        } else if length > REQUEST_BYTES_MAX + EXCESS_BYTES_MAX {
            break;
        }
    }
    if length > REQUEST_BYTES_MAX {
        return Err(usage(format!("the body of the request has more than {REQUEST_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// The parameters of a query; unknown ones are refused.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(value) =
            query.map_err(|error| usage(format!("the query is not understood: {}", error.body_text())))?;
        Ok(Parameters(value))
    }
}

/// The ids in a path, in order.
#[derive(Debug)]
pub(super) struct Segments(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Path(segments) = path.map_err(|error| usage(error.body_text()))?;
        Ok(Segments(segments.into_iter().map(|(_, segment)| segment).collect()))
    }
}

impl Segments {
    /// The segment at `place`, as it stands.
    pub(super) fn text(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }

    /// The id at `place`.
    pub(super) fn id<T: FromStr<Err: ToString>>(&self, place: usize) -> Result<T, ApiError> {
        self.text(place).parse().map_err(|error: T::Err| usage(format!("{}: {}", self.text(place), error.to_string())))
    }
}

/// Reads and drops what comes, within bounds: who is still sending would not hear the answer.
pub(super) async fn drain(stream: &mut BodyDataStream) {
    let mut left = DRAIN_BYTES_MAX;
    let drained = async {
        while let Some(Ok(part)) = stream.next().await {
            left = left.saturating_sub(part.len());
            if left == 0 {
                return;
            }
        }
    };
    // Past that the answer is given all the same.
    let _ = timeout(DRAIN_TIMEOUT, drained).await;
}

/// An answer of lines that come one by one; it waits for whoever reads it.
pub(super) fn lines(mut lines: mpsc::Receiver<Bytes>) -> Response {
    let stream = futures_util::stream::poll_fn(move |context| lines.poll_recv(context));
    let body = Body::from_stream(stream.map(Ok::<_, std::convert::Infallible>));
    ([(CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response()
}

/// One line of such an answer.
pub(super) fn line(value: &impl Serialize) -> Bytes {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes.into()
}

/// Carries a change of several steps to its end, also when whoever asked for it goes away in between.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(Failure(unexpected())))
}

/// A step of the daemon panicked.
fn unexpected() -> ApiError {
    ApiError::new(ErrorKind::Internal, "a step of the daemon ended unexpectedly; see its log")
        .safe("What was acknowledged before is kept.")
}

/// Runs what blocks, such as a disk, where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(unexpected()),
    }
}
