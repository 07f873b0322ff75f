//! Loops: counted ones that nothing leaves early become `loop`, the others `while` with a carried exit code.

use we3_ir::{CompareOp, Opcode, Type as IrType, Value};

use super::control::{EXIT_CONTINUE, EXIT_NONE, EXIT_RETURN};
use super::function::Emitter;
use super::state::Item;
use super::value::Val;
use crate::typed::effects::Effects;
use crate::typed::{Block, Expr, LoopAxis};

/// The condition or body of a loop, given the counter where it has one.
type LoopPart<'t, 'a, T> = &'t mut dyn FnMut(&mut Emitter<'a>, Option<Value>) -> Result<T, String>;

impl<'a> Emitter<'a> {
    pub fn for_loop(&mut self, axis: &LoopAxis, body: &Block) -> Result<(), String> {
        let count = self.count(axis)?;
        let effects = Effects::of_block(body);
        if effects.breaks || effects.returns {
            return self.for_with_exits(axis, count, body, &effects);
        }
        let plan = self.plan(self.items(&effects))?;
        let mut args = vec![count];
        args.extend(self.flatten(&plan, None)?);
        let before = self.snapshot(&plan)?;
        let bound = self.bound();
        let index = self.open_region(&[IrType::I64])[0];
        let params = plan.instantiate(|ty| self.b.add_region_param(ty));
        self.unflatten(&plan, &params)?;
        self.bind(axis.index, Val::Scalar(index));
        self.round(body)?;
        let yields = self.flatten(&plan, None)?;
        let region = self.close_region(yields);
        self.unbind_except(&bound);
        self.restore(before);
        let op = self.b.append(Opcode::Loop, args, vec![region], &[]);
        self.take_results(&plan, op)
    }

    /// One round: the body, after which a `continue` has no further effect.
    fn round(&mut self, body: &Block) -> Result<(), String> {
        let outer = self.exit.take();
        self.block(body)?;
        self.exit = outer;
        Ok(())
    }

    /// A counted loop that may be left early: a `while` over counter, exit code and state.
    fn for_with_exits(
        &mut self,
        axis: &LoopAxis,
        count: Value,
        body: &Block,
        effects: &Effects,
    ) -> Result<(), String> {
        let zero = self.b.i64(0);
        let index = axis.index;
        self.leaving_while(
            effects,
            Some(zero),
            &mut |emitter, counter| {
                let counter = counter.ok_or("a counted loop without a counter")?;
                Ok(emitter.b.compare(CompareOp::Lt, counter, count))
            },
            &mut |emitter, counter| {
                if let Some(counter) = counter {
                    emitter.bind(index, Val::Scalar(counter));
                }
                emitter.block(body).map(|_| ())
            },
        )
    }

    pub fn while_loop(&mut self, cond: &Expr, body: &Block) -> Result<(), String> {
        let effects = Effects::of_block(body);
        self.leaving_while(
            &effects,
            None,
            &mut |emitter, _| emitter.expr(cond)?.scalar(),
            &mut |emitter, _| emitter.block(body).map(|_| ()),
        )
    }

    /// A `while` whose body may set the exit code. State: counter (for counted loops), exit code (when
    /// the loop can be left), variables, returned value.
    fn leaving_while(
        &mut self,
        effects: &Effects,
        counter: Option<Value>,
        cond: LoopPart<'_, 'a, Value>,
        body: LoopPart<'_, 'a, ()>,
    ) -> Result<(), String> {
        let leaves = effects.breaks || effects.returns;
        let outer_exit = self.exit.take();
        let mut items = self.items(effects);
        if effects.returns {
            items.push(Item::Return);
        }
        if leaves {
            items.push(Item::Exit);
        }
        let plan = self.plan(items)?;
        let mut args: Vec<Value> = counter.into_iter().collect();
        args.extend(self.flatten(&plan, None)?);
        let before = self.snapshot(&plan)?;
        let bound = self.bound();

        let counter_type: Vec<IrType> = counter.iter().map(|_| IrType::I64).collect();
        let cond_counter = self.open_region(&counter_type).first().copied();
        let params = plan.instantiate(|ty| self.b.add_region_param(ty));
        self.unflatten(&plan, &params)?;
        let go_on = if leaves { self.and_staying(cond, cond_counter)? } else { cond(self, cond_counter)? };
        let cond_region = self.close_region(vec![go_on]);
        self.unbind_except(&bound);

        let body_counter = self.open_region(&counter_type).first().copied();
        let params = plan.instantiate(|ty| self.b.add_region_param(ty));
        self.unflatten(&plan, &params)?;
        self.exit = None;
        body(self, body_counter)?;
        self.end_of_round();
        let mut yields = Vec::new();
        if let Some(counter) = body_counter {
            let one = self.b.i64(1);
            yields.push(self.b.binary(we3_ir::BinaryOp::Add, counter, one));
        }
        yields.extend(self.flatten(&plan, None)?);
        let body_region = self.close_region(yields);
        self.unbind_except(&bound);
        self.restore(before);

        let op = self.b.append(Opcode::While, args, vec![cond_region, body_region], &[]);
        if counter.is_some() {
            self.b.func.add_result(op, IrType::I64);
        }
        self.take_results(&plan, op)?;
        self.exit = match (effects.returns, self.exit) {
            (true, Some(exit)) => Some(self.only_return(exit)),
            (true, None) | (false, _) => outer_exit,
        };
        Ok(())
    }

    /// `staying && cond`, the condition evaluated only while the loop goes on.
    fn and_staying(
        &mut self,
        cond: LoopPart<'_, 'a, Value>,
        counter: Option<Value>,
    ) -> Result<Value, String> {
        let staying = self.is_staying();
        let exit = self.exit.take();
        self.open_region(&[]);
        let go_on = cond(self, counter)?;
        let then = self.close_region(vec![go_on]);
        self.open_region(&[]);
        let stop = self.b.bool(false);
        let otherwise = self.close_region(vec![stop]);
        self.exit = exit;
        Ok(self.b.value(Opcode::If, vec![staying], vec![then, otherwise], IrType::BOOL))
    }

    /// `continue` ends with the round.
    fn end_of_round(&mut self) {
        if let Some(exit) = self.exit {
            let code = self.b.i64(EXIT_CONTINUE);
            let none = self.b.i64(EXIT_NONE);
            let continued = self.b.compare(CompareOp::Eq, exit, code);
            self.exit = Some(self.b.select(continued, none, exit));
        }
    }

    /// `break` ends with the loop.
    fn only_return(&mut self, exit: Value) -> Value {
        let code = self.b.i64(EXIT_RETURN);
        let none = self.b.i64(EXIT_NONE);
        let returned = self.b.compare(CompareOp::Eq, exit, code);
        self.b.select(returned, exit, none)
    }
}
