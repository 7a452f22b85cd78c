(module
  (import "nowhere" "f" (func (param i32) (result i64)))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i64) (result i32)))
  (import "wasi_snapshot_preview1" "no_such_call" (func))
  (memory (export "memory") 1)
  (func (export "_start")))
