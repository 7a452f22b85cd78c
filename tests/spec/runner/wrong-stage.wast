;; What is invalid is not malformed, what is malformed not invalid, and what is neither is not unlinkable.
(assert_malformed (module quote "(func (result i32))") "type mismatch") ;; FAIL got invalid module
(assert_malformed (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\01\0a\04\01\02\00\0b") "unknown type") ;; FAIL got invalid module
(assert_invalid (module quote "(func (i32.nonsense))") "unknown operator") ;; FAIL got malformed module
(assert_invalid (module binary "\00asm\02\00\00\00") "unknown binary version") ;; FAIL got malformed module
(assert_malformed (module quote "(func)") "unexpected token") ;; FAIL the module was accepted
(assert_invalid (module (func)) "type mismatch") ;; FAIL the module was accepted
(assert_unlinkable (module (func (result i32))) "type mismatch") ;; FAIL invalid module
(assert_trap (module (func (result i32))) "type mismatch") ;; FAIL invalid module
(assert_malformed_custom (module quote "(@custom \"x\")") "") ;; FAIL the custom sections were accepted
(assert_invalid_custom (module (func)) "") ;; FAIL the custom sections were accepted
(assert_invalid_custom (module quote "(@custom)") "@custom annotation: missing section name") ;; FAIL got malformed module
(assert_malformed (module quote "(import \"a\" \"b\" (func))") "unknown import") ;; FAIL the module was accepted
