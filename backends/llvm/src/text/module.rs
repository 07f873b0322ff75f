//! A module of LLVM IR under construction: functions, declarations, metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::debug::ModuleDebug;
use super::ty::Ty;

/// Collects everything that stands outside function bodies.
#[derive(Default)]
pub struct ModuleText {
    functions: String,
    declarations: BTreeMap<String, String>,
    support: BTreeSet<&'static str>,
    tables: Vec<String>,
    metadata: Vec<String>,
    /// The attributes of the functions that come next, and of those before.
    groups: Vec<String>,
    /// Where code comes from, if line tables are wanted.
    pub debug: Option<ModuleDebug>,
}

impl ModuleText {
    /// Adds a finished function.
    pub fn add_function(&mut self, text: &str) {
        self.functions.push_str(text);
        self.functions.push('\n');
    }

    /// Declares an intrinsic; says its full name.
    pub fn declare(&mut self, name: &str, overloads: &[Ty], result: &str, params: &[Ty]) -> String {
        let mut full = name.to_owned();
        for ty in overloads {
            full.push('.');
            full.push_str(&ty.mangled());
        }
        let params: Vec<String> = params.iter().map(Ty::to_string).collect();
        let declaration = format!("declare {result} @{full}({})", params.join(", "));
        self.declarations.insert(full.clone(), declaration);
        full
    }

    /// Includes a support routine (the text of its definition, without declarations) once.
    pub fn require(&mut self, definition: &'static str) {
        self.support.insert(definition);
    }

    /// A private constant array of integers of this width; says its name. Equal tables are one.
    pub fn table(&mut self, width: u32, elements: &[u64]) -> String {
        let elements: Vec<String> = elements.iter().map(|bits| format!("i{width} {bits}")).collect();
        let array = format!("[{} x i{width}] [{}]", elements.len(), elements.join(", "));
        let number = self.tables.iter().position(|table| *table == array).unwrap_or_else(|| {
            self.tables.push(array);
            self.tables.len() - 1
        });
        format!("@we3_table_{number}")
    }

    /// Adds a metadata node, `SELF` in its text standing for its own number; says the number.
    pub fn metadata(&mut self, text: &str) -> usize {
        let number = self.metadata.len();
        self.metadata.push(text.replace("SELF", &format!("!{number}")));
        number
    }

    /// Functions that come next have these attributes.
    pub fn begin_group(&mut self, attributes: String) {
        self.groups.push(attributes);
    }

    /// The number of the attributes of the next function; those of group 0 are said at the end.
    pub fn group(&self) -> usize {
        self.groups.len()
    }

    /// The whole module. `attributes` is the group `#0`, that of every function where no other was begun.
    pub fn finish(&self, triple: &str, attributes: &str) -> String {
        let mut text = format!("target triple = \"{triple}\"\n\n");
        for (number, table) in self.tables.iter().enumerate() {
            let _ = writeln!(text, "@we3_table_{number} = private unnamed_addr constant {table}, align 64");
        }
        text.push_str(&self.functions);
        for definition in &self.support {
            text.push_str(definition);
            text.push('\n');
        }
        for declaration in self.declarations.values() {
            let _ = writeln!(text, "{declaration}");
        }
        let _ = writeln!(text, "\nattributes #0 = {{ {attributes} }}");
        for (number, attributes) in (1..).zip(&self.groups) {
            let _ = writeln!(text, "attributes #{number} = {{ {attributes} }}");
        }
        if let Some(debug) = &self.debug {
            text.push_str(&debug.named);
        }
        for (number, node) in self.metadata.iter().enumerate() {
            let _ = writeln!(text, "!{number} = {node}");
        }
        text
    }
}
