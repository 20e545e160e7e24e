//! Which attachments go into a pouch: those that records of its spaces name, that all recipients may read, that are held here, and that
//! not all of them are known to hold.

use portolan_protocol::{
    attachment::Layout,
    id::{AttachmentId, NodeId, SpaceId},
    limits::{FILES_TOLD_MAX, POUCH_FILES_MAX},
    pouch::{Load, Plan, PouchFile},
};

use tracing::warn;

use super::{
    archive::{LeftOut, Told},
    error::PouchesError,
    handle::{Order, Pouches},
};
use crate::attachments::Attachments;

impl Pouches {
    /// Puts attachments into a plan, the smallest first. Tells what was left out: all of them where records cannot be looked at, since
    /// entries can be carried all the same.
    pub(super) async fn choose(&self, order: &Order, plan: &mut Plan) -> Result<LeftOut, PouchesError> {
        match self.chosen(order, plan).await {
            Err(PouchesError::Attachments(error)) => {
                warn!(%error, "a pouch carries no files: which ones records name is not known");
                Ok(LeftOut { is_unknown: true, ..LeftOut::default() })
            }
            other => other,
        }
    }

    async fn chosen(&self, order: &Order, plan: &mut Plan) -> Result<LeftOut, PouchesError> {
        let mut left_out = LeftOut::default();
        let Some(attachments) = &self.0.attachments else { return Ok(left_out) };
        let mut spaces = attachments.readable_by(&plan.recipients);
        if let [_] = plan.recipients[..] {
            plan.told = Some(self.held_in(attachments, &spaces).await?);
        }
        if order.load == Load::Receipts {
            return Ok(left_out);
        }
        spaces.retain(|space| order.space.is_none_or(|only| only == *space));
        let holders = Holders::new(self, attachments, &plan.recipients, order.load);
        let named = attachments.named_in(&spaces).await?;
        for id in named {
            let held = attachments.files().held(&id).map(Layout::of_ciphertext);
            match held {
                Some(Ok(layout)) if !order.attachments.wants(layout.plaintext_bytes()) => left_out.larger += 1,
                Some(Ok(_)) if holders.all_hold(&id) => left_out.known += 1,
                Some(Ok(layout)) => {
                    plan.files.push(PouchFile { attachment: id, bytes: layout.ciphertext_bytes() });
                }
                _ => left_out.missing += 1,
            }
        }
        plan.files.sort_unstable_by_key(|file| (file.bytes, file.attachment));
        left_out.too_many = plan.files.len().saturating_sub(POUCH_FILES_MAX) as u64;
        plan.files.truncate(POUCH_FILES_MAX);
        Ok(left_out)
    }

    /// What this node holds, in order.
    async fn held_in(
        &self,
        attachments: &Attachments,
        spaces: &std::collections::BTreeSet<SpaceId>,
    ) -> Result<Vec<AttachmentId>, PouchesError> {
        let named = attachments.named_in(spaces).await?.into_iter();
        Ok(named.filter(|id| attachments.files().held(id).is_some()).take(FILES_TOLD_MAX).collect())
    }
}

/// What is known of what recipients hold.
struct Holders<'a> {
    attachments: &'a Attachments,
    /// None where nothing is to be left out.
    told: Option<Vec<(NodeId, Told)>>,
}

impl<'a> Holders<'a> {
    fn new(pouches: &Pouches, attachments: &'a Attachments, recipients: &[NodeId], load: Load) -> Holders<'a> {
        if load == Load::Everything {
            return Holders { attachments, told: None };
        }
        let told = recipients.iter().map(|node| (*node, pouches.0.archive.told(node)));
        Holders { attachments, told: Some(told.collect()) }
    }

    /// Whether all of them said that they hold it: on a connection, or by pouch. What was said last counts.
    fn all_hold(&self, id: &AttachmentId) -> bool {
        let Some(told) = &self.told else { return false };
        let answers = self.attachments.told(id);
        told.iter().all(|(node, by_pouch)| {
            let answer = answers.iter().find(|(by, _)| by == node).map(|(_, answer)| answer);
            match answer {
                Some(answer) if answer.when > by_pouch.taken => answer.held,
                _ => by_pouch.files.binary_search(id).is_ok(),
            }
        })
    }
}
