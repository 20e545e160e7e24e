//! Writes volumes: entries are read from the store as fast as whoever asked takes the bytes.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use bytes::Bytes;
use portolan_protocol::{
    crypto::sealing::SealingPublicKey,
    id::{Incarnation, NodeId, PouchId, SpaceId},
    message::Message,
    page::LogContext,
    pouch::{Address, First, PackError, Packer, Padding, Plan, Position, PouchFile, Source, Span},
    view::SpaceView,
};
use tokio::sync::mpsc;
use tracing::warn;

use super::{
    archive::{Record, Volume},
    error::PouchesError,
    handle::{Pouches, sealing_keys},
};
use crate::{
    attachments::Attachments,
    clock,
    store::{Store, StoreError},
};

/// Bytes that are handed out at a time, about.
const CHUNK_BYTES_AIM: usize = 256 << 10;
/// Chunks that wait for whoever takes them.
const CHUNKS_MAX: usize = 8;

/// The bytes of a volume as they are written. An error ends them; without one the end is the end of the volume.
pub type Chunks = mpsc::Receiver<Result<Bytes, PouchesError>>;

struct FromStore {
    store: Store,
    attachments: Option<Attachments>,
    /// Bytes of attachments that were read.
    read: u64,
}

impl Source for FromStore {
    type Error = StoreError;

    fn pages(&mut self, span: &Span, bytes: u64) -> Result<Option<First>, StoreError> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut frames = self.store.run_frames(&span.context, span.from, span.to, bytes);
        let pages = frames.next().transpose()?;
        Ok(pages.map(|pages| First { pages, reached: frames.reached() }))
    }

    fn payload(&mut self, context: &LogContext, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.entry(context, seq)?.and_then(|entry| entry.payload))
    }

    fn holds(&mut self, file: &PouchFile) -> bool {
        let held = self.attachments.as_ref().and_then(|attachments| attachments.files().held(&file.attachment));
        held == Some(file.bytes)
    }

    fn piece(&mut self, file: &PouchFile, range: &Range<u64>) -> Option<Vec<u8>> {
        self.read += range.end - range.start;
        match self.attachments.as_ref()?.piece(file.attachment, file.bytes, range) {
            Ok(piece) => Some(piece),
            Err(error) => {
                warn!(attachment = %file.attachment, at = range.start, %error, "a piece of an attachment cannot be read");
                None
            }
        }
    }
}

impl Pouches {
    /// Begins to write a volume. Volumes are written in order; one that was written before is written again, with the same
    /// contents in a new envelope.
    ///
    /// # Errors
    /// [`PouchesError`]; what goes wrong later comes with the bytes.
    pub async fn write(&self, id: PouchId, number: u16) -> Result<Chunks, PouchesError> {
        let status = self.0.engine.status().await?;
        let (chunks, receiver) = mpsc::channel(CHUNKS_MAX);
        let pouches = self.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let record = pouches.record(id)?;
            let recipients = sealing_keys(&status, &record.plan.recipients)?;
            if life_of(&record.plan.hello) != Some(status.incarnation) {
                return Err(PouchesError::OtherLife);
            }
            must_be_members(&record.plan, &pouches.0.engine.views())?;
            let start = record.start(number).ok_or(PouchesError::NoVolume(number))?;
            tokio::task::spawn_blocking(move || {
                let done = pouches.write_volume(&record, number, start, recipients, &chunks);
                pouches.0.writing().remove(&id);
                if let Err(error) = done {
                    warn!(pouch = %id, number, %error, "a volume was not written to its end");
                    // Fails where whoever asked has gone.
                    let _ = chunks.blocking_send(Err(error));
                }
            });
            Ok(())
        });
        writing.await.map_err(|_| PouchesError::Unexpected)?.map(|()| receiver)
    }

    fn write_volume(
        &self,
        record: &Record,
        number: u16,
        start: Position,
        recipients: Vec<(NodeId, SealingPublicKey)>,
        chunks: &mpsc::Sender<Result<Bytes, PouchesError>>,
    ) -> Result<(), PouchesError> {
        let address = Address {
            pouch: record.id,
            volume: number,
            sender: self.0.own,
            key: &self.0.signing,
            recipients,
            // What it says of this node is from then.
            time: record.created,
        };
        let padding = if record.padded { Padding::Padme } else { Padding::None };
        let (store, attachments) = (self.0.store.clone(), self.0.attachments.clone());
        let mut source = FromStore { store, attachments, read: 0 };
        let (mut out, mut bytes) = (Vec::new(), 0);
        let mut hand_out = |out: &mut Vec<u8>| {
            bytes += out.len() as u64;
            chunks.blocking_send(Ok(std::mem::take(out).into())).map_err(|_| PouchesError::Gone)
        };
        let before = written_before(record, number);
        let volume_bytes = record.volume_bytes;
        let mut packer =
            Packer::begin(&record.plan, start, address, volume_bytes, padding, &mut clock::rng(), &mut out)?;
        while packer.step(&mut source, &mut out).map_err(unpacked)? {
            if out.len() >= CHUNK_BYTES_AIM {
                let reached = (before.0 + packer.entries(), before.1 + source.read);
                self.0.writing().insert(record.id, reached);
                hand_out(&mut out)?;
            }
        }
        let packed = packer.close(&mut out)?;
        let volume = Volume { bytes: bytes + out.len() as u64, packed, verified: false };
        // What it holds is kept before it can be whole: a receipt for it will be understood.
        self.0.archive.keep_volume(record.id, number, &volume)?;
        chunks.blocking_send(Ok(out.into())).map_err(|_| PouchesError::Gone)
    }
}

/// Refuses where a recipient may not read by now what was packed for it.
fn must_be_members(plan: &Plan, views: &[Arc<SpaceView>]) -> Result<(), PouchesError> {
    for space in spaces_of(plan) {
        let view = views.iter().find(|view| view.space == space);
        let is_member = |node: &NodeId| view.is_some_and(|view| view.membership.role(*node).is_some());
        if let Some(node) = plan.recipients.iter().find(|node| !is_member(node)) {
            return Err(PouchesError::NoMember(*node));
        }
    }
    Ok(())
}

/// The spaces that a plan carries something of.
fn spaces_of(plan: &Plan) -> BTreeSet<SpaceId> {
    let spans = plan.control.iter().chain(&plan.data).map(|span| span.context.space);
    let payloads = plan.payloads.iter().map(|(context, _)| context.space);
    let words = plan.words.iter().filter_map(|word| match word {
        Message::Frontier { space, .. } => Some(*space),
        Message::Receipt { receipt, .. } => Some(receipt.statement.space),
        _ => None,
    });
    spans.chain(payloads).chain(words).collect()
}

/// The life of the store in which a greeting was said.
fn life_of(hello: &Message) -> Option<Incarnation> {
    match hello {
        Message::Hello { incarnation, .. } => Some(*incarnation),
        _ => None,
    }
}

/// Entries and bytes of attachments that the volumes before this one hold.
fn written_before(record: &Record, number: u16) -> (u64, u64) {
    let before = record.volumes.iter().take(usize::from(number.saturating_sub(1)));
    let of_volume = |volume: &Volume| (volume.packed.written.contents.entries(), volume.packed.written.file_bytes());
    before.map(of_volume).fold((0, 0), |(entries, bytes), (more, further)| (entries + more, bytes + further))
}

fn unpacked(error: PackError<StoreError>) -> PouchesError {
    match error {
        PackError::Source(error) => error.into(),
        PackError::Write(error) => error.into(),
        PackError::TooSmall(bytes) => PouchesError::TooSmall(bytes),
    }
}
