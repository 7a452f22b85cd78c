(module $names
  (func $innermost (param $what i32) (result i32) (i32.div_u (i32.const 1) (local.get $what)))
  (func $middle (param i32) (result i32) (call $innermost (local.get 0)))
  (func $outer (export "run") (result i32) (i32.add (i32.const 1) (call $middle (i32.const 0)))))
