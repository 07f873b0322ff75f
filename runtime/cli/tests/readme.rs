//! The README's programs work and its messages are what `we3c` says.

#![expect(clippy::disallowed_methods, reason = "tests write the files that they hand to the program")]

use std::path::Path;
use std::process::{Command, Output};

/// The fenced blocks of this language, in order.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if found == language {
                blocks.push(inside.join("\n") + "\n");
            }
        }
    }
    blocks
}

fn we3c(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_we3c")).args(args).current_dir(folder).output().expect("we3c runs")
}

#[test]
fn the_tour_works_as_shown() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("a README");
    let folder = std::env::temp_dir().join(format!("we3c-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let programs = blocks(&readme, "we3");
    let [layer, wrong, test] = programs.as_slice() else { panic!("{} programs", programs.len()) };
    let plain = blocks(&readme, "");

    put("layer.we3", layer);
    assert!(we3c(&folder, &["check", "layer.we3"]).status.success());

    put("steps.we3", wrong);
    let said = we3c(&folder, &["check", "steps.we3"]);
    assert_eq!(said.status.code(), Some(1));
    let shown = plain.iter().find(|block| block.starts_with("error[E0307]")).expect("an error is shown");
    assert_eq!(String::from_utf8_lossy(&said.stderr).trim_end(), shown.trim_end());

    let right = wrong.replace("x[1..] - x", "x[1..] - x[..n - 1]");
    put("steps.we3", &format!("{right}\n{test}"));
    let ran = we3c(&folder, &["run", "steps.we3", "[1, 4, 9, 16]"]);
    let shown = plain.iter().find(|block| block.contains("we3c run steps.we3 '[1, 4, 9, 16]'"));
    assert!(shown.is_some_and(|block| block.contains(&*String::from_utf8_lossy(&ran.stdout))), "{ran:?}");
    let tested = we3c(&folder, &["test", "steps.we3"]);
    let first = String::from_utf8_lossy(&tested.stdout).lines().next().unwrap_or_default().to_owned();
    assert!(tested.status.success() && plain.iter().any(|block| block.contains(&first)), "{tested:?}");
    let _ = std::fs::remove_dir_all(&folder);
}
