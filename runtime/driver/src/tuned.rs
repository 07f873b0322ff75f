//! Schedules that `we3c tune` found, kept by what they were found for: the optimised array IR, the plan and the
//! processor. A file that cannot be read, or does not fit, counts as none.

use std::path::PathBuf;

use we3_device::store::Store;
use we3_ir::Module;
use we3_ir::entity::EntityRef as _;
use we3_ir::text::print_module;
use we3_ir::{Op, Opcode};
use we3_passes::lower::schedule::no_lanes;

use crate::VERSION_TEXT;
use crate::plan::{Choice, Plan, Schedules};

/// What they are called in the store.
const KIND: &str = "schedules";

/// Whether `choose` could change anything: asked before the passes, so that nobody pays who never tuned.
pub fn may_choose(plan: &Plan) -> bool {
    match &plan.schedules {
        Schedules::Heuristic => false,
        Schedules::Given(choices) => !choices.is_empty(),
        Schedules::Stored => Store::ours().is_some_and(|store| store.has(KIND)),
    }
}

/// Gives nests the schedules that the plan says; what the program says itself stays.
pub fn choose(module: &mut Module, plan: &Plan) {
    match &plan.schedules {
        Schedules::Heuristic => {}
        Schedules::Given(choices) => apply(module, choices),
        Schedules::Stored => {
            let choices =
                Store::ours().filter(|store| store.has(KIND)).and_then(|store| read(&store, module, plan));
            apply(module, &choices.unwrap_or_default());
        }
    }
}

fn apply(module: &mut Module, choices: &[Choice]) {
    for choice in choices {
        let op = Op::new(choice.op as usize);
        let func = module.funcs.values_mut().find(|func| func.name == choice.entry);
        let Some(func) = func.filter(|func| func.ops.get(op).is_some()) else { continue };
        let data = &func.ops[op];
        // Nobody asked for it, so what cannot be followed is no error.
        if let Opcode::Build { rank } = data.opcode
            && func.schedules[op].is_none()
            && choice.schedule.problem(rank).is_none()
            && (!choice.schedule.wants_lanes() || no_lanes(func, data.regions[0]).is_none())
        {
            func.schedules[op] = Some(Box::new(choice.schedule.clone()));
        }
    }
}

/// Keeps choices for this optimised array IR; where.
pub fn write(store: &Store, module: &Module, plan: &Plan, choices: &[Choice]) -> Result<PathBuf, String> {
    let line = |choice: &Choice| format!("{}: {} {}\n", choice.entry, choice.op, choice.schedule);
    let text: String = choices.iter().map(line).collect();
    let written = with_key(module, plan, |key| store.write(KIND, key, &text));
    written.map_err(|error| error.to_string())
}

/// What was kept for this optimised array IR.
pub fn read(store: &Store, module: &Module, plan: &Plan) -> Option<Vec<Choice>> {
    let text = with_key(module, plan, |key| store.read(KIND, key))?;
    let choice = |line: &str| {
        let (entry, rest) = line.rsplit_once(": ")?;
        let (op, schedule) = rest.split_once(' ')?;
        Some(Choice { entry: entry.to_owned(), op: op.parse().ok()?, schedule: schedule.parse().ok()? })
    };
    text.lines().map(choice).collect()
}

/// All that winners could depend on.
fn with_key<R>(module: &Module, plan: &Plan, use_it: impl FnOnce(&[&str]) -> R) -> R {
    use_it(&[VERSION_TEXT, &plan.describe(), &plan.target.features.join(","), &print_module(module)])
}

#[cfg(test)]
mod tests {
    use we3_ir::Schedule;
    use we3_ir::text::parse_module;

    use super::*;
    use crate::plan::BackendChoice;

    const MODULE: &str = "array module
entry func @f(%0: i64, %1: f32[%0]) -> (i64, f32[#0]) {
  %2: f32[%0] = build %0 {
  b(%3: i64):
    %4: f32 = index %1, %3
    yield %4
  }
  return %0, %2
}
";

    /// Each element is a reduction, which no lanes can share.
    const SUMS: &str = "array module
entry func @f(%0: i64, %1: f32[%0]) -> (i64, f32[#0]) {
  %2: f32[%0] = build %0 {
  b(%3: i64):
    %4: f32 = reduce.sum %0 {
    b(%5: i64):
      %6: f32 = index %1, %5
      yield %6
    }
    yield %4
  }
  return %0, %2
}
";

    #[test]
    fn winners_are_found_again_for_the_same_program_plan_and_processor_only() {
        let root = std::env::temp_dir().join(format!("we3-tuned-{}", std::process::id()));
        let store = Store::at(root.clone());
        let module = parse_module(MODULE).expect("it parses");
        let plan = Plan::host(BackendChoice::Cranelift);
        let schedule: Schedule = "tile 0 32, parallel 0, lanes 0 0".parse().expect("it parses");
        assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()));
        let choices = vec![Choice { entry: "f".into(), op: 0, schedule }];
        assert_eq!(read(&store, &module, &plan), None);
        write(&store, &module, &plan, &choices).expect("a temporary folder can be written");
        assert_eq!(read(&store, &module, &plan), Some(choices.clone()));
        assert_eq!(read(&store, &module, &Plan::host(BackendChoice::Llvm)), None);
        let other = parse_module(&MODULE.replace("f32", "f64")).expect("it parses");
        assert_eq!(read(&store, &other, &plan), None);
        let mut target = plan.target.clone();
        target.features.push("another".into());
        assert_eq!(read(&store, &module, &plan.clone().for_target(target)), None);
        std::fs::remove_dir_all(root).expect("it is ours");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut module = parse_module(MODULE).expect("it parses");
        let schedule = Schedule { order: vec![1, 0], ..Schedule::default() };
        let wrong = [("f", 0), ("f", 1), ("f", 99), ("g", 0)];
        let choices =
            wrong.map(|(entry, op)| Choice { entry: entry.into(), op, schedule: schedule.clone() }).to_vec();
        let plan = Plan::host(BackendChoice::Cranelift).with_schedules(Schedules::Given(choices));
        choose(&mut module, &plan);
        let lanes = Schedule { vector: we3_ir::schedule::Vector::Axis(0, 4), ..Schedule::default() };
        let choices = vec![Choice { entry: "f".into(), op: 0, schedule: lanes }];
        let mut sums = parse_module(SUMS).expect("it parses");
        choose(&mut sums, &plan.with_schedules(Schedules::Given(choices)));
        assert_eq!(print_module(&sums), print_module(&parse_module(SUMS).expect("it parses")));
        assert_eq!(print_module(&module), print_module(&parse_module(MODULE).expect("it parses")));
    }
}
