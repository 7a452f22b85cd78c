;; options: --features threads
;; What fails within a thread has failed; an instance is shared with it only when the script says so.
(module $M (memory (export "shared") 1 1 shared) (func (export "f")))
(register "m" $M)
(thread $T (shared (module $M))
  (register "mem" $M)
  (module (import "mem" "shared" (memory 1 1 shared)) (func (export "store") (i32.store (i32.const 0) (i32.const 42))))
  (invoke "store")
  (assert_return (invoke "store") (i32.const 1)) ;; FAIL expected 1 results, got 0
  (module (import "m" "shared" (memory 1 1 shared))) ;; FAIL unknown import
  (assert_unlinkable (module (import "mem" "f" (func))) "unknown import"))
(wait $T)
(module (import "m" "shared" (memory 1 1 shared)) (func (export "load") (result i32) (i32.load (i32.const 0))))
(assert_return (invoke "load") (i32.const 42))
(assert_return (invoke "load") (i32.const 41)) ;; FAIL expected i32 41
(thread $U (invoke $M "f")) ;; FAIL unknown instance $M
