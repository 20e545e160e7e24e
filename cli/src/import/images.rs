//! The images that a body refers to: those that lie below what is imported become files of the record, and the body then calls them
//! `attachment:NAME`. Others stay as they are, and are named. A door to the library that reads Markdown.
//!
//! Nothing is fetched, nothing outside of the directory is read, no link is followed, and only what is called an image is taken: a page
//! from elsewhere must not make a record of what lies beside it.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use rustix::fs::{Mode, OFlags, open, openat};

use super::text::clean_line;

/// How a body refers to a file of its record, before the name.
const ATTACHMENT: &str = "attachment:";

/// Endings of names that images have.
const ENDINGS: [&str; 11] = ["apng", "avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"];

/// Images of one record that are taken; a record has few files that are looked at.
const IMAGES_MAX: usize = 512;

/// Largest image that is taken, in bytes. It travels to everyone who holds the record.
const IMAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest name of a file, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// An image that becomes a file of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What the record calls it.
    pub name: String,
    /// What it shows, as the body says it; may be empty.
    pub alternative: String,
    /// The language of the body that says it.
    pub language: String,
    /// The directory that is imported.
    root: PathBuf,
    /// The way from there.
    parts: Vec<String>,
}

impl Image {
    /// Its path, for messages.
    pub fn path(&self) -> PathBuf {
        self.parts.iter().fold(self.root.clone(), |path, part| path.join(part))
    }

    /// The file. No link is followed on the way from the directory that is imported.
    ///
    /// # Errors
    /// It cannot be read, or it or a directory on the way is a link or something else.
    pub fn open(&self) -> io::Result<File> {
        let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut directory = open(&self.root, way, Mode::empty())?;
        let (last, between) = self.parts.split_last().ok_or(io::ErrorKind::NotFound)?;
        for part in between {
            directory = openat(&directory, part, way | OFlags::NOFOLLOW, Mode::empty())?;
        }
        // A pipe put in the file's place would block without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&directory, last, flags, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

/// What became of the images of the bodies of a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Those that are taken, each once.
    pub images: Vec<Image>,
    /// References that stay as they are: the address, and why.
    pub left: Vec<(String, &'static str)>,
    /// The names of those that are taken, by the way to them.
    by_path: BTreeMap<Vec<String>, String>,
}

/// Where a file lies that refers to images.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The directory that is imported.
    pub root: &'a Path,
    /// The file's path below it, `/` between the parts.
    pub relative: &'a str,
}

impl Taken {
    /// Takes the images of a body in `language`; the body then calls them by their names.
    pub fn take(&mut self, body: &str, language: &str, place: Place<'_>) -> String {
        let (mut out, mut written) = (String::with_capacity(body.len()), 0);
        for reference in references(body) {
            if reference.target.starts_with(ATTACHMENT) {
                continue;
            }
            match self.image(&reference, language, place) {
                Ok(name) => {
                    out.push_str(body.get(written..reference.range.start).unwrap_or_default());
                    out.push_str(&reference.called(body, &name));
                    written = reference.range.end;
                }
                Err(why) => self.left.push((reference.target, why)),
            }
        }
        out.push_str(body.get(written..).unwrap_or_default());
        out
    }

    /// The name of the image that is meant.
    fn image(&mut self, reference: &Reference, language: &str, place: Place<'_>) -> Result<String, &'static str> {
        let parts = way(&reference.target, place.relative)?;
        if let Some(name) = self.by_path.get(&parts) {
            return Ok(name.clone());
        }
        if self.images.len() >= IMAGES_MAX {
            return Err("is one of too many images of one record");
        }
        let (own, long) = (parts.last().cloned().unwrap_or_default(), parts.join("-"));
        let is_free = |name: &String| self.images.iter().all(|image| image.name != *name);
        let name = [own, long].into_iter().find(is_free).ok_or("has the name of another image of the record")?;
        if name.len() > NAME_BYTES_MAX || clean_line(&name).0 != name {
            return Err("has a name that no file of a record can have");
        }
        let alternative = clean_line(&reference.alternative).0;
        let image = Image {
            name: name.clone(),
            alternative,
            language: language.to_owned(),
            root: place.root.to_owned(),
            parts: parts.clone(),
        };
        let size =
            image.open().and_then(|file| file.metadata()).map(|found| found.len()).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::NotFound => "is not there",
                    io::ErrorKind::PermissionDenied => "cannot be read",
                    _ => "is a link, lies behind one, or is no file",
                }
            })?;
        if size > IMAGE_BYTES_MAX {
            return Err("is too large: more than 64 MiB");
        }
        self.by_path.insert(parts, name.clone());
        self.images.push(image);
        Ok(name)
    }
}

/// An image as a body has it.
#[derive(Debug)]
struct Reference {
    /// All of it.
    range: Range<usize>,
    /// Its alternative text as it is written.
    inner: Range<usize>,
    alternative: String,
    target: String,
    title: String,
}

impl Reference {
    /// The same image, called by the name of a file of the record.
    fn called(&self, body: &str, name: &str) -> String {
        let inner = body.get(self.inner.clone()).unwrap_or_default();
        let title = match self.title.as_str() {
            "" => String::new(),
            title => format!(" \"{}\"", title.replace('\\', "\\\\").replace('"', "\\\"")),
        };
        format!("![{inner}]({ATTACHMENT}{}{title})", encoded(name))
    }
}

/// The images of a body, in order; those within another's alternative text aside.
fn references(body: &str) -> Vec<Reference> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut references: Vec<Reference> = Vec::new();
    let mut depth = 0_usize;
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { dest_url, title, .. }) => {
                depth += 1;
                if depth == 1 {
                    let start = range.start + "![".len();
                    let (target, title) = (dest_url.to_string(), title.to_string());
                    references.push(Reference {
                        range,
                        inner: start..start,
                        alternative: String::new(),
                        target,
                        title,
                    });
                }
            }
            Event::End(TagEnd::Image) => depth -= 1,
            event if depth > 0 => {
                let Some(reference) = references.last_mut() else { continue };
                reference.inner.end = reference.inner.end.max(range.end);
                match event {
                    Event::Text(text) | Event::Code(text) => reference.alternative.push_str(&text),
                    Event::SoftBreak | Event::HardBreak => reference.alternative.push(' '),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    references
}

/// The way from the imported directory to what a file there refers to.
fn way(target: &str, relative: &str) -> Result<Vec<String>, &'static str> {
    let is_scheme = |start: &str| {
        start.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && start.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    if target.starts_with("//") || target.split_once(':').is_some_and(|(start, _)| is_scheme(start)) {
        return Err("is elsewhere, and nothing is fetched");
    }
    let path = decoded(target.split(['?', '#']).next().unwrap_or_default());
    if path.starts_with(['/', '\\']) || path.contains(['\\', '\0']) {
        return Err("lies outside of what is imported");
    }
    let mut parts: Vec<String> = relative.split('/').map(str::to_owned).collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("lies outside of what is imported")?;
            }
            part if part.starts_with('.') => return Err("is hidden"),
            part => parts.push(part.to_owned()),
        }
    }
    let ending = parts.last().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
        true => Ok(parts),
        false => Err("is not called as images are"),
    }
}

/// An address with `%20` and the like read; itself where that makes no text.
fn decoded(address: &str) -> String {
    let mut bytes = Vec::with_capacity(address.len());
    let mut parts = address.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
            }
            None => {
                bytes.push(b'%');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| address.to_owned())
}

/// A name as it may stand in a reference of Markdown: what ends one, or means something in an address, as `%20` and the like.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii() && !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '.' | '_' | '~') {
            out.push_str(&format!("%{:02X}", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

/// The name of the file of its record that `target` is the address of.
pub fn attachment_called(target: &str) -> Option<String> {
    target.strip_prefix(ATTACHMENT).map(decoded)
}

/// A path below the folder of a body as an address in it.
pub fn address_of(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// `body` with other addresses for files of its record, where `address` gives one for a name.
pub fn readdressed(body: &str, address: impl Fn(&str) -> Option<String>) -> String {
    let (mut out, mut written) = (String::with_capacity(body.len()), 0);
    for reference in references(body) {
        let Some(name) = attachment_called(&reference.target) else { continue };
        let Some(address) = address(&name) else { continue };
        out.push_str(body.get(written..reference.range.start).unwrap_or_default());
        let called = reference.called(body, &name);
        out.push_str(&called.replacen(&format!("({ATTACHMENT}{}", encoded(&name)), &format!("({address}"), 1));
        written = reference.range.end;
    }
    out.push_str(body.get(written..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    fn directory() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("in/fr/img")).unwrap();
        for name in ["out.png", "in/map (1).png", "in/fr/img/a.png", "in/fr/a.png", "in/fr/key.pem", "in/fr/.x.png"] {
            fs::write(root.path().join(name), name).unwrap();
        }
        symlink(root.path().join("out.png"), root.path().join("in/fr/link.png")).unwrap();
        symlink(root.path(), root.path().join("in/fr/away")).unwrap();
        root
    }

    fn taken(body: &str) -> (String, Vec<String>, Vec<(String, &'static str)>) {
        let root = directory();
        let mut taken = Taken::default();
        let body = taken.take(body, "fr", Place { root: &root.path().join("in"), relative: "fr/page.md" });
        let names = taken.images.iter().map(|image| format!("{} = {}", image.name, image.parts.join("/"))).collect();
        (body, names, taken.left)
    }

    #[test]
    fn what_lies_below_is_taken_and_called_by_its_name() {
        let body = "A ![x *y*](img/a.png \"T \\\"q\\\"\") ![](../map%20(1).png)\n\n![again](./img/a.png?v=2) ![r][ref] `![c](a.png)`\n\n[ref]: a.png\n";
        let (body, names, left) = taken(body);
        assert_eq!(
            body,
            "A ![x *y*](attachment:a.png \"T \\\"q\\\"\") ![](attachment:map%20%281%29.png)\n\n\
             ![again](attachment:a.png) ![r](attachment:fr-a.png) `![c](a.png)`\n\n[ref]: a.png\n"
        );
        assert_eq!(names, ["a.png = fr/img/a.png", "map (1).png = map (1).png", "fr-a.png = fr/a.png"]);
        assert_eq!(left, []);
        assert_eq!(taken(&body).0, body, "what is called by its name stays so");
    }

    #[test]
    fn nothing_else_is_read() {
        for target in [
            "../../out.png",
            "../../../../etc/x.png",
            "/etc/x.png",
            "%2e%2e/%2e%2e/out.png",
            "..\\..\\out.png",
            "link.png",
            "away/out.png",
            "https://h/a.png",
            "//h/a.png",
            "file:///etc/x.png",
            "data:image/png;base64,AA",
            "key.pem",
            ".x.png",
            "gone.png",
            "img/a.png/b.png",
            "img",
        ] {
            let body = format!("![x](<{target}>)");
            let (rewritten, names, left) = taken(&body);
            assert!(rewritten == body && names.is_empty() && left.len() == 1, "{target}");
        }
    }

    #[test]
    fn an_image_that_is_too_large_is_left() {
        let root = directory();
        let path = root.path().join("in/fr/a.png");
        let left = |bytes: u64| {
            File::options().write(true).open(&path).unwrap().set_len(bytes).unwrap();
            let mut taken = Taken::default();
            taken.take("![x](a.png)", "fr", Place { root: &root.path().join("in"), relative: "fr/page.md" });
            taken.left.len()
        };
        assert_eq!((left(IMAGE_BYTES_MAX), left(IMAGE_BYTES_MAX + 1)), (0, 1));
    }

    #[test]
    fn an_image_that_became_a_link_is_not_opened() {
        let root = directory();
        let mut taken = Taken::default();
        taken.take("![x](a.png)", "fr", Place { root: &root.path().join("in"), relative: "fr/page.md" });
        let path = taken.images[0].path();
        assert!(taken.images[0].open().is_ok());
        fs::remove_file(&path).unwrap();
        symlink(root.path().join("out.png"), &path).unwrap();
        assert!(taken.images[0].open().is_err());
    }

    #[test]
    fn names_become_addresses_and_names_again() {
        let body = "![x](attachment:map%20%281%29.png \"T\") ![y](attachment:gone.png) [z](attachment:map.png)";
        let out = readdressed(body, |name| (name == "map (1).png").then(|| "../map%20%281%29.png".to_owned()));
        assert_eq!(out, body.replacen("attachment:map", "../map", 1));
        assert_eq!(taken(&out).0, body);
    }
}
