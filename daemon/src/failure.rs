//! What each failure of the daemon means to the person who asked: its kind, what is safe, what to do next.

use std::io;

use portolan_protocol::{
    api::{ApiError, ErrorKind},
    attachment::AttachmentError,
    input::CommandError,
    node::LoadError,
    pouch::PouchError,
};

use crate::{
    attachments::AttachmentsError,
    automerge_door::{EditError, Fault},
    config::ConfigError,
    documents::DocumentError,
    engine::EngineError,
    home::HomeError,
    init::InitError,
    kept::KeptError,
    keystore::KeystoreError,
    looks::LooksError,
    persons::PersonsError,
    pouches::PouchesError,
    search::SearchError,
    store::StoreError,
    transport::TransportError,
};

const KEPT: &str = "What was acknowledged before is kept.";
const MAKE_ROOM: &str = "Make room on the disk, then try again.";
const TAKEN_STAYS: &str = "Nothing was lost. What was taken before is kept, and importing again adds nothing twice.";
const NOTHING_CHANGED: &str = "Nothing was changed.";

/// An error with what is safe and what to do next, where there is something to say.
fn say(kind: ErrorKind, message: impl ToString, safe: &str, next: &str) -> ApiError {
    ApiError::new(kind, message.to_string()).safe(safe).next(next)
}

/// A failure of the file system.
fn system(error: &io::Error, message: &str, safe: &str) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => say(ErrorKind::DiskFull, message, safe, MAKE_ROOM),
        io::ErrorKind::PermissionDenied => {
            let next = "Run it as the user that the files belong to, or give them to the user that runs it.";
            say(ErrorKind::Forbidden, message, safe, next)
        }
        _ => say(ErrorKind::Io, message, safe, ""),
    }
}

/// The core refuses.
fn refused(error: CommandError) -> ApiError {
    let (kind, next) = match &error {
        CommandError::UnknownSpace | CommandError::UnknownPeer => (ErrorKind::NotFound, ""),
        CommandError::NotAllowed(_) => {
            (ErrorKind::Forbidden, "`portolan space members` shows who has which role, and so who can help.")
        }
        CommandError::LogChanged => (ErrorKind::Conflict, "Try again."),
        CommandError::TooLarge => (ErrorKind::Usage, ""),
        CommandError::UpgradeNeeded => (ErrorKind::Conflict, "Install the newer release on this node."),
        CommandError::Limit(_) => (ErrorKind::Conflict, ""),
        CommandError::NothingShared => {
            (ErrorKind::Conflict, "Let them in with `portolan space grant`, or export to each by itself.")
        }
        CommandError::Unpacking(_) => {
            (ErrorKind::PouchRefused, "Tell the sender; its program is at fault, or its keys are in other hands.")
        }
        CommandError::NoReceipt(_) => {
            (ErrorKind::PouchRefused, "Compare the code with the one that was shown, or ask for it again.")
        }
    };
    say(kind, error, NOTHING_CHANGED, next)
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> ApiError {
        match error {
            EngineError::Refused(error) => refused(error),
            EngineError::Stopped => {
                say(ErrorKind::Unavailable, error, KEPT, "See `portolan status` when it runs again.")
            }
            EngineError::Full => say(ErrorKind::DiskFull, error, KEPT, MAKE_ROOM),
        }
    }
}

impl From<PouchesError> for ApiError {
    fn from(error: PouchesError) -> ApiError {
        match error {
            PouchesError::Engine(error) => error.into(),
            PouchesError::Kept(error) => error.into(),
            PouchesError::Store(error) => error.into(),
            PouchesError::Attachments(error) => error.into(),
            PouchesError::FileDamaged(_) => say(
                ErrorKind::PouchDamaged,
                error,
                "Records are taken all the same, and so is what came whole of the file.",
                "Copy the volume again and import it, or ask the sender for another; a partner that is connected gives the rest as well.",
            ),
            PouchesError::Pouch(error) => volume_refused(&error),
            PouchesError::Write(_) => say(ErrorKind::Usage, error, NOTHING_CHANGED, ""),
            PouchesError::Code(_) => {
                say(ErrorKind::Usage, error, NOTHING_CHANGED, "Compare it with the one that was shown, line by line.")
            }
            PouchesError::TooSmall(_) => {
                say(ErrorKind::Usage, error, NOTHING_CHANGED, "Choose larger volumes with --volume-size.")
            }
            PouchesError::Unknown(_) => {
                say(ErrorKind::NotFound, error, NOTHING_CHANGED, "`portolan pouch list` shows those it knows.")
            }
            PouchesError::OtherLife | PouchesError::NoMember(_) => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Export a new pouch.")
            }
            PouchesError::NoVolume(_) => say(ErrorKind::Conflict, error, NOTHING_CHANGED, ""),
            PouchesError::NoPeer(_) => {
                say(ErrorKind::NotFound, error, NOTHING_CHANGED, "Export a new pouch for those who still are.")
            }
            PouchesError::TooMuch => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Export each space by itself with --space.")
            }
            PouchesError::NoRoom { .. } => say(ErrorKind::DiskFull, error, TAKEN_STAYS, MAKE_ROOM),
            PouchesError::Length { .. } | PouchesError::Cut(_) => {
                say(ErrorKind::Incomplete, error, TAKEN_STAYS, "Import it again.")
            }
            PouchesError::Staging(ref source) => system(source, &error.to_string(), TAKEN_STAYS),
            PouchesError::Gone => say(ErrorKind::Incomplete, error, KEPT, ""),
            PouchesError::Unexpected => say(ErrorKind::Internal, error, KEPT, ""),
        }
    }
}

impl From<AttachmentsError> for ApiError {
    fn from(error: AttachmentsError) -> ApiError {
        const RESUMES: &str = "What was fetched of it is kept, and fetching goes on from there.";
        match error {
            AttachmentsError::Documents(error) => error.into(),
            AttachmentsError::Store(error) => error.into(),
            AttachmentsError::Attachment(AttachmentError::CannotOpen) => say(
                ErrorKind::Damaged,
                error,
                KEPT,
                "See whether the file is whole (`portolan attachment verify`), and who last wrote its key (`portolan doc history`).",
            ),
            AttachmentsError::Attachment(AttachmentError::Suite(_)) => {
                say(ErrorKind::Conflict, error, KEPT, "Install the newer release on this node.")
            }
            AttachmentsError::Attachment(_) => say(ErrorKind::Usage, error, NOTHING_CHANGED, ""),
            AttachmentsError::File(ref source) => system(source, &error.to_string(), NOTHING_CHANGED),
            AttachmentsError::NoRoom { .. } => say(ErrorKind::DiskFull, error, NOTHING_CHANGED, MAKE_ROOM),
            AttachmentsError::Length { .. } | AttachmentsError::Cut(_) => {
                say(ErrorKind::Incomplete, error, NOTHING_CHANGED, "Try again.")
            }
            AttachmentsError::Damaged(_) => {
                say(ErrorKind::Damaged, error, KEPT, "Fetch it again from a partner: `portolan attachment get`.")
            }
            AttachmentsError::Missing { .. } => say(
                ErrorKind::NotFound,
                error,
                RESUMES,
                "Try again when a partner who holds it is connected: `portolan attachment list` tells who does.",
            ),
            AttachmentsError::Unsaid(..) => say(
                ErrorKind::NotFound,
                error,
                NOTHING_CHANGED,
                "`portolan attachment list` shows what the record has.",
            ),
            AttachmentsError::Unnamed(_) => say(
                ErrorKind::NotFound,
                error,
                "Records are taken all the same.",
                "Import the volumes that come before, then this one again.",
            ),
            AttachmentsError::Liar { .. } | AttachmentsError::Later => {
                say(ErrorKind::Incomplete, error, RESUMES, "Try again.")
            }
            AttachmentsError::Behind => say(
                ErrorKind::Unavailable,
                error,
                "Nothing was removed.",
                "Try again later; `portolan status` shows what is not looked at or held yet.",
            ),
            AttachmentsError::Unexpected => say(ErrorKind::Internal, error, KEPT, ""),
        }
    }
}

/// What a volume is, if it is no good.
pub fn volume_refused(error: &PouchError) -> ApiError {
    let (kind, next) = match error {
        PouchError::NotAPouch | PouchError::Damaged { .. } | PouchError::Truncated { .. } => (
            ErrorKind::PouchDamaged,
            "Copy the volume again, or ask the sender for another; the other volumes can be used.",
        ),
        PouchError::Future(_) => (ErrorKind::Conflict, "Install the newer release on this node."),
        PouchError::NotForThisNode => {
            (ErrorKind::PouchRefused, "Give it to the node that it is for, or ask the sender whom it named.")
        }
        PouchError::UnknownSender(_) => {
            (ErrorKind::PouchRefused, "Introduce the sender with `portolan peer add`, then import again.")
        }
        PouchError::Altered { .. } | PouchError::BadSignature(_) | PouchError::Readdressed(_) => {
            (ErrorKind::PouchRefused, "Do not use it. Tell the sender, and keep the medium for those who look into it.")
        }
        PouchError::Bound(_) | PouchError::Malformed(_) | PouchError::Frame(_) => {
            (ErrorKind::PouchRefused, "Tell the sender; its program is at fault.")
        }
    };
    say(kind, error, TAKEN_STAYS, next)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match &error {
            StoreError::Locked { .. } => say(
                ErrorKind::Conflict,
                error,
                NOTHING_CHANGED,
                "Stop the daemon that runs on this home, or use that one.",
            ),
            StoreError::Format { .. } => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Install the release that wrote it, or a later one.")
            }
            StoreError::Full { .. } => say(ErrorKind::DiskFull, error, KEPT, MAKE_ROOM),
            StoreError::Io { source, .. } => system(source, &error.to_string(), KEPT),
            StoreError::Damaged(_) => say(
                ErrorKind::Damaged,
                error,
                "Peers still hold what they have receipted, and this node's keys are whole.",
                "Copy the directory `store` away. Then restore it from a backup; or remove it, start, and introduce the peers \
                 again with `portolan peer add`: entries come back from them by sync.",
            ),
            StoreError::Poisoned => say(
                ErrorKind::Unavailable,
                error,
                KEPT,
                "The service starts anew by itself; see its log for the cause.",
            ),
            StoreError::NotContinuing { .. } | StoreError::NoGap { .. } | StoreError::Key(_) => {
                say(ErrorKind::Internal, error, KEPT, "")
            }
        }
    }
}

/// A record that this node cannot open.
fn unopened(fault: &Fault, error: &DocumentError) -> ApiError {
    let (kind, next) = match fault {
        // Deriving it anew would end at the same limit, and take away the snapshot from before.
        Fault::TooLarge(_) | Fault::Entangled(_) => {
            (ErrorKind::Conflict, "Go on in a new record. `portolan check --rebuild` does not help.")
        }
        Fault::Failed(_) | Fault::Panicked(_) => (ErrorKind::Internal, "Upgrade, then `portolan check --rebuild`."),
    };
    say(kind, error, "Its entries are held and passed on.", next)
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> ApiError {
        let next = match error {
            SearchError::NotOpen | SearchError::Damaged => "Try again in a moment.",
            SearchError::Unwritable => {
                "See the service's log for the cause; `portolan doc list` needs no search index."
            }
            SearchError::Stopped => "See `portolan status` when it runs again.",
        };
        say(ErrorKind::Unavailable, error, "Records and lists do not depend on it.", next)
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> ApiError {
        match error {
            DocumentError::Command(error) => refused(error),
            DocumentError::Store(error) => error.into(),
            DocumentError::UnknownSpace | DocumentError::NotFound(_) => say(ErrorKind::NotFound, error, "", ""),
            DocumentError::Edit(EditError::Fault(fault)) => DocumentError::Fault(fault).into(),
            DocumentError::Fault(ref fault) => unopened(fault, &error),
            DocumentError::Edit(EditError::TooMuchHistory(_)) => say(
                ErrorKind::Conflict,
                error,
                NOTHING_CHANGED,
                "Go on in a new record; this one can still be read and deleted.",
            ),
            DocumentError::BadPrefix(_) | DocumentError::TooLong { .. } | DocumentError::Edit(_) => {
                say(ErrorKind::Usage, error, NOTHING_CHANGED, "")
            }
            DocumentError::NotContested(_) => {
                let next = "`portolan doc conflicts` shows what is contested; `portolan doc edit` changes any field.";
                say(ErrorKind::Usage, error, NOTHING_CHANGED, next)
            }
            DocumentError::NoSuchValue { .. } => {
                say(ErrorKind::Usage, error, NOTHING_CHANGED, "`portolan doc conflicts` shows them with their numbers.")
            }
            DocumentError::Lowers { .. } => {
                let next = "Choose this one or a more restrictive one. Lowering a marking is for its originator.";
                say(ErrorKind::Forbidden, error, NOTHING_CHANGED, next)
            }
            DocumentError::Exists(_) => say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Edit it instead."),
            DocumentError::UnknownHeads(_) => say(
                ErrorKind::Conflict,
                error,
                NOTHING_CHANGED,
                "Look at the record again and go on from what it shows; `portolan doc history` names its states.",
            ),
            DocumentError::Full => say(ErrorKind::DiskFull, error, KEPT, MAKE_ROOM),
            DocumentError::Behind(ref cause) => match **cause {
                StoreError::Full { .. } => say(ErrorKind::DiskFull, error, KEPT, MAKE_ROOM),
                _ => say(ErrorKind::Io, error, KEPT, "See the service's log for the cause."),
            },
            DocumentError::Search(error) => error.into(),
            DocumentError::Overtaken => say(ErrorKind::Conflict, error, KEPT, ""),
            DocumentError::NotConnected | DocumentError::Stopped => {
                say(ErrorKind::Unavailable, error, KEPT, "See `portolan status` when it runs again.")
            }
        }
    }
}

impl From<KeptError> for ApiError {
    fn from(error: KeptError) -> ApiError {
        match &error {
            KeptError::File { source, .. } => system(source, &error.to_string(), NOTHING_CHANGED),
            KeptError::Damaged { .. } => say(ErrorKind::Damaged, error, "", "Restore the file from a backup."),
        }
    }
}

impl From<PersonsError> for ApiError {
    fn from(error: PersonsError) -> ApiError {
        match error {
            PersonsError::Kept(error) => error.into(),
            PersonsError::NoLogin(_) => {
                say(ErrorKind::NotFound, error, NOTHING_CHANGED, "Make the login on this machine first (`useradd`).")
            }
            PersonsError::NotListed(_) => say(ErrorKind::NotFound, error, NOTHING_CHANGED, "See `portolan user list`."),
            PersonsError::Name => say(ErrorKind::Usage, error, NOTHING_CHANGED, ""),
            PersonsError::Full => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Remove logins that are not needed.")
            }
            PersonsError::System(_) => say(ErrorKind::Unavailable, error, NOTHING_CHANGED, "Try again."),
        }
    }
}

impl From<LooksError> for ApiError {
    fn from(error: LooksError) -> ApiError {
        match error {
            LooksError::Kept(error) => error.into(),
            LooksError::Full => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "Look from a place that is there already.")
            }
        }
    }
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> ApiError {
        match &error {
            ConfigError::File { source, .. } => system(source, &error.to_string(), NOTHING_CHANGED),
            _ => say(ErrorKind::Usage, error, NOTHING_CHANGED, "Correct the file, then start again."),
        }
    }
}

impl From<KeystoreError> for ApiError {
    fn from(error: KeystoreError) -> ApiError {
        match &error {
            KeystoreError::File { source, .. } => system(source, &error.to_string(), NOTHING_CHANGED),
            KeystoreError::Open { .. } | KeystoreError::Owner { .. } => {
                say(ErrorKind::Forbidden, error, NOTHING_CHANGED, "")
            }
            KeystoreError::Exists { .. } | KeystoreError::Version { .. } => {
                say(ErrorKind::Conflict, error, NOTHING_CHANGED, "")
            }
            KeystoreError::Corrupt { .. } => say(ErrorKind::Damaged, error, NOTHING_CHANGED, ""),
        }
    }
}

impl From<HomeError> for ApiError {
    fn from(error: HomeError) -> ApiError {
        match error {
            HomeError::None(_) => {
                say(ErrorKind::NotFound, error, "", "Make one with `portolan init`, or name another with --home.")
            }
            HomeError::Keys(error) => error.into(),
            HomeError::Unusable(_) => {
                say(ErrorKind::Damaged, error, NOTHING_CHANGED, "Restore the keys from a backup.")
            }
            HomeError::Kept(error) => error.into(),
            HomeError::Persons(error) => error.into(),
            HomeError::Card { .. } => {
                say(ErrorKind::Damaged, error, NOTHING_CHANGED, "Restore the file from a backup.")
            }
            HomeError::Profile(error) => say(ErrorKind::Usage, error, NOTHING_CHANGED, ""),
        }
    }
}

impl From<InitError> for ApiError {
    fn from(error: InitError) -> ApiError {
        match error {
            InitError::Profile(_) | InitError::Request(_) => say(ErrorKind::Usage, error, "Nothing was made.", ""),
            InitError::Taken(_) => say(
                ErrorKind::Conflict,
                error,
                "Nothing was made.",
                "Name an empty directory, or one that is not there yet.",
            ),
            InitError::Exists(_) => {
                say(ErrorKind::Conflict, error, "It was not touched.", "Use it, or name another directory with --home.")
            }
            InitError::Directory { ref source, .. } => system(source, &error.to_string(), "Nothing was made."),
            InitError::Config(error) => error.into(),
            InitError::Keys(error) => error.into(),
            InitError::Unusable(_) => say(ErrorKind::Internal, error, "Nothing was made.", ""),
            InitError::Kept(error) => error.into(),
            InitError::Persons(error) => error.into(),
            InitError::Store(error) => error.into(),
        }
    }
}

impl From<TransportError> for ApiError {
    fn from(error: TransportError) -> ApiError {
        match &error {
            TransportError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => say(
                ErrorKind::Conflict,
                error,
                NOTHING_CHANGED,
                "Stop what uses the port, or set another address under `listen` in config.toml.",
            ),
            TransportError::Listen { source, .. } => system(source, &error.to_string(), NOTHING_CHANGED),
            _ => say(ErrorKind::Internal, error, NOTHING_CHANGED, ""),
        }
    }
}

/// The secrets and the card do not fit together.
pub fn unloadable(error: LoadError) -> ApiError {
    say(ErrorKind::Damaged, error, NOTHING_CHANGED, "Restore `keys` and `card` from the same backup.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causality::Entangled;

    #[test]
    fn a_record_that_is_too_large_for_this_node_is_not_to_be_derived_anew() {
        for fault in [Fault::TooLarge(9_000_000), Fault::Entangled(Entangled)] {
            let told = ApiError::from(DocumentError::Fault(fault.clone()));
            assert_eq!(told.kind, ErrorKind::Conflict);
            assert!(told.next.starts_with("Go on in a new record."), "{}", told.next);
            assert_eq!(told, ApiError::from(DocumentError::Edit(EditError::Fault(fault))));
        }
        let failed = Fault::Panicked("no words".to_owned());
        let told = ApiError::from(DocumentError::Edit(EditError::Fault(failed.clone())));
        assert_eq!(told.kind, ErrorKind::Internal, "a fault of ours is none of the one who asked");
        assert!(told.next.starts_with("Upgrade"), "{}", told.next);
        assert_eq!(told.next, ApiError::from(DocumentError::Fault(failed)).next);
        let full = ApiError::from(DocumentError::Edit(EditError::TooMuchHistory(8_000_000)));
        assert_eq!(full.kind, ErrorKind::Conflict);
    }
}
