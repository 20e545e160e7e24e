//! Persons of a node and what their logins may do. Local to the node; what a node may do in a space is its role.

use serde::{Deserialize, Serialize};

use crate::id::{PersonId, SpaceId};

/// What a login may do, lowest first; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Can {
    /// See records and the status.
    Read,
    /// Change records and import.
    Write,
    /// Manage users, peers and spaces; check and rebuild.
    Admin,
}

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Right {
    /// What.
    pub can: Can,
    /// In which space; in all spaces where it is null. `admin` of one space manages its members and epochs alone.
    pub space: Option<SpaceId>,
}

/// `POST /v1/users`: gives a login a right. For a login that is listed the right is added, or replaces the one for the
/// same space, and the name is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// The login name on this machine; it must exist.
    pub login: String,
    /// The person's display name, which enters every change that the person makes.
    pub name: String,
    /// What the person may do.
    pub can: Can,
    /// In which space; in all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<SpaceId>,
}

/// A person of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// The login name.
    pub login: String,
    /// The stable id that changes name. A login that is removed and added again becomes a new person.
    pub person: PersonId,
    /// The display name.
    pub name: String,
    /// What the login may do, sorted.
    pub rights: Vec<Right>,
}

/// `GET /v1/users`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Users {
    /// Sorted by login.
    pub users: Vec<User>,
}
