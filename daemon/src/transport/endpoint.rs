//! Listening and calling: sockets on one side, connections with proven peers on the other.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use portolan_protocol::id::NodeId;
use quinn::{ConnectError, EndpointConfig, TokioRuntime, rustls::pki_types::CertificateDer};
use tokio::{
    sync::{Mutex, Semaphore, mpsc},
    time::timeout,
};
use tracing::{debug, info};

use super::{
    ACCEPTED_MAX, Allowed, CloseCode, Connection, Direction, HANDSHAKE_TIMEOUT, HANDSHAKES_BEFORE_RETRY,
    HANDSHAKES_MAX, Identity, TransportError, TransportKey,
    connection::{Census, Handle},
    race::race,
    reset::{RandomIds, ResetKey},
    server_name, socket, tls,
};

/// How long a closing endpoint waits for its peers to have heard it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// One socket with its QUIC.
struct Port {
    quinn: quinn::Endpoint,
    local: SocketAddr,
    dual: bool,
}

/// All sockets of this node. Clones share them.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    identity: Identity,
    allowed: Allowed,
    census: Census,
    ports: Vec<Port>,
    listening: usize,
    accepted: Mutex<mpsc::Receiver<Connection>>,
}

/// What taking a call needs.
#[derive(Clone)]
struct Door {
    allowed: Allowed,
    census: Census,
    handshakes: Arc<Semaphore>,
    accepted: mpsc::Sender<Connection>,
}

impl Endpoint {
    /// Binds every address and starts to take calls. With no address the node only calls out. Must be called inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be bound; nothing is left bound then.
    pub fn bind(listen: &[SocketAddr], identity: Identity, allowed: Allowed) -> Result<Self, TransportError> {
        let server = tls::server(&identity, &allowed)?;
        let mut config = EndpointConfig::new(Arc::new(ResetKey(*identity.reset_key())));
        config.cid_generator(|| Box::new(RandomIds));
        let open = |address, udp: std::io::Result<std::net::UdpSocket>, server| {
            let port = udp.and_then(|udp| {
                let quinn = quinn::Endpoint::new(config.clone(), server, udp, Arc::new(TokioRuntime))?;
                let local = quinn.local_addr()?;
                // Only the wildcard takes both families, and not when IPv4 has its own socket on that port.
                let v4 = SocketAddr::from(([0, 0, 0, 0], local.port()));
                let dual = local.is_ipv6() && local.ip().is_unspecified() && !listen.contains(&v4);
                Ok(Port { quinn, local, dual })
            });
            port.map_err(|e| TransportError::Listen { address, source: Arc::new(e) })
        };
        let mut ports = Vec::new();
        for address in listen {
            ports.push(open(*address, socket::listen(*address, listen), Some(server.clone()))?);
        }
        let listening = ports.len();
        if !ports.iter().any(|port| port.dual) {
            ports.push(open(SocketAddr::from(([0, 0, 0, 0], 0)), socket::outbound(), None)?);
        }
        let (sender, accepted) = mpsc::channel(ACCEPTED_MAX);
        let census = Census::default();
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        let door = Door { allowed: allowed.clone(), census: census.clone(), handshakes, accepted: sender };
        for port in ports.iter().take(listening) {
            info!(address = %port.local, "listening");
            tokio::spawn(door.clone().take_calls(port.quinn.clone()));
        }
        Ok(Self(Arc::new(Inner { identity, allowed, census, ports, listening, accepted: Mutex::new(accepted) })))
    }

    /// The addresses listened on, ports filled in.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.0.ports.iter().take(self.0.listening).map(|port| port.local).collect()
    }

    /// The next peer that has called and proved its key; `None` once the endpoint is closed, or if it does not listen.
    pub async fn accept(&self) -> Option<Connection> {
        self.0.accepted.lock().await.recv().await
    }

    /// Calls a peer at its addresses (`host:port`), in this order, a quarter of a second apart, until one answers with
    /// this key.
    ///
    /// # Errors
    /// When the peer is not allowed, or no address leads to it: the failure that tells most.
    pub async fn connect(
        &self,
        peer: NodeId,
        key: TransportKey,
        addresses: &[String],
    ) -> Result<Connection, TransportError> {
        if self.0.allowed.peer(&key) != Some(peer) {
            return Err(TransportError::NotAllowed(peer));
        }
        let config = tls::client(&self.0.identity, key)?;
        let name = server_name(&key);
        let attempt =
            async |address| match timeout(HANDSHAKE_TIMEOUT, self.call(address, &config, &name, key, peer)).await {
                Ok(result) => result,
                Err(_) => Err(TransportError::TimedOut),
            };
        let mut won = race(addresses, attempt).await?;
        // Only the call that won greets back: the peer never hears of the others.
        won.greet().await?;
        Ok(won)
    }

    async fn call(
        &self,
        address: SocketAddr,
        config: &quinn::ClientConfig,
        name: &str,
        key: TransportKey,
        peer: NodeId,
    ) -> Result<Connection, TransportError> {
        let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
        let port = self.0.ports.iter().find(|port| socket::reaches(port.local, port.dual, canonical));
        let port = port.ok_or_else(|| TransportError::Unreachable("no socket for this kind of address".into()))?;
        let connecting = port.quinn.connect_with(config.clone(), canonical, name).map_err(|error| match error {
            ConnectError::EndpointStopping => TransportError::Closed,
            other => TransportError::Unreachable(other.to_string()),
        })?;
        let quinn = connecting.await?;
        let handle = Connection::adopt(quinn.clone(), key, peer, Direction::Outbound, &self.0.allowed, &self.0.census)?;
        // In TLS 1.3 the caller is done before its key is checked. The listener's greeting says that it was accepted.
        let (send, receive) = quinn.accept_bi().await?;
        let mut connection = Connection::new(handle, send, receive);
        connection.greeted().await?;
        Ok(connection)
    }

    /// Closes all connections, tells the peers, and frees the sockets. It takes at most about a second.
    pub async fn close(&self) {
        for port in &self.0.ports {
            port.quinn.close(CloseCode::Done.into(), b"the node stops");
        }
        let idle = futures_util::future::join_all(self.0.ports.iter().map(|port| port.quinn.wait_idle()));
        // A peer that does not hear it finds out by itself.
        let _ = timeout(CLOSE_TIMEOUT, idle).await;
    }
}

impl Door {
    async fn take_calls(self, quinn: quinn::Endpoint) {
        while let Some(incoming) = quinn.accept().await {
            let Ok(permit) = self.handshakes.clone().try_acquire_owned() else {
                incoming.ignore();
                continue;
            };
            let in_progress = HANDSHAKES_MAX - self.handshakes.available_permits();
            if in_progress > HANDSHAKES_BEFORE_RETRY && !incoming.remote_address_validated() && incoming.may_retry() {
                // Fails only where `may_retry` is false.
                let _ = incoming.retry();
                continue;
            }
            let door = self.clone();
            tokio::spawn(async move {
                let address = incoming.remote_address();
                match timeout(HANDSHAKE_TIMEOUT, door.take(incoming)).await {
                    Ok(Ok(connection)) => {
                        // Fails only when nobody takes connections any more.
                        let _ = door.accepted.send(connection).await;
                    }
                    // Not louder: strangers can cause as many of these as they like.
                    Ok(Err(error)) => debug!(%address, %error, "call refused"),
                    Err(_) => debug!(%address, "call not completed in time"),
                }
                drop(permit);
            });
        }
    }

    async fn take(&self, incoming: quinn::Incoming) -> Result<Connection, TransportError> {
        let quinn = incoming.accept()?.await?;
        let handle = self.identify(&quinn)?;
        let (send, receive) = quinn.open_bi().await?;
        let mut connection = Connection::new(handle, send, receive);
        connection.greet().await?;
        connection.greeted().await?;
        Ok(connection)
    }

    /// Whose key the caller has proved. The handshake has checked that it is allowed, a moment ago.
    fn identify(&self, quinn: &quinn::Connection) -> Result<Handle, TransportError> {
        let shown = quinn.peer_identity().and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
        let key = shown.as_deref().and_then(|keys| keys.first()).and_then(|der| TransportKey::of_spki(der));
        match key.and_then(|key| Some((key, self.allowed.peer(&key)?))) {
            Some((key, peer)) => {
                Connection::adopt(quinn.clone(), key, peer, Direction::Inbound, &self.allowed, &self.census)
            }
            None => {
                quinn.close(CloseCode::NotAllowed.into(), b"not allowed");
                Err(TransportError::UnknownKey)
            }
        }
    }
}
