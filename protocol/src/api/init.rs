//! Making a home: what `portolan init` hands to `portoland init`, and what comes back.
//!
//! `portoland init --home HOME` reads one [`InitRequest`] from its standard input, and writes one [`InitAnswer`] to its
//! standard output. It exits with 0 or with the code of the error's kind. No daemon runs yet, so this is no route.

use serde::{Deserialize, Serialize};

use super::{error::ApiError, peer::CardAnswer};
use crate::id::{Incarnation, PersonId};

/// What a new node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InitRequest {
    /// The node's name, such as "Rome Academy".
    pub name: String,
    /// The organisation's name.
    pub organisation: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// `address:port` at which to listen; the daemon's default where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Whether the node keeps off every network.
    #[serde(default)]
    pub offline: bool,
    /// `host:port` for the card, in order of preference; may be given later.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// A home was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InitResult {
    /// The home.
    pub home: String,
    /// The node's first card.
    pub card: CardAnswer,
    /// The store's incarnation.
    pub incarnation: Incarnation,
    /// The login that made the home; it is an administrator of the node.
    pub login: String,
    /// The person that the login stands for.
    pub person: PersonId,
    /// Where the configuration is.
    pub config: String,
    /// The secret recovery key as text. It is shown this once, is not in the home, and belongs on paper in a safe.
    pub recovery_key: String,
}

/// The answer of `portoland init`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InitAnswer {
    /// `{"done": ...}`
    Done(Box<InitResult>),
    /// `{"failed": ...}`: nothing was made.
    Failed(ApiError),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::api::error::ErrorKind;

    #[test]
    fn the_answer_says_done_or_failed() {
        let failed = InitAnswer::Failed(ApiError::new(ErrorKind::Conflict, "there is a node already"));
        let json = r#"{"failed":{"kind":"conflict","message":"there is a node already","safe":"","next":""}}"#;
        assert_eq!(serde_json::to_string(&failed).unwrap(), json);
        assert_eq!(serde_json::from_str::<InitAnswer>(json).unwrap(), failed);
    }
}
