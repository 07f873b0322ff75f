; fmod(float): exact remainder with the sign of the dividend, by long division of the significands,
; 40 bits a step. NaN (any) for x infinite, y zero, or a NaN operand.
define internal float @we3.fmod.f32(float %x, float %y) #0 {
entry:
  %xb = bitcast float %x to i32
  %yb = bitcast float %y to i32
  %ax = and i32 %xb, 2147483647
  %ay = and i32 %yb, 2147483647
  %sign = xor i32 %xb, %ax
  %y.zero = icmp eq i32 %ay, 0
  %x.special = icmp uge i32 %ax, 2139095040
  %y.nan = icmp ugt i32 %ay, 2139095040
  %bad.0 = or i1 %y.zero, %x.special
  %bad = or i1 %bad.0, %y.nan
  br i1 %bad, label %invalid, label %compare
invalid:
  ret float bitcast (i32 2143289344 to float)
compare:
  %smaller = icmp ult i32 %ax, %ay
  br i1 %smaller, label %same, label %divide
same:
  ret float %x
divide:
  %ex.raw = lshr i32 %ax, 23
  %ey.raw = lshr i32 %ay, 23
  %x.normal = icmp ne i32 %ex.raw, 0
  %y.normal = icmp ne i32 %ey.raw, 0
  %ex = call i32 @llvm.umax.i32(i32 %ex.raw, i32 1)
  %ey = call i32 @llvm.umax.i32(i32 %ey.raw, i32 1)
  %mx.field = and i32 %ax, 8388607
  %my.field = and i32 %ay, 8388607
  %x.hidden = select i1 %x.normal, i32 8388608, i32 0
  %y.hidden = select i1 %y.normal, i32 8388608, i32 0
  %mx.narrow = or i32 %mx.field, %x.hidden
  %my.narrow = or i32 %my.field, %y.hidden
  %mx = zext i32 %mx.narrow to i64
  %my = zext i32 %my.narrow to i64
  %first = urem i64 %mx, %my
  %distance = sub i32 %ex, %ey
  br label %loop
loop:
  %rest = phi i64 [ %first, %divide ], [ %next, %step ]
  %left = phi i32 [ %distance, %divide ], [ %left.next, %step ]
  %done = icmp eq i32 %left, 0
  br i1 %done, label %pack, label %step
step:
  %chunk = call i32 @llvm.umin.i32(i32 %left, i32 40)
  %left.next = sub i32 %left, %chunk
  %amount = zext i32 %chunk to i64
  %shifted = shl i64 %rest, %amount
  %next = urem i64 %shifted, %my
  br label %loop
pack:
  %r = trunc i64 %rest to i32
  %leading = call i32 @llvm.ctlz.i32(i32 %r, i1 false)
  %wanted = sub i32 %leading, 8
  %room = sub i32 %ey, 1
  %by = call i32 @llvm.umin.i32(i32 %wanted, i32 %room)
  %significand = shl i32 %r, %by
  %exponent = sub i32 %room, %by
  %upper = shl i32 %exponent, 23
  %joined = add i32 %upper, %significand
  %zero = icmp eq i32 %r, 0
  %magnitude = select i1 %zero, i32 0, i32 %joined
  %signed = or i32 %magnitude, %sign
  %result = bitcast i32 %signed to float
  ret float %result
}
