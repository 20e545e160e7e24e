//! Markings: the Traffic Light Protocol 2.0, and how concurrent ones join.

use std::fmt;

use super::Value;

/// A TLP 2.0 label, least restrictive first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Marking {
    /// No limit on disclosure.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients, need to know.
    Amber,
    /// The organisation alone.
    AmberStrict,
    /// The named recipients alone.
    Red,
}

impl Marking {
    /// Reads a label, with or without the prefix `TLP:`, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        match upper.strip_prefix("TLP:").unwrap_or(&upper) {
            "CLEAR" => Some(Marking::Clear),
            "GREEN" => Some(Marking::Green),
            "AMBER" => Some(Marking::Amber),
            "AMBER+STRICT" => Some(Marking::AmberStrict),
            "RED" => Some(Marking::Red),
            _ => None,
        }
    }

    /// The label as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Marking::Clear => "CLEAR",
            Marking::Green => "GREEN",
            Marking::Amber => "AMBER",
            Marking::AmberStrict => "AMBER+STRICT",
            Marking::Red => "RED",
        }
    }
}

impl fmt::Display for Marking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The most restrictive of concurrent markings, in its stored spelling.
///
/// A label that this release does not know counts as more restrictive than RED: a newer node may have meant it so.
pub fn join_markings<'a>(labels: impl IntoIterator<Item = &'a str>) -> Option<String> {
    labels
        .into_iter()
        .map(|label| match Marking::parse(label) {
            Some(known) => (Some(known), known.as_str()),
            None => (None, label),
        })
        .max_by_key(|&(known, label)| (known.is_none(), known, label))
        .map(|(_, label)| label.to_owned())
}

/// Whether `marking` says less than `held` does; none says least.
pub fn is_lower_marking(held: &str, marking: &Value) -> bool {
    match marking.as_str() {
        Some(label) if !label.is_empty() => join_markings([held, label]) != join_markings([label]),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrent_markings_become_the_most_restrictive() {
        assert_eq!(join_markings(["GREEN", "AMBER+STRICT", "AMBER"]).as_deref(), Some("AMBER+STRICT"));
        assert_eq!(join_markings(["tlp:clear", "GREEN"]).as_deref(), Some("GREEN"));
        assert_eq!(join_markings([]), None);
    }

    #[test]
    fn an_unknown_label_outranks_red_in_any_order() {
        assert_eq!(join_markings(["RED", "VIOLET", "INDIGO"]).as_deref(), Some("VIOLET"));
        assert_eq!(join_markings(["INDIGO", "VIOLET", "RED"]).as_deref(), Some("VIOLET"));
    }
}
