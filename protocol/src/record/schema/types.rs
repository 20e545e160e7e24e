//! The types of record, by name. Types that are not here are kept and passed on like these.

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordType {
    /// Its name, as it stands under `type`.
    pub name: &'static str,
    /// What records of it hold, in a few English words.
    pub meaning: &'static str,
}

const fn record(name: &'static str, meaning: &'static str) -> RecordType {
    RecordType { name, meaning }
}

/// The types that this release knows.
pub const RECORD_TYPES: &[RecordType] = &[
    record("page", "free text: a guide, a note, a template"),
    record("experience", "what happened, what was learned from it, what others should do"),
    record("training_material", "material for a course, with its objectives and audience"),
    record("practice", "a good practice, doctrine, procedure or guideline, step by step"),
    record("capacity_gap", "something a service cannot do yet, and what addresses it"),
    record("threat_note", "a graded statement about a threat"),
    record("thread", "a question or a subject for discussion"),
    record("post", "a reply in a thread"),
    record("action", "a training, exchange, meeting, workshop or mission"),
    record("exercise", "a scenario with its injects and its evaluation"),
    record("expert_profile", "what an expert can do, in which languages, and for how long"),
    record("contact_point", "who answers for a service, in which function, from when to when"),
    record("organisation", "an agency, an academy, a ministry, a body"),
    record("network", "a network, panel, forum or consortium and its members"),
    record("programme", "a programme or project: dates, budget, donors, components, milestones"),
    record("strategy", "a strategy in one version: priorities, objectives, adoption"),
    record("assistance_request", "a request for technical assistance, and what became of it"),
    record("alert", "a warning with instructions, and who has acknowledged it"),
    record("news", "a communiqué or an announcement"),
    record("scheme", "a vocabulary: the list that concepts belong to"),
    record("concept", "a term of a vocabulary, with its labels in each language"),
    record("space", "the settings of a space; there is one, under a fixed id"),
];

/// The names alone; a new record is of the first type unless it says otherwise.
pub const TYPES: [&str; RECORD_TYPES.len()] = {
    let mut names = [""; RECORD_TYPES.len()];
    let mut index = 0;
    while index < RECORD_TYPES.len() {
        names[index] = RECORD_TYPES[index].name;
        index += 1;
    }
    names
};
