//! A card as text: base64 in JSON, and between two marker lines in files and mails.
//!
//! Nothing is verified here; [`crate::card::Card::decode`] does that.

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::limits::CARD_BYTES_MAX;

const BEGIN: &str = "-----BEGIN PORTOLAN CARD-----";
const END: &str = "-----END PORTOLAN CARD-----";
const LINE_BYTES: usize = 64;

/// Why a text holds no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArmourError {
    /// One or both marker lines are missing.
    #[error("no card: the lines `{BEGIN}` and `{END}` are missing")]
    Markers,
    /// The text between them is not base64.
    #[error("the card was damaged on its way: what stands between the two marker lines is not base64")]
    Base64,
    /// More than a card may hold.
    #[error("larger than a card may be ({CARD_BYTES_MAX} bytes)")]
    TooLong,
}

/// The bytes of a card, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardText(pub Vec<u8>);

impl CardText {
    /// The form for files and mails.
    pub fn armour(&self) -> String {
        let base64 = BASE64.encode(&self.0);
        let mut text = format!("{BEGIN}\n");
        for (index, character) in base64.chars().enumerate() {
            if index > 0 && index % LINE_BYTES == 0 {
                text.push('\n');
            }
            text.push(character);
        }
        text + "\n" + END + "\n"
    }

    /// Finds the card in a text; what stands before and after it, quotation marks of mails and line breaks are skipped.
    ///
    /// # Errors
    /// [`ArmourError`].
    pub fn from_armour(text: &str) -> Result<Self, ArmourError> {
        let (_, rest) = text.split_once(BEGIN).ok_or(ArmourError::Markers)?;
        let (body, _) = rest.split_once(END).ok_or(ArmourError::Markers)?;
        let base64: String = body.chars().filter(|c| !c.is_whitespace() && *c != '>').collect();
        Self::from_base64(&base64)
    }

    fn from_base64(base64: &str) -> Result<Self, ArmourError> {
        if base64.len() > CARD_BYTES_MAX.div_ceil(3) * 4 {
            return Err(ArmourError::TooLong);
        }
        BASE64.decode(base64.as_bytes()).map(Self).map_err(|_| ArmourError::Base64)
    }
}

impl Serialize for CardText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CardText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CardText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "contentEncoding": "base64" })
    }
}

impl<'de> Deserialize<'de> for CardText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_base64(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_card_survives_a_mail() {
        let card = CardText((0..=255).collect());
        let armour = card.armour();
        assert!(armour.lines().all(|line| line.len() <= LINE_BYTES));
        let quoted: String = armour.lines().map(|line| format!("> {line}\r\n")).collect();
        assert_eq!(CardText::from_armour(&format!("Dear Amina,\n{quoted}\nYours")), Ok(card.clone()));
        let json = serde_json::to_string(&card).unwrap();
        assert_eq!(serde_json::from_str::<CardText>(&json).unwrap(), card);
    }

    #[test]
    fn what_is_no_card_is_named() {
        assert_eq!(CardText::from_armour("hello"), Err(ArmourError::Markers));
        assert_eq!(CardText::from_armour(&format!("{BEGIN}\n?\n{END}")), Err(ArmourError::Base64));
        let long = CardText(vec![0; CARD_BYTES_MAX + 3]).armour();
        assert_eq!(CardText::from_armour(&long), Err(ArmourError::TooLong));
    }
}
