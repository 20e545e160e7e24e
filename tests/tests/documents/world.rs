//! Agencies on one desk: real nodes, stores and documents, and a wire between them that can lose frames.

use std::{
    collections::VecDeque,
    fs,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use portolan_daemon::{
    arrivals::Arrivals,
    documents::{AppendError, Documents, Options, Stage},
    search::Search,
    store::{self, Store},
};
use portolan_protocol::{
    api::DocumentQuery,
    card::{Card, Profile},
    change::PersonRef,
    control::Role,
    crypto::{
        sealing::SealingSecret,
        signing::{PublicKey, SigningKey},
    },
    effects::{Effects, Send, Way},
    entry::{EntryRef, LogKey, LogKind},
    id::{DocumentId, Incarnation, NodeId, OrganisationId, PersonId, SpaceId},
    input::{Command, CommandError, Input, Reply},
    message::Message,
    node::{Identity, Node},
    record::RecordDraft,
    time::Timestamp,
    view::SpaceView,
};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use tempfile::TempDir;

/// A node, its store and its documents.
#[derive(Clone)]
pub struct Agency {
    pub number: u8,
    pub documents: Documents,
    pub search: Search,
    core: Arc<Mutex<Core>>,
    home: Arc<TempDir>,
}

struct Core {
    node: Node,
    store: Store,
    documents: Documents,
    rng: ChaCha12Rng,
    now: u64,
    /// Whether documents hear of what is committed.
    announces: bool,
}

impl Core {
    /// Carries an input out as an engine does: durable first, then everything else.
    fn handle(&mut self, input: Input) -> (Option<Result<Reply, CommandError>>, Vec<Send>) {
        self.now += 1;
        let effects = self.node.handle(input, Timestamp(self.now), &mut self.rng);
        let Effects { commit, send, replies, views, appended, .. } = effects;
        self.store.commit(&[commit]).unwrap();
        Arrivals::new(self.store.clone()).note(&appended);
        if self.announces {
            self.documents.views(views);
            self.documents.appended(appended);
        }
        (replies.into_iter().next().map(|(_, reply)| reply), send)
    }
}

pub fn identity(number: u8) -> Identity {
    let signing = SigningKey::from_seed(&[number; 32]);
    let sealing = SealingSecret::from_seed(&[number; 32]).unwrap();
    let profile = Profile { name: format!("agency {number}"), country: "IT".into(), ..Profile::default() };
    let (transport, recovery) = (PublicKey([number; 32]), PublicKey([number; 32]));
    let card = Card::first(&signing, transport, &sealing, recovery, profile, Timestamp(0)).unwrap();
    Identity { card, signing, sealing }
}

impl Agency {
    pub fn open(number: u8) -> Agency {
        Agency::at(number, Arc::new(TempDir::new().unwrap()), Options::default(), 0)
    }

    pub fn with(number: u8, options: Options) -> Agency {
        Agency::at(number, Arc::new(TempDir::new().unwrap()), options, 0)
    }

    fn at(number: u8, home: Arc<TempDir>, options: Options, now: u64) -> Agency {
        let how = store::Options { reserve_bytes: 0, ..store::Options::new(Incarnation([number; 16])) };
        let (store, _) = Store::open(home.path(), &how).unwrap();
        let mut rng = ChaCha12Rng::seed_from_u64(u64::from(number) + now);
        let image = store.image().unwrap();
        let search = Search::start(home.path().join("search")).unwrap();
        let documents = Documents::open(&store, Options { search: Some(search.clone()), ..options }).unwrap();
        documents.catch_up(&image);
        let node = Node::load(identity(number), image, &mut rng).unwrap();
        documents.views(node.views());
        let now = now.max(1_000_000);
        let core = Core { node, store, documents: documents.clone(), rng, now, announces: true };
        let core = Arc::new(Mutex::new(core));
        // Weak, or the documents would keep the core and the core the documents.
        let held = Arc::downgrade(&core);
        documents.connect(Arc::new(move |space, log, changes| {
            let held = held.upgrade();
            Box::pin(async move {
                let core = held.ok_or(AppendError::Stopped)?;
                let command = Command::Append { space, log, changes };
                let (reply, _) = core.lock().unwrap().handle(Input::Command { number: 0, command });
                match reply {
                    Some(Ok(Reply::Appended(entries))) => Ok(entries),
                    Some(Err(error)) => Err(error.into()),
                    _ => Err(AppendError::Stopped),
                }
            })
        }));
        Agency { number, documents, search, core, home }
    }

    /// Ends, as a crash does for everything that was not made durable, and starts again.
    pub async fn restart(self) -> Agency {
        self.restart_after(|_| {}).await
    }

    /// As [`Agency::restart`]; in between something happens to the store.
    pub async fn restart_after(self, happens: impl FnOnce(&Path)) -> Agency {
        self.documents.close().await;
        self.search.close().await;
        let Agency { number, documents, search, core, home } = self;
        let now = core.lock().unwrap().now;
        drop((documents, search, core));
        released(home.path());
        happens(home.path());
        Agency::at(number, home, Options::default(), now)
    }

    /// By which way an entry came here.
    #[allow(dead_code, reason = "a bench shares this file")]
    pub fn way(&self, space: SpaceId, entry: &EntryRef) -> Option<Way> {
        Arrivals::new(self.core().store.clone()).ways(&space, &entry.log).unwrap().of(entry.seq)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap()
    }

    /// Where everything of it is kept.
    #[allow(dead_code, reason = "a bench shares this file")]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn id(&self) -> NodeId {
        self.core().node.id()
    }

    /// From now on documents hear nothing of what is committed.
    pub fn mute(&self) {
        self.core().announces = false;
    }

    /// Documents hear of everything at once, and from now on of what is committed.
    pub fn unmute(&self) {
        let mut core = self.core();
        core.announces = true;
        self.documents.catch_up(&core.store.image().unwrap());
    }

    /// Documents on the same store, taken up as after a start, that know of no membership yet; and that.
    pub async fn taken_up(&self) -> (Documents, Vec<Arc<SpaceView>>) {
        self.documents.close().await;
        let core = self.core();
        let documents = Documents::open(&core.store, Options::default()).unwrap();
        documents.catch_up(&core.store.image().unwrap());
        (documents, core.node.views())
    }

    pub fn order(&self, command: Command) -> Result<Reply, CommandError> {
        self.core().handle(Input::Command { number: 0, command }).0.unwrap()
    }

    pub fn append(&self, space: SpaceId, changes: Vec<Vec<u8>>) -> Vec<EntryRef> {
        let log = self.own_log(space);
        match self.order(Command::Append { space, log, changes }) {
            Ok(Reply::Appended(entries)) => entries,
            other => panic!("{other:?}"),
        }
    }

    pub fn own_log(&self, space: SpaceId) -> LogKey {
        self.core().node.views().into_iter().find(|view| view.space == space).unwrap().own_log
    }

    pub fn found(&self) -> SpaceId {
        match self.order(Command::CreateSpace { organisation: OrganisationId([self.number; 16]) }) {
            Ok(Reply::Space(space)) => space,
            other => panic!("{other:?}"),
        }
    }

    pub fn grant(&self, space: SpaceId, other: &Agency, role: Role) {
        self.order(Command::Grant { space, member: other.id(), role, history: true }).unwrap();
    }

    pub fn person(&self) -> PersonRef {
        PersonRef { id: PersonId([self.number; 16]), name: format!("Person {}", self.number) }
    }

    pub async fn create(&self, space: SpaceId, id: u8, draft: RecordDraft) -> DocumentId {
        let document = DocumentId([id; 16]);
        self.documents.create(space, document, draft, self.person(), "new".into()).await.unwrap();
        document
    }

    pub async fn edit(&self, space: SpaceId, document: DocumentId, key: &str, value: &str) {
        let draft = RecordDraft::default().with(key, value);
        self.documents.edit(space, document, draft, None, self.person(), "edit".into()).await.unwrap();
    }

    /// The whole record as text, or why it is not shown.
    pub async fn show(&self, space: SpaceId, document: DocumentId) -> String {
        self.documents.flush(Stage::Indexed).await.unwrap();
        match self.documents.show(space, document).await {
            Ok(shown) => serde_json::to_string(&shown).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    /// Every record of a space as text, and the list of them.
    pub async fn everything(&self, space: SpaceId) -> Vec<String> {
        self.documents.flush(Stage::Summarised).await.unwrap();
        let listed = self.documents.list(space, DocumentQuery::default(), None, 10_000).await.unwrap();
        assert_eq!(listed.next, None);
        let mut all = Vec::new();
        for summary in listed.documents {
            all.push(serde_json::to_string(&summary).unwrap());
            all.push(self.show(space, summary.id).await);
        }
        all
    }

    pub async fn field(&self, space: SpaceId, document: DocumentId, key: &str) -> Option<String> {
        self.documents.flush(Stage::Indexed).await.unwrap();
        let shown = self.documents.show(space, document).await.ok()?;
        shown.record.fields.get(key).map(ToString::to_string)
    }
}

/// Waits until the store is let go of: threads that worked on it end a moment later than they say so.
fn released(home: &Path) {
    let file = fs::File::open(home.join("sled/db")).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
}

/// Overwrites a page in the middle of a data log. Answers with the places of the entries on it.
pub fn damage_page(home: &Path, space: SpaceId, log: LogKey) -> Range<u64> {
    let db = sled::Config::new().path(home.join("sled")).open().unwrap();
    let main = db.open_tree("main").unwrap();
    let name = [&[0][..], &space.0, &log.author.0, &log.log.0, &[LogKind::Data.byte()]].concat();
    let (key, _) = main.scan_prefix([2]).map(Result::unwrap).find(|(_, value)| **value == *name).unwrap();
    let pages = [&[3], &key[1..5]].concat();
    let pages: Vec<_> = main.scan_prefix(pages).map(|page| page.unwrap().0).collect();
    let seq = |key: &[u8]| u64::from_be_bytes(*key.last_chunk().unwrap());
    let [page, next] = [&pages[pages.len() / 2], &pages[pages.len() / 2 + 1]];
    main.insert(page, vec![0; 20]).unwrap();
    db.flush().unwrap();
    seq(page)..seq(next)
}

/// Lets two agencies know one another.
pub fn introduce(one: &Agency, other: &Agency) {
    one.order(Command::AddPeer { card: Box::new(identity(other.number).card) }).unwrap();
    other.order(Command::AddPeer { card: Box::new(identity(one.number).card) }).unwrap();
}

/// Connects two agencies until nothing is left to say.
pub fn sync(one: &Agency, other: &Agency) {
    sync_but(one, other, |_| false);
}

/// As [`sync`], losing every message that `loses` names.
pub fn sync_but(one: &Agency, other: &Agency, loses: impl Fn(&Message) -> bool) {
    let ends = [one, other];
    let mut wire: VecDeque<(usize, Message)> = VecDeque::new();
    let input = |to: usize, input: Input, wire: &mut VecDeque<(usize, Message)>| {
        let (_, sends) = ends[to].core().handle(input);
        let from = ends[to].core().store.clone();
        for send in sends {
            match send {
                Send::Message { message, .. } => wire.push_back((1 - to, message)),
                Send::Range { context, from: first, to: end, .. } => {
                    for pages in from.run_frames(&context, first, end, 256 << 10) {
                        wire.push_back((1 - to, Message::run(&context, pages.unwrap())));
                    }
                }
                Send::Payload { .. } => {}
                Send::Close { reason, .. } => panic!("{reason}"),
            }
        }
    };
    for to in [0, 1] {
        input(to, Input::Connected { peer: ends[1 - to].id() }, &mut wire);
    }
    while let Some((to, message)) = wire.pop_front() {
        if !loses(&message) {
            let frame = message.encode();
            input(to, Input::Received { peer: ends[1 - to].id(), frame }, &mut wire);
        }
    }
    for to in [0, 1] {
        input(to, Input::Disconnected { peer: ends[1 - to].id() }, &mut wire);
    }
}

/// `count` agencies that know one another; the first founds a space in which all others are writers and which all hold.
pub fn partnership(count: u8) -> (Vec<Agency>, SpaceId) {
    let agencies: Vec<Agency> = (1..=count).map(Agency::open).collect();
    for (index, one) in agencies.iter().enumerate() {
        agencies[index + 1..].iter().for_each(|other| introduce(one, other));
    }
    let space = agencies[0].found();
    agencies[1..].iter().for_each(|other| agencies[0].grant(space, other, Role::Writer));
    agencies[1..].iter().for_each(|other| sync(&agencies[0], other));
    (agencies, space)
}
