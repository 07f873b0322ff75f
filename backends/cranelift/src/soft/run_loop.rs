//! Runs the body of a parallel loop: called here when the estimate is small, else through the context's threads.
//! One routine for all loops of an object; the code would be the same at each of them.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Block, InstBuilder, MemFlagsData, Signature, Value, types};
use cranelift_frontend::FunctionBuilder;
use we3_backend_api::context_offset::{PARALLEL, PARALLEL_FROM};
use we3_backend_api::estimate::MOST_WORK;
use we3_backend_api::parallel::CHUNK_PICOSECONDS;

/// `(context, body, environment, lo, hi, work) -> status`; an iteration takes about `work` picoseconds.
pub fn emit(builder: &mut FunctionBuilder<'_>, start: Block) {
    let params = builder.block_params(start).to_vec();
    let [context, body, environment, lo, hi, work] =
        [params[0], params[1], params[2], params[3], params[4], params[5]];
    let [here, threads] = [(); 2].map(|()| builder.create_block());
    let small = is_small(builder, context, [lo, hi], work);
    builder.ins().brif(small, here, &[], threads, &[]);

    builder.switch_to_block(here);
    call(builder, body, &[context, environment, lo, hi]);

    builder.switch_to_block(threads);
    let whole = builder.ins().iconst(types::I64, CHUNK_PICOSECONDS);
    let one = builder.ins().iconst(types::I64, 1);
    let grain = builder.ins().udiv(whole, work);
    let grain = builder.ins().umax(grain, one);
    let parallel = builder.ins().load(types::I64, context_flags(), context, PARALLEL);
    call(builder, parallel, &[context, body, environment, lo, hi, grain]);
}

/// The host may change its context, but not during a call.
fn context_flags() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly()
}

fn is_small(builder: &mut FunctionBuilder<'_>, context: Value, [lo, hi]: [Value; 2], work: Value) -> Value {
    let zero = builder.ins().iconst(types::I64, 0);
    let most = builder.ins().iconst(types::I64, MOST_WORK);
    let any = builder.ins().icmp(IntCC::SignedLessThan, lo, hi);
    let span = builder.ins().isub(hi, lo);
    let trips = builder.ins().select(any, span, zero);
    let trips = builder.ins().umin(trips, most);
    let total = builder.ins().imul(trips, work);
    let from = builder.ins().load(types::I64, context_flags(), context, PARALLEL_FROM);
    builder.ins().icmp(IntCC::UnsignedLessThan, total, from)
}

/// Calls an address and returns its status.
fn call(builder: &mut FunctionBuilder<'_>, callee: Value, args: &[Value]) {
    let mut signature = Signature::new(builder.func.signature.call_conv);
    signature.params.extend(vec![AbiParam::new(types::I64); args.len()]);
    signature.returns.push(AbiParam::new(types::I32));
    let signature = builder.import_signature(signature);
    let call = builder.ins().call_indirect(signature, callee, args);
    let status = builder.inst_results(call)[0];
    builder.ins().return_(&[status]);
}
