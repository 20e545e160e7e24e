//! Attachments of records: adding, listing, fetching, verifying; and what is on this node whoever refers to it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use futures_util::StreamExt as _;
use portolan_protocol::{
    api::{
        AddAttachment, AddEvent, AddedAttachment, ApiError, Attachment, AttachmentState, Attachments, Can,
        CheckedAttachment, FetchEvent, HeldAttachment, HeldAttachments, HeldQuery, Holder, VerifyEvent,
    },
    attachment::{Attached, attached},
    id::{AttachmentId, DocumentId, SpaceId},
    record::{RecordDraft, RecordView, Value, canonical_language},
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    answer::{Answer, Failure, Json, Parameters, Segments, blocking, drain, forbidden, line, lines, usage},
    caller::Caller,
    documents::{announced, space},
    shared::Shared,
};
use crate::attachments::{Added, Addition, AttachmentsError, Fetched, Held, Sniffed, Urgency, sniff};

/// A sender that says nothing for this long has gone.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(120);
/// Bytes that are sealed and written in one step.
const STEP_BYTES: usize = 512 << 10;
/// Bytes after which it is told again how much was taken, or is here.
const TELL_BYTES: u64 = 4 << 20;
/// The language of a name where nothing says one: undetermined, as ISO 639 has it.
const NO_LANGUAGE: &str = "und";

pub(super) async fn list(State(shared): State<Arc<Shared>>, caller: Caller, path: Segments) -> Answer<Attachments> {
    let space = space(&shared, &caller, &path, Can::Read)?;
    let record = shared.documents.show(space, path.id(1)?).await?.record;
    let all = attached(&record);
    shared.attachments.ask(space, all.iter().map(|one| one.id).collect()).await;
    let peers = shared.engine.status().await?.peers;
    let mut answer = Attachments::default();
    for one in all {
        let mut shown = show(&shared, &record, &one);
        for (node, told) in shared.attachments.told(&one.id) {
            let name = shared.node_name(&node, &peers).unwrap_or_default();
            shown.holders.push(Holder { node, name, held: told.held, told_ms: told.when });
        }
        answer.attachments.push(shown);
    }
    Ok(Json(answer))
}

fn show(shared: &Shared, record: &RecordView, one: &Attached) -> Attachment {
    let (files, total) = (shared.attachments.files(), one.layout.map(|layout| layout.ciphertext_bytes()));
    let partial = files.partial(&one.id);
    let (state, percent) = match (files.held(&one.id), total) {
        (Some(_), _) => (AttachmentState::Held, 100),
        (None, Some(total)) if partial > 0 => (AttachmentState::Partial, (partial.min(total) * 100 / total).min(99)),
        (None, _) => (AttachmentState::Missing, 0),
    };
    let trouble = match (one.layout, one.keys.is_empty()) {
        (None, _) => "the record does not say its size",
        (_, true) => "the record does not say its key",
        _ => "",
    };
    let language = record.language.as_deref().unwrap_or(NO_LANGUAGE);
    Attachment {
        id: one.id,
        name: one.name(&[language]).unwrap_or_default().to_owned(),
        names: one.names.clone(),
        alternative_texts: one.alternative_texts.clone(),
        media_type: one.media_type.clone(),
        size: one.layout.map(|layout| layout.plaintext_bytes()),
        licence: one.licence.clone(),
        state,
        percent: u8::try_from(percent).unwrap_or(99),
        holders: Vec::new(),
        trouble: trouble.to_owned(),
    }
}

pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
    Parameters(query): Parameters<AddAttachment>,
    request: Request,
) -> Result<Response, Failure> {
    let body = request.into_body();
    let (addition, language) = match begin(&shared, &caller, &path, &query).await {
        Ok(begun) => begun,
        Err(error) => {
            drain(&mut body.into_data_stream()).await;
            return Err(error.into());
        }
    };
    let adding = Adding { space: path.id(0)?, document: path.id(1)?, shared, caller, query, language };
    let (events, answer) = mpsc::channel(64);
    tokio::spawn(async move {
        let last = match adding.run(addition, body, &events).await {
            Ok(added) => AddEvent::Done { added: Box::new(added) },
            Err(error) => AddEvent::Failed { error },
        };
        let _ = events.send(line(&last)).await;
    });
    Ok(lines(answer))
}

/// Looks whether a file may come, before any of it does.
async fn begin(
    shared: &Shared,
    caller: &Caller,
    path: &Segments,
    query: &AddAttachment,
) -> Result<(Addition, String), ApiError> {
    let space = space(shared, caller, path, Can::Write)?;
    let record = shared.documents.show(space, path.id(1)?).await?.record;
    let language = query.language.clone().or(record.language).unwrap_or_else(|| NO_LANGUAGE.to_owned());
    if canonical_language(&language).as_deref() != Some(&language) {
        return Err(usage(format!("`{language}` is not a language tag as keys spell it")));
    }
    let (attachments, size) = (shared.attachments.clone(), query.size);
    Ok((blocking(move || attachments.add(space, size)).await?, language))
}

struct Adding {
    shared: Arc<Shared>,
    caller: Caller,
    space: SpaceId,
    document: DocumentId,
    query: AddAttachment,
    language: String,
}

impl Adding {
    async fn run(
        self,
        addition: Addition,
        body: Body,
        events: &mpsc::Sender<Bytes>,
    ) -> Result<AddedAttachment, ApiError> {
        let addition = take(addition, body, events).await?;
        // It lasted; the right to write may have been taken away since it began.
        let caller = self.caller.now(&self.shared.home.persons);
        caller
            .ok_or_else(|| forbidden("the login is not listed on this node any more"))?
            .must_in(Can::Write, &self.space)?;
        let Sniffed { media_type, warning } = sniff(addition.start(), self.query.media_type.as_deref());
        let added = blocking(move || addition.finish()).await?;
        let draft = self.draft(&added, &media_type);
        let (documents, person) = (&self.shared.documents, self.caller.0.person.clone());
        let saved = documents.edit(self.space, self.document, draft, None, person, self.query.reason.clone()).await?;
        let Json(saved) = announced(&self.shared, saved);
        let noted = saved.warnings.iter().map(|warning| format!("{}: {}", warning.path, warning.message));
        Ok(AddedAttachment {
            attachment: added.id,
            size: added.layout.plaintext_bytes(),
            media_type,
            reused: added.reused,
            warnings: warning.into_iter().chain(noted).collect(),
            saved,
        })
    }

    fn draft(&self, added: &Added, media_type: &str) -> RecordDraft {
        let key = |what: &str| format!("attachments/{}/{what}", added.id);
        let size = i64::try_from(added.layout.plaintext_bytes()).unwrap_or(i64::MAX);
        let mut draft = RecordDraft::default()
            .with(&key("key"), added.key.to_string())
            .with(&key("size"), size)
            .with(&key("media_type"), media_type);
        let texts = [("name", &self.query.name), ("alternative_text", &self.query.alternative_text)];
        for (what, text) in texts {
            if let Some(text) = text {
                draft.fields.insert(key(&format!("{what}/{}", self.language)), Value::from(text.as_str()));
            }
        }
        if let Some(licence) = &self.query.licence {
            draft.fields.insert(key("licence"), Value::from(licence.as_str()));
        }
        draft
    }
}

/// Takes the body, step by step.
async fn take(mut addition: Addition, body: Body, events: &mpsc::Sender<Bytes>) -> Result<Addition, AttachmentsError> {
    let mut stream = body.into_data_stream();
    let (mut step, mut told) = (Vec::new(), 0);
    loop {
        let part = timeout(SILENCE, stream.next()).await;
        let part = part.map_err(|_| AttachmentsError::Cut("nothing came for too long".into()))?;
        let is_last = part.is_none();
        if let Some(part) = part {
            step.extend_from_slice(&part.map_err(|error| AttachmentsError::Cut(error.to_string()))?);
        }
        if step.len() < STEP_BYTES && !is_last {
            continue;
        }
        let bytes = std::mem::take(&mut step);
        let adding = tokio::task::spawn_blocking(move || addition.part(&bytes).map(|()| addition));
        addition = adding.await.map_err(|_| AttachmentsError::Unexpected)??;
        if is_last {
            return Ok(addition);
        }
        if addition.bytes() >= told + TELL_BYTES {
            told = addition.bytes();
            // Who does not listen misses it.
            let _ = events.try_send(line(&AddEvent::Progress { bytes: told }));
        }
    }
}

/// The attachment that a path names, as its record speaks of it.
pub(super) async fn named(shared: &Shared, caller: &Caller, path: &Segments) -> Result<Attached, ApiError> {
    let space = space(shared, caller, path, Can::Read)?;
    Ok(shared.attachments.attached(space, path.id(1)?, path.id(2)?).await?)
}

pub(super) async fn fetch(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
) -> Result<Response, Failure> {
    let Attached { id, layout, .. } = named(&shared, &caller, &path).await?;
    let layout = layout.ok_or(AttachmentsError::Unsaid("the size", id))?;
    let (events, answer) = mpsc::channel(64);
    let space = path.id(0)?;
    tokio::spawn(async move {
        let (mut told, total) = (None, layout.ciphertext_bytes());
        let tell = |bytes| {
            if told.is_none_or(|told| bytes >= told + TELL_BYTES) {
                told = Some(bytes);
                let _ = events.try_send(line(&FetchEvent::Progress { bytes, total }));
            }
        };
        let gone = events.closed();
        let fetched = tokio::select! {
            fetched = shared.attachments.fetch(id, layout, Urgency::Awaited, tell) => fetched,
            // Nobody waits any more; what came is kept.
            () = gone => return,
        };
        let last = match fetched {
            Ok(Fetched { resumed_at, bytes }) => FetchEvent::Done { resumed_at, fetched: bytes },
            Err(error) => FetchEvent::Failed { error: missing(&shared, space, error).await },
        };
        let _ = events.send(line(&last)).await;
    });
    Ok(lines(answer))
}

/// An error, with those who are known to hold what is missing.
pub(super) async fn missing(shared: &Shared, space: SpaceId, error: AttachmentsError) -> ApiError {
    let AttachmentsError::Missing { id, .. } = error else { return error.into() };
    shared.attachments.ask(space, vec![id]).await;
    let peers = match shared.engine.status().await {
        Ok(status) => status.peers,
        Err(error) => return error.into(),
    };
    let holders = shared.attachments.told(&id).into_iter().filter(|(_, told)| told.held);
    let name = |node| shared.node_name(&node, &peers).unwrap_or_else(|| node.to_string());
    AttachmentsError::Missing { id, holders: holders.map(|(node, _)| name(node)).collect() }.into()
}

pub(super) async fn verify(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    path: Segments,
) -> Result<Response, Failure> {
    let id = named(&shared, &caller, &path).await?.id;
    Ok(verifying(shared, vec![id]))
}

pub(super) async fn check(State(shared): State<Arc<Shared>>, caller: Caller) -> Result<Response, Failure> {
    caller.must(Can::Admin)?;
    let files = shared.attachments.files().clone();
    let all = blocking(move || files.list()).await?;
    Ok(verifying(shared, all.into_iter().map(|held| held.id).collect()))
}

fn verifying(shared: Arc<Shared>, ids: Vec<AttachmentId>) -> Response {
    let (events, answer) = mpsc::channel(16);
    tokio::spawn(async move {
        let (mut attachments, mut damaged) = (0, 0);
        for id in ids {
            let files = shared.attachments.files().clone();
            let event = match blocking(move || files.verify(id)).await {
                Ok((bytes, sound)) => {
                    attachments += 1;
                    damaged += u64::from(!sound);
                    VerifyEvent::Checked { checked: CheckedAttachment { id, bytes, sound } }
                }
                Err(error) => {
                    let _ = events.send(line(&VerifyEvent::Failed { error })).await;
                    return;
                }
            };
            if events.send(line(&event)).await.is_err() {
                return;
            }
        }
        let _ = events.send(line(&VerifyEvent::Done { attachments, damaged })).await;
    });
    lines(answer)
}

pub(super) async fn held(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Parameters(query): Parameters<HeldQuery>,
) -> Answer<HeldAttachments> {
    caller.must(Can::Admin)?;
    let all = match query.unreferenced {
        true => shared.attachments.unreferenced().await?.into_iter().map(|held| (held, false)).collect(),
        false => shared.attachments.all().await?,
    };
    Ok(Json(answered(all)))
}

pub(super) async fn prune(State(shared): State<Arc<Shared>>, caller: Caller) -> Answer<HeldAttachments> {
    caller.must(Can::Admin)?;
    let removed = shared.attachments.prune().await?;
    Ok(Json(answered(removed.into_iter().map(|held| (held, false)).collect())))
}

fn answered(all: Vec<(Held, bool)>) -> HeldAttachments {
    let one = |(held, referenced): (Held, bool)| HeldAttachment { id: held.id, bytes: held.bytes, referenced };
    HeldAttachments { attachments: all.into_iter().map(one).collect() }
}
