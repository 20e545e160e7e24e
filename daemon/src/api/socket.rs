//! The unix socket: who may open it, how many connections there are, and how long one may dawdle.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use portolan_protocol::api::{ApiError, ErrorKind};
use tokio::{
    io::AsyncWriteExt as _,
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tracing::debug;

use super::caller::Uid;
use crate::logins;

const MODE: u32 = 0o660;
/// Connections at once, and of one login; the superuser's do not count, so that it can always look.
const CONNECTIONS_MAX: usize = 512;
const CONNECTIONS_PER_UID_MAX: usize = 64;
/// A request's head has to be there by then, and a connection without one is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 64;
/// What runs when the service stops may come to its end.
const GRACE: Duration = Duration::from_secs(2);

/// A bound socket. Its file goes with it.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may be gone already, with the directory.
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Binds the socket and lets the group in. Call it only with the home's lock held: a socket that an earlier daemon left
    /// behind is replaced.
    ///
    /// # Errors
    /// When the place is taken by something else, the group is unknown, or the system refuses.
    pub fn bind(path: &Path, group: Option<&str>) -> Result<Socket, ApiError> {
        let failed = |error: io::Error| socket_error(path, &error.to_string());
        match path.symlink_metadata() {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(socket_error(path, "something that is no socket is there"));
            }
            Ok(_) if net::UnixStream::connect(path).is_ok() => {
                return Err(socket_error(path, "another program listens there"));
            }
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(_) => {}
        }
        let gid = match group {
            None => None,
            Some(name) => Some(
                logins::group(name)
                    .map_err(failed)?
                    .ok_or_else(|| socket_error(path, &format!("the system knows no group `{name}`")))?,
            ),
        };
        // Whoever slips in before the mode is set is asked for a listed login like everybody.
        let bound = UnixListener::bind(path);
        let socket = Socket { listener: bound.map_err(failed)?, path: path.into() };
        if let Some(gid) = gid {
            std::os::unix::fs::chown(path, None, Some(gid)).map_err(failed)?;
        }
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)?;
        Ok(socket)
    }

    /// Serves until `stopping` turns true; then gives what runs a moment to end.
    pub(super) async fn serve(self, router: Router, mut stopping: watch::Receiver<bool>) {
        let census = Census::default();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = told(&mut stopping) => break,
                accepted = self.listener.accept() => accepted,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => {
                    let connection = serve_one(stream, router.clone(), census.clone(), stopping.clone());
                    connections.spawn(connection);
                }
                Err(error) => {
                    // Out of file descriptors, most likely: others have to end first.
                    debug!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self);
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
        connections.shutdown().await;
    }
}

/// Waits until the service stops.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that whoever would tell is gone.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn socket_error(path: &Path, why: &str) -> ApiError {
    ApiError::new(ErrorKind::Conflict, format!("cannot listen at {}: {why}", path.display()))
        .safe("Nothing was changed.")
        .next("See `socket` and `socket_group` in config.toml.")
}

async fn serve_one(mut stream: UnixStream, router: Router, census: Census, mut stopping: watch::Receiver<bool>) {
    let Ok(credentials) = stream.peer_cred() else { return };
    let uid = credentials.uid();
    let Some(_counted) = census.enter(uid) else {
        // No request was read, so there may be a broken pipe; the words are for whoever listens.
        let _ = timeout(HEAD_TIMEOUT, stream.write_all(busy().as_bytes())).await;
        return;
    };
    let service = TowerToHyperService::new(router.layer(Extension(Uid(uid))));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(uid, %error, "a connection ended early");
    }
}

fn busy() -> String {
    let error = ApiError::new(ErrorKind::Unavailable, "too many connections are open")
        .safe("Nothing was changed.")
        .next("Try again when others have ended.");
    let body = serde_json::to_string(&error).unwrap_or_default();
    let (status, length) = (ErrorKind::Unavailable.http_status(), body.len());
    format!(
        "HTTP/1.1 {status} Busy\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// How many connections each uid has open.
#[derive(Clone, Default)]
struct Census(Arc<Mutex<BTreeMap<u32, usize>>>);

/// One connection that counts, until it is dropped.
struct Counted {
    census: Census,
    uid: u32,
}

impl Census {
    fn enter(&self, uid: u32) -> Option<Counted> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.iter().filter(|(uid, _)| **uid != 0).map(|(_, count)| count).sum();
        let own = open.get(&uid).copied().unwrap_or_default();
        if uid != 0 && (all >= CONNECTIONS_MAX || own >= CONNECTIONS_PER_UID_MAX) {
            return None;
        }
        open.insert(uid, own + 1);
        Some(Counted { census: self.clone(), uid })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.census.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_login_cannot_take_every_place_and_the_superuser_always_gets_in() {
        let census = Census::default();
        let held: Vec<_> = std::iter::repeat_with(|| census.enter(7)).take(CONNECTIONS_PER_UID_MAX).collect();
        assert!(held.iter().all(Option::is_some) && census.enter(7).is_none());
        assert!(census.enter(8).is_some());
        drop(held);
        assert!(census.enter(7).is_some());
        let crowd: Vec<_> = (1..).map_while(|uid| census.enter(uid)).collect();
        assert_eq!(crowd.len(), CONNECTIONS_MAX);
        assert!(census.enter(0).is_some());
        drop(crowd);
        assert!(census.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_socket_is_bound_once_and_an_abandoned_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let socket = Socket::bind(&path, None).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(Socket::bind(&path, None).unwrap_err().kind, ErrorKind::Conflict);
        drop(socket);
        assert!(!path.exists());
        drop(net::UnixListener::bind(&path).unwrap());
        drop(Socket::bind(&path, None).unwrap());
        fs::write(&path, "not a socket").unwrap();
        assert_eq!(Socket::bind(&path, None).unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(fs::read(&path).unwrap(), b"not a socket");
        let elsewhere = directory.path().join("t");
        assert!(
            Socket::bind(&elsewhere, Some("no-such-group-here")).unwrap_err().message.contains("no-such-group-here")
        );
        assert!(!elsewhere.exists());
    }
}
