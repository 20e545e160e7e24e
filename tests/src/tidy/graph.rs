//! Which file of a crate imports which, and the circles in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    code::paths,
    source::{Source, Violation},
};

type Module = Vec<String>;

/// For each module of a crate the modules that it imports, itself apart. Test modules are not looked at.
///
/// A name that a module only passes on (`pub use draft::check`) counts as imported from where it is.
pub fn imports(sources: &[Source]) -> BTreeMap<Module, BTreeSet<Module>> {
    let modules: BTreeSet<&Module> = sources.iter().map(|source| &source.module).collect();
    let passed_on = passed_on(sources, &modules);
    let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for source in sources {
        let found = imports.entry(source.module.clone()).or_default();
        for path in paths(&source.code) {
            let target = absolute(&source.module, &path, &modules).map(|path| resolve(path, &modules, &passed_on));
            found.extend(target.filter(|target| *target != source.module));
        }
    }
    imports
}

/// Circles of imports: each is reported once, from its first module.
pub fn circles(sources: &[Source]) -> Vec<Violation> {
    let imports = imports(sources);
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| !source.is_root()) {
        if let Some(circle) = way_back(&source.module, &imports)
            && circle.iter().min() == Some(&source.module)
        {
            let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            violations.push(source.violation(format!("imports in a circle: {}", names.join(" -> "))));
        }
    }
    violations
}

/// The shortest way along imports from a module to itself.
fn way_back(start: &Module, imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut ways: Vec<Vec<Module>> = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| imports.get(last)).into_iter().flatten() {
                if next == start {
                    return Some(way);
                }
                if !next.is_empty() && seen.insert(next.clone()) {
                    longer.push(way.iter().chain([next]).cloned().collect());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The path from the crate's root that `path` means in `module`; nothing if it leads out of the crate.
fn absolute(module: &[String], path: &[String], modules: &BTreeSet<&Module>) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = path;
    match rest.first().map(String::as_str)? {
        "crate" => {
            base.clear();
            rest = rest.get(1..)?;
        }
        "self" => rest = rest.get(1..)?,
        "super" => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop()?;
                rest = rest.get(1..)?;
            }
        }
        child => {
            let mut below = base.clone();
            below.push(child.to_owned());
            if !modules.contains(&below) {
                return None;
            }
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// Names that modules pass on, and the paths where they are.
fn passed_on(sources: &[Source], modules: &BTreeSet<&Module>) -> BTreeMap<(Module, String), Vec<String>> {
    let mut passed_on = BTreeMap::new();
    for source in sources {
        for (at, _) in source.code.match_indices("pub use ") {
            let statement = source.code.get(at..).and_then(|rest| rest.split(';').next()).unwrap_or_default();
            for path in paths(statement) {
                let Some(name) = path.last().cloned() else { continue };
                if let Some(target) = absolute(&source.module, &path, modules) {
                    passed_on.insert((source.module.clone(), name), target);
                }
            }
        }
    }
    passed_on
}

/// The module in which a path ends.
fn resolve(
    path: Vec<String>,
    modules: &BTreeSet<&Module>,
    passed_on: &BTreeMap<(Module, String), Vec<String>>,
) -> Module {
    let mut path = path;
    // A chain of names passed on is as long as modules are deep; the bound ends one that runs in a circle.
    for _ in 0..16 {
        let depth = (0..=path.len())
            .rev()
            .find(|depth| path.get(..*depth).is_some_and(|module| modules.contains(&module.to_vec())));
        let (module, rest) = path.split_at(depth.unwrap_or(0));
        match rest.first().and_then(|name| passed_on.get(&(module.to_vec(), name.clone()))) {
            Some(target) if *target != path => path = target.clone(),
            _ => return module.to_vec(),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(file, text)| Source::new(&format!("x/src/{file}"), text)).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        circles(&sources(files)).iter().map(|violation| violation.message.clone()).collect()
    }

    #[test]
    fn a_circle_is_found() {
        let files = [("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { super::c::d() }"), ("c.rs", "use super::a;")];
        assert_eq!(found(&files), ["imports in a circle: a -> b -> c"]);
    }

    #[test]
    fn a_root_and_its_children_are_a_circle_too() {
        let files = [("r/mod.rs", "mod a;\nuse a::A;\npub struct R;"), ("r/a.rs", "use super::R;")];
        assert_eq!(found(&files), ["imports in a circle: r -> r::a"]);
    }

    #[test]
    fn what_is_passed_on_is_no_circle() {
        let files = [
            ("r/mod.rs", "pub use a::A;\npub use self::b::{B, C};"),
            ("r/a.rs", "use super::{B, b::C};"),
            ("r/b.rs", "pub struct B;"),
        ];
        assert_eq!(found(&files), [] as [&str; 0]);
    }

    #[test]
    fn tests_and_comments_may_look_up() {
        let files = [("a.rs", "use crate::b;"), ("b.rs", "// crate::a\n#[cfg(test)]\nmod tests { use crate::a; }")];
        assert_eq!(found(&files), [] as [&str; 0]);
    }
}
