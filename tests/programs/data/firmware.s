	.file	"b.c"
__SP_H__ = 0x3e
__SP_L__ = 0x3d
__SREG__ = 0x3f
__tmp_reg__ = 0
__zero_reg__ = 1
	.text
.global	step
	.type	step, @function
step:
/* prologue: function */
/* frame size = 0 */
/* stack size = 0 */
.L__stack_usage = 0
	ldi r22,0
	ldi r23,0
	ldi r25,0
	movw r20,r22
.L2:
	cpse r25,r24
	rjmp .L3
	sts port,r20
	movw r24,r20
/* epilogue start */
	ret
.L3:
	mov r30,r25
	andi r30,lo8(7)
	ldi r31,0
	lsl r30
	rol r31
	subi r30,lo8(-(table))
	sbci r31,hi8(-(table))
	ld r18,Z
	ldd r19,Z+1
	add r18,r22
	adc r19,r23
	st Z,r18
	std Z+1,r19
	mov r30,r25
	andi r30,lo8(3)
	rjmp 2f
	1:
	lsl r18
	rol r19
	2:
	dec r30
	brpl 1b
	eor r20,r18
	eor r21,r19
	subi r25,lo8(-(1))
	subi r22,-3
	sbci r23,-1
	rjmp .L2
	.size	step, .-step
	.section	.text.startup,"ax",@progbits
.global	main
	.type	main, @function
main:
/* prologue: function */
/* frame size = 0 */
/* stack size = 0 */
.L__stack_usage = 0
.L5:
	lds r24,port
	call step
	rjmp .L5
	.size	main, .-main
	.local	table
	.comm	table,16,1
.global	port
	.section .bss
	.type	port, @object
	.size	port, 1
port:
	.zero	1
	.ident	"GCC: (GNU) 15.2.0"
.global __do_clear_bss
