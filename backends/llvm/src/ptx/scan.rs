//! Looks through PTX text for instructions whose result is not the one we promise: approximations,
//! flushed denormals, and multiplications or additions that `ptxas` might contract.

/// The first instruction of that kind, if any.
pub fn inexact_instructions(ptx: &str) -> Option<&str> {
    ptx.lines().map(str::trim).find(|line| is_inexact(line))
}

fn is_inexact(line: &str) -> bool {
    // A predicate may stand before the opcode.
    let code = if line.starts_with('@') { line.split_once(' ').map_or("", |(_, code)| code) } else { line };
    let opcode = code.split_whitespace().next().unwrap_or("");
    let mut parts = opcode.split('.');
    let name = parts.next().unwrap_or("");
    let modifiers: Vec<&str> = parts.collect();
    let on_floats = modifiers.iter().any(|part| matches!(*part, "f32" | "f64" | "f16" | "bf16" | "f32x2"));
    if !on_floats {
        return false;
    }
    let has = |wanted: &str| modifiers.contains(&wanted);
    let approximate = has("approx") || has("ftz") || has("full") || has("sat");
    let rounding = has("rn") || has("rz") || has("rm") || has("rp");
    approximate
        || (matches!(name, "add" | "sub" | "mul" | "div" | "fma" | "mad" | "sqrt" | "rcp") && !rounding)
}

#[cfg(test)]
mod tests {
    use super::inexact_instructions;

    #[test]
    fn plain_multiplications_and_approximations_are_found() {
        for line in [
            "mul.f32 %f1, %f2, %f3;",
            "@%p1 add.f64 %fd1, %fd2, %fd3;",
            "ex2.approx.f32 %f1, %f2;",
            "add.rn.ftz.f32 %f1, %f2, %f3;",
        ] {
            assert_eq!(inexact_instructions(line), Some(line));
        }
    }

    #[test]
    fn rounded_instructions_and_integers_pass() {
        for line in [
            "mul.rn.f32 %f1, %f2, %f3;",
            "add.s64 %rd1, %rd2, 1;",
            "ld.global.f32 %f1, [%rd1];",
            "cvt.rzi.s32.f32 %r1, %f1;",
        ] {
            assert_eq!(inexact_instructions(line), None);
        }
    }
}
