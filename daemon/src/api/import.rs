//! `POST /v1/spaces/{space}/import`: records come line by line, and what became of them goes back as soon as it is durable.
//!
//! One batch is read while the one before is being written; beyond that the sender waits.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{Request, State},
    response::Response,
};
use futures_util::StreamExt as _;
use portolan_protocol::{
    api::{ApiError, Can, ErrorKind, ImportEvent, ImportItem, ImportQuery, ImportTotals, Imported, LINE_BYTES_MAX},
    control::Role,
    id::SpaceId,
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    answer::{Failure, Parameters, Segments, drain, forbidden, line, lines, usage},
    caller::Caller,
    shared::Shared,
};
use crate::documents::Source;

/// Records in one batch.
const BATCH_ITEMS: usize = 256;
/// Bytes of lines in one batch, about.
const BATCH_BYTES_AIM: usize = 4 << 20;
/// A sender that pauses for this long has its batch written as it is.
const PAUSE: Duration = Duration::from_millis(200);
/// A sender that says nothing for this long has gone.
const SILENCE: Duration = Duration::from_secs(120);
/// Longest source that is repeated, in bytes.
const SOURCE_BYTES_MAX: usize = 4_096;

pub(super) async fn import(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(query): Parameters<ImportQuery>,
    request: Request,
) -> Result<Response, Failure> {
    let permitted = || {
        let space = path.id(0)?;
        caller.must_in(Can::Write, &space)?;
        let role = shared.must_know(&space)?.role;
        if role < Some(Role::Writer) {
            // Once, and not for each record.
            return Err(forbidden("not allowed: writing takes the role writer, and this node does not have it")
                .next("`portolan space members` shows who has which role, and so who can help."));
        }
        Ok(space)
    };
    let space = match permitted() {
        Ok(space) => space,
        Err(error) => {
            drain(&mut request.into_body().into_data_stream()).await;
            return Err(error.into());
        }
    };
    let (batches, reading) = mpsc::channel(1);
    let (events, answer) = mpsc::channel(4);
    tokio::spawn(read(request.into_body(), batches));
    tokio::spawn(write(Import { shared, caller, space, dry_run: query.dry_run }, reading, events));
    Ok(lines(answer))
}

type Batch = Result<Vec<ImportItem>, ApiError>;

/// Cuts the body into batches. The last one may be the error that ended it.
async fn read(body: Body, batches: mpsc::Sender<Batch>) {
    let mut lines = Lines { stream: body.into_data_stream(), buffer: Vec::new(), searched: 0, ended: false };
    loop {
        match lines.batch().await {
            Ok(items) if items.is_empty() => return,
            batch => {
                let last = batch.is_err();
                // Fails when the import has stopped.
                if batches.send(batch).await.is_err() || last {
                    drain(&mut lines.stream).await;
                    return;
                }
            }
        }
    }
}

/// The lines of a body.
struct Lines {
    stream: BodyDataStream,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were searched and hold no line break.
    searched: usize,
    ended: bool,
}

impl Lines {
    /// The next items: as many as there are without waiting, and at least one, unless the body has ended.
    async fn batch(&mut self) -> Batch {
        let (mut items, mut bytes) = (Vec::new(), 0);
        while items.len() < BATCH_ITEMS && bytes < BATCH_BYTES_AIM {
            let patience = if items.is_empty() { SILENCE } else { PAUSE };
            let line = match timeout(patience, self.line()).await {
                Ok(line) => line?,
                Err(_) if items.is_empty() => {
                    return Err(ApiError::new(ErrorKind::Incomplete, "nothing came for too long"));
                }
                Err(_) => break,
            };
            let Some(line) = line else { break };
            if line.trim_ascii().is_empty() {
                continue;
            }
            bytes += line.len();
            let item: ImportItem = serde_json::from_slice(&line)
                .map_err(|error| usage(format!("a line of the import is not understood: {error}")))?;
            if item.source.len() > SOURCE_BYTES_MAX {
                return Err(usage(format!("a source has at most {SOURCE_BYTES_MAX} bytes")));
            }
            items.push(item);
        }
        Ok(items)
    }

    /// The next line. Nothing is lost when the wait for it is given up.
    async fn line(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(usage(format!("a line of the import has more than {LINE_BYTES_MAX} bytes")));
            }
            if self.ended {
                self.searched = 0;
                return Ok(Some(std::mem::take(&mut self.buffer)).filter(|line| !line.is_empty()));
            }
            match self.stream.next().await {
                Some(Ok(part)) => self.buffer.extend_from_slice(&part),
                Some(Err(error)) => {
                    return Err(ApiError::new(ErrorKind::Incomplete, format!("the import was cut: {error}")));
                }
                None => self.ended = true,
            }
        }
    }
}

struct Import {
    shared: Arc<Shared>,
    caller: Caller,
    space: SpaceId,
    dry_run: bool,
}

/// Writes batch after batch, and tells what became of them.
async fn write(import: Import, mut batches: mpsc::Receiver<Batch>, events: mpsc::Sender<Bytes>) {
    let mut totals = ImportTotals::default();
    while let Some(batch) = batches.recv().await {
        let done = match batch {
            Ok(items) => import.write(items).await,
            Err(error) => Err(error),
        };
        let event = match done {
            Ok(items) => {
                items.iter().for_each(|item| totals.add(&item.outcome));
                ImportEvent::Batch { items, totals }
            }
            Err(error) => {
                let error = error.safe("The batches reported before are kept; importing again adds nothing twice.");
                let _ = events.send(line(&ImportEvent::Failed { error, totals })).await;
                return;
            }
        };
        // Nobody reads any more: what was durable stays, and no more is begun.
        if events.send(line(&event)).await.is_err() {
            return;
        }
    }
    let _ = events.send(line(&ImportEvent::Done { totals })).await;
}

impl Import {
    async fn write(&self, items: Vec<ImportItem>) -> Result<Vec<Imported>, ApiError> {
        // An import lasts; the right to write may have been taken away since it began.
        let caller = self.caller.now(&self.shared.home.persons);
        caller
            .ok_or_else(|| forbidden("the login is not listed on this node any more"))?
            .must_in(Can::Write, &self.space)?;
        let sources: Vec<String> = items.iter().map(|item| item.source.clone()).collect();
        let source = |item: ImportItem| Source { document: item.document, draft: item.draft, base: item.base };
        let drafts = items.into_iter().map(source).collect::<Vec<_>>();
        let person = self.caller.0.person.clone();
        let done = self.shared.documents.import(self.space, drafts, person, self.dry_run).await?;
        let imported = |(source, item): (String, crate::documents::ImportItem)| Imported {
            document: item.document,
            source,
            outcome: item.outcome,
            warnings: item.warnings,
        };
        Ok(sources.into_iter().zip(done).map(imported).collect())
    }
}
