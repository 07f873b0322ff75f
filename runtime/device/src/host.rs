//! The machine this program runs on: as a target, its memory, its caches.
#![expect(clippy::disallowed_methods, reason = "reads what the system says about itself")]

use std::sync::OnceLock;

use we3_backend_api::{Arch, Target};

/// The host, with every feature that both the processor and the operating system offer.
pub fn host_target() -> Target {
    let features = host_features();
    let mut features: Vec<String> = features.into_iter().map(str::to_owned).collect();
    features.sort_unstable();
    Target { arch: host_arch(), cpu: host_cpu(&features), features }
}

fn host_arch() -> Arch {
    if cfg!(target_arch = "aarch64") {
        Arch::Aarch64
    } else if cfg!(target_arch = "riscv64") {
        Arch::Riscv64
    } else {
        Arch::X86_64
    }
}

/// The highest level of x86-64 that the features cover, by LLVM's name.
fn host_cpu(features: &[String]) -> String {
    let has = |wanted: &[&str]| wanted.iter().all(|name| features.iter().any(|have| have == name));
    let v2 = has(&["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"]);
    let v3 = v2 && has(&["avx", "avx2", "fma", "bmi", "bmi2", "lzcnt", "movbe", "f16c"]);
    let v4 = v3 && has(&["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]);
    let name = match (host_arch(), v2, v3, v4) {
        (Arch::X86_64, _, _, true) => "x86-64-v4",
        (Arch::X86_64, _, true, _) => "x86-64-v3",
        (Arch::X86_64, true, _, _) => "x86-64-v2",
        (Arch::X86_64, ..) => "x86-64",
        (Arch::Aarch64 | Arch::Riscv64 | Arch::Ptx { .. }, ..) => "",
    };
    name.to_owned()
}

#[cfg(target_arch = "x86_64")]
fn host_features() -> Vec<&'static str> {
    /// Each feature by Rust's name and by LLVM's.
    macro_rules! detected {
        ($($rust:tt => $llvm:literal),* $(,)?) => {{
            let mut found = Vec::new();
            $(if std::arch::is_x86_feature_detected!($rust) { found.push($llvm); })*
            found
        }};
    }
    detected! {
        "sse3" => "sse3", "ssse3" => "ssse3", "sse4.1" => "sse4.1", "sse4.2" => "sse4.2",
        "popcnt" => "popcnt", "cmpxchg16b" => "cx16", "movbe" => "movbe",
        "avx" => "avx", "avx2" => "avx2", "fma" => "fma", "f16c" => "f16c",
        "bmi1" => "bmi", "bmi2" => "bmi2", "lzcnt" => "lzcnt",
        "avx512f" => "avx512f", "avx512bw" => "avx512bw", "avx512cd" => "avx512cd",
        "avx512dq" => "avx512dq", "avx512vl" => "avx512vl", "avx512ifma" => "avx512ifma",
        "avx512vbmi" => "avx512vbmi", "avx512vbmi2" => "avx512vbmi2",
        "avx512vnni" => "avx512vnni", "avx512bitalg" => "avx512bitalg",
        "avx512vpopcntdq" => "avx512vpopcntdq", "gfni" => "gfni",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn host_features() -> Vec<&'static str> {
    Vec::new()
}

/// Bytes of memory that this process may have: what the machine has, or what its control group allows.
/// `None` where that cannot be read.
pub fn memory_bytes() -> Option<u64> {
    let file = |path: &str| std::fs::read_to_string(path).ok();
    let machine = file("/proc/meminfo").as_deref().and_then(memory_total);
    // Of version 2 and of version 1; "max" is no number.
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let allowed = groups.into_iter().filter_map(|path| file(path)?.trim().parse().ok());
    machine.into_iter().chain(allowed).min()
}

/// Bytes of the last-level cache for each processor that shares it, as far as the system says.
pub fn last_level_cache() -> Option<u64> {
    static FOUND: OnceLock<Option<u64>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // A level may have a cache for instructions too, which is never the last one.
        let caches = (0..8).filter_map(|number| {
            let file = |name: &str| {
                let path = format!("/sys/devices/system/cpu/cpu0/cache/index{number}/{name}");
                std::fs::read_to_string(path).ok()
            };
            let level: u32 = file("level")?.trim().parse().ok()?;
            let size = cache_bytes(file("size")?.trim())?;
            Some((level, size / processors(file("shared_cpu_list")?.trim())?))
        });
        caches.max().map(|(_, share)| share)
    })
}

/// `107520K` in bytes.
fn cache_bytes(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix('K') {
        Some(number) => (number, 1 << 10),
        None => (text.strip_suffix('M')?, 1 << 20),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// How many processors a list like `0-3,8` has.
fn processors(list: &str) -> Option<u64> {
    let count = |part: &str| -> Option<u64> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.split(',').map(count).sum()
}

/// The total in the words of `/proc/meminfo`.
fn memory_total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_from_the_features() {
        let target = host_target();
        let mut sorted = target.features.clone();
        sorted.sort_unstable();
        assert_eq!(target.features, sorted);
        assert_eq!(target.cpu == "x86-64-v4", target.has("avx512vl") && target.has("avx512dq"));
    }

    #[test]
    fn caches_are_shared_out() {
        assert_eq!((cache_bytes("107520K"), cache_bytes("32M")), (Some(107_520 << 10), Some(32 << 20)));
        assert_eq!((cache_bytes(""), cache_bytes("5")), (None, None));
        assert_eq!(
            (processors("0-1"), processors("0"), processors("0-3,8,10-11")),
            (Some(2), Some(1), Some(7))
        );
        assert_eq!((processors(""), processors("3-1"), processors("a-b")), (None, None, None));
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        assert_eq!(memory_total("MemTotal:       24550304 kB\nMemFree: 1 kB\n"), Some(24_550_304 << 10));
        assert_eq!(memory_total("MemFree: 1 kB\n"), None);
        assert_eq!(memory_total("MemTotal: x kB\n"), None);
    }
}
