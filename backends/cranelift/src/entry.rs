//! One entry: reads parameters from the argument slots, emits the body, writes scalar results.

use std::collections::BTreeSet;
use std::rc::Rc;

use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, MemFlagsData, Signature, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::Module as _;
use cranelift_object::ObjectModule;
use we3_backend_api::estimate::Rates;
use we3_backend_api::{STATUS_CHECK_FAILED, STATUS_OK, STATUS_OUT_OF_MEMORY, Unsupported, outlines};
use we3_ir::{Func, Op, Type, Value};

use crate::emit::{Clif, Emitter};
use crate::home::Home;
use crate::nan::NanStates;
use crate::object::Assembler;
use crate::outline::LoopBody;
use crate::scalar::{clif_type, resize_unsigned};
use crate::unsupported;

/// `(context, arguments, results) -> status`.
pub fn signature(object: &ObjectModule) -> Signature {
    let mut signature = object.make_signature();
    signature.params.extend([AbiParam::new(types::I64); 3]);
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// How fast Cranelift's code is.
const RATES: Rates = Rates { scalar: 80, index: 40, vector: 80, vector_bytes: 16 };

/// What the functions of one entry have in common.
pub struct Shared<'a> {
    /// The entry in our IR.
    pub func: &'a Func,
    /// What is known of its NaNs.
    pub states: NanStates,
}

impl<'a> Shared<'a> {
    /// Analyses an entry.
    pub fn of(func: &'a Func) -> Shared<'a> {
        Shared { func, states: NanStates::of(func) }
    }
}

/// Emits the whole function, but for the loop bodies that become functions: they are returned.
pub fn emit(
    shared: &Shared<'_>,
    code: &mut Function,
    assembler: &mut Assembler,
) -> Result<Vec<LoopBody>, Unsupported> {
    with_emitter(shared, code, assembler, |emitter| {
        emitter.outlines = Rc::new(outlines(shared.func, RATES));
        emit_body(emitter)?;
        Ok(std::mem::take(&mut emitter.bodies))
    })
}

/// Builds a function with an emitter, and ends it.
pub fn with_emitter<R>(
    shared: &Shared<'_>,
    code: &mut Function,
    assembler: &mut Assembler,
    emit: impl FnOnce(&mut Emitter<'_, '_>) -> Result<R, Unsupported>,
) -> Result<R, Unsupported> {
    let mut scratch = std::mem::take(&mut assembler.scratch);
    let config = assembler.object.isa().frontend_config();
    let builder = FunctionBuilder::new(code, &mut scratch);
    let mut emitter = Emitter::new(shared, builder, assembler);
    let result = emit(&mut emitter)?;
    emitter.finish_exits();
    emitter.builder.seal_all_blocks();
    emitter.builder.finalize(config);
    assembler.scratch = scratch;
    Ok(result)
}

fn emit_body(emitter: &mut Emitter<'_, '_>) -> Result<(), Unsupported> {
    let start = emitter.builder.create_block();
    emitter.builder.append_block_params_for_function_params(start);
    emitter.builder.switch_to_block(start);
    let params = emitter.builder.block_params(start);
    let [context, arguments, results] = [params[0], params[1], params[2]];
    emitter.context = context;
    emitter.results = results;
    place_params(emitter, arguments)?;
    let outlines = Rc::clone(&emitter.outlines);
    let elsewhere: BTreeSet<Op> = outlines.values().flat_map(|outline| outline.ops.iter().copied()).collect();
    let func = emitter.func;
    emitter.reserve_large_stacks(func.ops.keys().filter(|op| !elsewhere.contains(op)));
    // `return` ends the block by itself.
    let _ = emitter.region(emitter.func.body)?;
    Ok(())
}

fn place_params(emitter: &mut Emitter<'_, '_>, arguments: Clif) -> Result<(), Unsupported> {
    let params: Vec<Value> = emitter.func.params().to_vec();
    for (number, param) in params.into_iter().enumerate() {
        let ty = match emitter.func.ty(param) {
            Type::Scalar(scalar) => clif_type(*scalar),
            Type::Buffer(_) => types::I64,
            Type::Array(..) | Type::Vector(..) => {
                return Err(unsupported("an entry parameter that is neither scalar nor buffer", None));
            }
        };
        // Little-endian memory lets a narrow value be read in place from its 64-bit slot.
        let pieces = vec![(ty, slot_offset(number)?)];
        emitter.homes.insert(param, Home { record: arguments, pieces });
    }
    Ok(())
}

fn slot_offset(number: usize) -> Result<i32, Unsupported> {
    i32::try_from(number * 8).map_err(|_| unsupported("more than 2^28 parameters or results", None))
}

impl Emitter<'_, '_> {
    /// `return`: every scalar result goes to its slot, zero-extended.
    pub fn emit_return(&mut self, values: &[Value]) -> Result<(), Unsupported> {
        for (number, value) in values.iter().enumerate() {
            let bits = self.observed(*value)?[0];
            let slot = self.slot_bits(bits);
            let offset = slot_offset(number)?;
            let results = self.results;
            self.builder.ins().store(MemFlagsData::trusted(), slot, results, offset);
        }
        self.return_status(STATUS_OK);
        Ok(())
    }

    fn slot_bits(&mut self, value: Clif) -> Clif {
        let ty = self.builder.func.dfg.value_type(value);
        let bits = match ty {
            types::F32 => self.builder.ins().bitcast(types::I32, MemFlagsData::new(), value),
            types::F64 => self.builder.ins().bitcast(types::I64, MemFlagsData::new(), value),
            _ => value,
        };
        resize_unsigned(&mut self.builder, bits, types::I64)
    }

    /// Ends the function with a status.
    pub fn return_status(&mut self, status: i32) {
        let status = self.builder.ins().iconst(types::I32, i64::from(status));
        self.builder.ins().return_(&[status]);
    }

    /// The blocks that failed checks, failed allocations and failed loops go to.
    pub fn finish_exits(&mut self) {
        for (block, status) in
            [(self.check_failed, STATUS_CHECK_FAILED), (self.out_of_memory, STATUS_OUT_OF_MEMORY)]
        {
            if let Some(block) = block {
                self.builder.switch_to_block(block);
                self.return_status(status);
            }
        }
        if let Some(block) = self.loop_failed {
            self.builder.switch_to_block(block);
            let status = self.builder.block_params(block)[0];
            self.builder.ins().return_(&[status]);
        }
    }
}
