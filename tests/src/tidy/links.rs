//! Links between documents: every relative one leads to a file.

use super::source::Violation;

/// Relative links in Markdown files that lead nowhere. `exists` is asked with paths relative to the workspace.
pub fn links(files: &[(String, String)], exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| file.ends_with(".md")) {
        for target in targets(text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !joined(file, path).is_some_and(|path| exists(&path)) {
                violations.push(Violation {
                    file: file.clone(),
                    message: format!("links to `{target}`, which is not there"),
                });
            }
        }
    }
    violations
}

/// What a document links to, code left out.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second part stands between backticks.
        for prose in line.split('`').step_by(2) {
            for (at, _) in prose.match_indices("](") {
                let target = prose.get(at + 2..).and_then(|rest| rest.split([')', ' ']).next());
                targets.extend(target.map(str::to_owned));
            }
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            targets.push(target.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    targets
}

/// A link of `file` as a path relative to the workspace; nothing if it leads out of it.
fn joined(file: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(file: &str, text: &str) -> Vec<String> {
        let there = ["docs/glossary.md", "README.md", "docs/guide/import.md"];
        let found = links(&[(file.into(), text.into())], |path| there.contains(&path));
        found.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn links_that_lead_somewhere() {
        let text = "[a](glossary.md#log) [b](../README.md) [c](guide/import.md) [d](#here) [e](https://example.org) \
                    `[f](gone.md)`\n```\n[g](gone.md)\n```\n[h]: glossary.md\n";
        assert_eq!(broken("docs/ARCHITECTURE.md", text), [] as [&str; 0]);
    }

    #[test]
    fn links_that_do_not() {
        assert_eq!(broken("README.md", "[a](docs/gone.md)"), ["links to `docs/gone.md`, which is not there"]);
        assert_eq!(broken("docs/a.md", "[a]: gone.md").len(), 1);
        assert_eq!(broken("README.md", "[a](../README.md)").len(), 1);
    }
}
