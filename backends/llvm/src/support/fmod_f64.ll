; fmod(double): exact remainder with the sign of the dividend, by long division of the significands,
; 11 bits a step. NaN (any) for x infinite, y zero, or a NaN operand.
define internal double @we3.fmod.f64(double %x, double %y) #0 {
entry:
  %xb = bitcast double %x to i64
  %yb = bitcast double %y to i64
  %ax = and i64 %xb, 9223372036854775807
  %ay = and i64 %yb, 9223372036854775807
  %sign = xor i64 %xb, %ax
  %y.zero = icmp eq i64 %ay, 0
  %x.special = icmp uge i64 %ax, 9218868437227405312
  %y.nan = icmp ugt i64 %ay, 9218868437227405312
  %bad.0 = or i1 %y.zero, %x.special
  %bad = or i1 %bad.0, %y.nan
  br i1 %bad, label %invalid, label %compare
invalid:
  ret double bitcast (i64 9221120237041090560 to double)
compare:
  %smaller = icmp ult i64 %ax, %ay
  br i1 %smaller, label %same, label %divide
same:
  ret double %x
divide:
  %ex.raw = lshr i64 %ax, 52
  %ey.raw = lshr i64 %ay, 52
  %x.normal = icmp ne i64 %ex.raw, 0
  %y.normal = icmp ne i64 %ey.raw, 0
  %ex = call i64 @llvm.umax.i64(i64 %ex.raw, i64 1)
  %ey = call i64 @llvm.umax.i64(i64 %ey.raw, i64 1)
  %mx.field = and i64 %ax, 4503599627370495
  %my.field = and i64 %ay, 4503599627370495
  %x.hidden = select i1 %x.normal, i64 4503599627370496, i64 0
  %y.hidden = select i1 %y.normal, i64 4503599627370496, i64 0
  %mx.narrow = or i64 %mx.field, %x.hidden
  %my.narrow = or i64 %my.field, %y.hidden
  %mx = or i64 %mx.narrow, 0
  %my = or i64 %my.narrow, 0
  %first = urem i64 %mx, %my
  %distance = sub i64 %ex, %ey
  br label %loop
loop:
  %rest = phi i64 [ %first, %divide ], [ %next, %step ]
  %left = phi i64 [ %distance, %divide ], [ %left.next, %step ]
  %done = icmp eq i64 %left, 0
  br i1 %done, label %pack, label %step
step:
  %chunk = call i64 @llvm.umin.i64(i64 %left, i64 11)
  %left.next = sub i64 %left, %chunk
  %amount = or i64 %chunk, 0
  %shifted = shl i64 %rest, %amount
  %next = urem i64 %shifted, %my
  br label %loop
pack:
  %r = or i64 %rest, 0
  %leading = call i64 @llvm.ctlz.i64(i64 %r, i1 false)
  %wanted = sub i64 %leading, 11
  %room = sub i64 %ey, 1
  %by = call i64 @llvm.umin.i64(i64 %wanted, i64 %room)
  %significand = shl i64 %r, %by
  %exponent = sub i64 %room, %by
  %upper = shl i64 %exponent, 52
  %joined = add i64 %upper, %significand
  %zero = icmp eq i64 %r, 0
  %magnitude = select i1 %zero, i64 0, i64 %joined
  %signed = or i64 %magnitude, %sign
  %result = bitcast i64 %signed to double
  ret double %result
}
