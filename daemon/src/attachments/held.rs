//! What is here, and what of it nothing refers to any more.

use std::{collections::BTreeSet, time::Duration};

use super::{
    error::{AttachmentsError, blocking},
    files::Held,
    handle::Attachments,
};
use crate::documents::Stage;

/// What came less long ago may be named by a record that is still on its way.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Attachments {
    /// All that are here, with whether a record of some space refers to each.
    ///
    /// # Errors
    /// [`AttachmentsError`].
    pub async fn all(&self) -> Result<Vec<(Held, bool)>, AttachmentsError> {
        let files = self.files().clone();
        let all = blocking(move || files.list()).await?;
        let mut referenced = BTreeSet::new();
        let documents = &self.shared().documents;
        documents.each_reference(|reference| referenced.extend([reference.attachment])).await?;
        Ok(all.into_iter().map(|held| (held, referenced.contains(&held.id))).collect())
    }

    /// Those that no record refers to, and that have been here for a day.
    ///
    /// # Errors
    /// [`AttachmentsError::Behind`] while it is not known what all records say.
    pub async fn unreferenced(&self) -> Result<Vec<Held>, AttachmentsError> {
        self.must_know_all().await?;
        let all = self.all().await?.into_iter();
        Ok(all.filter(|(held, referenced)| !referenced && held.age > FORGOTTEN_AFTER).map(|(held, _)| held).collect())
    }

    /// Removes those that no record refers to.
    ///
    /// # Errors
    /// As [`Attachments::unreferenced`].
    pub async fn prune(&self) -> Result<Vec<Held>, AttachmentsError> {
        let unreferenced = self.unreferenced().await?;
        let files = self.files().clone();
        blocking(move || {
            let mut removed = Vec::new();
            for held in unreferenced {
                // Since it was listed it may have come again, for a record that is on its way.
                if files.age(&held.id).is_some_and(|age| age > FORGOTTEN_AFTER) {
                    files.remove(&held.id)?;
                    removed.push(held);
                }
            }
            Ok(removed)
        })
        .await
    }

    /// Refuses while records were not looked at, or cannot be.
    async fn must_know_all(&self) -> Result<(), AttachmentsError> {
        let shared = self.shared();
        shared.documents.flush(Stage::Summarised).await?;
        for view in shared.engine.views() {
            let progress = shared.documents.progress(view.space).await?;
            let unseen = progress.gaps + progress.sealed + progress.waiting + progress.faults + progress.damaged_logs;
            if progress.entries_to_index > 0 || progress.indexed < progress.total || unseen > 0 {
                return Err(AttachmentsError::Behind);
            }
        }
        Ok(())
    }
}
