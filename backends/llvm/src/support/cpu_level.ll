; The level of x86-64 that the processor has and the operating system keeps the registers of: 1, 2, 3 or 4. Found out
; once; threads that ask at the same time find the same.
@we3.level.known = internal global i32 0, align 4
define internal i32 @we3.level() #0 {
entry:
  %before = load atomic i32, ptr @we3.level.known monotonic, align 4
  %is.known = icmp ne i32 %before, 0
  br i1 %is.known, label %done, label %ask
ask:
  %found = call i32 @we3.level.ask()
  store atomic i32 %found, ptr @we3.level.known monotonic, align 4
  br label %done
done:
  %level = phi i32 [ %before, %entry ], [ %found, %ask ]
  ret i32 %level
}
define internal i32 @we3.level.ask() noinline #0 {
entry:
  %leaf.0 = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 0, i32 0)
  %last = extractvalue { i32, i32, i32, i32 } %leaf.0, 0
  %leaf.e = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 -2147483648, i32 0)
  %last.e = extractvalue { i32, i32, i32, i32 } %leaf.e, 0
  %leaf.1 = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 1, i32 0)
  %c.1 = extractvalue { i32, i32, i32, i32 } %leaf.1, 2
  ; sse3 0, ssse3 9, cx16 13, sse4.1 19, sse4.2 20, popcnt 23
  %has.2 = and i32 %c.1, 9970177
  %is.2 = icmp eq i32 %has.2, 9970177
  br i1 %is.2, label %two, label %level.1
two:
  ; fma 12, movbe 22, osxsave 27, avx 28, f16c 29
  %has.3 = and i32 %c.1, 943722496
  %is.3 = icmp eq i32 %has.3, 943722496
  %more = icmp uge i32 %last, 7
  %more.e = icmp uge i32 %last.e, -2147483647
  %a = and i1 %is.3, %more
  %b = and i1 %a, %more.e
  br i1 %b, label %three, label %level.2
three:
  %leaf.7 = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 7, i32 0)
  %b.7 = extractvalue { i32, i32, i32, i32 } %leaf.7, 1
  %leaf.x = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}"(i32 -2147483647, i32 0)
  %c.x = extractvalue { i32, i32, i32, i32 } %leaf.x, 2
  %kept = call { i32, i32 } asm sideeffect "xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}"(i32 0)
  %state = extractvalue { i32, i32 } %kept, 0
  ; bmi 3, avx2 5, bmi2 8; lzcnt 5; registers of sse 1 and avx 2
  %has.bmi = and i32 %b.7, 296
  %is.bmi = icmp eq i32 %has.bmi, 296
  %has.lzcnt = and i32 %c.x, 32
  %is.lzcnt = icmp ne i32 %has.lzcnt, 0
  %has.avx = and i32 %state, 6
  %is.avx = icmp eq i32 %has.avx, 6
  %c = and i1 %is.bmi, %is.lzcnt
  %d = and i1 %c, %is.avx
  br i1 %d, label %four, label %level.2
four:
  ; avx512f 16, avx512dq 17, avx512cd 28, avx512bw 30, avx512vl 31; masks 5 and the upper registers 6, 7
  %has.4 = and i32 %b.7, -805109760
  %is.4 = icmp eq i32 %has.4, -805109760
  %has.zmm = and i32 %state, 230
  %is.zmm = icmp eq i32 %has.zmm, 230
  %e = and i1 %is.4, %is.zmm
  br i1 %e, label %level.4, label %level.3
level.1:
  ret i32 1
level.2:
  ret i32 2
level.3:
  ret i32 3
level.4:
  ret i32 4
}
