//! What is known of where buffers point: each parameter, output and allocation is a *region* that
//! overlaps no other (docs/ir.md, "Calling convention"). LLVM learns it by scope metadata on loads and
//! stores. (`noalias` on the address of an output would let LLVM drop stores that nobody reads here.)

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use we3_ir::{Func, Opcode, Type};

use crate::text::{ModuleText, Val};

/// More regions than this are told apart by LLVM's own analysis only.
const MAX_SCOPES: usize = 64;

/// A region of memory that overlaps no other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Region {
    /// Of parameter number so and so.
    Parameter(usize),
    /// Of this array result.
    Output(u32),
    /// Of any allocation: LLVM tells these apart itself.
    Allocation,
}

/// Which addresses point into which region.
pub struct Regions {
    of: HashMap<Rc<str>, Region>,
    metadata: Rc<HashMap<Region, String>>,
}

impl Regions {
    /// The regions of a function. `claim`: they may be told to LLVM as disjoint.
    pub fn new(func: &Func, claim: bool, module: &mut ModuleText) -> Regions {
        let mut all = BTreeSet::from([Region::Allocation]);
        for (number, param) in func.params().iter().enumerate() {
            if matches!(func.ty(*param), Type::Buffer(_)) {
                all.insert(Region::Parameter(number));
            }
        }
        for data in func.ops.values() {
            if let Opcode::Output { index, .. } = data.opcode {
                all.insert(Region::Output(index));
            }
        }
        let claimed = claim && (2..=MAX_SCOPES).contains(&all.len());
        let metadata = if claimed { scopes(&all, module) } else { HashMap::new() };
        Regions { of: HashMap::new(), metadata: Rc::new(metadata) }
    }

    /// The same regions for another function, in which no address is known yet.
    pub fn for_function(&self) -> Regions {
        Regions { of: HashMap::new(), metadata: Rc::clone(&self.metadata) }
    }

    /// Says where an address points.
    pub fn insert(&mut self, address: &Val, region: Region) {
        self.of.insert(address.text.clone(), region);
    }

    /// The region an address points into, if known.
    pub fn of(&self, address: &Val) -> Option<Region> {
        self.of.get(&address.text).copied()
    }

    /// The metadata of an access to a region.
    pub fn metadata(&self, region: Region) -> &str {
        self.metadata.get(&region).map_or("", String::as_str)
    }
}

fn scopes(all: &BTreeSet<Region>, module: &mut ModuleText) -> HashMap<Region, String> {
    let domain = module.metadata("distinct !{SELF}");
    let scopes: Vec<usize> =
        all.iter().map(|_| module.metadata(&format!("distinct !{{SELF, !{domain}}}"))).collect();
    let mut metadata = HashMap::new();
    for (number, region) in all.iter().enumerate() {
        let others = scopes.iter().enumerate().filter(|(other, _)| *other != number);
        let others: Vec<String> = others.map(|(_, scope)| format!("!{scope}")).collect();
        let own = module.metadata(&format!("!{{!{}}}", scopes[number]));
        let others = module.metadata(&format!("!{{{}}}", others.join(", ")));
        metadata.insert(*region, format!(", !alias.scope !{own}, !noalias !{others}"));
    }
    metadata
}
