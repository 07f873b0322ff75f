//! Copies of memory that do not overlap.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Type as ClifType, Value, types};
use cranelift_frontend::FunctionBuilder;

/// `(dest, source, bytes)`: 32 bytes a round, then single bytes.
pub fn bytes(builder: &mut FunctionBuilder<'_>, start: Block) {
    let params = builder.block_params(start).to_vec();
    let [dest, source, count] = [params[0], params[1], params[2]];
    let whole = builder.ins().band_imm_s(count, -32);
    let zero = builder.ins().iconst(types::I64, 0);
    let rest = copy_loop(builder, [dest, source], zero, whole, &[types::I64; 4]);
    let _ = copy_loop(builder, [dest, source], rest, count, &[types::I8]);
    builder.ins().return_(&[]);
}

/// `(dest, source, bytes)`: one element a round.
pub fn elements(builder: &mut FunctionBuilder<'_>, start: Block, elem: ClifType) {
    let params = builder.block_params(start).to_vec();
    let [dest, source, count] = [params[0], params[1], params[2]];
    let zero = builder.ins().iconst(types::I64, 0);
    let _ = copy_loop(builder, [dest, source], zero, count, &[elem]);
    builder.ins().return_(&[]);
}

/// Copies from byte offset `from` to `to` in rounds of these accesses; gives the offset at the end.
fn copy_loop(
    builder: &mut FunctionBuilder<'_>,
    [dest, source]: [Value; 2],
    from: Value,
    to: Value,
    accesses: &[ClifType],
) -> Value {
    let head = builder.create_block();
    let body = builder.create_block();
    let after = builder.create_block();
    let at = builder.append_block_param(head, types::I64);
    builder.ins().jump(head, &[BlockArg::Value(from)]);
    builder.switch_to_block(head);
    let more = builder.ins().icmp(IntCC::SignedLessThan, at, to);
    builder.ins().brif(more, body, &[], after, &[]);
    builder.switch_to_block(body);
    let [read, write] = [builder.ins().iadd(source, at), builder.ins().iadd(dest, at)];
    let flags = MemFlagsData::new().with_notrap();
    let mut offset = 0;
    let mut loaded = Vec::new();
    for ty in accesses {
        loaded.push((offset, builder.ins().load(*ty, flags, read, offset)));
        offset += ty.bytes().cast_signed();
    }
    for (offset, value) in loaded {
        builder.ins().store(flags, value, write, offset);
    }
    let next = builder.ins().iadd_imm_s(at, i64::from(offset));
    builder.ins().jump(head, &[BlockArg::Value(next)]);
    builder.switch_to_block(after);
    at
}
