//! The same entries in volumes on a disk.

use std::{fs::File, io::Write as _, path::Path, time::Instant};

use portolan_daemon::{
    config::Fetch,
    pouches::{Listener, Order, Pouches},
};
use portolan_protocol::{id::NodeId, limits::VOLUME_BYTES_MAX, pouch::Load};

use super::say;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Writes a pouch and flushes it.
pub async fn export(pouches: &Pouches, to: NodeId, medium: &Path) {
    let start = Instant::now();
    let order = Order {
        to: vec![to],
        space: None,
        load: Load::Everything,
        volume_bytes: VOLUME_BYTES_MAX,
        padded: false,
        attachments: Fetch::None,
    };
    let mut record = pouches.pack(order).await.unwrap();
    let mut bytes = 0;
    while record.volumes.last().is_none_or(|volume| volume.packed.next.is_some()) {
        let number = u16::try_from(record.volumes.len() + 1).unwrap();
        let mut chunks = pouches.write(record.id, number).await.unwrap();
        let mut file = File::create(medium.join(number.to_string())).unwrap();
        while let Some(chunk) = chunks.recv().await {
            let chunk = chunk.unwrap();
            bytes += chunk.len();
            file.write_all(&chunk).unwrap();
        }
        file.sync_all().unwrap();
        record = pouches.record(record.id).unwrap();
    }
    say(&format!("exported {} {bytes}", start.elapsed().as_micros()));
}

/// Stages, verifies and takes all volumes.
pub async fn import(pouches: &Pouches, medium: &Path) {
    let start = Instant::now();
    let mut new = 0;
    for number in 1_u16.. {
        let Ok(mut file) = File::open(medium.join(number.to_string())) else { break };
        let mut staged = pouches.stage(file.metadata().unwrap().len()).unwrap();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let length = std::io::Read::read(&mut file, &mut piece).unwrap();
            if length == 0 {
                break;
            }
            staged.add(&piece[..length]).unwrap();
        }
        let taken = pouches.take(staged, false, |_| Listener::Waits).await.unwrap();
        assert!(taken.report.held.is_some());
        new += taken.new;
    }
    say(&format!("imported {} {new}", start.elapsed().as_micros()));
}

/// Two numbers of an answer.
pub fn figures(answer: &str) -> [u64; 2] {
    let numbers: Vec<u64> = answer.split_whitespace().map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}
