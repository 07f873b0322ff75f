//! Typing of loop-level memory and vector operations.

use super::levels::lanes_allowed;
use super::walk::Checker;
use crate::entity::Value;
use crate::module::{Level, OpData};
use crate::types::{Scalar, Type};

impl Checker<'_, '_> {
    /// The element type of a buffer operand; reports when it is none.
    fn buffer(&mut self, value: Value) -> Option<Scalar> {
        match self.ty(value) {
            Type::Buffer(elem) => Some(*elem),
            ty @ (Type::Scalar(_) | Type::Array(..) | Type::Vector(..)) => {
                let shown = self.show_type(ty);
                self.report(format!("{} has type {shown}, expected a buffer", self.show(value)));
                None
            }
        }
    }

    /// Element type and lanes of a vector operand; reports when it is none.
    fn vector(&mut self, value: Value) -> Option<(Scalar, u16)> {
        match self.ty(value) {
            Type::Vector(elem, lanes) => Some((*elem, *lanes)),
            ty @ (Type::Scalar(_) | Type::Array(..) | Type::Buffer(_)) => {
                let shown = self.show_type(ty);
                self.report(format!("{} has type {shown}, expected a vector", self.show(value)));
                None
            }
        }
    }

    pub(super) fn alloc(&mut self, data: &OpData, elem: Scalar) {
        if self.counts(data, Some(1), 0, 1) {
            self.has_type("count", data.args[0], &Type::I64);
            self.has_type("result", data.results[0], &Type::Buffer(elem));
        }
    }

    pub(super) fn stack(&mut self, data: &OpData, elem: Scalar) {
        if self.counts(data, Some(0), 0, 1) {
            self.has_type("result", data.results[0], &Type::Buffer(elem));
        }
    }

    /// A table of constants: an array under constant sizes, or a buffer at loop level.
    pub(super) fn data(&mut self, data: &OpData, elem: Scalar, bits: &[u64]) {
        if elem.bits() < 64 && bits.iter().any(|bits| bits >> elem.bits() != 0) {
            self.report(format!("an element has more bits than a {elem}"));
        }
        match self.module.level {
            Level::Loop => {
                if self.counts(data, Some(0), 0, 1) {
                    self.has_type("result", data.results[0], &Type::Buffer(elem));
                }
            }
            Level::Array => {
                if !self.counts(data, None, 0, 1) || !self.at_least(data, 1) {
                    return;
                }
                self.all_i64("size", &data.args);
                self.has_type("result", data.results[0], &Type::Array(elem, data.args.clone()));
                let sizes =
                    data.args.iter().map(|size| self.func.as_const(*size).map(|size| u128::from(size.bits)));
                let product = sizes.reduce(|a, b| a?.checked_mul(b?)).flatten();
                if product != Some(bits.len() as u128) {
                    self.report(format!("the sizes are not constants that span {} elements", bits.len()));
                }
            }
        }
    }

    pub(super) fn free(&mut self, data: &OpData) {
        if self.counts(data, Some(1), 0, 0) {
            self.buffer(data.args[0]);
        }
    }

    pub(super) fn offset(&mut self, data: &OpData) {
        if self.counts(data, Some(2), 0, 1)
            && let Some(elem) = self.buffer(data.args[0])
        {
            self.has_type("offset", data.args[1], &Type::I64);
            self.has_type("result", data.results[0], &Type::Buffer(elem));
        }
    }

    pub(super) fn load(&mut self, data: &OpData) {
        if self.counts(data, Some(2), 0, 1) {
            self.access(data.args[0], data.args[1], data.results[0]);
        }
    }

    pub(super) fn store(&mut self, data: &OpData) {
        if self.counts(data, Some(3), 0, 0) {
            self.access(data.args[0], data.args[1], data.args[2]);
        }
    }

    pub(super) fn stream(&mut self, data: &OpData) {
        if self.counts(data, Some(4), 0, 0) {
            self.access(data.args[0], data.args[1], data.args[2]);
            // A scalar is reported as such.
            let _vector = self.vector(data.args[2]);
            self.has_type("past", data.args[3], &Type::BOOL);
        }
    }

    fn access(&mut self, buffer: Value, offset: Value, value: Value) {
        let Some(elem) = self.buffer(buffer) else { return };
        self.has_type("offset", offset, &Type::I64);
        let ty = self.ty(value);
        let fits = matches!(ty, Type::Scalar(_) | Type::Vector(..)) && ty.element() == elem;
        if !fits {
            let shown = self.show_type(ty);
            self.report(format!("{} has type {shown}, which is no {elem} or vector of it", self.show(value)));
        }
    }

    pub(super) fn load_lanes(&mut self, data: &OpData) {
        if self.counts(data, Some(3), 0, 1) {
            self.lane_access(data, data.results[0]);
        }
    }

    pub(super) fn store_lanes(&mut self, data: &OpData) {
        if self.counts(data, Some(4), 0, 0) {
            self.lane_access(data, data.args[3]);
        }
    }

    /// A vector of the buffer's elements, a mask of as many lanes, and one offset or as many.
    fn lane_access(&mut self, data: &OpData, value: Value) {
        let Some(elem) = self.buffer(data.args[0]) else { return };
        let Some((held, lanes)) = self.vector(value) else { return };
        if held != elem {
            self.report(format!("moves {held} between a vector and a buffer of {elem}"));
        }
        self.has_type("mask", data.args[2], &Type::Vector(Scalar::Bool, lanes));
        if *self.ty(data.args[1]) != Type::I64 {
            self.has_type("offset", data.args[1], &Type::Vector(Scalar::I64, lanes));
        }
    }

    pub(super) fn lanes_to_one(&mut self, data: &OpData) {
        if self.counts(data, Some(1), 0, 1)
            && let Some((elem, _)) = self.vector(data.args[0])
        {
            if elem != Scalar::Bool {
                self.report(format!("takes lanes of bool, not {elem}"));
            }
            self.has_type("result", data.results[0], &Type::BOOL);
        }
    }

    pub(super) fn probe(&mut self, data: &OpData, leave: bool) {
        if self.counts(data, Some(if leave { 2 } else { 0 }), 0, 0) {
            for amount in &data.args {
                self.has_type("amount", *amount, &Type::I64);
            }
        }
    }

    pub(super) fn copy(&mut self, data: &OpData) {
        if self.counts(data, Some(3), 0, 0) && self.buffer(data.args[0]).is_some() {
            self.alike(data.args[0], data.args[1]);
            self.has_type("count", data.args[2], &Type::I64);
        }
    }

    pub(super) fn splat(&mut self, data: &OpData, lanes: u16) {
        if !self.counts(data, Some(1), 0, 1) {
            return;
        }
        match self.ty(data.args[0]).as_scalar() {
            Some(elem) => {
                self.has_type("result", data.results[0], &Type::Vector(elem, lanes));
            }
            None => self.report("takes a scalar"),
        }
    }

    pub(super) fn iota(&mut self, data: &OpData, elem: Scalar, lanes: u16) {
        if self.counts(data, Some(0), 0, 1) {
            if !elem.is_int() {
                self.report("the lanes are integers");
            }
            self.has_type("result", data.results[0], &Type::Vector(elem, lanes));
        }
    }

    fn lane(&mut self, lane: u16, lanes: u16) {
        if lane >= lanes {
            self.report(format!("there is no lane {lane} of {lanes}"));
        }
    }

    pub(super) fn extract(&mut self, data: &OpData, lane: u16) {
        if self.counts(data, Some(1), 0, 1)
            && let Some((elem, lanes)) = self.vector(data.args[0])
        {
            self.lane(lane, lanes);
            self.has_type("result", data.results[0], &Type::Scalar(elem));
        }
    }

    pub(super) fn insert(&mut self, data: &OpData, lane: u16) {
        if self.counts(data, Some(2), 0, 1)
            && let Some((elem, lanes)) = self.vector(data.args[0])
        {
            self.lane(lane, lanes);
            self.has_type("lane", data.args[1], &Type::Scalar(elem));
            self.has_type("result", data.results[0], &Type::Vector(elem, lanes));
        }
    }

    pub(super) fn shuffle(&mut self, data: &OpData, picks: &[u16]) {
        if !self.counts(data, Some(2), 0, 1) {
            return;
        }
        let Some((elem, lanes)) = self.vector(data.args[0]) else { return };
        self.alike(data.args[0], data.args[1]);
        for pick in picks {
            self.lane(*pick, lanes.saturating_mul(2));
        }
        if !lanes_allowed(picks.len()) {
            return self.report("a vector has 2, 4, 8, 16, 32 or 64 lanes");
        }
        self.has_type("result", data.results[0], &Type::Vector(elem, picks.len() as u16));
    }
}
