//! The instructions this backend writes, one short method each. No fast-math flag, no `nsw`, no
//! `nuw` appears here except where the caller has proved it.

use super::func::FuncText;
use super::ty::{Lane, Ty, Val};

impl FuncText<'_> {
    /// A two-operand instruction on operands of one type.
    pub fn binary(&mut self, name: &str, left: &Val, right: &Val) -> Val {
        self.inst(left.ty, format_args!("{name} {left}, {}", right.text))
    }

    /// The same with a constant on the right.
    pub fn binary_const(&mut self, name: &str, left: &Val, right: i128) -> Val {
        let right = Val::int(left.ty, right);
        self.binary(name, left, &right)
    }

    /// A conversion instruction; nothing when the type is already right.
    pub fn cast(&mut self, name: &str, value: &Val, to: Ty) -> Val {
        if value.ty == to {
            return value.clone();
        }
        self.inst(to, format_args!("{name} {value} to {to}"))
    }

    /// The bits of a float as an integer.
    pub fn bits_of(&mut self, value: &Val) -> Val {
        self.cast("bitcast", value, value.ty.as_int())
    }

    /// `zext`, `trunc` or nothing, to this width.
    pub fn resize_unsigned(&mut self, value: &Val, bits: u32) -> Val {
        let name = if value.ty.bits() < bits { "zext" } else { "trunc" };
        self.cast(name, value, value.ty.with(Lane::Int(bits)))
    }

    /// `icmp`.
    pub fn icmp(&mut self, predicate: &str, left: &Val, right: &Val) -> Val {
        let ty = left.ty.with(Lane::Int(1));
        self.inst(ty, format_args!("icmp {predicate} {left}, {}", right.text))
    }

    /// `icmp` with a constant on the right.
    pub fn icmp_const(&mut self, predicate: &str, left: &Val, right: i128) -> Val {
        let right = Val::int(left.ty, right);
        self.icmp(predicate, left, &right)
    }

    /// `fcmp`.
    pub fn fcmp(&mut self, predicate: &str, left: &Val, right: &Val) -> Val {
        let ty = left.ty.with(Lane::Int(1));
        self.inst(ty, format_args!("fcmp {predicate} {left}, {}", right.text))
    }

    /// `select`.
    pub fn select(&mut self, condition: &Val, if_true: &Val, if_false: &Val) -> Val {
        self.inst(if_true.ty, format_args!("select {condition}, {if_true}, {if_false}"))
    }

    /// A call of an intrinsic overloaded on `overloads`.
    pub fn intrinsic(&mut self, name: &str, overloads: &[Ty], result: Ty, args: &[&Val]) -> Val {
        let params: Vec<Ty> = args.iter().map(|arg| arg.ty).collect();
        let full = self.module.declare(name, overloads, &result.to_string(), &params);
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        self.inst(result, format_args!("call {result} @{full}({})", args.join(", ")))
    }

    /// A call of an intrinsic whose result and operands have one type.
    pub fn lanewise(&mut self, name: &str, args: &[&Val]) -> Val {
        let ty = args[0].ty;
        self.intrinsic(name, &[ty], ty, args)
    }

    /// A call of an internal function.
    pub fn call(&mut self, name: &str, result: Ty, args: &[&Val]) -> Val {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        self.inst(result, format_args!("call {result} @{name}({})", args.join(", ")))
    }

    /// Applies a scalar function to every lane.
    pub fn each_lane(&mut self, args: &[&Val], mut apply: impl FnMut(&mut Self, &[&Val]) -> Val) -> Val {
        let lanes = args[0].ty.lanes;
        if lanes == 1 {
            return apply(self, args);
        }
        let mut whole: Option<Val> = None;
        for lane in 0..lanes {
            let parts: Vec<Val> = args
                .iter()
                .map(|arg| self.inst(arg.ty.scalar(), format_args!("extractelement {arg}, i32 {lane}")))
                .collect();
            let refs: Vec<&Val> = parts.iter().collect();
            let part = apply(self, &refs);
            let so_far = whole.unwrap_or_else(|| Val::poison(Ty { lane: part.ty.lane, lanes }));
            whole = Some(self.inst(so_far.ty, format_args!("insertelement {so_far}, {part}, i32 {lane}")));
        }
        whole.unwrap_or_else(|| Val::poison(args[0].ty))
    }

    /// The same scalar in every lane.
    pub fn splat(&mut self, value: &Val, lanes: u16) -> Val {
        let ty = Ty { lane: value.ty.lane, lanes };
        let first = self.inst(ty, format_args!("insertelement {ty} poison, {value}, i32 0"));
        self.inst(ty, format_args!("shufflevector {first}, {ty} poison, <{lanes} x i32> zeroinitializer"))
    }

    /// The address `offset` elements after `base`. Subscripts are in range where `in_range` is said.
    pub fn element(&mut self, base: &Val, elem: Ty, offset: &Val, in_range: bool) -> Val {
        let flag = if in_range { "inbounds " } else { "" };
        self.inst(Ty::PTR, format_args!("getelementptr {flag}{elem}, {base}, {offset}"))
    }

    /// A load aligned as one lane is, with `access` (metadata) behind it.
    pub fn load(&mut self, ty: Ty, address: &Val, access: &str) -> Val {
        let align = ty.bits().div_ceil(8);
        self.inst(ty, format_args!("load {ty}, {address}, align {align}{access}"))
    }

    /// A store aligned as one lane is, with `access` (metadata) behind it.
    pub fn store(&mut self, value: &Val, address: &Val, access: &str) {
        let align = value.ty.bits().div_ceil(8);
        self.line(format_args!("store {value}, {address}, align {align}{access}"));
    }
}
