; fma(double) for processors without the instruction: the exact 106-bit product and the addend meet
; in a 128-bit field, with one sticky bit for what falls out of it; then one rounding to even.
define internal double @we3.fma.f64(double %x, double %y, double %z) #0 {
entry:
  %xb = bitcast double %x to i64
  %yb = bitcast double %y to i64
  %zb = bitcast double %z to i64
  %ax = and i64 %xb, 9223372036854775807
  %ay = and i64 %yb, 9223372036854775807
  %az = and i64 %zb, 9223372036854775807
  ; Zeros, infinities and NaNs: the plain operations are right. Subtracting 1 sends zero to the top.
  %nx = sub i64 %ax, 1
  %ny = sub i64 %ay, 1
  %nz = sub i64 %az, 1
  %odd.x = icmp uge i64 %nx, 9218868437227405311
  %odd.y = icmp uge i64 %ny, 9218868437227405311
  %odd.z = icmp uge i64 %nz, 9218868437227405311
  %odd.xy = or i1 %odd.x, %odd.y
  %odd = or i1 %odd.xy, %odd.z
  br i1 %odd, label %plain, label %z.nonzero
plain:
  ; z infinite with finite x, y must not see an overflowing product of the other sign.
  %z.only = xor i1 %odd.xy, true
  %z.special = icmp uge i64 %az, 9218868437227405312
  %just.z = and i1 %z.only, %z.special
  %product = fmul double %x, %y
  %sum = fadd double %product, %z
  ; z is zero and the product is not: the sign of a product that rounds to zero stays.
  %z.zero = and i1 %z.only, %odd.z
  %sum.or.product = select i1 %z.zero, double %product, double %sum
  %plain.result = select i1 %just.z, double %z, double %sum.or.product
  ret double %plain.result
z.nonzero:
  %ex.raw = lshr i64 %ax, 52
  %ey.raw = lshr i64 %ay, 52
  %ez.raw = lshr i64 %az, 52
  %fx = and i64 %ax, 4503599627370495
  %fy = and i64 %ay, 4503599627370495
  %fz = and i64 %az, 4503599627370495
  %x.normal = icmp ne i64 %ex.raw, 0
  %y.normal = icmp ne i64 %ey.raw, 0
  %z.normal = icmp ne i64 %ez.raw, 0
  %hx = select i1 %x.normal, i64 4503599627370496, i64 0
  %hy = select i1 %y.normal, i64 4503599627370496, i64 0
  %hz = select i1 %z.normal, i64 4503599627370496, i64 0
  %sx = or i64 %fx, %hx
  %sy = or i64 %fy, %hy
  %sz = or i64 %fz, %hz
  %ex.1 = call i64 @llvm.umax.i64(i64 %ex.raw, i64 1)
  %ey.1 = call i64 @llvm.umax.i64(i64 %ey.raw, i64 1)
  %ez.1 = call i64 @llvm.umax.i64(i64 %ez.raw, i64 1)
  ; Denormals normalised: every significand has bit 52 set.
  %lx = call i64 @llvm.ctlz.i64(i64 %sx, i1 false)
  %ly = call i64 @llvm.ctlz.i64(i64 %sy, i1 false)
  %lz = call i64 @llvm.ctlz.i64(i64 %sz, i1 false)
  %ux = sub i64 %lx, 11
  %uy = sub i64 %ly, 11
  %uz = sub i64 %lz, 11
  %mx = shl i64 %sx, %ux
  %my = shl i64 %sy, %uy
  %mz = shl i64 %sz, %uz
  %ex = sub i64 %ex.1, %ux
  %ey = sub i64 %ey.1, %uy
  %ez = sub i64 %ez.1, %uz
  ; value = m * 2^(e - 1075). The product has 105 or 106 bits; 20 more below.
  %mx.wide = zext i64 %mx to i128
  %my.wide = zext i64 %my to i128
  %mz.wide = zext i64 %mz to i128
  %p.raw = mul i128 %mx.wide, %my.wide
  %p = shl i128 %p.raw, 20
  %exy = add i64 %ex, %ey
  %ep = sub i64 %exy, 1095
  ; Now p * 2^(ep - 1075) + mz * 2^(ez - 1075).
  %d = sub i64 %ez, %ep
  %left.raw = call i64 @llvm.smax.i64(i64 %d, i64 0)
  %left = call i64 @llvm.umin.i64(i64 %left.raw, i64 73)
  %left.wide = zext i64 %left to i128
  %z.left = shl i128 %mz.wide, %left.wide
  %p.right.raw = sub i64 %left.raw, %left
  %d.minus = sub i64 0, %d
  %z.right.raw = call i64 @llvm.smax.i64(i64 %d.minus, i64 0)
  %p.right = call i64 @llvm.umin.i64(i64 %p.right.raw, i64 127)
  %z.right = call i64 @llvm.umin.i64(i64 %z.right.raw, i64 127)
  %p.amount = zext i64 %p.right to i128
  %z.amount = zext i64 %z.right to i128
  %p.kept = lshr i128 %p, %p.amount
  %p.back = shl i128 %p.kept, %p.amount
  %p.lost = icmp ne i128 %p.back, %p
  %p.sticky = zext i1 %p.lost to i128
  %p.aligned = or i128 %p.kept, %p.sticky
  %z.kept = lshr i128 %z.left, %z.amount
  %z.back = shl i128 %z.kept, %z.amount
  %z.lost = icmp ne i128 %z.back, %z.left
  %z.sticky = zext i1 %z.lost to i128
  %z.aligned = or i128 %z.kept, %z.sticky
  ; Common exponent: ep, plus what p was moved right.
  %e = add i64 %ep, %p.right.raw
  %xy.sign = xor i64 %xb, %yb
  %p.negative = icmp slt i64 %xy.sign, 0
  %z.negative = icmp slt i64 %zb, 0
  %p.minus = sub i128 0, %p.aligned
  %z.minus = sub i128 0, %z.aligned
  %p.signed = select i1 %p.negative, i128 %p.minus, i128 %p.aligned
  %z.signed = select i1 %z.negative, i128 %z.minus, i128 %z.aligned
  %s = add i128 %p.signed, %z.signed
  %s.zero = icmp eq i128 %s, 0
  br i1 %s.zero, label %cancelled, label %round
cancelled:
  ret double 0.0
round:
  %negative = icmp slt i128 %s, 0
  %s.minus = sub i128 0, %s
  %m = select i1 %negative, i128 %s.minus, i128 %s
  %leading = call i128 @llvm.ctlz.i128(i128 %m, i1 false)
  %top = shl i128 %m, %leading
  %leading.narrow = trunc i128 %leading to i64
  ; 64 bits with a sticky one, bit 63 set; the leading bit's biased exponent:
  ; value = m * 2^(e - 1075), leading bit 127 - leading, bias 1023.
  %hi.wide = lshr i128 %top, 64
  %lo = trunc i128 %top to i64
  %lo.some = icmp ne i64 %lo, 0
  %lo.sticky = zext i1 %lo.some to i128
  %h = or i128 %hi.wide, %lo.sticky
  %e.leading = sub i64 %e, %leading.narrow
  %be = add i64 %e.leading, 75
  %deficit = sub i64 1, %be
  %extra.raw = call i64 @llvm.smax.i64(i64 %deficit, i64 0)
  %extra = call i64 @llvm.umin.i64(i64 %extra.raw, i64 60)
  %shift = add i64 %extra, 11
  %shift.wide = zext i64 %shift to i128
  %q = lshr i128 %h, %shift.wide
  %q.back = shl i128 %q, %shift.wide
  %rem = sub i128 %h, %q.back
  %half.shift = sub i128 %shift.wide, 1
  %half = shl i128 1, %half.shift
  %above = icmp ugt i128 %rem, %half
  %tie = icmp eq i128 %rem, %half
  %q.low = trunc i128 %q to i1
  %tie.up = and i1 %tie, %q.low
  %up = or i1 %above, %tie.up
  %up.wide = zext i1 %up to i64
  %q.narrow = trunc i128 %q to i64
  %q.rounded = add i64 %q.narrow, %up.wide
  %be.clamped = call i64 @llvm.smax.i64(i64 %be, i64 1)
  %be.field = sub i64 %be.clamped, 1
  %exponent = shl i64 %be.field, 52
  %magnitude = add i64 %exponent, %q.rounded
  %overflow = icmp sgt i64 %be, 2046
  %finite = select i1 %overflow, i64 9218868437227405312, i64 %magnitude
  %sign = select i1 %negative, i64 -9223372036854775808, i64 0
  %bits = or i64 %finite, %sign
  %result = bitcast i64 %bits to double
  ret double %result
}
