//! Everything that decodes what came from elsewhere: the first byte chooses which. What is accepted has one form only, so it comes
//! out again as it went in.

use std::fmt::Debug;

use portolan_protocol::{
    api::{
        AddPeer, CardText, CreateDocument, DocumentQuery, EditDocument, ExportRequest, Grant, ImportItem, SyncRequest,
        VolumeQuery,
    },
    card::Card,
    change::ChangePayload,
    control::Control,
    crypto::signing::SigningKey,
    entry::{LogKey, LogKind},
    id::{DocumentId, NodeId, SpaceId},
    message::Message,
    page::{AuthenticRun, LogContext, PageReader, split, without_payloads},
    pouch::{Header, VolumeName, from_code, parse_directory_name, to_code},
    record::{RecordDraft, canonical_language, check, field_of, is_edtf},
};
use serde::{Serialize, de::DeserializeOwned};

/// See the head of the file.
pub fn decoders(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data);
    match choice % 16 {
        0 => same(Card::decode(data).ok().map(|card| card.encode()), data),
        1 => same(Control::decode(data).ok().map(|control| control.encode()), data),
        2 => same(Message::decode(data).ok().map(|message| message.encode()), data),
        3 => same(ChangePayload::decode(data).ok().map(|payload| payload.encode()), data),
        4 => pages(data),
        5 => drop(Header::parse(data)),
        6 => code(&text),
        7 => names(&text),
        8 => drop(CardText::from_armour(&text)),
        9 => drop(text.parse::<NodeId>().map(|id| assert_eq!(id.to_string(), text.to_ascii_lowercase()))),
        10 => drop(text.parse::<DocumentId>()),
        11 => {
            let _ = (is_edtf(&text), field_of(&text));
            let canonical = canonical_language(&text);
            assert_eq!(canonical.as_deref().and_then(canonical_language), canonical, "canonical once for all");
        }
        12 => drop(json::<RecordDraft>(data).map(|draft| check(&draft))),
        13 => drop((json::<CreateDocument>(data), json::<EditDocument>(data), json::<ImportItem>(data))),
        14 => drop((json::<AddPeer>(data), json::<Grant>(data), json::<ExportRequest>(data))),
        _ => drop((json::<DocumentQuery>(data), json::<SyncRequest>(data), json::<VolumeQuery>(data))),
    }
}

fn same(again: Option<Vec<u8>>, data: &[u8]) {
    assert!(again.is_none_or(|again| again == data), "decoded, and encoded otherwise");
}

/// A page that is read to its end can be cut and stripped; one that is signed can be verified.
fn pages(data: &[u8]) {
    let key = SigningKey::from_seed(&[1; 32]);
    let log = LogKey { author: NodeId([11; 32]), log: LogKind::Data.log_id([12; 16]) };
    let context = LogContext { space: SpaceId([10; 32]), log, kind: LogKind::Data };
    if let Ok(mut reader) = PageReader::new(&context, data) {
        let from = reader.next_seq();
        while let Ok(Some(_)) = reader.next() {}
        let page = [data.to_vec()];
        drop(without_payloads(&context, &page));
        drop(split(&context, &page, from.saturating_add(1)));
    }
    if let Ok(verifier) = key.public().verifier() {
        drop(AuthenticRun::verify(context, vec![data.to_vec()], &verifier));
    }
}

fn code(text: &str) {
    if let Ok(held) = from_code(text) {
        assert_eq!(from_code(&to_code(&held)).as_ref(), Ok(&held), "a code says the same again");
    }
}

fn names(text: &str) {
    if let Some(name) = VolumeName::parse(text) {
        assert_eq!(name.to_string(), text.to_ascii_lowercase(), "one name for a volume");
    }
    let _ = parse_directory_name(text);
}

/// What is read as JSON can be written, and is then read as the same.
fn json<T: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(data).ok()?;
    let again = serde_json::to_vec(&value).ok().and_then(|json| serde_json::from_slice::<T>(&json).ok());
    assert_eq!(again.as_ref(), Some(&value), "written and read again");
    Some(value)
}
