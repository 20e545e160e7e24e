//! From what a person wants of a record to a change for the log, and from the change in the log to what is shown. It
//! appends nothing itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    mem,
    sync::Arc,
    time::Duration,
};

use portolan_protocol::{
    api::Outcome,
    change::{ChangePayload, PERSON_NAME_BYTES_MAX, PersonRef, REASON_BYTES_MAX, actor_id},
    crypto::hash::Context,
    entry::{EntryRef, LogKey, LogKind},
    id::{DocumentId, SpaceId},
    limits::DEPENDENCIES_MAX,
    page::LogContext,
    record::{RecordDraft, Value, Warning, check, display_safe, is_lower_marking},
    view::SpaceView,
};
use rand_core::Rng;

use super::{cache::Open, cores, error::DocumentError, index::Index, keeping::Keep, opening::Ledger, payload::LastKey};
use crate::{
    automerge_door::{Document, EditError, Edited},
    clock,
    store::StoreError,
};

/// Time to compare texts before the rest of them is replaced.
const DIFF: Duration = Duration::from_millis(200);

/// Records that are open beside one another while changes to them are planned.
const OPEN_AT_ONCE: usize = 32;

/// What may be there before a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// No record of that id.
    New,
    /// A record.
    Held,
    /// Either.
    Any,
}

/// What becomes of a field that says several things at once, one of which is what the draft says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contests {
    /// It says that alone: a person chose.
    Settle,
    /// It stays as it is: a file chooses nothing.
    Keep,
}

/// What a person wants of a record.
#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) document: DocumentId,
    pub(super) draft: RecordDraft,
    pub(super) expect: Expect,
    pub(super) contests: Contests,
    /// The heads that the person saw; the present ones where there are none.
    pub(super) base: Option<Vec<String>>,
    pub(super) person: PersonRef,
    pub(super) reason: String,
}

/// A change to be appended.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) document: DocumentId,
    /// The log that the change was made for.
    pub(super) log: LogKey,
    pub(super) payload: Vec<u8>,
    pub(super) hash: [u8; 32],
    pub(super) outcome: Outcome,
    /// Whether others had written since the heads that the person saw.
    pub(super) merged: bool,
    pub(super) warnings: Vec<Warning>,
    /// The document with the change, until that is settled.
    after: Option<Open>,
}

/// What is needed of a planned change once it is in the log.
pub(super) struct Pending {
    document: DocumentId,
    hash: [u8; 32],
    after: Option<Open>,
}

impl Planned {
    /// Takes out what [`Index::settle`] needs.
    pub(super) fn settle(&mut self) -> Pending {
        Pending { document: self.document, hash: self.hash, after: self.after.take() }
    }
}

/// What a save comes to.
#[derive(Debug)]
pub(super) enum Plan {
    /// Everything is as the draft says.
    Unchanged { document: DocumentId, heads: Vec<String>, warnings: Vec<Warning> },
    /// Something has to be appended.
    Append(Box<Planned>),
}

/// A change that is in the log.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// Whether it is applied.
    pub(super) is_applied: bool,
    pub(super) heads: Vec<String>,
}

impl Index {
    /// Makes the changes that `intents` ask for, each for another record. `salt` is this start's; another one is drawn where it
    /// was used up.
    pub(super) fn plan_all(
        &mut self,
        space: SpaceId,
        mut intents: Vec<Intent>,
        salt: [u8; 16],
    ) -> Vec<Result<Plan, DocumentError>> {
        let mut plans = Vec::with_capacity(intents.len());
        while !intents.is_empty() {
            let rest = intents.split_off(intents.len().min(OPEN_AT_ONCE));
            plans.extend(self.plan_some(space, mem::replace(&mut intents, rest), salt));
        }
        plans
    }

    fn plan_some(&mut self, space: SpaceId, intents: Vec<Intent>, salt: [u8; 16]) -> Vec<Result<Plan, DocumentError>> {
        let held = |document| match self.document_number(space, document) {
            Ok(number) => Ok(Some(number)),
            Err(DocumentError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let numbers: Vec<_> = intents.iter().map(|intent| held(intent.document)).collect();
        let mut shown = self.show_all(numbers.iter().flatten().flatten().copied());
        let present = |(intent, number): (Intent, Result<Option<u64>, DocumentError>)| {
            let present = number.and_then(|number| Ok(number.zip(number.and_then(|n| shown.remove(&n)).transpose()?)));
            (intent, present)
        };
        let work: Vec<_> = intents.into_iter().zip(numbers).map(present).collect();
        cores::each(work, |(intent, present)| self.plan(space, &intent, present?, salt))
    }

    /// Makes the change that `intent` asks for on what is held of its record.
    fn plan(
        &self,
        space: SpaceId,
        intent: &Intent,
        present: Option<(u64, Open)>,
        salt: [u8; 16],
    ) -> Result<Plan, DocumentError> {
        bounded("name", intent.person.name.len(), PERSON_NAME_BYTES_MAX)?;
        bounded("reason", intent.reason.len(), REASON_BYTES_MAX)?;
        let view = self.views.get(&space).cloned().ok_or(DocumentError::UnknownSpace)?;
        if let Some(aside) = self.aside.get(&(space, view.own_log)) {
            // It would be in the log and could not be shown.
            let why = format!("this node's own log in the space cannot be read: {}", aside.why);
            return Err(StoreError::Damaged(why).into());
        }
        let mut warnings = check(&intent.draft).map_err(EditError::from)?;
        let (present, ledger) = match present {
            Some((number, open)) => (open, Some(self.ledger(number)?)),
            None => (blank(intent.document), None),
        };
        let is_held = present.document.changes() > 0;
        match intent.expect {
            Expect::New if is_held => return Err(DocumentError::Exists(intent.document)),
            Expect::Held if !is_held => return Err(DocumentError::NotFound(intent.document)),
            _ => {}
        }
        let is_import = intent.contests == Contests::Keep;
        let earlier = match (&intent.base, &ledger) {
            (Some(base), Some(ledger)) if !same(base, &present.document.heads()) => {
                match self.at(&view, ledger, base) {
                    Err(DocumentError::UnknownHeads(_)) if is_import => None,
                    earlier => Some(earlier?),
                }
            }
            (Some(base), None) if !base.is_empty() && !is_import => {
                return Err(DocumentError::UnknownHeads(base.join(" ")));
            }
            _ => None,
        };
        let merged = earlier.is_some();
        let is_crowded = !merged && present.document.heads().len() >= DEPENDENCIES_MAX;
        if merged || is_crowded {
            present.document.check_room()?;
        }
        // An actor's changes stand in one line. Where this start's actor has a change that is not below, it cannot go on.
        let goes_on = |ledger: &Ledger| goes_on(ledger, &view.own_log, &present.document);
        let is_free = !merged && !is_crowded && ledger.as_ref().is_none_or(goes_on);
        let salt = match &intent.base {
            // The same file once more makes the same change, which is there already.
            Some(base) if is_import => import_salt(base, &intent.draft),
            _ if is_free => salt,
            _ => draw_salt(),
        };
        let base = earlier.unwrap_or(present);
        let deadline = clock::monotonic().into_std() + DIFF;
        let actor = actor_id(&view.own_log, &intent.document, &salt);
        let draft = match intent.contests {
            Contests::Settle => intent.draft.clone(),
            Contests::Keep => unsettling(&intent.draft, &base.document, &mut warnings)?,
        };
        let edited = match &ledger {
            Some(ledger) if is_crowded => self
                .edit_in_part(&view, ledger, &base.document, |part| Ok(part.edit(&draft, &actor, Some(deadline))?))?,
            _ => base.document.edit(&draft, &actor, Some(deadline))?,
        };
        let is_there =
            |edited: &Edited| ledger.as_ref().is_some_and(|ledger| ledger.entry(&edited.change.facts().hash).is_some());
        let Some(edited) = edited.filter(|edited| !is_there(edited)) else {
            return Ok(Plan::Unchanged { document: intent.document, heads: hex_all(&base.document.heads()), warnings });
        };
        if let Some(marking) = draft.fields.get("marking")
            && let Some(held) = base.document.view()?.fields.get("marking").and_then(Value::as_str)
            && is_lower_marking(held, marking)
        {
            let message = format!("is lowered: it was {}", display_safe(held));
            warnings.push(Warning { path: "marking".to_owned(), message });
        }
        let facts = edited.change.facts();
        let entries: Option<Vec<EntryRef>> = facts
            .dependencies
            .iter()
            .map(|hash| ledger.as_ref().and_then(|ledger| ledger.entry(hash)).map(|fact| fact.reference))
            .collect();
        // What is applied was applied from an entry.
        let dependencies = entries.ok_or_else(|| StoreError::Damaged("a change without an entry".to_owned()))?;
        let payload = ChangePayload {
            document: intent.document,
            change: edited.change.raw().to_vec(),
            person: intent.person.clone(),
            reason: intent.reason.clone(),
            salt,
            dependencies,
            person_signature: None,
        };
        let after = Open {
            document: edited.after,
            whole: base.whole,
            current: false,
            updated: None,
            by_one: false,
            saved: base.saved,
        };
        Ok(Plan::Append(Box::new(Planned {
            document: intent.document,
            log: view.own_log,
            payload: payload.encode(),
            hash: facts.hash,
            outcome: if is_held { Outcome::Updated } else { Outcome::Created },
            merged,
            warnings,
            after: Some(after),
        })))
    }

    /// Makes an edit that not all heads fit into: on the first of them on which it changes something. Each such edit joins
    /// about a thousand, so the record becomes whole again.
    fn edit_in_part(
        &self,
        view: &Arc<SpaceView>,
        ledger: &Ledger,
        document: &Document,
        edit: impl Fn(&Document) -> Result<Option<Edited>, DocumentError>,
    ) -> Result<Option<Edited>, DocumentError> {
        // One place is for the change that the actor made before.
        for heads in document.heads().chunks(DEPENDENCIES_MAX - 1) {
            let part = self.at(view, ledger, &hex_all(heads))?;
            if let Some(edited) = edit(&part.document)? {
                return Ok(Some(edited));
            }
        }
        Ok(None)
    }

    /// The document as it was at `heads`.
    pub(super) fn at(&self, view: &Arc<SpaceView>, ledger: &Ledger, heads: &[String]) -> Result<Open, DocumentError> {
        let unknown = || DocumentError::UnknownHeads(heads.join(" "));
        let by_reference: BTreeMap<EntryRef, usize> =
            ledger.order.iter().map(|place| (ledger.facts[*place].reference, *place)).collect();
        let by_name: BTreeMap<String, usize> = ledger
            .order
            .iter()
            .filter_map(|place| Some((hex(ledger.facts[*place].change.as_ref().ok()?), *place)))
            .collect();
        let mut wanted: BTreeSet<usize> = BTreeSet::new();
        let mut open = Vec::new();
        for head in heads {
            open.push(*by_name.get(head).ok_or_else(unknown)?);
        }
        while let Some(place) = open.pop() {
            if wanted.insert(place) {
                let dependencies = &ledger.facts[place].dependencies;
                open.extend(dependencies.iter().filter_map(|dependency| by_reference.get(dependency)));
            }
        }
        let mut key = LastKey::default();
        let mut changes = Vec::new();
        for place in wanted {
            changes.extend(self.change(view, &ledger.facts[place], &mut key)?.map(|reading| reading.change));
        }
        let mut document = Document::new(ledger.id);
        document.apply(&changes)?;
        if !same(heads, &document.heads()) {
            return Err(unknown());
        }
        Ok(Open { document, whole: true, current: false, updated: None, by_one: false, saved: 0 })
    }

    /// Takes in what was appended, entry by entry, and shows it.
    pub(super) fn settle(
        &mut self,
        space: SpaceId,
        appended: Vec<(Pending, EntryRef)>,
        keep: Keep,
    ) -> Result<Vec<Settled>, DocumentError> {
        for (_, entry) in &appended {
            let context = LogContext { space, log: entry.log, kind: LogKind::Data };
            let next = self.next(&(space, entry.log));
            self.appended(&context, next, entry.seq.saturating_add(1));
        }
        for (_, entry) in &appended {
            self.take_in_until((space, entry.log), entry.seq)?;
        }
        let mut work = Vec::new();
        let mut hashes = Vec::new();
        for (pending, _) in appended {
            work.push((self.document_number(space, pending.document)?, keep, pending.after));
            hashes.push(pending.hash);
        }
        let (mut opened, mut settled) = (Vec::new(), Vec::new());
        for ((number, keep, open), hash) in self.open_all(work).into_iter().zip(hashes) {
            let open = open?;
            let document = &open.open.document;
            settled.push(Settled { is_applied: document.holds(&hash), heads: hex_all(&document.heads()) });
            opened.push((number, keep, Ok(open)));
        }
        self.keep(opened)?;
        Ok(settled)
    }
}

/// A salt for actors, fresh.
pub(super) fn draw_salt() -> [u8; 16] {
    let mut salt = [0; 16];
    clock::rng().fill_bytes(&mut salt);
    salt
}

/// The salt of the actor that writes what a file says otherwise than the state that it was written out from.
fn import_salt(base: &[String], draft: &RecordDraft) -> [u8; 16] {
    let mut hasher = Context::IMPORTED_CHANGE.hasher();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    base.iter().for_each(|head| part(head.as_bytes()));
    for (key, value) in draft.entries() {
        part(key.as_bytes());
        part(&serde_json::to_vec(&value).unwrap_or_default());
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    salt
}

/// Whether every change in this node's own log is below the present state.
fn goes_on(ledger: &Ledger, own: &LogKey, document: &Document) -> bool {
    let own = ledger.facts.iter().filter(|fact| fact.reference.log == *own);
    own.filter_map(|fact| fact.change.as_ref().ok()).all(|hash| document.holds(hash))
}

/// A draft without what the document says already beside other things, and without a marking below its own: a file lowers none.
fn unsettling(
    draft: &RecordDraft,
    document: &Document,
    warnings: &mut Vec<Warning>,
) -> Result<RecordDraft, DocumentError> {
    let contested = document.contested()?;
    let is_said = |key: &str, value: &Value| contested.get(key).is_some_and(|values| values.contains_key(value));
    let held = match draft.fields.contains_key("marking") {
        true => document.view()?.fields.get("marking").and_then(Value::as_str).map(str::to_owned),
        false => None,
    };
    let mut is_lower = |key: &str, value: &Value| match &held {
        Some(held) if key == "marking" && is_lower_marking(held, value) => {
            let message = format!("stays {}: an import never lowers it", display_safe(held));
            warnings.push(Warning { path: key.to_owned(), message });
            true
        }
        _ => false,
    };
    let kept = draft.entries().into_iter().filter(|(key, value)| !is_said(key, value) && !is_lower(key, value));
    Ok(kept.fold(RecordDraft::default(), |draft, (key, value)| draft.with(key, value)))
}

fn blank(document: DocumentId) -> Open {
    Open { document: Document::new(document), whole: true, current: false, updated: None, by_one: false, saved: 0 }
}

fn bounded(what: &'static str, bytes: usize, most: usize) -> Result<(), DocumentError> {
    if bytes <= most { Ok(()) } else { Err(DocumentError::TooLong { what, bytes, most }) }
}

/// Whether `named` are exactly the heads `held`, in any order.
pub(super) fn same(named: &[String], held: &[[u8; 32]]) -> bool {
    let named: BTreeSet<String> = named.iter().cloned().collect();
    named == held.iter().map(hex).collect()
}

fn hex_all(hashes: &[[u8; 32]]) -> Vec<String> {
    hashes.iter().map(hex).collect()
}

/// A hash as `heads` of a record spell it.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
