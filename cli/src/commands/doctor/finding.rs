//! One thing that a doctor finds.

use serde::Serialize;

use crate::error::ApiError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// Something does not work, or is not safe.
    Problem,
    /// It works, and somebody should look.
    Warning,
    /// Good to know.
    Hint,
}

/// See the head of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What it concerns: `clock`, `files`, `disk`, `daemon`, `peers`, `spaces` or `users`.
    pub(super) topic: &'static str,
    pub(super) message: String,
    /// What to do; empty where there is nothing.
    pub(super) next: String,
}

impl Finding {
    pub(super) fn problem(topic: &'static str, message: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { level: Level::Problem, topic, message: message.into(), next: next.into() }
    }

    pub(super) fn warning(topic: &'static str, message: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { level: Level::Warning, ..Finding::problem(topic, message, next) }
    }

    pub(super) fn hint(topic: &'static str, message: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { level: Level::Hint, ..Finding::problem(topic, message, next) }
    }

    /// What an error says, as a problem.
    pub(super) fn of_error(topic: &'static str, error: ApiError) -> Finding {
        Finding::problem(topic, error.message, error.next)
    }
}
