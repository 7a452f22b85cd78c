;; Failures of another kind than expected, and none where one is expected.
(module
  (func (export "f") (result i32) (i32.const 1)) (func (export "trap") (unreachable))
  (tag $t) (func (export "throw") (throw $t)) (func $loop (export "exhaust") (call $loop)))
(assert_return (invoke "trap")) ;; FAIL trap: unreachable
(assert_return (invoke "throw")) ;; FAIL uncaught exception
(assert_trap (invoke "f") "unreachable") ;; FAIL but it returned
(assert_trap (invoke "throw") "") ;; FAIL expected trap "", got uncaught exception
(assert_trap (invoke "exhaust") "call stack exhausted") ;; FAIL got exhaustion
(assert_exhaustion (invoke "trap") "unreachable") ;; FAIL got trap
(assert_exhaustion (invoke "f") "") ;; FAIL but it returned
(assert_exception (invoke "trap")) ;; FAIL got trap
(assert_exception (invoke "f")) ;; FAIL but it returned
(invoke "trap") ;; FAIL trap: unreachable
(assert_trap (module (func)) "unreachable") ;; FAIL but it was instantiated
(assert_trap (module (import "no" "f" (func))) "unknown import") ;; FAIL got unlinkable module
(assert_unlinkable (module (func $f (unreachable)) (start $f)) "unreachable") ;; FAIL got trap
(assert_unlinkable (module (func)) "unknown import") ;; FAIL but it was instantiated
(module (func $f (unreachable)) (start $f)) ;; FAIL trap: unreachable
