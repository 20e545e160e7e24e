//! One file made into a draft: what the file says, then what its place and the options say.

use portolan_protocol::{
    id::SpaceId,
    record::{RecordDraft, Value, Warning, canonical_language, check},
    record_id::imported_document,
};

use super::{
    content::{Content, ImportedFile},
    error::Fault,
    exported::Origin,
    fields::{Fields, Texts, flatten, flatten_as, scalar},
    html::Converter,
    images::{Place, Taken},
    language, markdown,
    text::{cut, decode},
    walk::{Format, Found},
};

/// The type of a file that does not name one.
pub const DEFAULT_TYPE: &str = "page";

/// Longest title, in bytes; it stands in lists.
const TITLE_BYTES_MAX: usize = 1_024;

/// Images left out that are named for each file, and how much of their address.
const LEFT_NAMED_MAX: usize = 20;
const LEFT_BYTES_MAX: usize = 200;

/// What the one who imports says about all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The space they go to; it is part of their documents' ids.
    pub space: SpaceId,
    /// What the source is called. The same name and relative path is the same document, wherever it is imported.
    pub source: String,
    /// The language of files that do not say their own.
    pub language: Option<String>,
    /// The language that the name of the source's directory tells, used last.
    pub directory_language: Option<String>,
    /// Flat fields for files that do not set them, such as `marking`, `originator` and `type`.
    pub defaults: Vec<(String, String)>,
}

impl Options {
    fn filler(&self, wanted: &str) -> Option<&str> {
        self.defaults.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }
}

/// Reads a file.
///
/// # Errors
/// [`Fault`].
pub fn read(found: &Found, options: &Options, converter: &Converter) -> Result<ImportedFile, Fault> {
    let text = decode(&found.read()?).ok_or(Fault::Encoding)?;
    let mut content = match found.format {
        Format::Markdown => markdown::read(&text).map_err(Fault::FrontMatter)?,
        Format::Html => converter.read(&text)?,
        // Such files hold many records, and are read by `rows`.
        Format::JsonLines | Format::Json | Format::Csv => return Err(Fault::NotAFile),
    };
    let lost = content.images_lost;
    let mut file = match Origin::take(&mut content.front_matter)? {
        Some(origin) => exported(&origin, content, &found.relative, options)?,
        None => of_content(content, &found.relative, options)?,
    };
    take_images(&mut file, found.place())?;
    file.images_left += lost;
    Ok(file)
}

/// Takes the images of all bodies, whatever their language and wherever in the file they stood.
fn take_images(file: &mut ImportedFile, place: Place<'_>) -> Result<(), Fault> {
    let mut taken = Taken::default();
    for (key, value) in &mut file.draft.fields {
        if let (Some(language), Value::Text(body)) = (key.strip_prefix("body/"), value) {
            *body = taken.take(body, language, place);
        }
    }
    // A body that calls its images by their names may be longer.
    check(&file.draft)?;
    file.warnings.extend(taken.left.iter().take(LEFT_NAMED_MAX).map(|(target, why)| Warning {
        path: String::new(),
        message: format!("the image {} {why}", cut(target, LEFT_BYTES_MAX)),
    }));
    file.images_left = taken.left.len();
    file.images = taken.images;
    Ok(())
}

/// The record that `content` becomes; `id` is what tells it from others of its source.
///
/// # Errors
/// [`Fault`].
pub fn of_content(content: Content, id: &str, options: &Options) -> Result<ImportedFile, Fault> {
    let (draft, dropped) = draft(content, id, options)?;
    let mut warnings = check(&draft)?;
    if dropped > 0 {
        warnings.push(Warning {
            path: String::new(),
            message: format!("{dropped} control or bidi override characters were left out"),
        });
    }
    Ok(ImportedFile {
        path: id.to_owned(),
        document: imported_document(&options.space, &options.source, id),
        base: None,
        draft,
        images: Vec::new(),
        images_left: 0,
        warnings,
    })
}

/// A record that was written out: what it says is taken letter by letter, and nothing is filled in.
fn exported(origin: &Origin, content: Content, path: &str, options: &Options) -> Result<ImportedFile, Fault> {
    let of = |key: &str| scalar(&content.front_matter, key).map(str::to_owned);
    let (kind, language) = (of("type"), of("language"));
    let body = content.body;
    let mut fields = flatten_as(content.front_matter, language.as_deref().unwrap_or_default(), Texts::AsTheyAre);
    if let Some(fault) = fields.faults.first() {
        return Err(Fault::FrontMatter(fault.clone()));
    }
    if !body.is_empty() {
        let language = language.as_deref().ok_or(Fault::NoLanguage)?;
        fields.values.insert(format!("body/{language}"), body.into());
    }
    fields.values.extend(kind.map(|kind| ("type".to_owned(), kind.into())));
    fields.values.extend(language.map(|language| ("language".to_owned(), language.into())));
    origin.imported(fields.values, path, &options.space)
}

fn draft(content: Content, path: &str, options: &Options) -> Result<(RecordDraft, usize), Fault> {
    if content.body.is_empty() && content.front_matter.is_empty() {
        return Err(Fault::Empty);
    }
    let language = language_of(&content, path, options)?;
    let kind = scalar(&content.front_matter, "type").or(options.filler("type")).unwrap_or(DEFAULT_TYPE).to_owned();
    let mut fields = flatten(content.front_matter, &language);
    if let Some(fault) = fields.faults.first() {
        return Err(Fault::FrontMatter(fault.clone()));
    }
    let title = content.title.unwrap_or_else(|| title_from(path));
    fill(&mut fields, format!("title/{language}"), cut(&title, TITLE_BYTES_MAX).to_owned());
    fill(&mut fields, format!("body/{language}"), content.body);
    fill(&mut fields, format!("summary/{language}"), content.summary.unwrap_or_default());
    fill(&mut fields, "source/name".into(), options.source.clone());
    fill(&mut fields, "source/path".into(), path.to_owned());
    fill(&mut fields, "source/uri".into(), content.canonical.unwrap_or_default());
    for (key, value) in options.defaults.iter().filter(|(key, _)| !matches!(key.as_str(), "type" | "language")) {
        fill(&mut fields, key.clone(), value.clone());
    }
    let draft = RecordDraft { fields: fields.values, ..RecordDraft::new(&kind, &language) };
    Ok((draft, fields.dropped + content.dropped))
}

/// Sets a field that the front matter did not.
fn fill(fields: &mut Fields, key: String, text: String) {
    if !fields.values.contains_key(&key) {
        fields.set(key, Value::Text(text));
    }
}

fn language_of(content: &Content, path: &str, options: &Options) -> Result<String, Fault> {
    let declared = scalar(&content.front_matter, "language").map(str::to_owned);
    if let Some(tag) = declared.or_else(|| options_language(content, options)) {
        return canonical_language(tag.trim()).ok_or(Fault::Language(tag));
    }
    language::in_path(path).or_else(|| options.directory_language.clone()).ok_or(Fault::NoLanguage)
}

/// What a page declares, unless it is no tag (`lang=""`, `lang="english"`), else what the options say.
fn options_language(content: &Content, options: &Options) -> Option<String> {
    content.language.as_deref().and_then(|tag| canonical_language(tag.trim())).or_else(|| options.language.clone())
}

/// A title from the name of a file: `first-exchange.fr.md` is `first exchange`.
fn title_from(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = match stem.rsplit_once('.') {
        Some((stem, end)) if language::narrow(end).is_some() => stem,
        _ => stem,
    };
    stem.replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn options() -> Options {
        Options { source: "guide".into(), ..Options::default() }
    }

    fn import(name: &str, text: &[u8], options: &Options) -> Result<ImportedFile, Fault> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, text).unwrap();
        let format = if name.ends_with(".md") { Format::Markdown } else { Format::Html };
        read(&Found { path, relative: name.into(), format }, options, &Converter::default())
    }

    fn field<'a>(file: &'a ImportedFile, key: &str) -> Option<&'a str> {
        file.draft.fields.get(key).and_then(Value::as_str)
    }

    #[test]
    fn what_the_file_says_goes_before_what_its_place_says() {
        let front = b"---\nlanguage: ar\ntitle: T\ntype: experience\n---\n# H\n\nbody ![i](i.png)";
        let file = import("fr/a.es.md", front, &options()).unwrap();
        assert_eq!(file.draft.language.as_deref(), Some("ar"));
        assert_eq!(file.draft.kind.as_deref(), Some("experience"));
        assert_eq!(field(&file, "title/ar"), Some("T"));
        assert_eq!(field(&file, "body/ar"), Some("body ![i](i.png)"));
        assert_eq!(field(&file, "source/path"), Some("fr/a.es.md"));
        assert_eq!((file.images.len(), file.images_left), (0, 1));
        let bare = import("fr/first-exchange.es.md", b"body", &options()).unwrap();
        assert_eq!(field(&bare, "title/es"), Some("first exchange"));
    }

    #[test]
    fn images_are_taken_from_all_bodies_under_names_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("d")).unwrap();
        for name in ["map.png", "d/map.png"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        let path = directory.path().join("page.md");
        let front =
            "---\nlanguage: fr\nbody: {ar: '![x](map.png)', fr: \"# H\\n\\n![y](d/map.png) ![z](map.png)\"}\n---\n";
        fs::write(&path, front).unwrap();
        let found = Found { path, relative: "page.md".into(), format: Format::Markdown };
        let file = read(&found, &options(), &Converter::default()).unwrap();
        assert_eq!(field(&file, "body/ar"), Some("![x](attachment:map.png)"));
        assert_eq!(field(&file, "body/fr"), Some("# H\n\n![y](attachment:d-map.png) ![z](attachment:map.png)"));
        let named: Vec<_> = file.images.iter().map(|image| (image.name.as_str(), image.language.as_str())).collect();
        assert_eq!(named, [("map.png", "ar"), ("d-map.png", "fr")]);
    }

    #[test]
    fn languages_in_their_order() {
        let language = |name: &str, text: &[u8], options: &Options| import(name, text, options).unwrap().draft.language;
        let given = Options { language: Some("pt_br".into()), ..options() };
        assert_eq!(language("fr/a.html", b"<html lang=ES><p>x", &given).as_deref(), Some("es"));
        assert_eq!(language("fr/a.html", b"<html lang=english!><p>x", &given).as_deref(), Some("pt-BR"));
        assert_eq!(language("fr/a.html", b"<p>x", &options()).as_deref(), Some("fr"));
        assert!(matches!(import("a.html", b"<p>x", &options()), Err(Fault::NoLanguage)));
        assert!(matches!(import("a.md", b"---\nlanguage: x y\n---\nx", &options()), Err(Fault::Language(_))));
    }

    #[test]
    fn defaults_fill_in_and_do_not_overrule() {
        let defaults = [("marking", "GREEN"), ("type", "training_material"), ("status", "draft")];
        let defaults = defaults.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let options = Options { defaults, ..options() };
        let file = import("a.fr.md", b"---\nmarking: RED\n---\nx", &options).unwrap();
        assert_eq!(file.draft.kind.as_deref(), Some("training_material"));
        assert_eq!((field(&file, "marking"), field(&file, "status")), (Some("RED"), Some("draft")));
        assert_eq!(field(&file, "type"), None);
    }

    #[test]
    fn faults_are_told_apart() {
        let fault = |name: &str, text: &[u8]| import(name, text, &options()).unwrap_err();
        assert!(matches!(fault("a.fr.md", b"caf\xe9"), Fault::Encoding));
        assert!(matches!(fault("a.fr.md", b" \n"), Fault::Empty));
        assert!(matches!(fault("a.fr.html", b"<script>x</script>"), Fault::Empty));
        assert!(matches!(fault("a.fr.md", b"---\na: [\n---\n"), Fault::FrontMatter(_)));
        assert!(matches!(fault("a.fr.md", b"---\nversion: 1.10\n---\n"), Fault::FrontMatter(_)));
        assert!(matches!(fault("a.fr.md", "x".repeat(300_000).as_bytes()), Fault::Refused(_)));
    }

    #[test]
    fn what_deceives_is_dropped_and_said() {
        let file = import("a.fr.md", "# A\u{202e}B\n\nx\u{1b}[2Jy".as_bytes(), &options()).unwrap();
        assert_eq!((field(&file, "title/fr"), field(&file, "body/fr")), (Some("AB"), Some("x[2Jy")));
        assert!(file.warnings.iter().any(|warning| warning.message.starts_with("2 control")));
    }

    /// An invented programme, with everything that the pages of such programmes say.
    const PAGES: [&str; 8] = [
        "type: programme
acronym: HS2
phase: 2
state: finished
actual: 2016-02/2019-12
duration: P4Y
predecessors: [harbours-1]
funding: {type: grant, instrument: Neighbours' fund}
contract_type: services
donors: [union, bank]
budget:
  - {amount: 4800000, currency: EUR, donor: union, label: Total}
  - {amount: \"1505750\", currency: XAF, donor: bank}
expertise: [{organisation: operator, term: short-term, days_delivered: 890.5}]
countries: {XA: beneficiary, XB: [beneficiary, covered]}
regions: [south-coast]
consortium:
  - {organisation: operator, role: lead, country: XC, contribution: Crises and harbours}
  - {organisation: college, role: partner}
components:
  - {title: Support to the league, text: Advice}
  - {title: Assistance facility, lead: operator, contributors: [college]}
objectives: [Safer harbours]
priorities: [{title: Smuggling, area: migrant-smuggling}, Forgery, Arson, Theft, Fraud, Piracy, Dumping]
milestones:
  - {title: Start, planned: 2016-01, actual: 2016-02}
  - {title: Network, actual: 2016-12, place: Port Azur, text: First meeting}
contacts: [{name: A. Example, function: Steering}]
figures: [{label: Beneficiaries, value: 9, unit: countries}]
legal_basis: Conclusions of the council
scope: Criminal justice
context: What changed
results: What came of it",
        "type: action
kind: exchange
series: exchanges
session: 1
component: facility
actual: 2019-03-25/2019-03-29
duration: P5D
place: Port Azur
hosts: [police]
organisers: [team, police]
countries: {XC: host}
programmes: [harbours-2]
agenda: [{starts: '09:00', text: Opening, speaker: The director}, Visit]
participants:
  - {name: Delegation, role: participant, country: XA, number: 2}
  - {name: Delegation, role: participant, country: XB}
attendance: 30
findings: Three gaps
decisions: [A course in autumn]
outcomes: [gap-1]
follow_up: The course",
        "type: strategy
version: 2.0-draft
priorities: [One, Two]
alignment: The policy cycle
aligned_with: [cycle]
adopted: {date: 2017-09, meeting: second, place: Northmoor, by: [high-level-meeting]}
period: 2017/2021",
        "type: organisation
kind: international-organisation
acronym: HB
mandate: Harbours
figures: [{label: Member states, value: 17}]
offices: [{kind: mission, place: Northmoor, country: XC}]
donors: [union]
website: https://hb.example",
        "type: exercise
kind: tabletop
actual: 2020-11
scenario: A ferry is late
injects: [{time: '10', phase: alert, text: A call}, {time: '20', phase: response, text: A fire}]
evaluation: It sailed",
        "type: news
kind: communique
published: 2019-02-25
event_date: 2019-03-25/2019-03-29
publisher: HB
countries: [XA, XB]
links: [{target: 'https://hb.example/facts', label: Fact sheet}]
attachments: {h1: {name: photo.jpg, credit: Port police, role: image, media_type: image/jpeg}}",
        "type: network
kind: analysts
established: 2016-12
mandate: To name threats
hosts: [centre]
managed_by: [contact-points]
members: [{name: A, role: contact-point, country: XA, valid_from: 2017-01}]",
        "type: assistance_request
country: XB
need: Divers
gaps: [gap-1]
component: facility
decision: accepted
decided: 2018-05-07
experts: [e1]
days_planned: 12
days_used: 8.5",
    ];

    #[test]
    fn everything_that_the_pages_of_a_programme_say_finds_a_field_and_no_warning() {
        let defaults =
            [("marking", "GREEN"), ("originator", "HB")].map(|(key, value)| (key.into(), value.into())).to_vec();
        let options = Options { defaults, ..options() };
        for page in PAGES {
            let file = import("a.en.md", format!("---\n{page}\n---\n\nText.").as_bytes(), &options).unwrap();
            assert_eq!(file.warnings, [], "{page}");
        }
    }
}
