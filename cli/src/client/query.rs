//! Paths and queries of the local API.

use serde::Serialize;

use crate::error::{Result, internal};

pub(super) fn with_query(path: &str, query: &impl Serialize) -> Result<String> {
    let value = serde_json::to_value(query).map_err(|error| internal(error.to_string()))?;
    let mut out = path.to_owned();
    for (name, value) in value.as_object().into_iter().flatten() {
        let value = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(&encode(name));
        out.push('=');
        out.push_str(&encode(&value));
    }
    Ok(out)
}

/// One segment of a path, or one part of a query, percent-encoded.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
