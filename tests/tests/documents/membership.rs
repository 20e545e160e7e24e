//! What membership takes away disappears, what others stand on stays, and what was closed opens when the key comes.

use portolan_daemon::documents::{ChangeStanding, DocumentError, Stage};
use portolan_protocol::{
    control::Role,
    input::{Command, CommandError},
    membership::Reason,
    record::RecordDraft,
};

use crate::world::{partnership, sync};

fn page(title: &str) -> RecordDraft {
    RecordDraft::new("page", "en").with("title/en", title)
}

#[tokio::test]
async fn later_work_of_a_removed_member_disappears_save_what_others_stand_on() {
    let (agencies, space) = partnership(3);
    let [rome, tunis, paris] = &agencies[..] else { panic!() };
    let chart = rome.create(space, 1, page("Chart")).await;
    let pier = rome.create(space, 2, page("Pier")).await;
    let early = tunis.create(space, 3, page("Early")).await;
    agencies
        .iter()
        .for_each(|one| agencies.iter().filter(|other| other.number > one.number).for_each(|other| sync(one, other)));
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    // Tunis goes on where Rome does not see it; Paris builds on one of the two.
    tunis.edit(space, chart, "title/en", "Chart by Tunis").await;
    tunis.edit(space, pier, "title/en", "Pier by Tunis").await;
    let late = tunis.create(space, 4, page("Late")).await;
    sync(tunis, paris);
    paris.documents.flush(Stage::Indexed).await.unwrap();
    paris.edit(space, chart, "status", "review").await;
    assert_eq!(paris.field(space, pier, "title/en").await.as_deref(), Some("Pier by Tunis"));
    assert_eq!(paris.everything(space).await.len(), 8);
    rome.order(Command::Revoke { space, member: tunis.id() }).unwrap();
    sync(rome, paris);
    for one in [paris, rome] {
        assert_eq!(one.field(space, chart, "title/en").await.as_deref(), Some("Chart by Tunis"), "{}", one.number);
        assert_eq!(one.field(space, chart, "status").await.as_deref(), Some("review"));
        assert_eq!(one.field(space, pier, "title/en").await.as_deref(), Some("Pier"));
        assert_eq!(one.field(space, early, "title/en").await.as_deref(), Some("Early"));
        assert!(one.show(space, late).await.starts_with("there is no record"));
    }
    assert_eq!(rome.everything(space).await, paris.everything(space).await);
    assert_eq!(rome.everything(space).await.len(), 6, "what disappeared is not listed either");
    let standings = |history: Vec<portolan_daemon::documents::HistoryItem>| -> Vec<ChangeStanding> {
        history.into_iter().map(|item| item.standing).collect()
    };
    let of_chart = standings(rome.documents.history(space, chart).await.unwrap());
    assert_eq!(of_chart, [ChangeStanding::Accepted, ChangeStanding::Lifted, ChangeStanding::Accepted]);
    let of_pier = standings(rome.documents.history(space, pier).await.unwrap());
    assert!(matches!(of_pier[1], ChangeStanding::Quarantined(Reason::Cut { .. })), "{of_pier:?}");
    assert_eq!(rome.documents.progress(space).await.unwrap().quarantined, 3);
    assert_eq!(rome.documents.held_back(space, 10).await.unwrap().len(), 3);
    // Granted anew it writes into a new log, and that stands.
    rome.grant(space, tunis, Role::Writer);
    sync(rome, tunis);
    assert_eq!(tunis.field(space, pier, "title/en").await.as_deref(), Some("Pier"), "its own work as well");
    tunis.edit(space, pier, "title/en", "Pier, once more").await;
    sync(rome, tunis);
    assert_eq!(rome.field(space, pier, "title/en").await.as_deref(), Some("Pier, once more"));
}

#[tokio::test]
async fn who_may_not_write_is_told_so() {
    let (agencies, space) = partnership(2);
    let [rome, tunis] = &agencies[..] else { panic!() };
    let chart = rome.create(space, 1, page("Chart")).await;
    sync(rome, tunis);
    rome.order(Command::Revoke { space, member: tunis.id() }).unwrap();
    sync(rome, tunis);
    tunis.documents.flush(Stage::Indexed).await.unwrap();
    let draft = RecordDraft::default().with("title/en", "Mine");
    let error = tunis.documents.edit(space, chart, draft, None, tunis.person(), String::new()).await.unwrap_err();
    assert!(matches!(error, DocumentError::Command(CommandError::NotAllowed(_))), "{error}");
    assert_eq!(tunis.field(space, chart, "title/en").await.as_deref(), Some("Chart"));
}

#[tokio::test]
async fn what_a_relay_holds_closed_opens_when_it_may_read() {
    let (agencies, space) = partnership(2);
    let [rome, _] = &agencies[..] else { panic!() };
    let relay = crate::world::Agency::open(9);
    crate::world::introduce(rome, &relay);
    rome.grant(space, &relay, Role::Relay);
    let chart = rome.create(space, 1, page("Chart")).await;
    sync(rome, &relay);
    assert!(relay.show(space, chart).await.starts_with("there is no record"));
    assert_eq!(relay.documents.progress(space).await.unwrap().sealed, 1);
    rome.grant(space, &relay, Role::Reader);
    sync(rome, &relay);
    assert_eq!(relay.everything(space).await, rome.everything(space).await);
    assert_eq!(relay.documents.progress(space).await.unwrap().sealed, 0);
}
