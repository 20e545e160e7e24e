//! Sticks between machines of a world: volumes are written, lost, delayed, brought twice and in any order, and read.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use portolan_protocol::{
    id::{NodeId, PouchId, SpaceId},
    input::{Command, CommandError, Reply, Volume, VolumeReport},
    page::LogContext,
    pouch::{
        Address, Carried, Closing, End, First, Held, Load, Packer, Padding, Position, PouchFile, Source, Span,
        VolumeReader,
    },
    time::Timestamp,
};
use rand_core::Rng;

use super::{
    disk::Disk,
    machine::{Machine, Sent},
    network::Place,
    universe::World,
};
use crate::checkers::secrecy;

/// A volume takes this much beside entries: what a small pouch begins with.
pub const SMALL_VOLUME_BYTES: u64 = 96 << 10;
/// Bytes that are handed to a reader at a time.
const PIECE_BYTES: usize = 10_000;

/// What came of reading a volume.
#[derive(Debug, Default)]
pub struct Read {
    /// Entries and payloads that are held since.
    pub new: u64,
    /// How the volume ended.
    pub report: VolumeReport,
}

struct FromDisk<'a>(&'a Disk);

impl Source for FromDisk<'_> {
    type Error = std::convert::Infallible;

    fn pages(&mut self, span: &Span, _: u64) -> Result<Option<First>, Self::Error> {
        // Few entries at a time, so that small volumes end within spans.
        let to = span.to.min(span.from + 16);
        Ok(self.0.pages(&span.context, span.from, to).map(|pages| First { pages, reached: to }))
    }

    fn payload(&mut self, context: &LogContext, seq: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.0.payload(context, seq))
    }

    fn holds(&mut self, _: &PouchFile) -> bool {
        false
    }

    fn piece(&mut self, _: &PouchFile, _: &Range<u64>) -> Option<Vec<u8>> {
        None
    }
}

impl World {
    /// Writes a pouch. No volumes where the power fails meanwhile.
    ///
    /// # Errors
    /// What the core answers.
    ///
    /// # Panics
    /// When what was planned cannot be written.
    #[allow(clippy::expect_used, reason = "a failing test")]
    pub fn export(
        &mut self,
        at: Place,
        to: &[Place],
        space: Option<SpaceId>,
        load: Load,
        volume_bytes: u64,
    ) -> Result<Vec<Vec<u8>>, CommandError> {
        let recipients: Vec<NodeId> = to.iter().map(|place| self.id(*place)).collect();
        let Some(reply) = self.try_command(at, Command::Pack { recipients, space, load }) else {
            return Ok(Vec::new());
        };
        let Reply::Plan(plan) = reply? else { unreachable!("a plan is answered with one") };
        let sealing = |place: &Place| (self.id(*place), self.machines[*place].identity.card.keys().sealing.clone());
        let recipients: Vec<_> = to.iter().map(sealing).collect();
        let mut pouch = PouchId::default();
        self.rng.fill_bytes(&mut pouch.0);
        let now = self.machines[at].clock.read(self.now_ms());
        let Machine { disk, identity, sent, name, .. } = &mut self.machines[at];
        let (mut volumes, mut kept, mut position) = (Vec::new(), Vec::new(), Some(Position::default()));
        while let Some(from) = position {
            let number = volumes.len() as u16 + 1;
            let address = Address {
                pouch,
                volume: number,
                sender: identity.card.node(),
                key: &identity.signing,
                recipients: recipients.clone(),
                time: now,
            };
            let mut volume = Vec::new();
            let padding = Padding::None;
            let mut packer = Packer::begin(&plan, from, address, volume_bytes, padding, &mut self.rng, &mut volume)
                .expect("recipients with usable keys");
            while packer.step(&mut FromDisk(disk), &mut volume).expect("what fits a volume") {}
            let packed = packer.close(&mut volume).expect("a volume has room for its end");
            assert!(!secrecy::reveals(&volume), "{name} writes plaintext on a stick");
            kept.push((number, packed.written.contents));
            volumes.push(volume);
            position = packed.next;
        }
        sent.insert(pouch, Sent { plan: *plan, kept });
        Ok(volumes)
    }

    /// Reads a volume: nothing where the power fails meanwhile.
    ///
    /// # Errors
    /// What was refused, in words.
    pub fn import(&mut self, at: Place, volume: &[u8]) -> Result<Option<Read>, String> {
        let senders = |machine: &Machine| {
            let peers = machine.node().map(portolan_protocol::node::Node::status).into_iter().flat_map(|s| s.peers);
            let keys = peers.filter_map(|peer| Some((peer.card.node(), peer.card.keys().signing.verifier().ok()?)));
            keys.collect::<BTreeMap<_, _>>()
        };
        let machine = &self.machines[at];
        let keys = senders(machine);
        let mut reader = VolumeReader::new(machine.id(), machine.identity.sealing.clone());
        let mut read = Read::default();
        for piece in volume.chunks(PIECE_BYTES) {
            let carried = reader.push(piece, &|id| keys.get(id).cloned()).map_err(|error| error.to_string())?;
            let Some(from) = reader.opening().map(|opening| (opening.sender, opening.pouch, opening.time)) else {
                continue;
            };
            if !self.take_carried(at, from, carried, &mut read)? {
                return Ok(None);
            }
        }
        let End { carried, opening, closing, .. } =
            reader.finish(&|id| keys.get(id).cloned()).map_err(|error| error.to_string())?;
        let sender = opening.sender;
        if !self.take_carried(at, (sender, opening.pouch, opening.time), carried, &mut read)? {
            return Ok(None);
        }
        let Closing { pouch, volume: number, contents, .. } = closing;
        self.end_volume(at, sender, Volume { pouch, number, contents, contradicted: BTreeSet::new() }, read)
    }

    /// Ends a volume, and those again that waited for it.
    fn end_volume(&mut self, at: Place, peer: NodeId, volume: Volume, read: Read) -> Result<Option<Read>, String> {
        let disk = &self.machines[at].disk;
        let extents = volume.contents.extents().map(|(space, extent)| (space, *extent));
        let contradicted = extents.filter(|(space, extent)| {
            let log = disk.logs(*space).find(|log| log.context.log == extent.log);
            let last = log.and_then(|log| log.entries.get(usize::try_from(extent.to - 1).ok()?));
            last.is_some_and(|last| last.hash != extent.head)
        });
        let whole = Volume { contradicted: contradicted.collect(), ..volume };
        match self.try_command(at, Command::EndVolume { peer, whole: Some(whole) }) {
            Some(Ok(Reply::Volume(mut report))) => {
                for earlier in std::mem::take(&mut report.again) {
                    let Some(again) = self.end_volume(at, peer, earlier, Read::default())? else { return Ok(None) };
                    report.held = again.report.held.filter(|_| report.held.is_some()).or(report.held);
                }
                Ok(Some(Read { report: *report, ..read }))
            }
            Some(other) => Err(format!("{other:?}")),
            None => Ok(None),
        }
    }

    /// False when the power failed.
    fn take_carried(
        &mut self,
        at: Place,
        (peer, pouch, said): (NodeId, PouchId, Timestamp),
        carried: Vec<Carried>,
        read: &mut Read,
    ) -> Result<bool, String> {
        for carried in carried {
            let reply = match carried {
                Carried::Message(message) => {
                    self.try_command(at, Command::Unpack { peer, pouch, said, message: Box::new(message) })
                }
                Carried::Held(held) => self.take_held(at, held),
                // A world has no attachments.
                Carried::Files(_) | Carried::Piece(_) => continue,
            };
            match reply {
                Some(Ok(Reply::Unpacked(new))) => read.new += new,
                Some(Ok(_)) => {}
                // A receipt for what is not known any more says nothing.
                Some(Err(CommandError::NoReceipt(_))) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// A machine is given somebody's word for volumes that it sent.
    pub fn take_held(&mut self, at: Place, held: Held) -> Option<Result<Reply, CommandError>> {
        let Some(sent) = self.machines[at].sent.get(&held.pouch).cloned() else {
            return Some(Err(CommandError::NoReceipt("no pouch of this node")));
        };
        let Sent { plan, kept } = sent;
        let recipients = plan.recipients.clone();
        self.try_command(at, Command::TakeHeld { recipients, held, kept, plan: Box::new(plan) })
    }
}
