//! Requests on streams of their own, both ways, and frames that pass them.

use super::*;

#[tokio::test]
async fn a_request_and_its_answer_go_both_ways_beside_frames() {
    let (a, b) = pair();
    let (of_a, of_b) = joined(&a, &b).await;
    let (of_a, of_b) = (of_a.handle().clone(), of_b.handle().clone());
    for (asks, answers) in [(&of_a, &of_b), (&of_b, &of_a)] {
        let mut asked = soon(asks.open_exchange()).await.unwrap();
        asked.write(body(74)).await.unwrap();
        asked.finish();
        let mut heard = soon(answers.accept_exchange()).await.unwrap();
        let mut request = vec![0; 74];
        soon(heard.read(&mut request)).await.unwrap();
        assert_eq!(request, body(74));
        heard.write(body(300_000)).await.unwrap();
        heard.finish();
        let mut answer = vec![0; 300_000];
        soon(asked.read(&mut answer)).await.unwrap();
        assert_eq!(answer, body(300_000));
        assert!(matches!(soon(asked.read(&mut [0])).await, Err(TransportError::Truncated)), "nothing follows");
    }
}

#[tokio::test]
async fn what_nobody_reads_of_requests_keeps_no_frame_from_going() {
    let (a, b) = pair();
    let (of_a, of_b) = joined(&a, &b).await;
    let handle = of_b.handle().clone();
    let (mut to_a, _) = of_b.split();
    let (_, mut from_b) = of_a.split();
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut asked = soon(from_b.handle().clone().open_exchange()).await.unwrap();
        asked.write(body(1)).await.unwrap();
        let mut heard = soon(handle.accept_exchange()).await.unwrap();
        // Until the stream takes no more.
        let flood = async { while heard.write(body(256 << 10)).await.is_ok() {} };
        assert!(timeout(Duration::from_millis(500), flood).await.is_err());
        held.push((asked, heard));
    }
    soon(to_a.send(body(1 << 20))).await.unwrap();
    assert_eq!(soon(from_b.recv()).await.unwrap().unwrap(), body(1 << 20));
}

#[tokio::test]
async fn who_gives_up_is_heard() {
    let (a, b) = pair();
    let (of_a, of_b) = joined(&a, &b).await;
    let mut asked = soon(of_a.handle().open_exchange()).await.unwrap();
    asked.write(body(10)).await.unwrap();
    let mut heard = soon(of_b.handle().accept_exchange()).await.unwrap();
    heard.write(body(100)).await.unwrap();
    heard.abandon();
    assert!(soon(asked.read(&mut [0; 200])).await.is_err());
    drop(asked);
    let mut again = soon(of_b.handle().open_exchange()).await.unwrap();
    again.write(body(1)).await.unwrap();
    soon(of_a.handle().accept_exchange()).await.unwrap();
}
