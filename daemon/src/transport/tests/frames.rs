//! What passes over a connection, and in what order.

use portolan_protocol::limits::FRAME_BYTES_MAX;

use super::*;

#[tokio::test]
async fn frames_pass_both_ways_between_proven_peers() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    assert_eq!((called.peer(), taken.peer()), (b.id, a.id));
    assert_eq!((called.handle().direction(), taken.handle().direction()), (Direction::Outbound, Direction::Inbound));
    assert_eq!(called.handle().remote_address(), b.address());
    let ((mut to_b, mut from_b), (mut to_a, mut from_a)) = (called.split(), taken.split());
    for length in [1, 3, 1_200, 70_000, FRAME_BYTES_MAX] {
        let frame = body(length);
        let (sent, received) = tokio::join!(to_b.send(frame.clone()), from_a.recv());
        sent.unwrap();
        assert!(received.unwrap().unwrap() == frame, "{length} bytes");
        let (sent, received) = tokio::join!(to_a.send(frame.clone()), from_b.recv());
        sent.unwrap();
        assert!(received.unwrap().unwrap() == frame, "{length} bytes back");
    }
    // The end of one way leaves the other open.
    let (finished, end) = tokio::join!(to_b.finish(), from_a.recv());
    finished.unwrap();
    assert_eq!(end.unwrap(), None);
    to_a.send(&b"last"[..]).await.unwrap();
    assert_eq!(from_b.recv().await.unwrap().unwrap(), &b"last"[..]);
}

#[tokio::test]
async fn twenty_megabytes_arrive_equal() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
    let sending = tokio::spawn(async move {
        for n in 0..80u8 {
            let mut frame = body(256 << 10).to_vec();
            frame[0] = n;
            to_b.send(frame).await.unwrap();
        }
        to_b.finish().await.unwrap();
    });
    for n in 0..80u8 {
        let frame = from_a.recv().await.unwrap().unwrap();
        assert!(frame[0] == n && frame[1..] == body(256 << 10)[1..]);
    }
    assert_eq!(from_a.recv().await.unwrap(), None);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_receive_that_is_dropped_midway_loses_nothing() {
    let (a, b) = pair();
    let (called, taken) = joined(&a, &b).await;
    let ((mut to_b, _from_b), (_to_a, mut from_a)) = (called.split(), taken.split());
    let frame = body(1 << 20);
    let sent = frame.clone();
    let sending = tokio::spawn(async move {
        to_b.send(sent).await.unwrap();
        to_b.finish().await.unwrap();
    });
    let received = loop {
        // Dropped at every point where it waits.
        if let Some(result) = futures_util::FutureExt::now_or_never(from_a.recv()) {
            break result.unwrap().unwrap();
        }
        tokio::task::yield_now().await;
    };
    assert!(received == frame);
    sending.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_received_is_not_sent() {
    let (a, b) = pair();
    let (called, _taken) = joined(&a, &b).await;
    let (mut to_b, _from_b) = called.split();
    for length in [0, FRAME_BYTES_MAX + 1] {
        assert!(matches!(to_b.send(vec![0; length]).await, Err(TransportError::Unsendable(_))));
    }
    // Larger than the window, and nobody reads: waits, and is dropped waiting.
    let halves = async {
        for _ in 0..4 {
            to_b.send(vec![1; FRAME_BYTES_MAX]).await.unwrap();
        }
    };
    assert!(timeout(Duration::from_millis(500), halves).await.is_err());
    assert!(matches!(soon(to_b.send(vec![1])).await, Err(TransportError::Unsendable(_))));
}
