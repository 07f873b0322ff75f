//! The standard library's sources, embedded: `std/NAME.we3` is the module `std::NAME`. Text only; nothing
//! here knows the language.

/// Every module in alphabetical order: its name below `std`, and its text.
pub const MODULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The text of `std::name`.
pub fn source(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| *module == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_there_and_say_what_they_are() {
        assert!(source("linalg").is_some() && source("no such module").is_none());
        for (name, text) in MODULES {
            assert!(text.starts_with("//!"), "std::{name} opens without a word about itself");
        }
    }
}
