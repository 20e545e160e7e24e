//! The client of the local API, and the only place that knows it is HTTP. One connection per request: the socket is local.
//!
//! It says what the daemon said, or why the daemon could not be asked. What an answer means is the commands' affair.

mod answer;
mod lines;
mod query;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response,
    body::{Frame, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use portolan_protocol::api::{ApiError, ErrorKind, NDJSON, PREFIX};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, sync::mpsc};

use self::{
    answer::{collect, cut, misunderstood, release},
    query::with_query,
};
use crate::error::{Result, internal};

pub use lines::{Bytestream, Events, Lines};
pub use query::encode;

type Body = BoxBody<Bytes, io::Error>;

/// A way to ask the daemon behind one socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    /// How the daemon of this home is started, for the error that says it does not run.
    start: String,
}

impl Client {
    /// A client of the daemon at `socket`. Nothing is opened yet. `start` is the command that starts the daemon.
    pub fn new(socket: PathBuf, start: String) -> Self {
        Self { socket, start }
    }

    /// `GET path`.
    ///
    /// # Errors
    /// What the daemon said, or why it could not be asked; so for the others.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, empty()).await
    }

    /// `GET path?query`, the fields of `query` that are not null as its parameters.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn query<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T> {
        self.get(&with_query(path, query)?).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(Method::POST, path, json(body)?).await
    }

    /// `PATCH path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(Method::PATCH, path, json(body)?).await
    }

    /// `DELETE path?query`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T> {
        self.ask(Method::DELETE, &with_query(path, query)?, empty()).await
    }

    /// `POST path` with a JSON body, answered by a stream of lines.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn stream<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Lines<T>> {
        let response = self.send(Method::POST, path, json(body)?).await?;
        Ok(Lines::new(self.success(response).await?))
    }

    /// `POST path?query` with a body of lines as they come, answered by a stream of lines. The sender should be bounded:
    /// it is read as fast as the daemon takes it.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn exchange<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
        lines: mpsc::Receiver<Bytes>,
    ) -> Result<Lines<T>> {
        let body = (Some(NDJSON), LineBody(lines).boxed());
        let response = self.send(Method::POST, &with_query(path, query)?, body).await?;
        Ok(Lines::new(self.success(response).await?))
    }

    /// `GET path`, answered by bytes as they come.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn bytes(&self, path: &str) -> Result<Bytestream> {
        let response = self.send(Method::GET, path, empty()).await?;
        Ok(Bytestream(self.success(response).await?.into_body()))
    }

    /// What happens from now on.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn events(&self) -> Result<Events> {
        let response = self.send(Method::GET, "/events", empty()).await?;
        Ok(Events(Lines::new(self.success(response).await?)))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: (Option<&'static str>, Body),
    ) -> Result<T> {
        let response = self.success(self.send(method, path, body).await?).await?;
        let release = release(&response);
        let bytes = collect(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| misunderstood(&release, &error.to_string()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        (media_type, body): (Option<&'static str>, Body),
    ) -> Result<Response<Incoming>> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(cut)?;
        // It ends by itself with the last handle of the exchange; its errors come out there.
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{PREFIX}{path}"))
            .header(HOST, "portolan")
            .header(ACCEPT, "application/json");
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let request = request.body(body).map_err(|error| internal(format!("cannot ask for {path}: {error}")))?;
        sender.send_request(request).await.map_err(cut)
    }

    async fn success(&self, response: Response<Incoming>) -> Result<Response<Incoming>> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let release = release(&response);
        let bytes = collect(response).await?;
        Err(match serde_json::from_slice::<ApiError>(&bytes) {
            Ok(error) => error,
            Err(_) => misunderstood(&release, &format!("it answered with HTTP status {status}")),
        })
    }

    fn unreachable(&self, error: &io::Error) -> ApiError {
        let socket = self.socket.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ApiError::new(ErrorKind::Unavailable, format!("the daemon is not running: nobody listens at {socket}"))
                    .safe("Nothing was changed.")
                    .next(format!(
                        "Start it with `{}`, or `systemctl start portoland` where it is a service; or name another home with --home.",
                        self.start
                    ))
            }
            io::ErrorKind::PermissionDenied => {
                // Nobody should join the superuser's group for this.
                let next = match group_of(&self.socket).filter(|group| group != "root") {
                    Some(group) => format!(
                        "Ask an administrator to put your login into the group `{group}` and to add it with `portolan user add`; then log in again."
                    ),
                    None => "Ask an administrator of this node to name a group that your login is in under `socket_group` in config.toml, and to add it with `portolan user add`.".into(),
                };
                ApiError::new(ErrorKind::Forbidden, format!("this login may not open the daemon's socket {socket}"))
                    .safe("Nothing was changed.")
                    .next(next)
            }
            _ => ApiError::new(ErrorKind::Unavailable, format!("cannot reach the daemon at {socket}: {error}"))
                .safe("Nothing was changed."),
        }
    }
}

/// A body that is sent as its lines come.
struct LineBody(mpsc::Receiver<Bytes>);

impl hyper::body::Body for LineBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

fn empty() -> (Option<&'static str>, Body) {
    (None, Full::default().map_err(|never| match never {}).boxed())
}

fn json(body: &impl Serialize) -> Result<(Option<&'static str>, Body)> {
    let bytes = serde_json::to_vec(body).map_err(|error| internal(error.to_string()))?;
    Ok((Some("application/json"), Full::from(bytes).map_err(|never| match never {}).boxed()))
}

/// The group that may open the socket, where that can be told.
fn group_of(socket: &Path) -> Option<String> {
    let gid = fs::metadata(socket).ok()?.gid();
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use portolan_protocol::api::{DocumentQuery, Event, ImportQuery, ImportTotals};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::UnixListener,
    };

    use super::*;

    /// A daemon that answers one request with `answer`; gives back the bytes it was sent up to `until`.
    async fn answering(
        answer: String,
        until: &'static str,
    ) -> (Client, tokio::task::JoinHandle<String>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut asked, mut buffer) = (String::new(), [0; 4_096]);
            while !asked.contains(until) {
                let read = stream.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "the request ended early: {asked}");
                asked.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            asked
        });
        (Client::new(socket, "portoland run".into()), served, directory)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nportolan-version: 9.9.9\r\nconnection: close\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn a_missing_daemon_is_told_with_how_to_start_it() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let client = Client::new(socket.clone(), "portoland run --home x".into());
        let error = client.get::<()>("/status").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.next.contains("`portoland run --home x`"), "{}", error.next);
        // A socket that nobody listens at, as a killed daemon leaves it.
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert_eq!(client.get::<()>("/status").await.unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn what_the_daemon_says_is_passed_on() {
        let body = r#"{"kind":"forbidden","message":"no","safe":"s","next":"n"}"#;
        let (client, served, _directory) = answering(answer("403 Forbidden", body), "\r\n\r\n").await;
        let query = DocumentQuery { tag: Some("a b&c".into()), limit: Some(5), ..DocumentQuery::default() };
        let error = client.query::<()>("/spaces/x/documents", &query).await.unwrap_err();
        assert_eq!(error, ApiError::new(ErrorKind::Forbidden, "no").safe("s").next("n"));
        let asked = served.await.unwrap();
        assert!(asked.starts_with("GET /v1/spaces/x/documents?limit=5&tag=a%20b%26c HTTP/1.1\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn another_release_is_named() {
        for unknown in [answer("404 Not Found", "nothing here"), answer("200 OK", "{]")] {
            let (client, _served, _directory) = answering(unknown, "\r\n\r\n").await;
            let error = client.get::<u8>("/status").await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Conflict);
            assert!(error.message.contains("9.9.9"), "{}", error.message);
        }
    }

    #[tokio::test]
    async fn a_cut_answer_is_no_answer() {
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n12".to_owned();
        let (client, _served, _directory) = answering(cut, "\r\n\r\n").await;
        assert_eq!(client.get::<u8>("/status").await.unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn lines_go_out_and_come_back() {
        // The second line is cut in the middle by a chunk, and the last has no line break.
        let chunks = ["1\r\n\n\r\n", "5\r\n11\n22\r\n", "4\r\n\n333\r\n", "0\r\n\r\n"].concat();
        let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        let (client, served, _directory) = answering(chunked, "0\r\n\r\n").await;
        let (sender, lines) = mpsc::channel(1);
        tokio::spawn(async move {
            for line in ["one\n", "two\n"] {
                sender.send(Bytes::from(line)).await.unwrap();
            }
        });
        let mut values = client.exchange::<u64>("/import", &ImportQuery { dry_run: true }, lines).await.unwrap();
        let mut read = Vec::new();
        while let Some(value) = values.next().await.unwrap() {
            read.push(value);
        }
        assert_eq!(read, [11, 22, 333]);
        let asked = served.await.unwrap();
        assert!(asked.starts_with("POST /v1/import?dry_run=true HTTP/1.1\r\n") && asked.contains("two\n"), "{asked}");
    }

    #[tokio::test]
    async fn a_stream_that_is_cut_is_an_error_and_not_an_end() {
        let cut = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n1\n\r\n".to_owned();
        let (client, _served, _directory) = answering(cut, "\r\n\r\n").await;
        let mut values = client.stream::<u8>("/check", &ImportTotals::default()).await.unwrap();
        assert_eq!(values.next().await.unwrap(), Some(1));
        assert_eq!(values.next().await.unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn events_are_read_past_comments_and_unknown_names() {
        let body =
            ": alive\n\nevent: listening\ndata: {\"event\":\"listening\"}\n\nid: 1\ndata:{\"event\":\"eclipse\"}\n\n";
        let (client, _served, _directory) = answering(answer("200 OK", body), "\r\n\r\n").await;
        let mut events = client.events().await.unwrap();
        assert_eq!(events.next().await.unwrap(), Some(Event::Listening));
        assert_eq!(events.next().await.unwrap(), Some(Event::Unknown));
        assert_eq!(events.next().await.unwrap(), None);
    }
}
