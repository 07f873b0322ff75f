//! Where modules come from: the root from a file or a text, its siblings from the root's folder, `std` from
//! the embedded library.

use std::path::{Path, PathBuf};

use we3_frontend::source::{SourceProvider, SourceText};

use crate::failure::Failure;

/// Longer sources are refused: spans count bytes in 32 bits, and nobody writes them by hand.
const MAX_SOURCE: u64 = 64 << 20;

/// The sources of a program.
#[derive(Clone, Debug)]
pub struct Sources {
    root: SourceText,
    folder: Option<PathBuf>,
    /// Tests of every module are wanted, not only the root's.
    all_tests: bool,
    /// The program is the library itself: nothing in it is taken on trust.
    library: bool,
}

impl Sources {
    /// A program whose root is this file.
    pub fn from_file(path: &Path) -> Result<Sources, Failure> {
        let name = path.display().to_string();
        let text = read(path).map_err(|fault| Failure::Usage(format!("cannot read {name}: {fault}")))?;
        let folder = path.parent().map(Path::to_owned);
        Ok(Sources { root: SourceText { name, text }, folder, all_tests: false, library: false })
    }

    /// A program whose root is this text; other modules than those of `std` are not found.
    pub fn from_text(name: impl Into<String>, text: impl Into<String>) -> Sources {
        let root = SourceText { name: name.into(), text: text.into() };
        Sources { root, folder: None, all_tests: false, library: false }
    }

    /// A module of the standard library as a root, to check and test it.
    pub fn from_std(module: &str) -> Option<Sources> {
        let text = we3_stdlib::source(module)?;
        if module == "prelude" {
            // It is in every program, and its traits are themselves only there.
            let root = Sources::from_text("std/prelude.we3", "//! Stands in for a program.\n");
            return Some(Sources { all_tests: true, ..root });
        }
        Some(Sources::from_text(format!("std/{module}.we3"), text))
    }

    /// The whole standard library as one program.
    pub fn library() -> Sources {
        let imports = we3_stdlib::MODULES.iter().filter(|(name, _)| *name != "prelude");
        let imports: String = imports.map(|(name, _)| format!("use std::{name}::{{}};\n")).collect();
        let root = Sources::from_text("std", format!("//! Every module of the library.\n\n{imports}"));
        Sources { all_tests: true, library: true, ..root }
    }

    /// `from_std`; the failure says which modules there are.
    pub fn std_named(module: &str) -> Result<Sources, Failure> {
        let known: Vec<&str> = we3_stdlib::MODULES.iter().map(|(name, _)| *name).collect();
        Sources::from_std(module).ok_or_else(|| Failure::unknown("library module", module, &known))
    }

    /// Whether tests of every module are wanted.
    pub fn all_tests(&self) -> bool {
        self.all_tests
    }

    /// Whether this is the library itself.
    pub fn is_library(&self) -> bool {
        self.library
    }

    /// The root's text.
    pub fn root_text(&self) -> &str {
        &self.root.text
    }

    /// The root's name.
    pub fn root_name(&self) -> &str {
        &self.root.name
    }

    /// The same program with more text at the end of its root.
    #[must_use]
    pub fn with_appended(mut self, text: &str) -> Sources {
        self.root.text.push_str(text);
        self
    }
}

impl SourceProvider for Sources {
    fn library(&self) -> Vec<Vec<String>> {
        we3_stdlib::MODULES.iter().map(|(name, _)| vec![String::from("std"), String::from(*name)]).collect()
    }

    fn load(&self, path: &[String]) -> Option<SourceText> {
        match path {
            [] => Some(self.root.clone()),
            [first, name] if first == "std" => {
                let text = we3_stdlib::source(name)?;
                Some(SourceText { name: format!("std/{name}.we3"), text: text.to_owned() })
            }
            [first, ..] if first == "std" => None,
            _ => {
                // Names are identifiers, so the file lies below the folder.
                let mut file: PathBuf =
                    path.iter().fold(self.folder.clone()?, |folder, part| folder.join(part));
                file.set_extension("we3");
                let text = read(&file).ok()?;
                Some(SourceText { name: file.display().to_string(), text })
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_SOURCE {
        return Err(String::from("it is too long for a source file"));
    }
    String::from_utf8(bytes).map_err(|_| String::from("it is not UTF-8 text"))
}
