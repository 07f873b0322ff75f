//! Small texts kept between runs, each in a file named by the hash of all that it depends on. Reading fails open: what
//! is not there, cannot be read or is not whole counts as absent.
#![expect(clippy::disallowed_methods, reason = "the runtime is what reads and writes files")]

use std::fs;
use std::io::Result;
use std::path::PathBuf;

use crate::knobs;

/// The first line of every file, before the hash of what follows it.
const HEADER: &str = "we3 store 1";

/// A folder of such files, one folder inside it for each kind.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The user's, if there is a place for it.
    pub fn ours() -> Option<Store> {
        knobs::cache().map(Store::at)
    }

    /// In this folder, which need not be there yet.
    pub fn at(root: PathBuf) -> Store {
        Store { root }
    }

    /// Whether anything of a kind was ever kept: one look at the file system.
    pub fn has(&self, kind: &str) -> bool {
        self.root.join(kind).is_dir()
    }

    /// What was kept under this key.
    pub fn read(&self, kind: &str, key: &[&str]) -> Option<String> {
        let text = fs::read_to_string(self.path(kind, key)).ok()?;
        let (header, rest) = text.split_once('\n')?;
        let (said, body) = rest.split_once('\n')?;
        (header == HEADER && said == hash(&[body])).then(|| body.to_owned())
    }

    /// Keeps a text; where.
    pub fn write(&self, kind: &str, key: &[&str], body: &str) -> Result<PathBuf> {
        fs::create_dir_all(self.root.join(kind))?;
        let path = self.path(kind, key);
        // Under a name of its own first: who reads meanwhile finds the old file or the new one.
        let temporary = path.with_extension(std::process::id().to_string());
        fs::write(&temporary, format!("{HEADER}\n{}\n{body}", hash(&[body])))?;
        fs::rename(&temporary, &path)?;
        Ok(path)
    }

    fn path(&self, kind: &str, key: &[&str]) -> PathBuf {
        self.root.join(kind).join(hash(key))
    }
}

/// Of all parts, their lengths included.
fn hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_is_not_there() {
        let root = std::env::temp_dir().join(format!("we3-store-{}", std::process::id()));
        let store = Store::at(root.clone());
        assert!(!store.has("k") && store.read("k", &["a", "b"]).is_none());
        let path = store.write("k", &["a", "b"], "text\nmore").expect("a temporary folder can be written");
        assert!(store.has("k"));
        assert_eq!(store.read("k", &["a", "b"]).as_deref(), Some("text\nmore"));
        assert_eq!(store.read("k", &["ab", ""]), None, "lengths are part of the key");
        assert_eq!(store.read("l", &["a", "b"]), None);
        let whole = fs::read(&path).expect("it was written");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("it can be written");
            assert_eq!(store.read("k", &["a", "b"]), None, "cut at {length}");
        }
        for place in 0..whole.len() {
            let mut bent = whole.clone();
            bent[place] ^= 1;
            fs::write(&path, &bent).expect("it can be written");
            assert_eq!(store.read("k", &["a", "b"]), None, "bent at {place}");
        }
        fs::remove_dir_all(root).expect("it is ours");
    }
}
