;; Results that are not what is expected, of every type.
(module
  (global (export "g") i32 (i32.const 1))
  (func (export "i") (result i32) (i32.const 1)) (func (export "I") (result i64) (i64.const 1))
  (func (export "f") (result f32) (f32.const 0)) (func (export "F") (result f64) (f64.const nan:0x8000000000001))
  (func (export "v") (result v128) (v128.const i32x4 1 2 3 4)) (func (export "n") (result f32) (f32.const nan:0x200000))
  (func (export "two") (result i32 i32) (i32.const 1) (i32.const 2)) (func (export "none"))
  (func (export "null") (result externref) (ref.null extern)) (func (export "self") (result funcref) (ref.func 0)) (elem declare func 0)
  (func (export "host") (param externref) (result externref) (local.get 0)) (func (export "i31") (result anyref) (ref.i31 (i32.const 1))))
(assert_return (invoke "i") (i32.const 2)) ;; FAIL expected i32 2 (0x2), got i32 1 (0x1)
(assert_return (invoke "i") (i64.const 1)) ;; FAIL expected i64 1 (0x1), got i32 1 (0x1)
(assert_return (invoke "I") (i64.const -1)) ;; FAIL got i64 1
(assert_return (invoke "f") (f32.const -0)) ;; FAIL expected f32 -0x0p+0 (0x80000000)
(assert_return (invoke "f") (f32.const nan:canonical)) ;; FAIL expected f32 nan:canonical
(assert_return (invoke "F") (f64.const nan:canonical)) ;; FAIL expected f64 nan:canonical
(assert_return (invoke "F") (f64.const nan:arithmetic))
(assert_return (invoke "n") (f32.const nan:arithmetic)) ;; FAIL nan:arithmetic
(assert_return (invoke "n") (f32.const nan)) ;; FAIL expected f32
(assert_return (invoke "v") (v128.const i32x4 1 2 3 5)) ;; FAIL got v128
(assert_return (invoke "v") (v128.const f32x4 nan:canonical 0 0 0)) ;; FAIL lane 0 nan:canonical
(assert_return (invoke "two") (i32.const 1)) ;; FAIL expected 1 results, got 2
(assert_return (invoke "two") (i32.const 2) (i32.const 1)) ;; FAIL expected i32 2
(assert_return (invoke "none") (i32.const 1)) ;; FAIL expected 1 results, got 0
(assert_return (invoke "i")) ;; FAIL expected 0 results, got 1
(assert_return (invoke "i") (either (i32.const 2) (i32.const 3))) ;; FAIL either of i32 2 (0x2), i32 3 (0x3)
(assert_return (invoke "null") (ref.extern)) ;; FAIL got null of extern
(assert_return (invoke "null") (ref.null func)) ;; FAIL expected null of func
(assert_return (invoke "self") (ref.null)) ;; FAIL got a function of func
(assert_return (invoke "self") (ref.extern)) ;; FAIL expected a reference to extern
(assert_return (invoke "host" (ref.extern 1)) (ref.extern 2)) ;; FAIL got a host reference 1 of extern
(assert_return (invoke "host" (ref.extern 1)) (ref.host 1)) ;; FAIL host reference 1 of any
(assert_return (invoke "i31") (ref.struct)) ;; FAIL got an i31 of any
(assert_return (get "g") (i32.const 2)) ;; FAIL expected i32 2
