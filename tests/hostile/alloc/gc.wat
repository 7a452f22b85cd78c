(module $gc
  (rec
    (type $list (sub (struct (field $next (ref null $list)) (field $value (mut i32)))))
    (type $named (sub final $list (struct (field (ref null $list)) (field (mut i32)) (field (ref null $bytes)))))
    (type $bytes (array (mut i8))))
  (type $wide (array (mut v128)))
  (global $root (mut (ref null $list)) (ref.null $list))
  (global $fixed (ref $bytes) (array.new $bytes (i32.const 1) (i32.const 40)))
  (data $text "what is kept")
  (func (export "run") (result i32) (local $i i32) (local $sum i32)
    (loop $more
      (global.set $root (struct.new $named (global.get $root) (i32.const 1)
        (array.new_data $bytes $text (i32.const 0) (i32.const 12))))
      (drop (array.new $wide (v128.const i64x2 1 2) (i32.const 64)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000))))
    (block $done
      (loop $next
        (br_if $done (ref.is_null (global.get $root)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $list $value (global.get $root))))
        (global.set $root (struct.get $list $next (global.get $root)))
        (br $next)))
    (i32.add (i32.sub (local.get $sum) (i32.const 1998)) (array.len (global.get $fixed)))))
