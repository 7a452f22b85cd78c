;; Copies standard input to standard output; exit status: the last error.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $err i32)
    (loop $again
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (local.set $err (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (local.get $err) (then (call $exit (local.get $err))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (local.set $err (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
      (if (local.get $err) (then (call $exit (local.get $err))))
      (br_if $again (i32.load (i32.const 8))))))
