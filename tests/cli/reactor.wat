(module
  (global $n (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $n (i32.const 42)))
  (func (export "get") (result i32) (global.get $n)))
