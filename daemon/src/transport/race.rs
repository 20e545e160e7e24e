//! Calling a peer at several addresses: one after the other without waiting for the first to fail, after RFC 8305.

use std::{collections::VecDeque, future::Future, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use portolan_protocol::limits::CARD_ADDRESSES_MAX;
use tokio::time::{sleep_until, timeout};

use super::TransportError;
use crate::clock;

/// Head start of an address over the next one.
pub(super) const STAGGER: Duration = Duration::from_millis(250);
/// Names that take longer count as unknown.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses used of one name.
const ADDRESSES_PER_NAME_MAX: usize = 4;

/// Calls `attempt` for each address (`host:port`, or an IP address with a port) until one succeeds. Attempts that lose are
/// dropped.
///
/// # Errors
/// When all have failed: the failure that tells most.
pub(super) async fn race<T, F: Future<Output = Result<T, TransportError>>>(
    addresses: &[String],
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<T, TransportError> {
    let attempt = &attempt;
    let mut waiting: VecDeque<(&str, SocketAddr)> = VecDeque::new();
    let mut names = FuturesUnordered::new();
    for text in addresses.iter().take(CARD_ADDRESSES_MAX) {
        match text.parse() {
            Ok(address) => waiting.push_back((text, address)),
            Err(_) => names.push(async move { (text.as_str(), resolve(text).await) }),
        }
    }
    let mut running = FuturesUnordered::new();
    let mut worst = TransportError::NoAddress;
    let fail = |address: &str, error: TransportError, worst: &mut TransportError| {
        if error.weight() >= worst.weight() {
            *worst = TransportError::At { address: address.into(), error: Box::new(error) };
        }
    };
    let mut next = clock::monotonic();
    loop {
        if (running.is_empty() || next <= clock::monotonic())
            && let Some((text, address)) = waiting.pop_front()
        {
            running.push(async move { (text, attempt(address).await) });
            next = clock::monotonic() + STAGGER;
            continue;
        }
        tokio::select! {
            Some((text, outcome)) = running.next() => match outcome {
                Ok(won) => return Ok(won),
                Err(error) => {
                    fail(text, error, &mut worst);
                    next = clock::monotonic();
                }
            },
            Some((text, outcome)) = names.next() => match outcome {
                Ok(found) => waiting.extend(found.into_iter().map(|address| (text, address))),
                Err(error) => fail(text, error, &mut worst),
            },
            () = sleep_until(next), if !waiting.is_empty() => {}
            else => return Err(worst),
        }
    }
}

async fn resolve(text: &str) -> Result<Vec<SocketAddr>, TransportError> {
    match timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(text)).await {
        Ok(Ok(found)) => Ok(found.take(ADDRESSES_PER_NAME_MAX).collect()),
        Ok(Err(error)) => Err(TransportError::Unreachable(error.to_string())),
        Err(_) => Err(TransportError::Unreachable("the name is not resolved in time".into())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::Mutex;

    use super::*;

    /// What each port does in these tests.
    async fn port(address: SocketAddr) -> Result<u16, TransportError> {
        match address.port() {
            1 => std::future::pending().await,
            2 => Err(TransportError::Unreachable("refused".into())),
            3 => Err(TransportError::KeyRefused),
            other => {
                tokio::time::sleep(Duration::from_millis(u64::from(other))).await;
                Ok(other)
            }
        }
    }

    fn at(ports: &[u16]) -> Vec<String> {
        ports.iter().map(|p| format!("127.0.0.1:{p}")).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_costs_a_head_start_and_no_more() {
        let start = clock::monotonic();
        assert_eq!(race(&at(&[1, 1, 100]), port).await.unwrap(), 100);
        assert_eq!(start.elapsed(), 2 * STAGGER + Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_address_costs_nothing() {
        let start = clock::monotonic();
        assert_eq!(race(&at(&[2, 2, 100]), port).await.unwrap(), 100);
        assert_eq!(start.elapsed(), Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_first_address_is_the_only_one_called() {
        let called = Mutex::new(Vec::new());
        let attempt = |address: SocketAddr| {
            called.lock().unwrap().push(address.port());
            port(address)
        };
        assert_eq!(race(&at(&[200, 100]), attempt).await.unwrap(), 200);
        assert_eq!(*called.lock().unwrap(), [200]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_failure_that_tells_most_is_told_with_its_address() {
        let error = race(&at(&[2, 3, 2]), port).await.unwrap_err();
        assert!(matches!(error.cause(), TransportError::KeyRefused));
        assert!(error.to_string().starts_with("127.0.0.1:3: "));
        assert!(matches!(race(&[], port).await, Err(TransportError::NoAddress)));
    }

    #[tokio::test]
    async fn what_is_no_address_is_unreachable() {
        let error = race(&["no port here".to_string()], port).await.unwrap_err();
        assert!(matches!(error.cause(), TransportError::Unreachable(_)), "{error}");
    }
}
