;; What the runner does not understand has failed.
(module $M (func (export "f") (param i32)) (memory (export "m") 1))
(assert_suspension (invoke "f" (i32.const 1)) "unhandled") ;; FAIL unknown operator assert_suspension
(frobnicate) ;; FAIL unknown operator frobnicate
(assert_return (invoke "f" (i32.const 1)) (i128.const 1)) ;; FAIL unknown operator i128.const
(assert_return (invoke "f" (i32.const 1) extra)) ;; FAIL unknown operator extra
(assert_return (invoke "f" (i32.const nan:canonical))) ;; FAIL unexpected token
(assert_return) ;; FAIL unexpected token
(assert_trap (invoke "f" (i32.const 1))) ;; FAIL a string
(invoke "g") ;; FAIL there is no export "g"
(invoke "m") ;; FAIL the export "m" is no function
(get "f") ;; FAIL the export "f" is no global
(invoke $N "f" (i32.const 1)) ;; FAIL unknown instance $N
(invoke "f") ;; FAIL 0 arguments are too few
(invoke "f" (i32.const 1) (i32.const 2)) ;; FAIL 2 arguments for 1 parameters
(invoke "f" (f32.const 1)) ;; FAIL does not fit
(register "r" $N) ;; FAIL unknown instance $N
(module instance $I $N) ;; FAIL unknown module
(wait $T) ;; FAIL unknown thread $T
(module (func (i32.frobnicate))) ;; FAIL malformed module: unknown operator i32.frobnicate
(module (func (result i32))) ;; FAIL invalid module: type mismatch
(module (import "no" "f" (func))) ;; FAIL unlinkable module: unknown import
(input "file.wast") ;; FAIL a command
