//! Loads and stores of some lanes, and questions to all lanes.

use we3_backend_api::Unsupported;
use we3_ir::{Op, Value};

use super::Emitter;
use crate::text::{Lane, Ty, Val};

impl Emitter<'_, '_> {
    /// Lanes that are not loaded are zero.
    pub(super) fn emit_load_lanes(&mut self, op: Op) -> Result<(), Unsupported> {
        let data = &self.func.ops[op];
        let ty = self.ty(data.results[0]);
        let held = ty.in_memory();
        let (place, access) = self.lanes_place(&data.args, held)?;
        let mask = self.get(data.args[2])?;
        let zero = Val::new(held, "zeroinitializer");
        let (name, over) = ("llvm.masked.load", "llvm.masked.gather");
        let loaded = match &place {
            Place::Run(address) => self.masked(name, &[held, Ty::PTR], held, &[address, &mask, &zero]),
            Place::Each(addresses) => {
                self.masked(over, &[held, addresses.ty], held, &[addresses, &mask, &zero])
            }
        };
        let loaded = self.text.inst(held, format_args!("{loaded}{access}"));
        let val = if ty.lane == Lane::Int(1) { self.text.icmp_const("ne", &loaded, 0) } else { loaded };
        self.define_result(op, val);
        Ok(())
    }

    /// Where lanes meet, the later one stays.
    pub(super) fn emit_store_lanes(&mut self, op: Op) -> Result<(), Unsupported> {
        let args = &self.func.ops[op].args;
        let val = self.moved_into(args[3], args[0])?;
        let held = val.ty.in_memory();
        let (place, access) = self.lanes_place(args, held)?;
        let mask = self.get(args[2])?;
        let stored = self.text.cast("zext", &val, held);
        let (name, over) = ("llvm.masked.store", "llvm.masked.scatter");
        let call = match &place {
            Place::Run(address) => self.masked_void(name, &[held, Ty::PTR], &[&stored, address, &mask]),
            Place::Each(addresses) => {
                self.masked_void(over, &[held, addresses.ty], &[&stored, addresses, &mask])
            }
        };
        self.text.line(format_args!("{call}{access}"));
        Ok(())
    }

    /// `or` or `and` over all lanes.
    pub(super) fn emit_lanes_to_one(&mut self, op: Op, name: &str) -> Result<(), Unsupported> {
        let lanes = self.get(self.func.ops[op].args[0])?;
        let name = format!("llvm.vector.reduce.{name}");
        let val = self.text.intrinsic(&name, &[lanes.ty], lanes.ty.scalar(), &[&lanes]);
        self.define_result(op, val);
        Ok(())
    }

    /// The addresses of a run of lanes or of each lane, and the metadata of an access there.
    fn lanes_place(&mut self, args: &[Value], held: Ty) -> Result<(Place, String), Unsupported> {
        let (base, offset) = (self.get(args[0])?, self.get(args[1])?);
        let access = self.access_to(&base);
        if offset.ty.lanes == 1 {
            // Of lanes that are masked out, the first may lie outside.
            return Ok((Place::Run(self.text.element(&base, held.scalar(), &offset, false)), access));
        }
        let ty = Ty { lane: Lane::Ptr, lanes: offset.ty.lanes };
        let addresses = self.text.inst(ty, format_args!("getelementptr {}, {base}, {offset}", held.scalar()));
        Ok((Place::Each(addresses), access))
    }

    /// The text of a call that moves lanes; addresses are aligned as one lane is.
    fn masked(&mut self, name: &str, overloads: &[Ty], result: Ty, args: &[&Val]) -> String {
        let params: Vec<Ty> = args.iter().map(|arg| arg.ty).collect();
        let full = self.text.module.declare(name, overloads, &result.to_string(), &params);
        let align = result.bits().div_ceil(8);
        format!("call {result} @{full}({})", aligned(args, align))
    }

    fn masked_void(&mut self, name: &str, overloads: &[Ty], args: &[&Val]) -> String {
        let params: Vec<Ty> = args.iter().map(|arg| arg.ty).collect();
        let full = self.text.module.declare(name, overloads, "void", &params);
        let align = args[0].ty.bits().div_ceil(8);
        format!("call void @{full}({})", aligned(args, align))
    }
}

/// Where lanes lie.
enum Place {
    /// One after the other from here on.
    Run(Val),
    /// Each at its own address.
    Each(Val),
}

fn aligned(args: &[&Val], align: u32) -> String {
    let shown = args.iter().map(|arg| match arg.ty.lane {
        Lane::Ptr => format!("{} align {align} {}", arg.ty, arg.text),
        Lane::Int(_) | Lane::Half | Lane::Float | Lane::Double => arg.to_string(),
    });
    shown.collect::<Vec<_>>().join(", ")
}
