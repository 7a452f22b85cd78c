;; What bounds.c calls.
(module
  (type $cell (struct (field $next (ref null $cell)) (field $value (mut i64))))
  (type $cells (array (mut (ref null $cells))))
  (global $list (mut (ref null $cell)) (ref.null $cell))
  (global $nest (mut (ref null $cells)) (ref.null $cells))

  (func (export "churn") (param $n i32) (result i32) (local $last (ref null $cell)) (local $sum i32)
    (loop $more
      (local.set $last (struct.new $cell (ref.null $cell) (i64.extend_i32_u (local.get $n))))
      (local.set $sum (i32.add (local.get $sum) (i32.wrap_i64 (struct.get $cell $value (local.get $last)))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "grow") (param $n i32) (result i32) ;; the list stays
    (loop $more
      (global.set $list (struct.new $cell (global.get $list) (i64.const 1)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 0))

  (func (export "length") (param i32) (result i32) (local $at (ref null $cell)) (local $n i32)
    (local.set $at (global.get $list))
    (block $end
      (loop $more
        (local.set $at (struct.get $cell $next (br_on_null $end (local.get $at))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $more)))
    (local.get $n))

  (func (export "nest") (param $n i32) (result i32) ;; arrays in arrays, alternately first and last
    (local $a (ref null $cells))
    (loop $more
      (local.set $a (array.new_default $cells (i32.const 3)))
      (array.set $cells (local.get $a) (i32.mul (i32.const 2) (i32.and (local.get $n) (i32.const 1))) (global.get $nest))
      (global.set $nest (local.get $a))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 0))

  (func (export "forget") (param i32) (result i32)
    (global.set $list (ref.null $cell))
    (global.set $nest (ref.null $cells))
    (i32.const 0))

  (func (export "wide") (param $n i32) (result i32) ;; one array of any size
    (array.len (array.new_default $cells (local.get $n)))))
