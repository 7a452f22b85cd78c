package dapr

import (
	"fmt"
	"unsafe"
)

//go:wasmimport wasi_experimental_http req
func httpReq(url unsafe.Pointer, urlLen uint32, method unsafe.Pointer, methodLen uint32, headers unsafe.Pointer, headersLen uint32,
	body unsafe.Pointer, bodyLen uint32, status, handle unsafe.Pointer) uint32

//go:wasmimport wasi_experimental_http close
func httpClose(handle uint32) uint32

//go:wasmimport wasi_experimental_http header_get
func httpHeaderGet(handle uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueCap uint32, written unsafe.Pointer) uint32

//go:wasmimport wasi_experimental_http body_read
func httpBodyRead(handle uint32, buf unsafe.Pointer, bufCap uint32, written unsafe.Pointer) uint32

// ImportError is the code of an import that failed: no answer came.
type ImportError uint32

var importErrors = [...]string{"no error", "invalid handle", "memory not found", "memory access error", "buffer too small", "header not found", "UTF-8 error",
	"destination not allowed", "invalid method", "invalid encoding", "invalid URL", "request error", "runtime error", "too many sessions"}

func (e ImportError) Error() string {
	if int(e) < len(importErrors) {
		return importErrors[e]
	}
	return fmt.Sprintf("error %d", uint32(e))
}

// pointer of bytes; that of an empty slice is not nil.
func pointer(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		b = []byte{0}
	}
	return unsafe.Pointer(&b[0])
}

func send(method, url, headers string, body []byte) (status int, etag string, answer []byte, err error) {
	var code uint16
	var handle, n uint32
	u, m, h := []byte(url), []byte(method), []byte(headers)
	if e := httpReq(pointer(u), uint32(len(u)), pointer(m), uint32(len(m)), pointer(h), uint32(len(h)), pointer(body), uint32(len(body)),
		unsafe.Pointer(&code), unsafe.Pointer(&handle)); e != 0 {
		return 0, "", nil, ImportError(e)
	}
	defer httpClose(handle)
	name, buf := []byte("etag"), make([]byte, 4096)
	if httpHeaderGet(handle, pointer(name), 4, pointer(buf), uint32(len(buf)), unsafe.Pointer(&n)) == 0 {
		etag = string(buf[:n])
	}
	for {
		if e := httpBodyRead(handle, pointer(buf), uint32(len(buf)), unsafe.Pointer(&n)); e != 0 {
			return int(code), etag, answer, ImportError(e)
		}
		if n == 0 {
			return int(code), etag, answer, nil
		}
		answer = append(answer, buf[:n]...)
	}
}
