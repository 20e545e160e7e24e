//! `/v1/pouches`: packs pouches, hands out their volumes as they are written, and takes volumes and receipts.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use data_encoding::HEXLOWER;
use futures_util::StreamExt as _;
use portolan_protocol::{
    api::{
        ApiError, AttachmentsLeftOut, Can, ExportRequest, LackingAttachment, LackingEntries, PouchAttachments,
        PouchLoad, PouchRecipient, PouchVolume, Pouches, ReceiptAnswer, ReceiptRequest, SentPouch, TakenPouch,
        TakenVolume, VolumeEvent, VolumeQuery, VolumeStage, VolumeVerified,
    },
    id::{NodeId, PouchId},
    input::Lacking,
    limits::VOLUME_BYTES_MAX,
    pouch::{Load, PouchError, to_code},
    status::NodeStatus,
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    answer::{Answer, Failure, Json, Parameters, Segments, blocking, drain, line, lines, usage},
    caller::Caller,
    shared::Shared,
};
use crate::{
    config::Fetch,
    pouches::{FilesTaken, LackingFile, LeftOut, Listener, Order, PouchesError, Progress, Record, Staged, Taken, Word},
};

/// A sender that says nothing for this long has gone.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(120);
/// The smallest volume that may be asked for: the largest entry fits beside what a volume begins with.
const VOLUME_BYTES_MIN: u64 = 4 << 20;
/// Bytes after which it is told again how far a volume is.
const TELL_BYTES: u64 = 8 << 20;

pub(super) async fn export(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<ExportRequest>,
) -> Answer<SentPouch> {
    caller.must(Can::Admin)?;
    let volume_bytes = request.volume_bytes.unwrap_or(VOLUME_BYTES_MAX);
    if !(VOLUME_BYTES_MIN..=VOLUME_BYTES_MAX).contains(&volume_bytes) {
        return Err(usage(format!("a volume has {VOLUME_BYTES_MIN} to {VOLUME_BYTES_MAX} bytes")).into());
    }
    let load = match request.load {
        PouchLoad::Missing => Load::Missing,
        PouchLoad::Everything => Load::Everything,
        PouchLoad::Receipts => Load::Receipts,
    };
    let attachments = match request.attachments {
        PouchAttachments::All => Fetch::All,
        PouchAttachments::None => Fetch::None,
        PouchAttachments::Below(bytes) => Fetch::Below(bytes),
    };
    let ExportRequest { to, space, padded, .. } = request;
    let record = shared.pouches.pack(Order { to, space, load, volume_bytes, padded, attachments }).await?;
    let status = shared.engine.status().await?;
    Ok(Json(shared.sent(&record, &status).await?))
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<Pouches> {
    caller.must(Can::Admin)?;
    let status = shared.engine.status().await?;
    let pouches = shared.pouches.clone();
    let mut answer = Pouches::default();
    for record in blocking(move || pouches.sent()).await? {
        answer.sent.push(shared.sent(&record, &status).await?);
    }
    for (from, held, taken_ms) in shared.pouches.taken().await? {
        let name = shared.name(&from, &status);
        let (volumes, code) = (held.volumes.iter().collect(), to_code(&held));
        answer.taken.push(TakenPouch { id: held.pouch, from, name, taken_ms, volumes, code });
    }
    answer.taken.sort_by_key(|taken| std::cmp::Reverse((taken.taken_ms, taken.id)));
    Ok(Json(answer))
}

pub(super) async fn show(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<SentPouch> {
    caller.must(Can::Admin)?;
    let record = shared.record(path.id(0)?).await?;
    let status = shared.engine.status().await?;
    Ok(Json(shared.sent(&record, &status).await?))
}

/// The bytes of a volume, as they are written. An answer that is cut is no volume.
pub(super) async fn write(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
) -> Result<Response, Failure> {
    caller.must(Can::Admin)?;
    let number = path.text(1).parse().map_err(|_| usage("a volume is a number from 1"))?;
    let mut chunks = shared.pouches.write(path.id(0)?, number).await?;
    // What goes wrong before the first bytes is an answer of its own.
    let first = chunks.recv().await.ok_or(PouchesError::Unexpected)??;
    let rest = futures_util::stream::poll_fn(move |context| chunks.poll_recv(context));
    let body = Body::from_stream(futures_util::stream::iter([Ok(first)]).chain(rest));
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], body).into_response())
}

/// A volume was found whole on a medium.
pub(super) async fn verified(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Json(request): Json<VolumeVerified>,
) -> Answer<SentPouch> {
    caller.must(Can::Admin)?;
    let (id, number) = (path.id(0)?, path.text(1).parse().map_err(|_| usage("a volume is a number from 1"))?);
    let hash = HEXLOWER.decode(request.hash.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
    let hash: [u8; 32] = hash.ok_or_else(|| usage("a hash has 64 hexadecimal digits"))?;
    let pouches = shared.pouches.clone();
    let record = blocking(move || pouches.verified(id, number, &hash)).await?;
    Ok(Json(shared.sent(&record, &shared.engine.status().await?).await?))
}

pub(super) async fn receipt(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Json(request): Json<ReceiptRequest>,
) -> Answer<ReceiptAnswer> {
    caller.must(Can::Admin)?;
    let Word { peer, news, record, held } = shared.pouches.receipt(&request.code).await?;
    let status = shared.engine.status().await?;
    let name = shared.name(&peer, &status);
    let volumes = held.volumes.iter().collect();
    Ok(Json(ReceiptAnswer { node: peer, name, volumes, news, pouch: shared.sent(&record, &status).await? }))
}

/// Takes a volume: staged, verified, and only then taken.
pub(super) async fn take(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Parameters(query): Parameters<VolumeQuery>,
    request: Request,
) -> Result<Response, Failure> {
    let body = request.into_body();
    let staged = match caller.must(Can::Admin) {
        Ok(()) => {
            let pouches = shared.pouches.clone();
            blocking(move || pouches.stage(query.bytes)).await
        }
        Err(error) => Err(error),
    };
    let staged = match staged {
        Ok(staged) => staged,
        Err(error) => {
            drain(&mut body.into_data_stream()).await;
            return Err(error.into());
        }
    };
    let (events, answer) = mpsc::channel(64);
    tokio::spawn(async move {
        let last = match take_body(&shared, staged, body, query.dry_run, &events).await {
            Ok(taken) => VolumeEvent::Done { taken },
            Err(PouchesError::Pouch(PouchError::NotForThisNode)) => VolumeEvent::NotForThisNode,
            Err(error) => VolumeEvent::Failed { error: error.into() },
        };
        let _ = events.send(line(&last)).await;
    });
    Ok(lines(answer))
}

async fn take_body(
    shared: &Arc<Shared>,
    mut staged: Staged,
    body: Body,
    dry_run: bool,
    events: &mpsc::Sender<Bytes>,
) -> Result<TakenVolume, PouchesError> {
    let mut stream = body.into_data_stream();
    let mut tell = Telling { events: events.clone(), stage: VolumeStage::Staging, told: 0 };
    loop {
        let part = timeout(SILENCE, stream.next()).await;
        let part = part.map_err(|_| PouchesError::Cut("nothing came for too long".into()))?;
        let Some(part) = part else { break };
        let part = part.map_err(|error| PouchesError::Cut(error.to_string()))?;
        let adding = tokio::task::spawn_blocking(move || staged.add(&part).map(|()| staged));
        staged = adding.await.map_err(|_| PouchesError::Unexpected)??;
        if tell.progress(VolumeStage::Staging, staged.came()) == Listener::Gone {
            return Err(PouchesError::Gone);
        }
    }
    let told = move |progress| match progress {
        Progress::Verified(bytes) => tell.progress(VolumeStage::Verifying, bytes),
        Progress::Taken(bytes) => tell.progress(VolumeStage::Taking, bytes),
    };
    let taken = shared.pouches.take(staged, dry_run, told).await?;
    let status = shared.engine.status().await?;
    Ok(shared.taken(taken, &status).await)
}

/// Tells how far it is, now and then; whoever does not listen misses it.
struct Telling {
    events: mpsc::Sender<Bytes>,
    stage: VolumeStage,
    told: u64,
}

impl Telling {
    /// Whether anybody is there to hear it.
    fn progress(&mut self, stage: VolumeStage, bytes: u64) -> Listener {
        if self.events.is_closed() {
            return Listener::Gone;
        }
        if stage != self.stage || bytes >= self.told + TELL_BYTES {
            (self.stage, self.told) = (stage, bytes);
            let _ = self.events.try_send(line(&VolumeEvent::Progress { stage, bytes }));
        }
        Listener::Waits
    }
}

impl Shared {
    async fn record(&self, id: PouchId) -> Result<Record, ApiError> {
        let pouches = self.pouches.clone();
        blocking(move || pouches.record(id)).await
    }

    fn name(&self, node: &NodeId, status: &NodeStatus) -> String {
        self.node_name(node, &status.peers).unwrap_or_default()
    }

    async fn sent(&self, record: &Record, status: &NodeStatus) -> Result<SentPouch, ApiError> {
        let mut to = Vec::new();
        for node in &record.plan.recipients {
            let received = self.pouches.arrived(record, *node).await?;
            to.push(PouchRecipient { node: *node, name: self.name(node, status), received });
        }
        let volumes = (1..).zip(&record.volumes).map(|(number, volume)| PouchVolume {
            number,
            bytes: volume.bytes,
            hash: HEXLOWER.encode(&volume.packed.written.hash),
            entries: volume.packed.written.contents.entries(),
            payloads: volume.packed.written.contents.payload_count(),
            attachments: volume.packed.written.files.len() as u64,
            attachment_bytes: volume.packed.written.file_bytes(),
            unread: volume.packed.unread.clone(),
            verified: volume.verified,
        });
        let volumes: Vec<PouchVolume> = volumes.collect();
        let written: u64 = volumes.iter().map(|volume| volume.entries).sum();
        let file_bytes: u64 = volumes.iter().map(|volume| volume.attachment_bytes).sum();
        let being_written = self.pouches.being_written(&record.id);
        let LeftOut { known, missing, larger, too_many, is_unknown } = record.left_out;
        Ok(SentPouch {
            id: record.id,
            created_ms: record.created,
            to,
            load: match record.load {
                Load::Missing => PouchLoad::Missing,
                Load::Everything => PouchLoad::Everything,
                Load::Receipts => PouchLoad::Receipts,
            },
            entries: record.plan.entries(),
            payloads: record.plan.payloads.len() as u64,
            entries_written: written.max(being_written.0),
            attachments: record.plan.files.len() as u64,
            attachment_bytes: record.plan.files.iter().map(|file| file.bytes).sum(),
            attachment_bytes_written: file_bytes.max(being_written.1),
            left_out: AttachmentsLeftOut { known, missing, larger, too_many, is_unknown },
            complete: record.complete(),
            volumes,
        })
    }

    async fn lacking_file(&self, file: LackingFile) -> LackingAttachment {
        let LackingFile { range, held, why } = file;
        let name = self.attachments.name(range.attachment).await;
        let error = why.map(ApiError::from);
        LackingAttachment { id: range.attachment, name, bytes: range.bytes, held, error }
    }

    async fn taken(&self, taken: Taken, status: &NodeStatus) -> TakenVolume {
        let Taken { opening, closing, new, report, files } = taken;
        let FilesTaken { new: attachments_new, lacking: lacking_files, failed, going_on, trouble } = files;
        let mut attachments_lacking = Vec::new();
        for file in lacking_files {
            attachments_lacking.push(self.lacking_file(file).await);
        }
        let lacking = |Lacking { space, log, from, to, held, refused, suppliers }: Lacking| LackingEntries {
            space,
            author: log.author,
            from,
            to,
            held,
            refused: refused.unwrap_or_default().to_owned(),
            suppliers: suppliers.iter().map(|node| self.name(node, status)).collect(),
        };
        TakenVolume {
            pouch: closing.pouch,
            number: closing.volume,
            last: closing.last,
            from: opening.sender,
            name: self.name(&opening.sender, status),
            written_ms: opening.time,
            entries: closing.contents.entries(),
            payloads: closing.contents.payload_count(),
            new,
            lacking: report.lacking.into_iter().map(lacking).collect(),
            lacking_ranges: report.lacking_ranges,
            attachments: closing.files.len() as u64,
            attachment_bytes: closing.files.iter().map(|file| file.to - file.from).sum(),
            attachments_new,
            attachments_lacking,
            attachments_failed: failed,
            attachments_going_on: going_on,
            attachments_damage: trouble.map(|trouble| trouble.to_string()),
            code: report.held.as_ref().map(to_code),
        }
    }
}
