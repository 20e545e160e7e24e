//! The persons of this node: who each login of the system stands for, and what it may do here. Kept in `persons.json`.
//!
//! The superuser and the user that runs the daemon may do everything, listed or not: the system gives them the whole home
//! anyway. What they write unlisted is signed as the node's operator, a person that every home has.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use portolan_protocol::{
    api::{AddUser, Can, Right, User},
    change::{PERSON_NAME_BYTES_MAX, PersonRef},
    id::{PersonId, SpaceId},
    limits::SPACES_MAX,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    kept::{Kept, KeptError},
    logins,
};

/// Name of the file in the home directory.
pub const FILE: &str = "persons.json";
/// Most persons that a node keeps.
pub const PERSONS_MAX: usize = 4_096;

/// Why the list was not changed.
#[derive(Debug, Error)]
pub enum PersonsError {
    /// The system has no such login.
    #[error("the system knows no login `{0}`")]
    NoLogin(String),
    /// The login is not listed.
    #[error("the login `{0}` is not listed")]
    NotListed(String),
    /// A name that cannot be shown.
    #[error("a person's name has 1 to {PERSON_NAME_BYTES_MAX} bytes and no control characters")]
    Name,
    /// The list is full.
    #[error("the list is full")]
    Full,
    /// The system's directory of users does not answer.
    #[error("the system's directory of users does not answer: {0}")]
    System(#[from] std::io::Error),
    /// The file.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// The file. The default is that of a home without one: nobody is listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Roll {
    /// Who signs what an unlisted superuser writes.
    operator: PersonId,
    persons: BTreeMap<String, Row>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    person: PersonId,
    name: String,
    rights: Vec<Right>,
}

impl Row {
    fn user(&self, login: &str) -> User {
        User { login: login.into(), person: self.person, name: self.name.clone(), rights: self.rights.clone() }
    }
}

/// See the head of the file.
#[derive(Debug)]
pub struct Persons(Kept<Roll>);

/// A login that may come in, with what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The login.
    pub login: String,
    /// Whom it stands for.
    pub person: PersonRef,
    /// What it may do, sorted.
    pub rights: Vec<Right>,
}

impl Known {
    /// Whether the login may do this in a space, or everywhere.
    pub fn may(&self, can: Can, space: Option<&SpaceId>) -> bool {
        self.rights.iter().any(|right| right.can >= can && right.space.as_ref().is_none_or(|only| Some(only) == space))
    }

    /// Whether there is anything at all in which the login may do this.
    pub fn may_somewhere(&self, can: Can) -> bool {
        self.rights.iter().any(|right| right.can >= can)
    }
}

impl Persons {
    /// Makes the list of a new home, with its first login as an administrator.
    ///
    /// # Errors
    /// [`PersonsError::Kept`].
    pub fn create(home: &Path, login: &str, name: &str, rng: &mut impl CryptoRng) -> Result<User, PersonsError> {
        let persons = Persons::open(home)?;
        let (operator, person) = (draw(rng), draw(rng));
        let row = Row { person, name: name.into(), rights: vec![Right { can: Can::Admin, space: None }] };
        let user = row.user(login);
        persons.0.change(|roll| {
            *roll = Roll { operator, persons: BTreeMap::from([(login.to_owned(), row)]) };
            Ok::<_, PersonsError>(())
        })?;
        Ok(user)
    }

    /// Reads the list.
    ///
    /// # Errors
    /// [`PersonsError::Kept`].
    pub fn open(home: &Path) -> Result<Persons, PersonsError> {
        Ok(Persons(Kept::open(path(home))?))
    }

    /// Who a login of the system is here; none when it may not come in.
    pub fn known(&self, uid: u32, login: Option<&str>) -> Option<Known> {
        let roll = self.0.value();
        let listed = login.and_then(|login| roll.persons.get(login));
        let owner = uid == 0 || uid == logins::own_uid();
        if listed.is_none() && !owner {
            return None;
        }
        let login = login.map_or_else(|| format!("uid {uid}"), str::to_owned);
        let person = match listed {
            Some(row) => PersonRef { id: row.person, name: row.name.clone() },
            None => PersonRef { id: roll.operator, name: login.clone() },
        };
        let everything = Right { can: Can::Admin, space: None };
        let rights = if owner { vec![everything] } else { listed.map(|row| row.rights.clone()).unwrap_or_default() };
        Some(Known { login, person, rights })
    }

    /// Everybody listed, by login.
    pub fn list(&self) -> Vec<User> {
        self.0.value().persons.iter().map(|(login, row)| row.user(login)).collect()
    }

    /// Lists a login, or gives one that is listed another name and right. Blocks.
    ///
    /// # Errors
    /// [`PersonsError`]; nothing was changed then.
    pub fn add(&self, request: AddUser, rng: &mut impl CryptoRng) -> Result<User, PersonsError> {
        let AddUser { login, name, can, space } = request;
        if name.trim().is_empty() || name.len() > PERSON_NAME_BYTES_MAX || name.contains(char::is_control) {
            return Err(PersonsError::Name);
        }
        if !logins::exists(&login)? {
            return Err(PersonsError::NoLogin(login));
        }
        self.0.change(|roll| {
            if !roll.persons.contains_key(&login) && roll.persons.len() >= PERSONS_MAX {
                return Err(PersonsError::Full);
            }
            let row = roll.persons.entry(login.clone());
            let row = row.or_insert_with(|| Row { person: draw(rng), name: String::new(), rights: Vec::new() });
            row.name = name;
            row.rights.retain(|right| right.space != space);
            if row.rights.len() > SPACES_MAX {
                return Err(PersonsError::Full);
            }
            row.rights.push(Right { can, space });
            row.rights.sort_unstable();
            Ok(row.user(&login))
        })
    }

    /// Lists a login no more. Blocks.
    ///
    /// # Errors
    /// [`PersonsError`]; nothing was changed then.
    pub fn remove(&self, login: &str) -> Result<User, PersonsError> {
        self.0.change(|roll| {
            let row = roll.persons.remove(login).ok_or_else(|| PersonsError::NotListed(login.into()))?;
            Ok(row.user(login))
        })
    }
}

fn path(home: &Path) -> PathBuf {
    home.join(FILE)
}

fn draw(rng: &mut impl CryptoRng) -> PersonId {
    let mut id = PersonId::default();
    rng.fill_bytes(&mut id.0);
    id
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock;

    const SPACE: SpaceId = SpaceId([1; 32]);
    const OTHER: SpaceId = SpaceId([2; 32]);
    /// An account that every Debian and Fedora has and nothing runs as.
    const LOGIN: &str = "daemon";
    const UID: u32 = 1;

    fn add(can: Can, space: Option<SpaceId>) -> AddUser {
        AddUser { login: LOGIN.into(), name: "Amina".into(), can, space }
    }

    #[test]
    fn a_login_may_do_what_it_was_given_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        Persons::create(home.path(), "someone", "Someone", &mut clock::rng()).unwrap();
        let persons = Persons::open(home.path()).unwrap();
        assert_eq!(persons.known(UID, Some(LOGIN)), None);
        let user = persons.add(add(Can::Write, Some(SPACE)), &mut clock::rng()).unwrap();
        let known = persons.known(UID, Some(LOGIN)).unwrap();
        assert_eq!((known.person.id, &*known.person.name), (user.person, "Amina"));
        assert!(known.may(Can::Read, Some(&SPACE)) && known.may(Can::Write, Some(&SPACE)));
        assert!(!known.may(Can::Admin, Some(&SPACE)) && !known.may(Can::Read, Some(&OTHER)));
        assert!(!known.may(Can::Read, None) && known.may_somewhere(Can::Write));
        // The same space again replaces; another one adds. It is the same person throughout, also after a restart.
        persons.add(add(Can::Read, Some(SPACE)), &mut clock::rng()).unwrap();
        let again = persons.add(add(Can::Read, None), &mut clock::rng()).unwrap();
        assert_eq!((again.person, again.rights.len()), (user.person, 2));
        let persons = Persons::open(home.path()).unwrap();
        let known = persons.known(UID, Some(LOGIN)).unwrap();
        assert!(known.may(Can::Read, None) && !known.may(Can::Write, Some(&SPACE)));
        persons.remove(LOGIN).unwrap();
        assert_eq!(persons.known(UID, Some(LOGIN)), None);
        assert!(matches!(persons.remove(LOGIN), Err(PersonsError::NotListed(_))));
    }

    #[test]
    fn the_superuser_is_let_in_unlisted_and_signs_as_the_operator() {
        let home = tempfile::tempdir().unwrap();
        Persons::create(home.path(), "someone", "Someone", &mut clock::rng()).unwrap();
        let persons = Persons::open(home.path()).unwrap();
        let root = persons.known(0, Some("root")).unwrap();
        assert!(root.may(Can::Admin, None));
        assert_eq!(root.person.name, "root");
        assert_eq!(persons.known(0, None).unwrap().person.id, root.person.id);
        assert_ne!(root.person.id, persons.list()[0].person);
    }

    #[test]
    fn bad_names_and_unknown_logins_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let persons = Persons::open(home.path()).unwrap();
        for name in ["", " ", "a\nb", &"x".repeat(PERSON_NAME_BYTES_MAX + 1)] {
            let request = AddUser { name: name.into(), ..add(Can::Read, None) };
            assert!(matches!(persons.add(request, &mut clock::rng()), Err(PersonsError::Name)), "{name:?}");
        }
        let request = AddUser { login: "no-such-login-here".into(), ..add(Can::Read, None) };
        assert!(matches!(persons.add(request, &mut clock::rng()), Err(PersonsError::NoLogin(_))));
        assert!(persons.list().is_empty());
    }
}
