//! State that travels through regions: variables assigned inside, the exit code, the value returned early.
//! One plan serves region parameters and results of `if`, `loop` and `while`.

use we3_ir::{Opcode, Scalar, Type as IrType, Value};

use super::function::Emitter;
use super::signature::ResultSize;
use super::value::{Leaf, Val, leaves_of};
use crate::typed::{Local, Type};

/// One part of the state.
#[derive(Clone, Debug)]
pub enum Item {
    /// A variable.
    Var(Local),
    /// How the code left: see `control`.
    Exit,
    /// What the function returns if it has returned.
    Return,
    /// The value of the construct itself, of this type.
    Value(Type),
}

/// One IR value of the state.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Element type.
    pub elem: Scalar,
    /// Sizes; none for a scalar.
    pub dims: Vec<Dim>,
}

/// A size in a slot's type.
#[derive(Clone, Copy, Debug)]
pub enum Dim {
    /// A value known outside.
    Known(Value),
    /// An earlier slot of the same plan.
    Slot(usize),
}

/// The slots of a list of items.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The items.
    pub items: Vec<Item>,
    /// All their slots.
    pub slots: Vec<Slot>,
}

impl Plan {
    /// Makes one value per slot with `add`, which gets each slot's type.
    pub fn instantiate(&self, mut add: impl FnMut(IrType) -> Value) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let ty = slot_type(slot, &values);
            values.push(add(ty));
        }
        values
    }
}

fn slot_type(slot: &Slot, earlier: &[Value]) -> IrType {
    if slot.dims.is_empty() {
        return IrType::Scalar(slot.elem);
    }
    let sizes = slot.dims.iter().map(|dim| match dim {
        Dim::Known(value) => *value,
        Dim::Slot(number) => earlier[*number],
    });
    IrType::Array(slot.elem, sizes.collect())
}

impl Emitter<'_> {
    /// Plans the state, computing the sizes it needs here, before any region opens.
    pub fn plan(&mut self, items: Vec<Item>) -> Result<Plan, String> {
        let mut slots = Vec::new();
        for item in &items {
            match item {
                Item::Exit => slots.push(Slot { elem: Scalar::I64, dims: vec![] }),
                Item::Var(local) if self.is_open(*local) => self.plan_open(*local, &mut slots)?,
                Item::Var(local) => {
                    let ty = self.local_type(*local);
                    self.plan_type(&ty, &mut slots)?;
                }
                Item::Value(ty) => self.plan_type(ty, &mut slots)?,
                Item::Return => self.plan_return(&mut slots)?,
            }
        }
        Ok(Plan { items, slots })
    }

    fn plan_type(&mut self, ty: &Type, slots: &mut Vec<Slot>) -> Result<(), String> {
        for Leaf { elem, sizes } in leaves_of(self.program, ty) {
            let dims = self.all_sizes(&sizes)?.into_iter().map(Dim::Known).collect();
            slots.push(Slot { elem, dims });
        }
        Ok(())
    }

    /// An open variable: the size of every axis of every leaf, then the leaves, which name them.
    fn plan_open(&mut self, local: Local, slots: &mut Vec<Slot>) -> Result<(), String> {
        let leaves = leaves_of(self.program, &self.local_type(local));
        let first = slots.len();
        let axes: usize = leaves.iter().map(|leaf| leaf.sizes.len()).sum();
        slots.extend((0..axes).map(|_| Slot { elem: Scalar::I64, dims: vec![] }));
        let mut next = first;
        for leaf in leaves {
            let dims = (next..next + leaf.sizes.len()).map(Dim::Slot).collect();
            next += leaf.sizes.len();
            slots.push(Slot { elem: leaf.elem, dims });
        }
        Ok(())
    }

    fn plan_return(&mut self, slots: &mut Vec<Slot>) -> Result<(), String> {
        let first = slots.len();
        let signature = self.signature.clone();
        let integers = signature.fresh + signature.computed.len();
        slots.extend((0..integers).map(|_| Slot { elem: Scalar::I64, dims: vec![] }));
        for leaf in &signature.results {
            let mut dims = Vec::new();
            for size in &leaf.sizes {
                dims.push(match signature.result_size(self.source, size) {
                    Some(ResultSize::Param(position)) => {
                        Dim::Known(self.b.func.params()[self.param_position(position)])
                    }
                    Some(ResultSize::Result(number)) => Dim::Slot(first + number),
                    None => return Err("a result size that is neither parameter nor result".into()),
                });
            }
            slots.push(Slot { elem: leaf.elem, dims });
        }
        Ok(())
    }

    /// The present state as one value per slot, under exactly the planned sizes. `value` is that of
    /// `Item::Value`; missing values (code that has left) become zeros.
    pub fn flatten(&mut self, plan: &Plan, value: Option<&Val>) -> Result<Vec<Value>, String> {
        let mut flat: Vec<Option<Value>> = Vec::new();
        for item in &plan.items {
            match item {
                Item::Exit => {
                    let exit = self.exit_value();
                    flat.push(Some(exit));
                }
                Item::Var(local) => {
                    let val = self.local(*local)?.clone();
                    self.flatten_var(*local, &val, &mut flat);
                }
                Item::Value(ty) => match value {
                    Some(val) => push_leaves(val, &mut flat),
                    None => flat.extend(leaves_of(self.program, ty).iter().map(|_| None)),
                },
                Item::Return => match self.returned.clone() {
                    Some(values) => flat.extend(values.into_iter().map(Some)),
                    None => {
                        let count = self.signature.fresh
                            + self.signature.computed.len()
                            + self.signature.results.len();
                        flat.extend((0..count).map(|_| None));
                    }
                },
            }
        }
        self.fit(plan, flat)
    }

    fn flatten_var(&mut self, local: Local, val: &Val, flat: &mut Vec<Option<Value>>) {
        if self.is_open(local) {
            let mut leaves = Vec::new();
            val.leaves(&mut leaves);
            for leaf in &leaves {
                flat.extend(self.b.func.ty(*leaf).sizes().iter().map(|size| Some(*size)));
            }
        }
        push_leaves(val, flat);
    }

    /// Gives every value the planned type; zeros where there is none.
    fn fit(&mut self, plan: &Plan, flat: Vec<Option<Value>>) -> Result<Vec<Value>, String> {
        if flat.len() != plan.slots.len() {
            return Err(format!("state of {} values for {} slots", flat.len(), plan.slots.len()));
        }
        let mut values: Vec<Value> = Vec::with_capacity(flat.len());
        for (slot, value) in plan.slots.iter().zip(flat) {
            let ty = slot_type(slot, &values);
            values.push(match value {
                Some(value) => self.resized(value, &ty),
                None => self.zero_of(&ty),
            });
        }
        Ok(values)
    }

    /// The value under a type that differs at most in its size values.
    pub fn resized(&mut self, value: Value, ty: &IrType) -> Value {
        if self.b.func.ty(value) == ty || ty.sizes().is_empty() {
            return value;
        }
        let mut args = vec![value];
        args.extend_from_slice(ty.sizes());
        self.b.value(Opcode::Resize, args, vec![], ty.clone())
    }

    /// Zeros of a type.
    pub fn zero_of(&mut self, ty: &IrType) -> Value {
        match ty {
            IrType::Array(elem, sizes) => {
                let indices = vec![IrType::I64; sizes.len()];
                self.b.begin_region(&indices);
                let zero = self.b.constant(*elem, 0);
                let body = self.b.end_region(vec![zero]);
                let opcode = Opcode::Build { rank: sizes.len() as u32 };
                self.b.value(opcode, sizes.clone(), vec![body], ty.clone())
            }
            IrType::Scalar(elem) | IrType::Buffer(elem) | IrType::Vector(elem, _) => {
                self.b.constant(*elem, 0)
            }
        }
    }

    /// Makes these values the present state; the value of `Item::Value` is returned.
    pub fn unflatten(&mut self, plan: &Plan, values: &[Value]) -> Result<Val, String> {
        let mut rest = values;
        let mut result = Val::UNIT;
        for item in &plan.items {
            match item {
                Item::Exit => {
                    self.exit = Some(take(&mut rest, 1)[0]);
                }
                Item::Var(local) => {
                    let ty = self.local_type(*local);
                    if self.is_open(*local) {
                        let axes = leaves_of(self.program, &ty).iter().map(|leaf| leaf.sizes.len()).sum();
                        take(&mut rest, axes);
                    }
                    let val = self.rebuild(&ty, &mut rest)?;
                    self.bind(*local, val);
                }
                Item::Value(ty) => result = self.rebuild(ty, &mut rest)?,
                Item::Return => {
                    let count =
                        self.signature.fresh + self.signature.computed.len() + self.signature.results.len();
                    self.returned = Some(take(&mut rest, count).to_vec());
                }
            }
        }
        Ok(result)
    }

    /// A value of a type from its leaves.
    pub fn rebuild(&mut self, ty: &Type, leaves: &mut &[Value]) -> Result<Val, String> {
        Ok(match ty {
            Type::Scalar(_) if leaves.is_empty() => return Err("too few leaves".into()),
            Type::Scalar(_) => Val::Scalar(take(leaves, 1)[0]),
            Type::Array { sizes, .. } => {
                let count = leaves_of(self.program, ty).len();
                if count > leaves.len() {
                    return Err("too few leaves".into());
                }
                let own = take(leaves, count).to_vec();
                let dims = match own.first() {
                    Some(first) => self.b.func.ty(*first).sizes()[..sizes.len()].to_vec(),
                    None => self.all_sizes(sizes)?,
                };
                Val::Array { dims, leaves: own }
            }
            Type::Tuple(_) | Type::Record(_) => {
                let parts = super::value::parts_of(self.program, ty);
                Val::Tuple(parts.iter().map(|part| self.rebuild(part, leaves)).collect::<Result<_, _>>()?)
            }
            Type::Infer(_) | Type::Param(_) | Type::Error => return Err("an unfinished type".into()),
        })
    }
}

fn take<'a>(rest: &mut &'a [Value], count: usize) -> &'a [Value] {
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    head
}

fn push_leaves(val: &Val, flat: &mut Vec<Option<Value>>) {
    let mut leaves = Vec::new();
    val.leaves(&mut leaves);
    flat.extend(leaves.into_iter().map(Some));
}
