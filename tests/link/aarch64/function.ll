; about: what LLVM emits for a function with calls, data, constants and a thread-local variable
; extern: callee 0x1000000
; extern: table 0x2000000
; lld: -static --no-relax
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32"

@count = internal global i64 5
@names = internal constant [2 x ptr] [ptr @main, ptr @count]

declare hidden i64 @callee(i64, double)

define hidden i64 @main(i64 %x, i64 %y) {
  %old = load i64, ptr @count
  %new = add i64 %old, %x
  store i64 %new, ptr @count
  %result = call i64 @callee(i64 %new, double 1.25)
  %place = getelementptr [2 x ptr], ptr @names, i64 0, i64 %y
  %name = load ptr, ptr %place
  %word = load i64, ptr %name
  %sum = add i64 %result, %word
  ret i64 %sum
}

;| before
;| section .text: Code, 60 bytes, align 4
;|   0000: fe 4f bf a9 08 00 00 90 00 90 6e 1e f3 03 01 aa
;|   0010: 09 01 40 f9 20 01 00 8b 00 01 00 f9 00 00 00 94
;|   0020: 08 00 00 90 08 01 00 91 08 79 73 f8 08 01 40 f9
;|   0030: 00 00 08 8b fe 4f c1 a8 c0 03 5f d6
;|   0004: R_AARCH64_ADR_PREL_PG_HI21 .data
;|   0010: R_AARCH64_LDST64_ABS_LO12_NC .data
;|   0018: R_AARCH64_LDST64_ABS_LO12_NC .data
;|   001c: R_AARCH64_CALL26 callee
;|   0020: R_AARCH64_ADR_PREL_PG_HI21 .data.rel.ro
;|   0024: R_AARCH64_ADD_ABS_LO12_NC .data.rel.ro
;| section .data: Data, 8 bytes, align 8
;|   0000: 05 00 00 00 00 00 00 00
;| section .data.rel.ro: ReadOnly, 16 bytes, align 8
;|   0000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
;|   0000: R_AARCH64_ABS64 main
;|   0008: R_AARCH64_ABS64 .data
;| section .note.GNU-stack: Unloaded, 0 bytes, align 1
;| section .eh_frame: Unwind, 48 bytes, align 8
;|   0000: 10 00 00 00 00 00 00 00 01 7a 52 00 01 7c 1e 01
;|   0010: 1b 0c 1f 00 18 00 00 00 18 00 00 00 00 00 00 00
;|   0020: 3c 00 00 00 00 44 0e 10 93 02 9e 04 00 00 00 00
;|   001c: R_AARCH64_PREL32 .text
;| symbol function.ll: absolute 0x0, own
;| symbol count: .data+0x0, own, Data, 8 bytes
;| symbol names: .data.rel.ro+0x0, own, Data, 16 bytes
;| symbol main: .text+0x0, Hidden, Function, 60 bytes
;| symbol callee: undefined, Hidden
;|
;| after
;| section .text at 0x210000
;|   0000: stp x30, x19, [sp, #-0x10]!
;|   0004: adrp x8, $+0x20000
;|   0008: fmov d0, #1.25
;|   000c: mov x19, x1
;|   0010: ldr x9, [x8, #0x10]
;|   0014: add x0, x9, x0
;|   0018: str x0, [x8, #0x10]
;|   001c: bl $+0xdeffe4
;|   0020: adrp x8, $+0x10000
;|   0024: add x8, x8, #0x0
;|   0028: ldr x8, [x8, x19, lsl #3]
;|   002c: ldr x8, [x8]
;|   0030: add x0, x0, x8
;|   0034: ldp x30, x19, [sp], #0x10
;|   0038: ret
;| section .data at 0x230010
;|   0000: 05 00 00 00 00 00 00 00
;| section .data.rel.ro at 0x220000
;|   0000: 00 00 21 00 00 00 00 00 10 00 23 00 00 00 00 00
;| section .eh_frame at 0x2001c8
;|   0000: 10 00 00 00 00 00 00 00 01 7a 52 00 01 7c 1e 01
;|   0010: 1b 0c 1f 00 18 00 00 00 18 00 00 00 1c fe 00 00
;|   0020: 3c 00 00 00 00 44 0e 10 93 02 9e 04 00 00 00 00
