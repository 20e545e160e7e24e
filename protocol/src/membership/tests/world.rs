//! A world of nodes, each with its own view of one space. Entries are written with no regard to what is allowed, so that
//! tests can play the hostile part; hashes stand for signatures.

use std::sync::{Arc, OnceLock};

use crate::{
    card::{Card, Profile, SignedHeader},
    control::{Control, Cut, Epoch, Genesis, Grant, PreviousEpoch, Recipient, Remove, Role},
    crypto::{
        hash::Context,
        sealing::{Sealed, SealingSecret},
        signing::{PublicKey, SigningKey},
    },
    entry::{EntryRef, Heads, LogKey},
    id::{EntryHash, EpochId, LogId, NodeId, OrganisationId, SpaceId},
    membership::{
        ControlEntry, DataEntry, DataLog, DataPosition, InsertError, Inserted, Membership, Standing, StandingCache,
        epochs,
    },
    time::Timestamp,
};

pub const NODES: usize = 8;

pub struct Identity {
    pub id: NodeId,
    pub header: SignedHeader,
    pub sealing: Arc<SealingSecret>,
}

/// The same nodes in every test: making keys is slow.
pub fn identities() -> &'static [Identity] {
    static IDENTITIES: OnceLock<Vec<Identity>> = OnceLock::new();
    IDENTITIES.get_or_init(|| (0..NODES as u8).map(identity).collect())
}

fn identity(number: u8) -> Identity {
    let signing = SigningKey::from_seed(&[number + 1; 32]);
    let sealing = SealingSecret::from_seed(&[number + 101; 32]).unwrap();
    let profile = Profile { name: format!("node {number}"), country: "IT".into(), ..Profile::default() };
    let key = PublicKey([number; 32]);
    let card = Card::first(&signing, key, &sealing, key, profile, Timestamp(1)).unwrap();
    Identity { id: card.node(), header: card.first_header().clone(), sealing: Arc::new(sealing) }
}

pub fn id(node: usize) -> NodeId {
    identities()[node].id
}

#[derive(Clone)]
pub struct Data {
    pub reference: EntryRef,
    pub heads: Arc<Heads>,
    pub opening: Arc<Heads>,
    pub previous: Option<Arc<Heads>>,
    pub epoch: Option<EpochId>,
}

impl Data {
    pub fn position(&self) -> DataPosition<'_> {
        DataPosition {
            reference: self.reference,
            heads: &self.heads,
            opening_heads: &self.opening,
            predecessor_heads: None,
            previous_heads: self.previous.as_ref(),
            epoch: self.epoch,
        }
    }
}

pub struct Replica {
    pub membership: Membership,
    pub held: Vec<ControlEntry>,
    pub log: LogKey,
    pub data_log: LogKey,
    pub data: Vec<Data>,
}

pub struct World {
    pub space: SpaceId,
    pub replicas: Vec<Replica>,
    logs: u16,
}

impl World {
    /// A space founded by node 0, which alone holds it.
    pub fn new() -> World {
        let genesis = Genesis {
            nonce: [9; 32],
            roots: vec![identities()[0].header.header.keys.signing],
            threshold: 1,
            creator: identities()[0].header.clone(),
            organisation: OrganisationId([1; 16]),
        };
        let space = genesis.space();
        let mut world = World { space, replicas: Vec::new(), logs: 0 };
        for node in 0..NODES {
            let (log, data_log) = (world.fresh_log(node), world.fresh_log(node));
            let membership = Membership::new(space);
            world.replicas.push(Replica { membership, held: Vec::new(), log, data_log, data: Vec::new() });
        }
        world.write(0, &Control::Genesis(genesis));
        world
    }

    /// A founded space with these members, of which everybody knows.
    pub fn with(roles: &[(usize, Role)]) -> World {
        let mut world = World::new();
        for (node, role) in roles {
            world.grant(0, *node, *role);
        }
        world.sync_all();
        world
    }

    fn fresh_log(&mut self, node: usize) -> LogKey {
        self.logs += 1;
        LogKey {
            author: id(node),
            log: LogId(Context::ENTRY.hash(&[&self.logs.to_be_bytes()])[..16].try_into().unwrap()),
        }
    }

    pub fn reopen(&mut self, node: usize) {
        self.replicas[node].log = self.fresh_log(node);
        self.replicas[node].data_log = self.fresh_log(node);
    }

    pub fn view(&self, node: usize) -> &Membership {
        &self.replicas[node].membership
    }

    pub fn role(&self, viewer: usize, node: usize) -> Option<Role> {
        self.view(viewer).role(id(node))
    }

    pub fn write(&mut self, by: usize, payload: &Control) -> EntryRef {
        self.write_bytes(by, payload.encode())
    }

    pub fn write_bytes(&mut self, by: usize, payload: Vec<u8>) -> EntryRef {
        let heads = self.view(by).heads();
        self.write_citing(by, payload, heads)
    }

    pub fn write_citing(&mut self, by: usize, payload: Vec<u8>, heads: Arc<Heads>) -> EntryRef {
        let log = self.replicas[by].log;
        let seq = self.replicas[by].held.iter().filter(|entry| entry.reference.log == log).count() as u64;
        let hash = EntryHash(Context::ENTRY.hash(&[&log.author.0, &log.log.0, &[seq as u8], heads.hash(), &payload]));
        let reference = EntryRef { log, seq, hash };
        let entry = ControlEntry { reference, heads, predecessor: None, payload };
        assert_eq!(self.deliver(by, &entry), Ok(Inserted::New));
        reference
    }

    pub fn deliver(&mut self, to: usize, entry: &ControlEntry) -> Result<Inserted, InsertError> {
        let inserted = self.replicas[to].membership.insert(entry.clone())?;
        if inserted == Inserted::New {
            self.replicas[to].held.push(entry.clone());
        }
        Ok(inserted)
    }

    pub fn sync(&mut self, from: usize, to: usize) {
        for entry in self.replicas[from].held.clone() {
            self.deliver(to, &entry).unwrap();
        }
    }

    pub fn sync_all(&mut self) {
        for node in 1..NODES {
            self.sync(node, 0);
        }
        for node in 1..NODES {
            self.sync(0, node);
        }
    }

    pub fn grant(&mut self, by: usize, whom: usize, role: Role) -> EntryRef {
        self.write(by, &grant(whom, role))
    }

    /// Removes with cuts that leave everything standing that the remover's view and `data` show.
    pub fn remove(&mut self, by: usize, whom: usize) -> EntryRef {
        let cuts = self.cuts(by, whom);
        self.remove_at(by, whom, cuts)
    }

    pub fn remove_at(&mut self, by: usize, whom: usize, mut cuts: Vec<Cut>) -> EntryRef {
        cuts.sort_unstable();
        self.write(by, &Control::Remove(Remove { member: id(whom), cuts }))
    }

    pub fn cuts(&self, viewer: usize, whom: usize) -> Vec<Cut> {
        let control = self.replicas[viewer].held.iter().map(|entry| entry.reference);
        let data = self.replicas[whom].data.iter().map(|data| data.reference);
        let mut cuts: Vec<Cut> = Vec::new();
        for EntryRef { log, seq, hash } in control.chain(data).filter(|entry| entry.log.author == id(whom)) {
            match cuts.iter_mut().find(|cut| cut.log == log.log) {
                Some(cut) if cut.seq < seq => (cut.seq, cut.hash) = (seq, hash),
                Some(_) => {}
                None => cuts.push(Cut { log: log.log, seq, hash }),
            }
        }
        cuts.sort_unstable();
        cuts
    }

    /// An epoch as the rules want it, with nothing in its wraps.
    pub fn epoch_payload(&self, by: usize) -> Epoch {
        let view = self.view(by);
        let mut clock = view.graph.clock(&view.heads()).unwrap();
        if let Some(last) = view.graph.last(&self.replicas[by].log) {
            view.graph.add(&mut clock, last);
        }
        let sealed = Sealed { encapsulated: Vec::new(), ciphertext: Vec::new() };
        let recipients = epochs::readers(&view.graph, &view.proposed, &clock);
        let previous = view.epochs.maximal(&view.graph, &clock);
        Epoch {
            recipients: recipients.into_iter().map(|node| Recipient { node, sealed: sealed.clone() }).collect(),
            content_commitment: [self.replicas[by].held.len() as u8; 32],
            history_commitment: [0; 32],
            previous: previous.into_iter().map(|epoch| PreviousEpoch { epoch, sealed: Vec::new() }).collect(),
        }
    }

    pub fn epoch(&mut self, by: usize) -> EpochId {
        let payload = Control::Epoch(self.epoch_payload(by));
        EpochId(self.write(by, &payload).hash.0)
    }

    /// A data entry under the epoch that may be used, if there is one.
    pub fn data(&mut self, by: usize) -> Data {
        let heads = self.view(by).heads();
        let epoch = self.view(by).usable_epochs(&heads).first().copied();
        self.data_citing(by, heads, epoch)
    }

    pub fn data_citing(&mut self, by: usize, heads: Arc<Heads>, epoch: Option<EpochId>) -> Data {
        let log = self.replicas[by].data_log;
        let earlier: Vec<&Data> = self.replicas[by].data.iter().filter(|data| data.reference.log == log).collect();
        let seq = earlier.len() as u64;
        let previous = earlier.last().map(|data| data.heads.clone());
        let opening = earlier.first().map_or(heads.clone(), |data| data.opening.clone());
        let hash = EntryHash(Context::ENTRY.hash(&[&log.log.0, &[seq as u8], heads.hash()]));
        let data = Data { reference: EntryRef { log, seq, hash }, heads, opening, previous, epoch };
        self.replicas[by].data.push(data.clone());
        data
    }

    pub fn standing(&self, viewer: usize, data: &Data) -> Standing {
        self.view(viewer).standing(&data.position(), &mut StandingCache::default())
    }

    /// The exception as `viewer` sees it, over entries with their dependencies and all data logs.
    pub fn lifted(&self, viewer: usize, entries: &[(&Data, &[&Data])]) -> Vec<EntryRef> {
        let entries: Vec<DataEntry> = entries
            .iter()
            .map(|(data, dependencies)| DataEntry {
                reference: data.reference,
                standing: self.standing(viewer, data),
                heads: data.heads.clone(),
                dependencies: dependencies.iter().map(|dependency| dependency.reference).collect(),
            })
            .collect();
        super::super::lifted(self.view(viewer), &entries, &self.data_logs()).into_iter().collect()
    }

    fn data_logs(&self) -> Vec<DataLog> {
        let mut logs: Vec<DataLog> = Vec::new();
        for data in self.replicas.iter().flat_map(|replica| &replica.data) {
            match logs.iter_mut().find(|log| log.log == data.reference.log) {
                Some(log) => log.cited.push(data.heads.clone()),
                None => {
                    logs.push(DataLog { log: data.reference.log, predecessor: None, cited: vec![data.heads.clone()] });
                }
            }
        }
        logs
    }
}

pub fn grant(whom: usize, role: Role) -> Control {
    Control::Grant(Grant {
        member: identities()[whom].header.clone(),
        role,
        organisation: OrganisationId([whom as u8; 16]),
        history: true,
        secrets: Vec::new(),
    })
}
