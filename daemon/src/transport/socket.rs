//! UDP sockets: IPv4 and IPv6, with room for bursts.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

/// What is asked of the kernel for each direction. The usual 208 KiB lose one to three packets of a hundred at full speed.
const BUFFER_BYTES: usize = 4 << 20;

/// A bound socket. An unspecified IPv6 address takes IPv4 too, unless `v6_only`.
pub(super) fn bind(address: SocketAddr, v6_only: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // Asking for too much is no error: the kernel gives what it allows.
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    let (receive, send) = (socket.recv_buffer_size()?, socket.send_buffer_size()?);
    if receive.min(send) < BUFFER_BYTES {
        warn!(
            %address, receive, send, wanted = BUFFER_BYTES,
            "small UDP buffers slow fast links; raise net.core.rmem_max and net.core.wmem_max"
        );
    }
    Ok(socket.into())
}

/// Binds an address to listen on. `[::]` on a machine without IPv6 becomes `0.0.0.0`.
pub(super) fn listen(address: SocketAddr, all: &[SocketAddr]) -> io::Result<UdpSocket> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    let wildcard = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let v6_only = !wildcard || all.contains(&v4);
    match bind(address, v6_only) {
        Err(error) if wildcard && !v6_only && no_ipv6(&error) => {
            warn!(%address, %error, "no IPv6 on this machine, listening on IPv4 alone");
            bind(v4, false)
        }
        result => result,
    }
}

/// A socket for calls only, at a port that the system chooses.
pub(super) fn outbound() -> io::Result<UdpSocket> {
    bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)), false)
        .or_else(|_| bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false))
}

fn no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].iter().any(|no| code == Some(no.raw_os_error()))
}

/// Whether a call to `remote` can leave from a socket bound to `local`.
pub(super) fn reaches(local: SocketAddr, dual: bool, remote: SocketAddr) -> bool {
    let family = local.is_ipv6() == remote.is_ipv6() || (dual && local.is_ipv6());
    let scope = local.ip().is_unspecified() || local.ip().is_loopback() == remote.ip().is_loopback();
    family && scope
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn calls_leave_from_a_socket_that_can_reach() {
        let reaches = |local: &str, dual, remote: &str| reaches(local.parse().unwrap(), dual, remote.parse().unwrap());
        assert!(reaches("[::]:1", true, "192.0.2.1:1"));
        assert!(!reaches("[::]:1", false, "192.0.2.1:1"));
        assert!(!reaches("0.0.0.0:1", false, "[2001:db8::1]:1"));
        assert!(!reaches("127.0.0.1:1", false, "192.0.2.1:1"));
        assert!(reaches("127.0.0.1:1", false, "127.0.0.2:1"));
        assert!(reaches("192.0.2.7:1", false, "192.0.2.1:1"));
    }

    #[test]
    fn both_families_can_share_a_port() {
        let v4 = bind("0.0.0.0:0".parse().unwrap(), false).unwrap().local_addr().unwrap();
        drop(bind(v4, false).unwrap());
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, v4.port()));
        let all = [v4, v6];
        let held: Vec<_> = all.iter().map(|a| listen(*a, &all).unwrap()).collect();
        assert_eq!(held.len(), 2);
    }
}
