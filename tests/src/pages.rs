//! The pages under `docs/errors`: a title, what the error means, a wrong program, "Instead", the right
//! one. A block that opens with `// name.we3` is a module beside the root. A page about a fault of ours has
//! no programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use we3_frontend::codes;
use we3_frontend::source::{SourceProvider, SourceText};

/// A program of one or more modules.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What messages call the root.
    pub name: String,
    /// Modules by path; the root's is empty.
    pub modules: BTreeMap<Vec<String>, String>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// As `E0123`.
    pub code: String,
    /// What the first line says behind the code.
    pub title: String,
    /// The program that gives the error; empty on a page about a fault of ours.
    pub wrong: Program,
    /// The program that does not.
    pub right: Program,
}

impl Program {
    /// A program of one file.
    pub fn single(name: impl Into<String>, text: impl Into<String>) -> Program {
        Program { name: name.into(), modules: BTreeMap::from([(Vec::new(), text.into())]) }
    }

    /// The text of the root.
    pub fn root(&self) -> &str {
        self.modules.get(&Vec::new()).map_or("", String::as_str)
    }
}

impl SourceProvider for Program {
    fn library(&self) -> Vec<Vec<String>> {
        we3_stdlib::MODULES.iter().map(|(name, _)| vec!["std".to_owned(), (*name).to_owned()]).collect()
    }

    fn load(&self, path: &[String]) -> Option<SourceText> {
        if let [first, name] = path
            && first == "std"
        {
            let text = we3_stdlib::source(name)?.to_owned();
            return Some(SourceText { name: format!("std/{name}.we3"), text });
        }
        let text = self.modules.get(path)?.clone();
        let name = if path.is_empty() { self.name.clone() } else { format!("{}.we3", path.join("/")) };
        Some(SourceText { name, text })
    }
}

/// Every page in order of codes; panics at one that has another form.
pub fn read_pages() -> Vec<Page> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("docs/errors").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().map(read_page).collect()
}

fn read_page(file: &PathBuf) -> Page {
    let code = file.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(file).expect("a page");
    let title = text.lines().next().and_then(|line| line.strip_prefix(&format!("# {code}: ")));
    let title = title.unwrap_or_else(|| panic!("{code}: the title is not `# {code}: …`")).to_owned();
    if code == codes::CHECKER_FAULT.0 {
        return Page { title, wrong: Program::default(), right: Program::default(), code };
    }
    let (before, after) = split_at_instead(&text).unwrap_or_else(|| panic!("{code}: no `Instead`"));
    let program = |text: &str| {
        let mut program = Program { name: format!("{code}.we3"), modules: BTreeMap::new() };
        for block in text.split("```we3\n").skip(1) {
            let (block, _) = block.split_once("```").unwrap_or_else(|| panic!("{code}: an open block"));
            let old = program.modules.insert(module_of(block), block.to_owned());
            assert_eq!(old, None, "{code}: two blocks for one module");
        }
        assert!(program.modules.contains_key(&Vec::new()), "{code}: a program is missing");
        program
    };
    Page { title, wrong: program(before), right: program(after), code }
}

/// Cuts before the paragraph with `Instead`.
fn split_at_instead(text: &str) -> Option<(&str, &str)> {
    let at = text.find("\nInstead").or_else(|| text.find(" Instead:"))?;
    text.split_at_checked(at)
}

/// `// shapes.we3` on the first line names the module `shapes`.
fn module_of(block: &str) -> Vec<String> {
    let first = block.lines().next().unwrap_or_default();
    match first.strip_prefix("// ").and_then(|name| name.strip_suffix(".we3")) {
        Some(name) => name.split('/').map(str::to_owned).collect(),
        None => Vec::new(),
    }
}
