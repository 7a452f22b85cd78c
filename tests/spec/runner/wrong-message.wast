;; The right failure, but its message does not begin with the expected text.
(module (func (export "trap") (unreachable)) (func (export "div") (drop (i32.div_s (i32.const 1) (i32.const 0)))))
(assert_trap (invoke "trap") "unreachable")
(assert_trap (invoke "trap") "unreachable executed!") ;; FAIL expected "unreachable executed!"
(assert_trap (invoke "trap") "reachable") ;; FAIL expected "reachable"
(assert_trap (invoke "div") "integer overflow") ;; FAIL expected "integer overflow"
(assert_malformed (module quote "(func (i32.nonsense))") "unexpected token") ;; FAIL expected "unexpected token"
(assert_invalid (module (func (result i32))) "unknown type") ;; FAIL expected "unknown type"
(assert_unlinkable (module (import "no" "f" (func))) "incompatible import type") ;; FAIL expected "incompatible import type"
(assert_malformed_custom (module quote "(@custom)") "@name annotation") ;; FAIL expected "@name annotation"
